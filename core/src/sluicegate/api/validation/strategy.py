"""The checks of the two strategies (rollout 1.9, rows 9-16 and 26). Their paths leave `canary` and `blueGreen` out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from sluicegate.api.durations import parse_integer
from sluicegate.api.gojson import go_json
from sluicegate.api.validation.field_error import FieldError, invalid, required
from sluicegate.api.validation.steps import step_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluicegate.api.rollout import AntiAffinity, BlueGreenStrategy, CanaryStrategy, PingPong, RolloutSpec
    from sluicegate.api.traffic_routing import TrafficRouting

STRATEGY_PATH: Final = "spec.strategy"
_ROUTING_PATH: Final = f"{STRATEGY_PATH}.trafficRouting"
_PERCENTAGE: Final = re.compile("[0-9]+%")


def strategy_errors(spec: RolloutSpec) -> Iterator[FieldError]:
    """What is wrong with the strategy; with none or both nothing else is looked at."""
    path = f"{STRATEGY_PATH}.strategy"
    canary, blue_green = spec.strategy.canary, spec.strategy.blue_green
    if canary and blue_green:
        yield invalid(path, "blueGreen: true canary: true", "Multiple Strategies can not be listed")
    elif blue_green:
        yield from _blue_green_errors(blue_green, spec)
    elif canary:
        yield from _canary_errors(canary)
    else:
        yield required(path, "Rollout has missing field '.spec.strategy.canary or .spec.strategy.blueGreen'")


def _blue_green_errors(strategy: BlueGreenStrategy, spec: RolloutSpec) -> Iterator[FieldError]:
    if strategy.active_service == strategy.preview_service:
        yield invalid(f"{STRATEGY_PATH}.activeService", strategy.active_service, _same_service("active and preview"))
    limit = strategy.scale_down_delay_revision_limit
    if limit is not None and limit > spec.history_limit:
        detail = "This rollout's revision history limit can not be smaller than the rollout's scale down limit"
        yield invalid(f"{STRATEGY_PATH}.scaleDownDelayRevisionLimit", limit, detail)
    yield from _anti_affinity_errors(strategy.anti_affinity)


def _canary_errors(canary: CanaryStrategy) -> Iterator[FieldError]:
    if _counts_as_zero(canary.surge) and _counts_as_zero(canary.unavailable):
        detail = "MaxSurge and MaxUnavailable both can not be zero"
        yield invalid(f"{STRATEGY_PATH}.maxSurge", canary.surge, detail)
    if canary.canary_service and canary.canary_service == canary.stable_service:
        yield invalid(f"{STRATEGY_PATH}.stableService", canary.stable_service, _same_service("stable and canary"))
    if canary.ping_pong:
        yield from _ping_pong_errors(canary.ping_pong, canary.traffic_routing)
    if canary.traffic_routing:
        yield from _routed_errors(canary, canary.traffic_routing)
    else:
        yield from _unrouted_errors(canary)
    for index, step in enumerate(canary.steps or []):
        yield from step_errors(step, f"{STRATEGY_PATH}.steps[{index}]", canary)
    yield from _anti_affinity_errors(canary.anti_affinity)


def _same_service(pair: str) -> str:
    return f"This rollout uses the same service for the {pair} services, but two different services are required."


def _counts_as_zero(value: int | str) -> bool:
    """Whether a fence is zero; so is, for this check, a text that is neither percentage nor number."""
    if isinstance(value, int):
        return value == 0
    if _PERCENTAGE.fullmatch(value):
        return not value.strip("0%")
    return not parse_integer(value)


def _ping_pong_errors(services: PingPong, routing: TrafficRouting | None) -> Iterator[FieldError]:
    path = f"{STRATEGY_PATH}.pingPong"
    if routing and not (routing.alb or routing.istio or routing.plugins):
        detail = "Ping-pong feature works with the ALB, Istio, and plugin-based traffic routers only"
        yield invalid(f"{_ROUTING_PATH}.alb", None, detail)
    unset = "Ping service and Pong service must to be set to use Ping-Pong feature"
    if not services.ping_service:
        yield invalid(f"{path}.pingService", "", unset)
    if not services.pong_service:
        yield invalid(f"{path}.pongService", "", unset)
    if services.ping_service == services.pong_service:
        yield invalid(f"{path}.pingService", services.ping_service, _same_service("ping and pong"))
    if routing and routing.alb and not routing.alb.root_service:
        detail = "Root service field is required for the configuration with ALB and ping-pong feature enabled"
        yield invalid(f"{_ROUTING_PATH}.alb.rootService", "", detail)


def _routed_errors(canary: CanaryStrategy, routing: TrafficRouting) -> Iterator[FieldError]:
    if _needs_services(canary, routing):
        detail = "Canary service and Stable service must to be set to use Traffic Routing"
        if not canary.stable_service:
            yield invalid(f"{STRATEGY_PATH}.stableService", "", detail)
        if not canary.canary_service:
            yield invalid(f"{STRATEGY_PATH}.canaryService", "", detail)
    if canary.dynamic_stable_scale and canary.scale_down_delay_seconds is not None:
        detail = "Canary dynamicStableScale cannot be used with scaleDownDelaySeconds"
        yield invalid(f"{STRATEGY_PATH}.dynamicStableScale", True, detail)
    if routing.max_traffic_weight is not None and not (routing.nginx or routing.plugins):
        detail = "Canary maxTrafficWeight in traffic routing only supported in Nginx and Plugins"
        yield invalid(f"{_ROUTING_PATH}.maxTrafficWeight", routing.max_traffic_weight, detail)


def _needs_services(canary: CanaryStrategy, routing: TrafficRouting) -> bool:
    always = (routing.smi, routing.apisix, routing.ambassador, routing.nginx, routing.app_mesh, routing.traefik)
    alb = routing.alb and not canary.ping_pong
    istio = routing.istio and not routing.istio.destination_rule and not canary.ping_pong
    return any(always) or bool(alb or istio)


def _unrouted_errors(canary: CanaryStrategy) -> Iterator[FieldError]:
    if canary.scale_down_delay_seconds is not None:
        detail = "Canary scaleDownDelaySeconds can only be used with traffic routing"
        yield invalid(f"{STRATEGY_PATH}.scaleDownDelaySeconds", canary.scale_down_delay_seconds, detail)
    if canary.dynamic_stable_scale:
        detail = "Canary dynamicStableScale can only be used with traffic routing"
        yield invalid(f"{STRATEGY_PATH}.dynamicStableScale", True, detail)


def _anti_affinity_errors(affinity: AntiAffinity | None) -> Iterator[FieldError]:
    if affinity is None:
        return
    path = f"{STRATEGY_PATH}.antiAffinity"
    preferred = affinity.preferred_during_scheduling_ignored_during_execution
    has_required = affinity.required_during_scheduling_ignored_during_execution is not None
    if has_required == (preferred is not None):
        shown = (
            f"antiAffinity.PreferredDuringSchedulingIgnoredDuringExecution: {go_json(preferred is not None)} "
            f"antiAffinity.RequiredDuringSchedulingIgnoredDuringExecution: {go_json(has_required)}"
        )
        yield invalid(path, shown, "AntiAffinity must have exactly one strategy listed")
    if preferred and not 1 <= preferred.weight <= 100:
        yield invalid(f"{path}.weight", preferred.weight, "AntiAffinity weight must be between 1-100")
