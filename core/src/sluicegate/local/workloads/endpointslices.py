"""The EndpointSlices and Endpoints of a Service, computed from the pods that it selects. Pure.

All pods of a slice have the same ports; where real ports differ from declared ones (see `sluicegate.local.addresses`)
there is a slice for each different set.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from sluicegate.local.addresses import PORTS_ANNOTATION
from sluicegate.local.workloads.podview import is_ready, is_terminating, phase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluicegate.local.objects import Object

SERVICE_LABEL: Final = "kubernetes.io/service-name"
MANAGED_BY_LABEL: Final = "endpointslice.kubernetes.io/managed-by"
MANAGER: Final = "endpointslice-controller.k8s.io"


class Port(NamedTuple):
    """A port of a Service as its pods have it."""

    name: str
    port: int
    protocol: str


Ports = tuple[Port, ...]


def pods_by_ports(service: Object, pods: Iterable[Object]) -> dict[Ports, list[Object]]:
    """The pods that can be endpoints, by the ports they serve the Service on."""
    groups: defaultdict[Ports, list[Object]] = defaultdict(list)
    for pod in pods:
        if phase(pod) not in ("Succeeded", "Failed") and (pod.get("status") or {}).get("podIP"):
            groups[_ports(service, pod)].append(pod)
    return dict(sorted(groups.items()))


def endpoint_slice(service: Object, ports: Ports, pods: list[Object]) -> Object:
    """One slice; its name is left to the API server."""
    metadata = service["metadata"]
    owner = {"apiVersion": "v1", "kind": "Service", "name": metadata["name"], "uid": metadata["uid"]}
    labels = {**metadata.get("labels", {}), SERVICE_LABEL: metadata["name"], MANAGED_BY_LABEL: MANAGER}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{metadata['name']}-",
            "labels": labels,
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
        },
        "addressType": "IPv4",
        "endpoints": [_endpoint(service, pod) for pod in pods],
        "ports": [port._asdict() for port in ports],
    }


def slice_ports(found: Object) -> Ports:
    """The ports of a stored slice."""
    return tuple(Port(port.get("name", ""), port["port"], port["protocol"]) for port in found.get("ports") or ())


def subsets(service: Object, groups: dict[Ports, list[Object]]) -> list[Object]:
    """The `subsets` of the Service's Endpoints, which terminating pods have left."""
    found = []
    for ports, pods in groups.items():
        staying = [pod for pod in pods if not is_terminating(pod)]
        lists = {
            "addresses": [_address(pod) for pod in staying if _is_published(service, pod)],
            "notReadyAddresses": [_address(pod) for pod in staying if not _is_published(service, pod)],
        }
        listed = {name: addresses for name, addresses in lists.items() if addresses}
        if listed:
            found.append({**listed, "ports": [_unnamed(port) for port in ports]})
    return found


def _endpoint(service: Object, pod: Object) -> Object:
    terminating, published = is_terminating(pod), _is_published(service, pod)
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": published and (not terminating or _publishes_all(service)),
            "serving": published,
            "terminating": terminating,
        },
        "nodeName": pod["spec"].get("nodeName", ""),
        "targetRef": _target(pod),
    }


def _address(pod: Object) -> Object:
    return {"ip": pod["status"]["podIP"], "nodeName": pod["spec"].get("nodeName", ""), "targetRef": _target(pod)}


def _target(pod: Object) -> Object:
    return {"kind": "Pod", **{name: pod["metadata"][name] for name in ("namespace", "name", "uid")}}


def _unnamed(port: Port) -> Object:
    return {name: value for name, value in port._asdict().items() if value}


def _is_published(service: Object, pod: Object) -> bool:
    return is_ready(pod) or _publishes_all(service)


def _publishes_all(service: Object) -> bool:
    return bool(service["spec"].get("publishNotReadyAddresses"))


def _ports(service: Object, pod: Object) -> Ports:
    moved = json.loads((pod["metadata"].get("annotations") or {}).get(PORTS_ANNOTATION, "{}"))
    return tuple(
        Port(port.get("name", ""), moved.get(str(number), number), port["protocol"])
        for port in service["spec"].get("ports") or ()
        if (number := _container_port(port, pod))
    )


def _container_port(port: Object, pod: Object) -> int | None:
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for container in pod["spec"]["containers"]:
        for declared in container.get("ports") or ():
            if declared.get("name") == target and declared.get("protocol", "TCP") == port["protocol"]:
                return int(declared["containerPort"])
    return None
