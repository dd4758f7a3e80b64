"""How far an update may go above and below the wanted number of pods: `maxSurge` and `maxUnavailable` resolved."""

from dataclasses import dataclass

from sluicegate.api.intstr import scaled_value


@dataclass(frozen=True, slots=True)
class Fences:
    """Pods allowed above the wanted count, and pods that may be missing from it."""

    max_surge: int
    max_unavailable: int


def canary_fences(max_surge: int | str, max_unavailable: int | str, replicas: int) -> Fences:
    """Resolve the fences of a canary of `replicas` pods.

    Surge rounds up, unavailable down, and negative ones count as 0; both zero allow one unavailable pod, so that there
    is a way forward. A string that is no percentage makes both zero, as Argo Rollouts does.
    """
    try:
        surge = scaled_value(max_surge, replicas, round_up=True)
        unavailable = scaled_value(max_unavailable, replicas, round_up=False)
    except ValueError:
        return Fences(0, 0)
    surge, unavailable = max(0, surge), max(0, unavailable)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return Fences(surge, 0 if replicas == 0 else min(unavailable, replicas))


def blue_green_fences(max_unavailable: int | str, replicas: int) -> Fences:
    """Resolve the fence of a blue-green Rollout, which only a restart heeds; there is no surge (rollout 5.1)."""
    try:
        unavailable = scaled_value(max_unavailable, replicas, round_up=False)
    except ValueError:
        unavailable = 0
    return Fences(0, min(max(0, unavailable), replicas))
