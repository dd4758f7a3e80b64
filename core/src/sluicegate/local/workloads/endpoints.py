"""The endpoints controller: keeps the EndpointSlices and the Endpoints of each Service in line with its pods."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from sluicegate.api.selectors import matches_labels
from sluicegate.local.objects import Key
from sluicegate.local.workloads.endpointslices import (
    MANAGED_BY_LABEL,
    MANAGER,
    SERVICE_LABEL,
    Ports,
    endpoint_slice,
    pods_by_ports,
    slice_ports,
    subsets,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluicegate.local.objects import Change, Object
    from sluicegate.local.store import ObjectStore

SERVICES: Final = ("", "services")
PODS: Final = ("", "pods")
ENDPOINTS: Final = ("", "endpoints")
SLICES: Final = ("discovery.k8s.io", "endpointslices")


class EndpointsReconciler:
    """Writes what `endpointslices` computes, for each Service with a selector."""

    kinds = (SERVICES, PODS)

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def everything(self) -> Iterable[Key]:
        """All Services."""
        return [_service_key(service) for service in self._store.list(*SERVICES)]

    def concerned(self, change: Change) -> Iterable[Key]:
        """A Service itself; for a pod, the Services that select it or did so before."""
        if change.key.kind == SERVICES:
            return [change.key]
        services = self._store.list(*SERVICES, change.key.namespace)
        states = [pod for pod in (change.object, change.previous) if pod]
        return [_service_key(found) for found in services if any(_selects(found, pod) for pod in states)]

    def reconcile(self, key: Key) -> None:
        """Write the slices and Endpoints of one Service, or remove those of one that is gone."""
        service = self._store.find(key)
        if service is None:
            self._remove(key)
        elif service["spec"].get("selector"):
            pods = [pod for pod in self._store.list(*PODS, key.namespace) if _selects(service, pod)]
            groups = pods_by_ports(service, pods)
            self._write_slices(service, groups)
            self._write_endpoints(key, service, subsets(service, groups))

    def _slices(self, key: Key) -> list[Object]:
        wanted = {SERVICE_LABEL: key.name, MANAGED_BY_LABEL: MANAGER}
        found = self._store.list(*SLICES, key.namespace)
        return [held for held in found if matches_labels(wanted, held["metadata"].get("labels") or {})]

    def _write_slices(self, service: Object, groups: dict[Ports, list[Object]]) -> None:
        stored = {slice_ports(found): found for found in self._slices(_service_key(service))}
        for ports, pods in groups.items():
            wanted = endpoint_slice(service, ports, pods)
            if found := stored.pop(ports, None):
                self._store.update(_slice_key(found), partial(_overwritten, wanted))
            else:
                self._store.create(Key(*SLICES, service["metadata"]["namespace"], ""), wanted)
        for found in stored.values():
            self._store.delete(_slice_key(found))

    def _write_endpoints(self, service_key: Key, service: Object, wanted: list[Object]) -> None:
        key = Key(*ENDPOINTS, service_key.namespace, service_key.name)
        endpoints: Object = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {}}
        endpoints["metadata"]["labels"] = service["metadata"].get("labels", {})
        if wanted:
            endpoints["subsets"] = wanted
        if self._store.find(key):
            self._store.update(key, partial(_overwritten, endpoints))
        else:
            self._store.create(key, endpoints)

    def _remove(self, key: Key) -> None:
        for found in self._slices(key):
            self._store.delete(_slice_key(found))
        endpoints = Key(*ENDPOINTS, key.namespace, key.name)
        if self._store.find(endpoints):
            self._store.delete(endpoints)


def _service_key(service: Object) -> Key:
    return Key(*SERVICES, service["metadata"]["namespace"], service["metadata"]["name"])


def _slice_key(found: Object) -> Key:
    return Key(*SLICES, found["metadata"]["namespace"], found["metadata"]["name"])


def _selects(service: Object, pod: Object) -> bool:
    return matches_labels(service["spec"].get("selector") or {}, pod["metadata"].get("labels") or {})


def _overwritten(new: Object, old: Object) -> Object:
    return {**new, "metadata": {**old["metadata"], **new["metadata"]}}
