"""The clusters a demo can play on: one in this process that ends with it, or one that stays up in the background."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sluicegate.cli.embedded import record_path, running_cluster
from sluicegate.cli.run_record import RunRecord, is_held
from sluicegate.cli.up import start_detached

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANY_PORT = 0


@asynccontextmanager
async def own_cluster() -> AsyncIterator[RunRecord]:
    """A cluster on any free port that leaves nothing behind."""
    with TemporaryDirectory(prefix="sluicegate-demo-") as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        async with running_cluster(None, ANY_PORT, None, kubeconfig=kubeconfig) as cluster:
            port = urlsplit(cluster.address).port or ANY_PORT
            yield RunRecord(os.getpid(), port, str(kubeconfig), ready=True)


@asynccontextmanager
async def kept_cluster() -> AsyncIterator[RunRecord]:
    """A cluster in the background, on the usual port if that is free; it ends only where the body fails."""
    # Blocks for its second or two: a signal that comes meanwhile is then seen by the body, which ends the cluster.
    record = start_detached(None, _usual_or_free_port(), None)
    try:
        yield record
    except BaseException:
        with suppress(ProcessLookupError):
            os.kill(record.pid, signal.SIGTERM)
        raise


def _usual_or_free_port() -> int:
    from sluicegate.local.kubeconfig import DEFAULT_PORT

    if is_held(record_path(None, DEFAULT_PORT)):
        return _free_port(ANY_PORT)
    try:
        return _free_port(DEFAULT_PORT)
    except OSError:
        return _free_port(ANY_PORT)


def _free_port(wanted: int) -> int:
    """The port of 127.0.0.1 that listening on the wanted one gives; raises OSError where it is taken."""
    with socket.create_server(("127.0.0.1", wanted)) as trial:
        port: int = trial.getsockname()[1]
        return port
