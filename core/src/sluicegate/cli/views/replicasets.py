"""What a row says of a ReplicaSet: revision, health, the roles it has in its Rollout, and the time it has left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sluicegate.cli.views.durations import parse_time, short
from sluicegate.cli.views.fields import decimal, items, member, number, text
from sluicegate.cli.views.text import BLUE, GREEN, YELLOW

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sluicegate.cli.views.fields import Object

TAG_COLOURS: Final[Mapping[str, int]] = {
    "canary": YELLOW,
    "stable": GREEN,
    "active": GREEN,
    "preview": BLUE,
    "ping": BLUE,
    "pong": BLUE,
}


def revision(obj: Object) -> int:
    """The revision annotation of any object of a Rollout, 0 if it is missing or no integer."""
    return decimal(text(obj, "metadata", "annotations", "rollout.argoproj.io/revision")) or 0


def health(replica_set: Object) -> str:
    """`Progressing`, `ReplicaFailure`, `ScaledDown` or `Healthy`."""
    wanted = member(replica_set, "spec", "replicas")
    status = member(replica_set, "status")
    if number(replica_set, "metadata", "generation") > number(status, "observedGeneration"):
        return "Progressing"
    if any(_is_replica_failure(condition) for condition in items(status, "conditions")):
        return "ReplicaFailure"
    if wanted is not None and number(status, "availableReplicas") < wanted:
        return "Progressing"
    return "ScaledDown" if wanted == 0 else "Healthy"


def _is_replica_failure(condition: Object) -> bool:
    return text(condition, "type") == "ReplicaFailure" and text(condition, "status") == "True"


def tags(replica_set: Object, rollout: Object) -> list[str]:
    """The roles of `replica_set` in `rollout`, in the order of the INFO column."""
    strategy, status = member(rollout, "spec", "strategy"), member(rollout, "status")
    pod_hash = text(replica_set, "metadata", "labels", "rollouts-pod-template-hash")
    if member(strategy, "canary") is not None:
        return _canary_tags(pod_hash, status, ping_pong=member(strategy, "canary", "pingPong") is not None)
    if member(strategy, "blueGreen") is not None:
        return _blue_green_tags(pod_hash, status)
    return []


def _canary_tags(pod_hash: str, status: Object, *, ping_pong: bool) -> list[str]:
    if pod_hash == text(status, "stableRS"):
        role = "stable"
    elif pod_hash == text(status, "currentPodHash"):
        role = "canary"
    else:
        return []
    if not ping_pong:
        return [role]
    stable_is_ping = text(status, "canary", "stablePingPong") == "ping"
    return [role, "ping" if stable_is_ping == (role == "stable") else "pong"]


def _blue_green_tags(pod_hash: str, status: Object) -> list[str]:
    roles = ["stable"] if pod_hash == text(status, "stableRS") else []
    if pod_hash == text(status, "blueGreen", "activeSelector"):
        return [*roles, "active"]
    if pod_hash == text(status, "blueGreen", "previewSelector"):
        return [*roles, "preview"]
    return roles


def delay(replica_set: Object, now: datetime) -> str:
    """`delay:<time left>` of a set that waits to be scaled down, empty for one that does not."""
    deadline = text(replica_set, "metadata", "annotations", "scale-down-deadline")
    if not deadline:
        return ""
    until = parse_time(deadline)
    if until is None:
        return "delay:"
    return "delay:passed" if until < now else f"delay:{short((until - now).total_seconds())}"
