"""`python -m tests.scale`: measure the controller on a real control plane and print the table of the figures.

`SLUICEGATE_BENCH=small` does the same with a handful of Rollouts on an embedded cluster, to see that all of it works.
"""

import asyncio
import os
import platform
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.clusters.embedded import embedded_cluster
from tests.controlplane.build import BuildError
from tests.controlplane.cluster import ControlPlane
from tests.controlplane.processes import StartError

from sluicegate.api.crds import crds

from .decisions import decision_figures
from .figure import Figure
from .run import FULL, SMALL, Place, measured

SIZE = "SLUICEGATE_BENCH"


def main() -> int:
    """Measure; return the exit code."""
    small = os.environ.get(SIZE) == "small"
    size = SMALL if small else FULL
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print("load before the start: {:.2f} {:.2f} {:.2f}\n".format(*os.getloadavg()))
    print("| Work | Goal, at most | Measured | Where |\n|---|---|---|---|", flush=True)
    for figure in decision_figures(size.decisions):
        _show(figure)
    try:
        with ExitStack() as running:
            folder = Path(running.enter_context(TemporaryDirectory(prefix="sluicegate-bench-")))
            place = _embedded(running, folder) if small else _real(running, folder)
            asyncio.run(measured(place, size, _show))
    except (BuildError, StartError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\nload at the end: {:.2f} {:.2f} {:.2f}".format(*os.getloadavg()))
    return 0


def _show(figure: Figure) -> None:
    print(figure, flush=True)


def _real(running: ExitStack, folder: Path) -> Place:
    audit_log = folder / "audit.log"
    plane = running.enter_context(ControlPlane(crds=crds(), audit_log=audit_log, folder=folder / "plane"))
    return Place(folder, plane.kubeconfig, plane.controller_kubeconfig, audit_log=audit_log)


def _embedded(running: ExitStack, folder: Path) -> Place:
    cluster = running.enter_context(embedded_cluster(folder))
    return Place(folder, cluster.kubeconfig, cluster.controller_kubeconfig, http=cluster.http)


if __name__ == "__main__":
    sys.exit(main())
