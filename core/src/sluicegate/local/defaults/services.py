"""Defaults of Services, their cluster IPs and node ports.

Allocations are not kept in a list of their own: what the stored Services hold is allocated. A node port is tried by
binding it on 127.0.0.1 before it is given out, since other programs on the machine may have it.
"""

from __future__ import annotations

import ipaddress
import json
import random
import socket
from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.pod_defaults.fields import fill_absent, fill_empty, members
from sluicegate.local.failures import FieldFault, invalid, unacceptable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluicegate.errors import Invalid
    from sluicegate.local.objects import Object
    from sluicegate.local.store import ObjectStore

NODE_PORTS: Final = range(30000, 32768)
CLUSTER_NETWORK: Final = ipaddress.IPv4Network("10.96.0.0/16")
HEADLESS: Final = "None"


def admit_service(new: Object, old: Object | None, store: ObjectStore) -> Object:
    """The Service as a real API server stores it; raises Invalid for a node port or cluster IP that cannot be given."""
    spec = new.setdefault("spec", {})
    default_service_spec(spec)
    if old is None:
        new["status"] = {"loadBalancer": {}}
    else:
        _keep_allocated(spec, old.get("spec") or {})
    others: list[Object] = [found for found in store.list("", "services") if not _same_object(found, new)]
    _check_node_ports(new, others)
    _allocate_cluster_ip(new, others)
    _allocate_node_ports(spec, others)
    return new


def default_service_spec(spec: Object) -> None:
    """Fill in what does not depend on other Services, in place."""
    fill_empty(spec, type="ClusterIP", sessionAffinity="None")
    for port in members(spec, "ports"):
        fill_empty(port, protocol="TCP", targetPort=port.get("port"))
    _default_affinity(spec)
    if _on_nodes(spec):
        fill_empty(spec, externalTrafficPolicy="Cluster")
    if _has_cluster_ip(spec):
        fill_absent(spec, internalTrafficPolicy="Cluster", ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
    if spec["type"] == "LoadBalancer":
        fill_absent(spec, allocateLoadBalancerNodePorts=True)


def can_bind(port: int, address: str = "127.0.0.1") -> bool:
    """Whether a program could listen on that port of that address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((address, port))
        except OSError:
            return False
        return True


def _default_affinity(spec: Object) -> None:
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        held = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        fill_absent(held, timeoutSeconds=10800)
        spec["sessionAffinityConfig"] = {"clientIP": held}


def _on_nodes(spec: Object) -> bool:
    return spec.get("type") in ("NodePort", "LoadBalancer")


def _has_cluster_ip(spec: Object) -> bool:
    return spec.get("type") in ("ClusterIP", "NodePort", "LoadBalancer")


def _keep_allocated(spec: Object, before: Object) -> None:
    """An update that leaves out what was allocated keeps it, or gives it back when its type has no use for it."""
    if _has_cluster_ip(before):
        _keep_cluster_ip(spec, before)
    if _on_nodes(before):
        _keep_node_ports(spec, before)


def _keep_cluster_ip(spec: Object, before: Object) -> None:
    for name in ("clusterIP", "clusterIPs"):
        if _has_cluster_ip(spec) and not spec.get(name) and before.get(name):
            spec[name] = before[name]
        elif not _has_cluster_ip(spec) and spec.get(name) == before.get(name):
            spec.pop(name, None)


def _keep_node_ports(spec: Object, before: Object) -> None:
    given = _node_ports(members(spec, "ports"))
    held = {port.get("name"): port.get("nodePort") for port in members(before, "ports")}
    for port in members(spec, "ports"):
        if not _on_nodes(spec) and given == _node_ports(members(before, "ports")):
            port.pop("nodePort", None)
        elif _on_nodes(spec) and held.get(port.get("name")) not in (None, *given):
            fill_empty(port, nodePort=held[port.get("name")])
    if not _on_nodes(spec) and spec.get("externalTrafficPolicy") == before.get("externalTrafficPolicy"):
        spec.pop("externalTrafficPolicy", None)


def _node_ports(ports: Iterable[Object]) -> set[int]:
    return {port["nodePort"] for port in ports if port.get("nodePort")}


def _taken_node_ports(others: Iterable[Object]) -> set[int]:
    return {port for other in others for port in _node_ports(members(other.get("spec") or {}, "ports"))}


def _check_node_ports(service: Object, others: list[Object]) -> None:
    spec, taken = service["spec"], _taken_node_ports(others)
    for index, port in enumerate(members(spec, "ports")):
        path, wanted = f"spec.ports[{index}].nodePort", port.get("nodePort")
        if not wanted:
            continue
        if not _on_nodes(spec):
            raise _refusal(service, path, None, f"may not be used when `type` is '{spec['type']}'")
        if wanted in taken:
            raise _refusal(service, path, wanted, "provided port is already allocated")
        if wanted not in NODE_PORTS:
            valid = f"{NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
            detail = f"provided port is not in the valid range. The range of valid ports is {valid}"
            raise _refusal(service, path, wanted, detail)
        taken.add(wanted)


def _allocate_cluster_ip(service: Object, others: list[Object]) -> None:
    spec = service["spec"]
    if not _has_cluster_ip(spec):
        return
    taken = {(other.get("spec") or {}).get("clusterIP") for other in others}
    wanted = spec.get("clusterIP")
    if wanted and wanted != HEADLESS:
        _check_cluster_ip(service, wanted, taken)
    fill_empty(spec, clusterIP=wanted or _free_cluster_ip(taken))
    spec["clusterIPs"] = [spec["clusterIP"]]


def _check_cluster_ip(service: Object, wanted: str, taken: set[Any]) -> None:
    try:
        inside = ipaddress.IPv4Address(wanted) in CLUSTER_NETWORK
    except ValueError:
        inside = False
    if not inside:
        detail = f"failed to allocate IP {wanted}: the provided network does not match the current range"
        raise _refusal(service, "spec.clusterIPs", [wanted], detail)
    if wanted in taken:
        detail = f"failed to allocate IP {wanted}: provided IP is already allocated"
        raise _refusal(service, "spec.clusterIPs", [wanted], detail)


def _free_cluster_ip(taken: set[Any]) -> str:
    while True:
        address = str(CLUSTER_NETWORK[random.randrange(256, CLUSTER_NETWORK.num_addresses - 1)])
        if address not in taken:
            return address


def _allocate_node_ports(spec: Object, others: list[Object]) -> None:
    if not _on_nodes(spec) or spec.get("allocateLoadBalancerNodePorts") is False:
        return
    taken = _taken_node_ports([*others, {"spec": spec}])
    for port in members(spec, "ports"):
        if not port.get("nodePort"):
            port["nodePort"] = _free_node_port(taken)
            taken.add(port["nodePort"])


def _free_node_port(taken: set[int]) -> int:
    free = [port for port in NODE_PORTS if port not in taken]
    random.shuffle(free)
    for port in free:
        if can_bind(port):
            return port
    raise RuntimeError(f"no node port is free: all of {NODE_PORTS.start}-{NODE_PORTS.stop - 1} are in use")


def _same_object(one: Object, other: Object) -> bool:
    names = ("namespace", "name")
    return all(one["metadata"].get(name) == other["metadata"].get(name) for name in names)


def _refusal(service: Object, path: str, value: Any, detail: str) -> Invalid:
    """The error of a field; without a value it is one that must not be there at all."""
    fault = FieldFault("FieldValueForbidden", path, f"Forbidden: {detail}")
    if value is not None:
        fault = unacceptable(path, json.dumps(value), detail)
    return invalid("Service", service["metadata"].get("name", ""), [fault])
