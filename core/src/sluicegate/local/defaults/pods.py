"""Defaults of Pods, of ReplicaSets, and of the pod templates in them, which get fewer than Pods do.

Like every typed object, a pod template first goes through its encoding: zero values and unknown fields are left out,
and quantities are written in their canonical form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.encoding import encode
from sluicegate.api.pod_defaults import default_pod_spec, defaulted_template
from sluicegate.api.pod_defaults.containers import host_ports, requests_from_limits
from sluicegate.api.pod_defaults.fields import fill_absent, member, members
from sluicegate.local.apiserver.paths import lookup
from sluicegate.local.failures import invalid, required

if TYPE_CHECKING:
    from sluicegate.local.objects import Object
    from sluicegate.local.store import ObjectStore

NODE_TAINTS: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def admit_replica_set(new: Object, old: Object | None, store: ObjectStore) -> Object:
    """The ReplicaSet as a real API server stores it."""
    spec = new.setdefault("spec", {})
    fill_absent(spec, replicas=1)
    spec["template"] = defaulted_template(spec.get("template") or {})
    if old is None:
        new["status"] = {"replicas": 0}
    return new


def admit_pod(new: Object, old: Object | None, store: ObjectStore) -> Object:
    """The Pod as a real API server stores it, with what its priority and toleration admission plugins add."""
    spec: Object = encode(new.get("spec") or {}, "PodSpec")
    new["spec"] = spec
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


def require_containers(new: Object, old: Object | None, store: ObjectStore) -> Object:
    """The Pod as it is; raises Invalid for one that has nothing to run."""
    return _required(new, "Pod", "spec.containers")


def require_template(new: Object, old: Object | None, store: ObjectStore) -> Object:
    """The ReplicaSet or Deployment as it is; raises Invalid for one without a selector, or with nothing to run."""
    return _required(new, f"{new['kind']}.apps", "spec.selector", "spec.template.spec.containers")


def _required(obj: Object, kind: str, *paths: str) -> Object:
    if missing := [required(path) for path in paths if not lookup(obj, path)]:
        raise invalid(kind, str(obj["metadata"].get("name", "")), missing)
    return obj


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
