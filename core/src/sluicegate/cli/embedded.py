"""The embedded cluster with the controller in it, as `up` and `demo` run it."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sluicegate.cli.run_record import RunRecord, read_record, write_record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sluicegate.local.cluster import LocalCluster

PLUGIN_SCRIPT = "kubectl-argo-rollouts"


def record_path(data_dir: Path | None, port: int) -> Path:
    """Where the record of a run lies: in its data folder, else in the user's state folder, one a port."""
    from sluicegate.local.kubeconfig import state_folder

    return data_dir / "run.json" if data_dir else state_folder() / f"run-{port}.json"


def chosen_port(data_dir: Path | None, port: int | None) -> int:
    """The port asked for, else the one that the data folder's last run had, else the usual one."""
    from sluicegate.local.kubeconfig import DEFAULT_PORT

    if port is not None:
        return port
    last = read_record(record_path(data_dir, DEFAULT_PORT)) if data_dir else None
    return last.port if last else DEFAULT_PORT


@asynccontextmanager
async def running_cluster(
    data_dir: Path | None, port: int, plugin_dir: Path | None, *, kubeconfig: Path | None = None
) -> AsyncIterator[LocalCluster]:
    """Run cluster and controller while the body runs. Raises ConfigError where port or folder cannot be used."""
    from sluicegate.api.crds import crds
    from sluicegate.controller.manager import Settings
    from sluicegate.controller.process import run_controller
    from sluicegate.kube.client import Client
    from sluicegate.local.cluster import LocalCluster

    try:
        async with (
            LocalCluster(data_dir, port=port, crds=crds(), kubeconfig=kubeconfig) as cluster,
            await Client.connect(kubeconfig=cluster.kubeconfig) as client,
            # A controller that fails takes the cluster down with it: one without the other would only look alive.
            asyncio.TaskGroup() as tasks,
        ):
            controller = tasks.create_task(
                run_controller(client, Settings(), plugin_dir=plugin_dir, leader_elect=False)
            )
            try:
                yield cluster
            finally:
                controller.cancel()
    except BaseExceptionGroup as group:
        raise _only(group) from group


def _only(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that ended the tasks of a group: the others were cancelled for it."""
    first = group.exceptions[0]
    return _only(first) if isinstance(first, BaseExceptionGroup) else first


def mark_ready(data_dir: Path | None, cluster: LocalCluster, port: int) -> RunRecord:
    """Write the record of this process, ready to be used."""
    record = RunRecord(os.getpid(), port, str(cluster.kubeconfig), ready=True)
    write_record(record_path(data_dir, port), record)
    return record


def paste_lines(kubeconfig: str) -> list[str]:
    """The two lines that make a shell use the cluster and our scripts."""
    scripts = str(Path(sys.executable).parent)
    return [f"export KUBECONFIG={shlex.quote(kubeconfig)}", f"export PATH={shlex.quote(scripts)}:$PATH"]


def other_script() -> str | None:
    """The `kubectl-argo-rollouts` that comes first on the PATH, if it is not ours."""
    found = shutil.which(PLUGIN_SCRIPT)
    ours = Path(sys.executable).parent / PLUGIN_SCRIPT
    if found is None or Path(found).resolve() == ours.resolve():
        return None
    return found
