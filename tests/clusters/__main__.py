"""`python -m tests.clusters require-real`: have ready what the tests on a real cluster need, or say what is missing."""

import argparse
import os
import sys

from tests.controlplane.build import BuildError, build

from .real import GIVEN


def main() -> int:
    """Check the given kubeconfig, or build the control plane; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.clusters", description=__doc__)
    parser.add_argument("command", choices=["require-real"])
    parser.parse_args()
    return _require_given(given) if (given := os.environ.get(GIVEN)) else _require_built()


def _require_given(kubeconfig: str) -> int:
    if os.path.isfile(kubeconfig):
        return 0
    print(f"{GIVEN} names {kubeconfig}, and there is no such file.", file=sys.stderr)
    return 1


def _require_built() -> int:
    try:
        build()
    except BuildError as error:
        print(f"{error} Or name the kubeconfig of a cluster to use in {GIVEN}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
