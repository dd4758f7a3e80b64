"""The PodDisruptionBudget controller: how many pods of each budget may be evicted now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sluicegate.api.intstr import scaled_value
from sluicegate.local.objects import Key, timestamp
from sluicegate.local.workloads.podview import controller_of, is_active, is_ready, selects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sluicegate.local.objects import Change, Object
    from sluicegate.local.store import ObjectStore

BUDGETS: Final = ("policy", "poddisruptionbudgets")
PODS: Final = ("", "pods")


class BudgetReconciler:
    """Keeps the status of budgets up to date."""

    kinds = (BUDGETS, PODS)

    def __init__(self, store: ObjectStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def everything(self) -> Iterable[Key]:
        """All budgets."""
        return [_key(budget) for budget in self._store.list(*BUDGETS)]

    def concerned(self, change: Change) -> Iterable[Key]:
        """A budget itself; those of a pod, before the change and after it."""
        if change.key.kind == BUDGETS:
            return [change.key]
        return [_key(budget) for pod in (change.object, change.previous) if pod for budget in budgets(self._store, pod)]

    def reconcile(self, key: Key) -> None:
        """Write the status."""
        budget = self._store.find(key)
        if budget is not None:
            status = budget_status(self._store, budget, timestamp(self._clock()))
            self._store.update(key, lambda found: {**found, "status": status}, subresource="status")


def budgets(store: ObjectStore, pod: Object) -> list[Object]:
    """The budgets that a pod belongs to."""
    found = store.list(*BUDGETS, pod["metadata"]["namespace"])
    return [budget for budget in found if _selects(budget, pod)]


def budget_status(store: ObjectStore, budget: Object, now: str) -> Object:
    """The status of a budget as of this moment."""
    candidates = store.list(*PODS, budget["metadata"]["namespace"])
    pods: list[Object] = [pod for pod in candidates if is_active(pod) and _selects(budget, pod)]
    healthy, (expected, desired) = sum(map(is_ready, pods)), _wanted(store, budget["spec"], pods)
    allowed = max(0, healthy - desired) if expected else 0
    return {
        "observedGeneration": budget["metadata"]["generation"],
        "disruptionsAllowed": allowed,
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "conditions": [_condition(budget, allowed=allowed > 0, now=now)],
    }


def _wanted(store: ObjectStore, spec: Object, pods: list[Object]) -> tuple[int, int]:
    """How many pods there should be, and how many of them healthy."""
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if isinstance(least, int):
        return len(pods), least
    scales = {uid: size for pod in pods for uid, size in _scale(store, pod)}
    expected = sum(scales.values())
    if least is not None:
        return expected, scaled_value(least, expected, round_up=True)
    return expected, max(0, expected - scaled_value(most or 0, expected, round_up=True))


def _scale(store: ObjectStore, obj: Object) -> list[tuple[str, int]]:
    """The uid and size of the topmost controller of a pod that has a size; none for a pod of its own."""
    owner = controller_of(obj)
    key = store.key_of(owner["uid"]) if owner else None
    found = store.find(key) if key else None
    if found is None:
        return []
    replicas = found["spec"].get("replicas")
    own = [(found["metadata"]["uid"], replicas)] if isinstance(replicas, int) else []
    return _scale(store, found) or own


def _condition(budget: Object, *, allowed: bool, now: str) -> Object:
    known = (budget.get("status") or {}).get("conditions") or [{}]
    value, reason = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    since = known[0].get("lastTransitionTime", now) if known[0].get("status") == value else now
    return {
        "type": "DisruptionAllowed",
        "status": value,
        "observedGeneration": budget["metadata"]["generation"],
        "lastTransitionTime": since,
        "reason": reason,
        "message": "",
    }


def _selects(budget: Object, pod: Object) -> bool:
    return selects(budget["spec"].get("selector"), pod["metadata"].get("labels"))


def _key(budget: Object) -> Key:
    return Key(*BUDGETS, budget["metadata"]["namespace"], budget["metadata"]["name"])
