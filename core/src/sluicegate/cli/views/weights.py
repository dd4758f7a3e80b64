"""The step and weights of a canary as the header and the list show them (operations.md 1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate.cli.views.fields import flag, items, member, number

if TYPE_CHECKING:
    from sluicegate.cli.views.fields import Object


def step(rollout: Object) -> str:
    """`<index>/<steps>`, empty without steps or index."""
    steps = items(rollout, "spec", "strategy", "canary", "steps")
    index = member(rollout, "status", "currentStepIndex")
    return f"{index}/{len(steps)}" if steps and index is not None else ""


def set_weight(rollout: Object) -> int:
    """The weight that the current step asks for."""
    if flag(rollout, "status", "abort"):
        return 0
    index = _current(rollout)
    if index is None:
        return _total(rollout)
    passed = items(rollout, "spec", "strategy", "canary", "steps")[: index + 1]
    wanted = [number(one, "setWeight") for one in passed if member(one, "setWeight") is not None]
    return wanted[-1] if wanted else 0


def actual_weight(rollout: Object, canary: Object | None) -> int:
    """The weight that the canary has, by its traffic or, without a router, by its share of the available pods."""
    available = number(rollout, "status", "availableReplicas")
    if _current(rollout) is None:
        return _total(rollout)
    if not available:
        return 0
    if member(rollout, "spec", "strategy", "canary", "trafficRouting") is None:
        return number(canary, "status", "availableReplicas") * _total(rollout) // available
    if member(rollout, "status", "canary", "weights") is None:
        return set_weight(rollout)
    return number(rollout, "status", "canary", "weights", "canary", "weight")


def _current(rollout: Object) -> int | None:
    """The index of the current step, None without steps or past the last."""
    count = len(items(rollout, "spec", "strategy", "canary", "steps"))
    index = number(rollout, "status", "currentStepIndex")
    return index if index < count else None


def _total(rollout: Object) -> int:
    return number(rollout, "spec", "strategy", "canary", "trafficRouting", "maxTrafficWeight", default=100)
