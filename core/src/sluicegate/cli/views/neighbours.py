"""Objects of others that bear on a Rollout: what sets its size, what keeps its pods, who else wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from sluicegate.api.foreign import LabelSelector
from sluicegate.api.selectors import matches
from sluicegate.cli.views.fields import member, name_of, number, text
from sluicegate.engine.why import Autoscaler

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sluicegate.api.rollout import Rollout
    from sluicegate.cli.views.fields import Object

_SERVICES: Final = (
    ("canary", "canaryService"),
    ("canary", "stableService"),
    ("canary", "pingPong", "pingService"),
    ("canary", "pingPong", "pongService"),
    ("blueGreen", "activeService"),
    ("blueGreen", "previewService"),
)


def autoscaler_of(rollout: Rollout, autoscalers: Iterable[Object]) -> Autoscaler | None:
    """The HorizontalPodAutoscaler that scales a Rollout."""
    for one in autoscalers:
        target = member(one, "spec", "scaleTargetRef")
        if (text(target, "kind"), text(target, "name")) == ("Rollout", rollout.name):
            spec = member(one, "spec")
            return Autoscaler(name_of(one), number(spec, "minReplicas", default=1), number(spec, "maxReplicas"))
    return None


def blocking_budgets(budgets: Iterable[Object], pods: Iterable[Object]) -> tuple[str, ...]:
    """The PodDisruptionBudgets over any of the pods that let none go now."""
    labels = [member(pod, "metadata", "labels") or {} for pod in pods]
    return tuple(
        name_of(budget)
        for budget in budgets
        if number(budget, "status", "disruptionsAllowed") == 0
        and any(matches(_selector(budget), found) for found in labels)
    )


def _selector(budget: Object) -> LabelSelector:
    return msgspec.convert(member(budget, "spec", "selector") or {}, LabelSelector)


def rivals_of(rollout: Object, others: Iterable[Object]) -> tuple[str, ...]:
    """The other Rollouts that select the same pods, or name a Service of this one."""
    selector, services = member(rollout, "spec", "selector"), set(_services(rollout))
    return tuple(
        name_of(other)
        for other in others
        if name_of(other) != name_of(rollout)
        and ((selector and member(other, "spec", "selector") == selector) or services & set(_services(other)))
    )


def _services(rollout: Object) -> Iterator[str]:
    return (name for path in _SERVICES if (name := text(rollout, "spec", "strategy", *path)))
