"""How many pods each ReplicaSet of a Deployment gets next: the arithmetic of Kubernetes' own controller. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.intstr import scaled_value

if TYPE_CHECKING:
    from sluicegate.local.objects import Object

Sizes = dict[str, int]
"""The wanted size of each ReplicaSet that is to change, by name."""
ROLLING_UPDATE: Final = "RollingUpdate"


@dataclass(frozen=True, slots=True)
class Limits:
    """How far above and below its replicas a Deployment may go."""

    surge: int
    unavailable: int


def limits(deployment: Object) -> Limits:
    """The limits of a rolling update in pods; (0, 0) for a Deployment that is recreated."""
    spec = deployment["spec"]
    if spec["strategy"]["type"] != ROLLING_UPDATE:
        return Limits(0, 0)
    asked: Object = spec["strategy"]["rollingUpdate"]
    surge = scaled_value(asked["maxSurge"], spec["replicas"], round_up=True)
    unavailable = scaled_value(asked["maxUnavailable"], spec["replicas"], round_up=False)
    return Limits(surge, min(unavailable or int(surge == 0), spec["replicas"]))


def size(replica_set: Object) -> int:
    """How many pods the ReplicaSet wants."""
    return int(replica_set["spec"]["replicas"])


def counted(replica_set: Object, counter: str) -> int:
    """A counter of the ReplicaSet's status, 0 when it is not there."""
    return int((replica_set.get("status") or {}).get(counter, 0))


def total(replica_sets: list[Object], counter: str = "") -> int:
    """The sum of a counter, or of the sizes without one."""
    return sum(counted(found, counter) if counter else size(found) for found in replica_sets)


def grown(deployment: Object, new_size: int, old: list[Object]) -> int:
    """The size of the new ReplicaSet after it has taken what room the surge leaves, or has shrunk to the replicas."""
    wanted: int = deployment["spec"]["replicas"]
    if new_size >= wanted or deployment["spec"]["strategy"]["type"] != ROLLING_UPDATE:
        return wanted
    room = wanted + limits(deployment).surge - new_size - total(old)
    return new_size + max(0, min(room, wanted - new_size))


def shrunk(deployment: Object, new: Object, old: list[Object]) -> Sizes:
    """The sizes of the old ReplicaSets, oldest first: dead pods go at once, others as new ones become available."""
    least = deployment["spec"]["replicas"] - limits(deployment).unavailable
    spare = total([new, *old]) - least - (size(new) - counted(new, "availableReplicas"))
    sizes = {found["metadata"]["name"]: size(found) for found in old}
    if spare <= 0:
        return {}
    for found in old:
        dead = max(0, size(found) - counted(found, "availableReplicas"))
        spare -= _cut(sizes, found, min(dead, spare))
    spare = total([new, *old], "availableReplicas") - least
    for found in old:
        spare -= _cut(sizes, found, max(0, spare))
    return {
        found["metadata"]["name"]: left for found in old if (left := sizes[found["metadata"]["name"]]) != size(found)
    }


def _cut(sizes: Sizes, replica_set: Object, pods: int) -> int:
    name = replica_set["metadata"]["name"]
    cut = min(sizes[name], pods)
    sizes[name] -= cut
    return cut


def is_complete(deployment: Object, status: dict[str, Any]) -> bool:
    """Whether all pods that are wanted are of the newest template and available, and no others are left."""
    wanted = deployment["spec"]["replicas"]
    counters = ("updatedReplicas", "replicas", "availableReplicas")
    observed = status["observedGeneration"] >= deployment["metadata"]["generation"]
    return observed and all(status.get(counter, 0) == wanted for counter in counters)
