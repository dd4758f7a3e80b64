"""Brings a control plane up, in the order that it needs, waiting for each server before what depends on it."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from .access import CONTROLLER_MANAGER, KWOK, SCHEDULER
from .api import Api, Manifest, is_healthy
from .commands import Commands
from .processes import Server

NODE = "node-1"
START_SECONDS = 120
# The API server would wait a minute for open watches; nothing that it holds is of any use afterwards.
STOP_SECONDS = 2


class Startup:
    """One start of a control plane; closing `running` stops what it started, last first."""

    def __init__(self, commands: Commands, api: Api, running: ExitStack) -> None:
        self.servers: list[Server] = []
        self._commands = commands
        self._api = api
        self._running = running
        self._deadline = time.monotonic() + START_SECONDS

    def run(self, crds: Sequence[Manifest], audit_log: Path | None) -> None:
        """Start everything and return when pods can run.

        Raises:
            StartError: a server did not come up in time.
            ApiError: the API server refused a CRD.
        """
        api_server = self._start_api_server(audit_log)
        # Before the garbage collector starts and looks which kinds there are.
        self._create_crds(crds, api_server)
        self._start_components()

    def _start_api_server(self, audit_log: Path | None) -> Server:
        commands = self._commands
        etcd = self._launch("etcd", commands.etcd())
        self._wait_healthy(etcd, f"{commands.etcd_url}/health")
        api_server = self._launch("kube-apiserver", commands.kube_apiserver(audit_log))
        self._wait_healthy(api_server, f"{commands.url}/readyz")
        return api_server

    def _create_crds(self, crds: Sequence[Manifest], api_server: Server) -> None:
        for crd in crds:
            self._api.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
        api_server.wait_until(lambda: all(map(self._serves, crds)), "serving the CRDs", self._deadline)

    def _start_components(self) -> None:
        commands = self._commands
        manager = self._launch(CONTROLLER_MANAGER, commands.kube_controller_manager())
        scheduler = self._launch(SCHEDULER, commands.kube_scheduler())
        kwok = self._launch(KWOK, commands.kwok())
        self._api.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": _node_metadata()})
        self._wait_healthy(manager, f"https://127.0.0.1:{commands.ports.kube_controller_manager}/healthz")
        self._wait_healthy(scheduler, f"https://127.0.0.1:{commands.ports.kube_scheduler}/readyz")
        kwok.wait_until(self._node_is_ready, "a ready node", self._deadline)

    def _launch(self, name: str, command: Sequence[str | Path]) -> Server:
        server = Server(name, command, self._commands.layout.log(name))
        self._running.callback(server.stop, STOP_SECONDS)
        self.servers.append(server)
        return server

    def _wait_healthy(self, server: Server, url: str) -> None:
        server.wait_until(lambda: is_healthy(url), f"an answer from {url}", self._deadline)

    def _serves(self, crd: Manifest) -> bool:
        """Tell whether all served versions of a CRD can be discovered, as the garbage collector will do."""
        spec = crd["spec"]
        for version in spec["versions"]:
            found = self._api.get(f"/apis/{spec['group']}/{version['name']}") or {"resources": []}
            names = {resource["name"] for resource in found["resources"]}
            if version["served"] and spec["names"]["plural"] not in names:
                return False
        return True

    def _node_is_ready(self) -> bool:
        # The namespace comes from the API server by itself, a moment after it says it is ready.
        if self._api.get("/api/v1/namespaces/default") is None:
            return False
        conditions = self._api.get(f"/api/v1/nodes/{NODE}")["status"].get("conditions", [])
        return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _node_metadata() -> Manifest:
    return {
        "name": NODE,
        "labels": {"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux"},
        "annotations": {"kwok.x-k8s.io/node": "fake"},
    }
