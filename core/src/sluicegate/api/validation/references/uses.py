"""The fields of a Rollout that name another object: which field, and what name it holds (rollout 1.7, table A)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sluicegate.api.analysis_refs import RolloutAnalysis
    from sluicegate.api.rollout import BlueGreenStrategy, CanaryStrategy, Rollout, TrafficRouting
    from sluicegate.api.traffic_routing import IstioVirtualService

BLUE_GREEN: Final = "spec.strategy.blueGreen"
CANARY: Final = "spec.strategy.canary"
ROUTING: Final = f"{CANARY}.trafficRouting"

_CLUSTER_SUFFIX: Final = ".cluster.local"


class ServiceUse(NamedTuple):
    """A field that names a Service."""

    path: str
    name: str


class AnalysisUse(NamedTuple):
    """A stanza that names analysis templates."""

    path: str
    analysis: RolloutAnalysis
    is_background: bool = False


class IngressUse(NamedTuple):
    """The field that names the Ingresses of a router; `shown` is its value in messages."""

    path: str
    shown: Any
    names: Sequence[str]


class VirtualServiceUse(NamedTuple):
    """A field that names an Istio VirtualService, and the name taken apart."""

    path: str
    namespace: str
    name: str
    wanted: IstioVirtualService


def routing_of(rollout: Rollout) -> TrafficRouting | None:
    """The routers of a canary; None for a canary without, and for blue-green."""
    canary = rollout.spec.strategy.canary
    return canary.traffic_routing if canary else None


def service_uses(rollout: Rollout) -> Iterator[ServiceUse]:
    """The Services that a Rollout names, in the order in which they are looked up."""
    strategy = rollout.spec.strategy
    uses = [*_blue_green_services(strategy.blue_green), *_canary_services(strategy.canary)]
    return (use for use in uses if use.name)


def _blue_green_services(strategy: BlueGreenStrategy | None) -> Iterator[ServiceUse]:
    if strategy:
        yield ServiceUse(f"{BLUE_GREEN}.activeService", strategy.active_service)
        yield ServiceUse(f"{BLUE_GREEN}.previewService", strategy.preview_service)


def _canary_services(strategy: CanaryStrategy | None) -> Iterator[ServiceUse]:
    if strategy:
        yield ServiceUse(f"{CANARY}.stableService", strategy.stable_service)
        yield ServiceUse(f"{CANARY}.canaryService", strategy.canary_service)
    if strategy and strategy.ping_pong:
        yield ServiceUse(f"{CANARY}.pingPong.pingService", strategy.ping_pong.ping_service)
        yield ServiceUse(f"{CANARY}.pingPong.pongService", strategy.ping_pong.pong_service)


def analysis_uses(rollout: Rollout) -> Iterator[AnalysisUse]:
    """The analyses of a Rollout: before and after promotion, steps by index, background; not those of experiments."""
    blue_green, canary = rollout.spec.strategy.blue_green, rollout.spec.strategy.canary
    if blue_green and blue_green.pre_promotion_analysis:
        yield AnalysisUse(f"{BLUE_GREEN}.prePromotionAnalysis.templates", blue_green.pre_promotion_analysis)
    if blue_green and blue_green.post_promotion_analysis:
        yield AnalysisUse(f"{BLUE_GREEN}.postPromotionAnalysis.templates", blue_green.post_promotion_analysis)
    for index, step in enumerate((canary.steps if canary else None) or []):
        if step.analysis:
            yield AnalysisUse(f"{CANARY}.steps[{index}].analysis.templates", step.analysis)
    if canary and canary.analysis:
        yield AnalysisUse(f"{CANARY}.analysis.templates", canary.analysis, is_background=True)


def ingress_use(routing: TrafficRouting) -> IngressUse | None:
    """The Ingresses that are looked up: those of ALB if that router is set, else those of Nginx."""
    if routing.alb and routing.alb.ingresses is not None:
        return IngressUse(f"{ROUTING}.alb.ingresses", routing.alb.ingresses, routing.alb.ingresses)
    if routing.alb:
        return IngressUse(f"{ROUTING}.alb.ingress", routing.alb.ingress, (routing.alb.ingress,))
    if routing.nginx and routing.nginx.stable_ingresses is not None:
        names = routing.nginx.stable_ingresses
        # The capital letter is what the incumbent prints.
        return IngressUse(f"{ROUTING}.nginx.StableIngresses", names, names)
    if routing.nginx:
        name = routing.nginx.stable_ingress
        return IngressUse(f"{ROUTING}.nginx.stableIngress", name, (name,))
    return None


def virtual_service_uses(rollout: Rollout) -> Iterator[VirtualServiceUse]:
    """The Istio VirtualServices that a Rollout names."""
    routing = routing_of(rollout)
    if not routing or not routing.istio:
        return
    path = f"{ROUTING}.istio.virtualService.name"
    single = [routing.istio.virtual_service] if routing.istio.virtual_service else []
    if routing.istio.virtual_services is not None:
        path = f"{ROUTING}.istio.virtualServices.name"
    for wanted in routing.istio.virtual_services or single:
        name, dot, namespace = wanted.name.removesuffix(_CLUSTER_SUFFIX).rpartition(".")
        yield VirtualServiceUse(path, namespace if dot else rollout.namespace, name if dot else namespace, wanted)
