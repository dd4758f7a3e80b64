"""The router of Rollouts without a router: the weight of the canary becomes a share of the pods.

The Services balance over all pods, so the nearest whole number of canary pods is the nearest share of requests.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from sluicegate.plugins import PodCountRouter, PodCounts, TrafficRouter, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator


class ReplicaSetRouter(PodCountRouter):
    """Splits replicas by weight exactly as Argo Rollouts does (rollout 5.3), in rational numbers."""

    name = "replicaset"

    def split(self, weight: int, max_weight: int, replicas: int, max_surge: int) -> PodCounts:
        """Take the option whose share of canary pods is nearest to the weight, the first one of equals."""
        if replicas == 0:
            return PodCounts(canary=0, stable=0)
        wanted = Fraction(weight, max_weight)
        nearest = min(
            _options(wanted, replicas, max_surge),
            key=lambda option: abs(Fraction(option.canary, option.total) - wanted),
            default=_Option(canary=0, total=replicas),
        )
        return PodCounts(canary=nearest.canary, stable=nearest.total - nearest.canary)


class _Option(NamedTuple):
    canary: int
    total: int


def _options(wanted: Fraction, replicas: int, max_surge: int) -> Iterator[_Option]:
    """The candidates in order of preference; a surge pod may be used where it brings the share nearer."""
    ceiling = -(-wanted.numerator * replicas // wanted.denominator)
    floor = wanted.numerator * replicas // wanted.denominator
    one_sided = wanted in (0, 1) or (replicas == 1 and max_surge == 0)
    keeps_canary = floor != 0 or one_sided
    if ceiling < replicas or one_sided:
        yield _Option(ceiling, replicas)
    if keeps_canary and not _is_tie(wanted * replicas):
        yield _Option(floor, replicas)
    if max_surge > 0:
        yield _Option(ceiling, replicas + 1)
        if keeps_canary and not _is_tie(wanted * (replicas + 1)):
            yield _Option(floor, replicas + 1)


def _is_tie(pods: Fraction) -> bool:
    """Half-way between two numbers of pods; the larger canary is taken."""
    return pods % 1 == Fraction(1, 2)


@hookimpl
def register_traffic_routers() -> list[type[TrafficRouter[Any]]]:
    """Register the one router of this distribution."""
    return [ReplicaSetRouter]
