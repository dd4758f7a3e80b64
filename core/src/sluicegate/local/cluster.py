"""The embedded cluster put together: store, API server, workload controllers, kubeconfig.

Sluicegate's own controller is not in it: that speaks to this cluster over HTTP, like to any other.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from sluicegate.local.addresses import AddressPool
from sluicegate.local.admission import Admissions
from sluicegate.local.apiserver import crds as definitions
from sluicegate.local.apiserver import namespaces
from sluicegate.local.apiserver.server import ApiServer
from sluicegate.local.defaults import register_defaults
from sluicegate.local.kubeconfig import DEFAULT_PORT, kubeconfig_path, write_kubeconfig
from sluicegate.local.objects import Key
from sluicegate.local.store import ObjectStore
from sluicegate.local.workloads.controllers import Controllers, PlayedControllers, RunningControllers
from sluicegate.local.workloads.node import NODE, heartbeat, node
from sluicegate.local.workloads.played import Delays

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from sluicegate.local.objects import Object

NODE_LEASES: Final = "kube-node-lease"


class LocalCluster:
    """A cluster on loopback; `async with` starts and stops it.

    With `data_dir` it outlives the process. `port` 0 takes any free one. `pods` says whether pods are run as HTTP
    servers or only played, with these `delays`. `crds` are installed before the port opens. The kubeconfig is written
    to `kubeconfig`, by default `DIR/kubeconfig` or into the user's state folder.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        port: int = DEFAULT_PORT,
        pods: Literal["running", "played"] = "running",
        crds: Sequence[Object] = (),
        delays: Delays | None = None,
        kubeconfig: Path | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._port = port
        self._plays = pods == "played"
        self._crds = crds
        self._delays = delays or Delays()
        self._kubeconfig = kubeconfig
        self._store: ObjectStore | None = None
        self._api: ApiServer | None = None
        self._controllers: Controllers | None = None
        self._addresses: AddressPool | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def store(self) -> ObjectStore:
        """The objects of the running cluster."""
        assert self._store, "the cluster has not been started"
        return self._store

    @property
    def api(self) -> ApiServer:
        """The API server of the running cluster."""
        assert self._api, "the cluster has not been started"
        return self._api

    @property
    def address(self) -> str:
        """The URL of the API server."""
        return self.api.address

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig that `start` has written."""
        return self._kubeconfig or kubeconfig_path(self._data_dir, self.api.port)

    @property
    def data_plane_pid(self) -> int | None:
        """The process in which the pods run, None when they are played."""
        return self._controllers.data_plane_pid if isinstance(self._controllers, RunningControllers) else None

    async def start(self) -> None:
        """Start everything; pods of an earlier run are running again when this returns.

        Raises ConfigError if the port is in use, or the data folder is unusable or belongs to another running cluster.
        """
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End everything, with every pod, in under two seconds."""
        if self._api:
            await self._api.stop()
        if self._controllers:
            await self._controllers.stop()
        if self._store:
            self._store.close()
        if self._addresses:
            self._addresses.close()
        self._api = self._controllers = self._store = self._addresses = None

    async def _start(self) -> None:
        self._store = ObjectStore(self._data_dir)
        for manifest in self._crds:
            definitions.install(self._store, manifest)
        self._controllers = self._new_controllers(self._store)
        await self._controllers.start()
        admissions = Admissions()
        register_defaults(admissions)
        self._api = ApiServer(self._store, admissions=admissions, port=self._port)
        await self._api.start()
        write_kubeconfig(self.kubeconfig, self.address)

    def _new_controllers(self, store: ObjectStore) -> Controllers:
        if self._plays:
            _put_node(store, "127.0.0.1")
            return PlayedControllers(store, _now, self._delays)
        self._addresses = AddressPool.claim()
        _put_node(store, self._addresses.node)
        return RunningControllers(store, _now, self._addresses)


def _now() -> datetime:
    return datetime.now(UTC)


def _put_node(store: ObjectStore, address: str) -> None:
    """Write the node anew; it has just been started."""
    now, namespace = store.timestamp(), Key("", "namespaces", "", NODE_LEASES)
    if store.find(namespace) is None:
        manifest: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NODE_LEASES}}
        store.create(namespace, namespaces.complete(manifest, None, store))
    for key, wanted in (
        (Key("", "nodes", "", NODE), node(address, now)),
        (Key("coordination.k8s.io", "leases", NODE_LEASES, NODE), heartbeat(now)),
    ):
        if store.find(key):
            store.delete(key)
        store.create(key, wanted)
