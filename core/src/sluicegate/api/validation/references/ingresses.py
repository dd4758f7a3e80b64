"""What an Ingress must be like so that a canary can be weighed on it (rollout 1.7, row B3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluicegate.api.validation.field_error import FieldError, invalid
from sluicegate.api.validation.references.reference import items, member, name_of
from sluicegate.api.validation.references.uses import ROUTING, routing_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sluicegate.api.rollout import Rollout
    from sluicegate.api.traffic_routing import TrafficRouting


def ingress_errors(rollout: Rollout, ingress: Mapping[str, Any]) -> Iterator[FieldError]:
    """What is wrong with an Ingress, of v1 or of v1beta1; nothing if the Rollout does not name it."""
    routing, canary, name = routing_of(rollout), rollout.spec.strategy.canary, name_of(ingress)
    member_path = _naming_member(routing, name) if routing else None
    if not routing or not canary or not member_path:
        return
    service = canary.stable_service
    if routing.alb and member_path.startswith("alb"):
        service = routing.alb.root_service or service
    if not has_rule_for(ingress, service):
        detail = f"ingress `{name}` has no rules using service {service} backend"
        yield invalid(f"{ROUTING}.{member_path}", name, detail)


def _naming_member(routing: TrafficRouting, name: str) -> str | None:
    """The member that names an Ingress; Nginx comes first, whichever router had it looked up."""
    if routing.nginx and name in (routing.nginx.stable_ingresses or ()):
        return "nginx.stableIngresses"
    if routing.nginx and name == routing.nginx.stable_ingress:
        return "nginx.stableIngress"
    if routing.alb and name in (routing.alb.ingresses or ()):
        return "alb.ingresses"
    return "alb.ingress" if routing.alb and name == routing.alb.ingress else None


def has_rule_for(ingress: Mapping[str, Any], service: str) -> bool:
    """Whether a rule has a path with that Service behind it; the default backend does not count."""
    paths = (path for rule in items(ingress, "spec", "rules") for path in items(rule, "http", "paths"))
    return any(service == _service_of(member(path, "backend")) for path in paths)


def _service_of(backend: Any) -> Any:
    name = member(backend, "service", "name")
    return member(backend, "serviceName") if name is None else name
