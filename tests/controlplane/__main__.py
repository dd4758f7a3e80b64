"""The command line of the test control plane, to use it by hand: see README.md."""

import argparse
import signal
import sys
from pathlib import Path

from .api import ApiError
from .build import BuildError, build, build_kubectl, cache_folder
from .cluster import ControlPlane
from .processes import StartError


def main() -> int:
    """Run a command; return the exit code."""
    arguments = _parser().parse_args()
    try:
        if arguments.command == "build":
            build()
            print(f"All programs are in {cache_folder()}.")
        elif arguments.command == "kubectl-folder":
            print(build_kubectl().parent)
        else:
            _start(ControlPlane(crds=arguments.crds, audit_log=arguments.audit_log, folder=arguments.folder))
    except (BuildError, StartError, ApiError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _start(plane: ControlPlane) -> None:
    # A polite request to end is taken as Ctrl-C is: in both cases the servers are stopped in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with plane:
            print(f"The API server listens on {plane.url}. Use it from another terminal:\n")
            print(f"    export KUBECONFIG={plane.kubeconfig}\n")
            print("Ctrl-C stops it.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("Stopped.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.controlplane", description="A Kubernetes control plane.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the programs that the cache lacks")
    commands.add_parser(
        "kubectl-folder", help="print the folder of a kubectl, built if the PATH has none, for the PATH"
    )
    start = commands.add_parser("start", help="start on loopback; Ctrl-C stops it")
    start.add_argument("--crds", type=Path, nargs="+", default=[], metavar="FILE", help="CRDs to have from the start")
    start.add_argument("--audit-log", type=Path, metavar="FILE", help="write a line for each request")
    start.add_argument("--folder", type=Path, help="put the files here and leave them")
    return parser


if __name__ == "__main__":
    sys.exit(main())
