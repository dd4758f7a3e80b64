"""The embedded cluster for tests, pods played, in a thread and an event loop of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.controlplane.build import installed_kubectl

from sluicegate.api.crds import crds
from sluicegate.local.cluster import LocalCluster

from .cluster import Cluster

START_SECONDS = 30


@contextmanager
def embedded_cluster(folder: Path) -> Iterator[Cluster]:
    """An embedded cluster on any free port, with its kubeconfig in the folder."""
    local = LocalCluster(port=0, pods="played", crds=crds(), kubeconfig=folder / "kubeconfig")
    with _own_loop() as loop:
        asyncio.run_coroutine_threadsafe(local.start(), loop).result(START_SECONDS)
        try:
            yield Cluster(
                kubeconfig=local.kubeconfig,
                controller_kubeconfig=local.kubeconfig,
                http=local.address,
                kubectl=installed_kubectl(),
                plays_pods=True,
            )
        finally:
            asyncio.run_coroutine_threadsafe(local.stop(), loop).result(START_SECONDS)


@contextmanager
def _own_loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="embedded cluster")
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
