"""The status of a Deployment: its counters, and the conditions that `kubectl rollout status` reads. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sluicegate.local.objects import timestamp
from sluicegate.local.workloads.podview import condition
from sluicegate.local.workloads.rollingupdate import is_complete, limits, total

if TYPE_CHECKING:
    from sluicegate.local.objects import Object

PROGRESSING: Final = "Progressing"
AVAILABLE: Final = "Available"
DONE: Final = "NewReplicaSetAvailable"
TIMED_OUT: Final = "ProgressDeadlineExceeded"
NO_DEADLINE: Final = 2**31 - 1


def counted_status(deployment: Object, new: Object | None, replica_sets: list[Object], now: datetime) -> Object:
    """The status with its counters and the condition `Available` brought up to date."""
    replicas, available = total(replica_sets, "replicas"), total(replica_sets, "availableReplicas")
    counts = {
        "replicas": replicas,
        "updatedReplicas": total([new], "replicas") if new else 0,
        "readyReplicas": total(replica_sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, replicas - available),
    }
    status: Object = {"observedGeneration": deployment["metadata"]["generation"]}
    status |= {name: count for name, count in counts.items() if count}
    known = (deployment.get("status") or {}).get("conditions")
    status |= {"conditions": known} if known else {}
    enough = available >= deployment["spec"]["replicas"] - limits(deployment).unavailable
    reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
    says = f"Deployment {'has' if enough else 'does not have'} minimum availability."
    return with_condition(status, AVAILABLE, "True" if enough else "False", reason, says, now)


def with_progress(deployment: Object, status: Object, new: Object | None, now: datetime) -> Object:
    """The status with the condition `Progressing` brought up to date."""
    before = deployment.get("status") or {}
    current = condition(deployment, PROGRESSING) or {}
    done = status.get("replicas", 0) == status.get("updatedReplicas", 0) and current.get("reason") == DONE
    if done or deployment["spec"]["progressDeadlineSeconds"] == NO_DEADLINE:
        return status
    who = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{deployment["metadata"]["name"]}"'
    if is_complete(deployment, status):
        return with_condition(status, PROGRESSING, "True", DONE, f"{who} has successfully progressed.", now)
    if _goes_on(before, status):
        return with_condition(
            status, PROGRESSING, "True", "ReplicaSetUpdated", f"{who} is progressing.", now, renew=True
        )
    if (left := seconds_left(deployment, now)) is not None and left <= 0:
        return with_condition(status, PROGRESSING, "False", TIMED_OUT, f"{who} has timed out progressing.", now)
    return status


def seconds_left(deployment: Object, now: datetime) -> float | None:
    """How long the Deployment may stand still before it counts as stuck; None while nothing is awaited."""
    current = condition(deployment, PROGRESSING)
    if current is None or current["status"] == "Unknown" or current["reason"] in (DONE, TIMED_OUT):
        return None
    if (deadline := deployment["spec"]["progressDeadlineSeconds"]) == NO_DEADLINE:
        return None
    until = datetime.fromisoformat(current["lastUpdateTime"]) + timedelta(seconds=deadline)
    return (until - now).total_seconds()


def with_condition(
    status: Object, kind: str, value: str, reason: str, message: str, now: datetime, *, renew: bool = False
) -> Object:
    """The status with a condition set; one that says the same already keeps its times unless `renew`."""
    known: list[Object] = status.get("conditions") or []
    current = next((found for found in known if found["type"] == kind), None)
    same = current and (current["status"], current["reason"]) == (value, reason)
    if same and not renew:
        return status
    moved = timestamp(now)
    turned = current["lastTransitionTime"] if current and current["status"] == value else moved
    new = {"type": kind, "status": value, "lastUpdateTime": moved, "lastTransitionTime": turned}
    others = [found for found in known if found["type"] != kind]
    return {**status, "conditions": [*others, {**new, "reason": reason, "message": message}]}


def _goes_on(before: Object, after: Object) -> bool:
    def old(status: Object) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    grew = any(
        after.get(counter, 0) > before.get(counter, 0)
        for counter in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return grew or old(after) < old(before)
