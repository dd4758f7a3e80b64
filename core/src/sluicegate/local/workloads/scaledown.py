"""Which pods a ReplicaSet gives up first: Kubernetes' order (its kube-controller-manager, `ActivePodsWithRanks`).

With one node, "more replicas of the set on the same node" never decides and is left out. Times are compared by the
power of two of their age, as upstream does to spread the choice; within one power the uid decides.
"""

from __future__ import annotations

import math
from functools import cmp_to_key, partial
from typing import TYPE_CHECKING, Final

from sluicegate.local.workloads.podview import created_at, is_ready, phase, ready_since

if TYPE_CHECKING:
    from datetime import datetime

    from sluicegate.local.objects import Object

DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
PHASE_ORDER: Final = {"Pending": 0, "Unknown": 1, "Running": 2}


def deletion_order(pods: list[Object], now: datetime) -> list[Object]:
    """The pods, the first to be deleted first."""
    return sorted(pods, key=cmp_to_key(partial(_compare, now)))


def deletion_cost(pod: Object) -> int:
    """The pod's cost of deletion, by its annotation; 0 without one, or when it is no whole number of 32 bits."""
    text = (pod["metadata"].get("annotations") or {}).get(DELETION_COST, "0")
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or (digits != "0" and digits.startswith("0")):
        return 0
    return int(text) if -(2**31) <= int(text) < 2**31 else 0


def _compare(now: datetime, one: Object, other: Object) -> int:
    first, second = _standing(one), _standing(other)
    if first != second:
        return -1 if first < second else 1
    if is_ready(one) and (order := _compare_age(one, other, ready_since(one), ready_since(other), now)):
        return order
    if restarts := _restarts(other) - _restarts(one):
        return restarts
    return _compare_age(one, other, created_at(one), created_at(other), now)


def _standing(pod: Object) -> tuple[bool, int, bool, int]:
    bound = bool((pod.get("spec") or {}).get("nodeName"))
    return bound, PHASE_ORDER.get(phase(pod), 0), is_ready(pod), deletion_cost(pod)


def _restarts(pod: Object) -> int:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return max((status.get("restartCount", 0) for status in statuses), default=0)


def _compare_age(one: Object, other: Object, first: datetime | None, second: datetime | None, now: datetime) -> int:
    if first == second:
        return 0
    if first is None or second is None:
        return -1 if first is None else 1
    if order := _magnitude(first, now) - _magnitude(second, now):
        return order
    return -1 if one["metadata"]["uid"] < other["metadata"]["uid"] else 1


def _magnitude(moment: datetime, now: datetime) -> int:
    nanoseconds = (now - moment).total_seconds() * 1e9
    return int(math.log2(nanoseconds)) if nanoseconds > 0 else -1
