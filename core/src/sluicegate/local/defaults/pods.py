"""Defaults of Pods, of ReplicaSets, and of the pod templates in them, which get fewer than Pods do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.local.defaults.containers import (
    canonical_amounts,
    default_container,
    host_ports,
    requests_from_limits,
)
from sluicegate.local.defaults.fields import fill_absent, fill_empty, member, members
from sluicegate.local.defaults.volumes import default_volume

if TYPE_CHECKING:
    from sluicegate.local.objects import Object
    from sluicegate.local.store import ObjectStore

CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")
NODE_TAINTS: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def default_pod_spec(spec: Object) -> None:
    """Fill in what both a Pod and a pod template get, in place."""
    fill_empty(spec, dnsPolicy="ClusterFirst", restartPolicy="Always", schedulerName="default-scheduler")
    fill_absent(spec, securityContext={}, terminationGracePeriodSeconds=30)
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    canonical_amounts(spec, "overhead")
    for kind in CONTAINERS:
        for container in members(spec, kind):
            default_container(container)
    for volume in members(spec, "volumes"):
        default_volume(volume)


def admit_replica_set(new: Object, old: Object | None, store: ObjectStore) -> Object:
    """The ReplicaSet as a real API server stores it."""
    spec = new.setdefault("spec", {})
    fill_absent(spec, replicas=1)
    default_pod_spec(spec.setdefault("template", {}).setdefault("spec", {}))
    if old is None:
        new["status"] = {"replicas": 0}
    return new


def admit_pod(new: Object, old: Object | None, store: ObjectStore) -> Object:
    """The Pod as a real API server stores it, with what its priority and toleration admission plugins add."""
    spec = new.setdefault("spec", {})
    default_pod_spec(spec)
    fill_absent(spec, enableServiceLinks=True, preemptionPolicy="PreemptLowerPriority", priority=0)
    for container in (*members(spec, "containers"), *members(spec, "initContainers")):
        requests_from_limits(container)
        if spec.get("hostNetwork"):
            host_ports(container)
    if old is None:
        _tolerate_node_loss(spec)
        new["status"] = {"phase": "Pending", "qosClass": quality_of_service(spec)}
    return new


def quality_of_service(spec: Object) -> str:
    """`Guaranteed`, `Burstable` or `BestEffort`, by the requests and limits of CPU and memory of all containers."""
    containers = [*members(spec, "containers"), *members(spec, "initContainers")]
    resources = [member(container, "resources") or {} for container in containers]
    if not any(_compute(held, kind) for held in resources for kind in ("requests", "limits")):
        return "BestEffort"
    guaranteed = all(
        len(_compute(held, "limits")) == 2 and _compute(held, "limits") == _compute(held, "requests")
        for held in resources
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _compute(resources: Object, kind: str) -> dict[str, Any]:
    amounts = resources.get(kind) or {}
    return {name: amounts[name] for name in ("cpu", "memory") if amounts.get(name)}


def _tolerate_node_loss(spec: Object) -> None:
    tolerations = spec.setdefault("tolerations", [])
    known = {item.get("key") for item in tolerations}
    for key in NODE_TAINTS:
        if key not in known and None not in known:
            tolerations.append({"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300})
