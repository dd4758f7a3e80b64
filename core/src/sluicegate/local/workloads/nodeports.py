"""Node ports: tells the data plane which ports to serve and which pods are behind them, from the EndpointSlices.

Like kube-proxy, pods that are terminating get new connections only while a Service has no ready pod at all.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from sluicegate.local.objects import Key
from sluicegate.local.workloads.endpointslices import SERVICE_LABEL
from sluicegate.local.workloads.messages import Serve, Unserve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sluicegate.local.objects import Change, Object
    from sluicegate.local.store import ObjectStore
    from sluicegate.local.workloads.events import EventSink
    from sluicegate.local.workloads.messages import Address, Command, Served

SERVICES: Final = ("", "services")
SLICES: Final = ("discovery.k8s.io", "endpointslices")
RETRY_SECONDS: Final = 5.0


class NodePortReconciler:
    """Keeps the node ports of all Services open in the data plane; a port that cannot be opened is tried again."""

    kinds = (SERVICES, SLICES)

    def __init__(self, store: ObjectStore, events: EventSink, send: Callable[[Command], None]) -> None:
        self._store = store
        self._events = events
        self._send = send
        self._served: dict[int, tuple[Address, ...]] = {}
        self._failed: set[int] = set()
        self._unanswered: set[int] = set()
        self._answered = asyncio.Event()
        self._ports: dict[Key, set[int]] = {}

    def everything(self) -> Iterable[Key]:
        """All Services."""
        return [Key(*SERVICES, found["metadata"]["namespace"], found["metadata"]["name"]) for found in self._services()]

    def concerned(self, change: Change) -> Iterable[Key]:
        """A Service itself, or the Service of an EndpointSlice."""
        if change.key.kind == SERVICES:
            return [change.key]
        name = (change.object["metadata"].get("labels") or {}).get(SERVICE_LABEL)
        return [Key(*SERVICES, change.key.namespace, name)] if name else []

    def reconcile(self, key: Key) -> None:
        """Serve the node ports of a Service with its present backends, and no others."""
        wanted = self._wanted(key)
        for port in self._ports.pop(key, set()) - wanted.keys():
            self._served.pop(port, None)
            self._failed.discard(port)
            self._send(Unserve(port))
        if wanted:
            self._ports[key] = set(wanted)
        for port, backends in wanted.items():
            if self._served.get(port) != backends or port in self._failed:
                self._served[port] = backends
                self._unanswered.add(port)
                self._send(Serve(port, backends))

    def forget_served(self) -> None:
        """The data plane has been started anew and serves nothing."""
        self._served.clear()
        self._failed.clear()
        self._unanswered.clear()

    def take_report(self, report: Served) -> Key | None:
        """Note whether a port is open; return the Service to look at again if it is not."""
        self._unanswered.discard(report.port)
        self._answered.set()
        if not report.error:
            self._failed.discard(report.port)
            return None
        self._failed.add(report.port)
        key = next((key for key, ports in self._ports.items() if report.port in ports), None)
        if key and (service := self._store.find(key)):
            self._events.record(service, "Warning", "NodePortUnavailable", _explanation(report))
        return key

    async def settled(self) -> None:
        """Wait until every port is open, or known to be taken."""
        while self._unanswered:
            self._answered.clear()
            await self._answered.wait()

    def _services(self) -> list[Object]:
        return list(self._store.list(*SERVICES))

    def _wanted(self, key: Key) -> dict[int, tuple[Address, ...]]:
        service = self._store.find(key)
        if service is None:
            return {}
        slices: list[Object] = [
            found
            for found in self._store.list(*SLICES, key.namespace)
            if (found["metadata"].get("labels") or {}).get(SERVICE_LABEL) == key.name
        ]
        ports = [port for port in service["spec"].get("ports") or () if port.get("nodePort")]
        return {port["nodePort"]: _backends(slices, port.get("name", "")) for port in ports if _is_tcp(port)}


def _is_tcp(port: Object) -> bool:
    return bool(port["protocol"] == "TCP")


def _backends(slices: list[Object], port_name: str) -> tuple[Address, ...]:
    """The addresses behind a port of that name: the ready ones, or without any, those that still serve."""
    endpoints = [
        (endpoint, port["port"])
        for found in slices
        for port in found.get("ports") or ()
        if port.get("name", "") == port_name
        for endpoint in found.get("endpoints") or ()
    ]
    for condition in ("ready", "serving"):
        if found := [
            (endpoint["addresses"][0], port)
            for endpoint, port in endpoints
            if (endpoint.get("conditions") or {}).get(condition, True)
        ]:
            return tuple(found)
    return ()


def _explanation(report: Served) -> str:
    return (
        f"Cannot listen on 127.0.0.1:{report.port}: {report.error}. Stop the program that has this port, "
        "or choose another spec.ports[].nodePort. Trying again every few seconds."
    )
