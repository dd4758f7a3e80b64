"""Which objects of a file belong to which of its Rollouts, and what is wrong with all of them (operations.md 1.11).

An object belongs to the Rollout that it names in an annotation, unless a Rollout of the file names it or its Service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sluicegate.api.names import MANAGED_BY
from sluicegate.api.validation import validate_rollout
from sluicegate.api.validation.references.ingresses import has_rule_for, ingress_errors
from sluicegate.api.validation.references.reference import member, name_of
from sluicegate.api.validation.references.services import service_selector_errors
from sluicegate.api.validation.references.uses import ServiceUse, routing_of, service_uses
from sluicegate.api.validation.references.virtual_services import named_virtual_service_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sluicegate.api.rollout import Rollout
    from sluicegate.api.traffic_routing import IstioRouting, TrafficRouting
    from sluicegate.api.validation import FieldError
    from sluicegate.cli.lint.manifests import Manifests

_FIELDS: Final = ("canaryService", "stableService", "pingService", "pongService", "activeService", "previewService")


def findings_in(manifests: Manifests) -> list[FieldError]:
    """Everything wrong with the Rollouts of a file and with what belongs to them, Rollout by Rollout."""
    owned = _Owned(manifests)
    return [finding for rollout in manifests.rollouts for finding in owned.findings_of(rollout)]


class _Owned:
    """The objects of a file, each with the name of the Rollout that it belongs to."""

    def __init__(self, manifests: Manifests) -> None:
        rollouts = manifests.rollouts
        routed = _until_none(rollouts, lambda rollout: routing_of(rollout) is not None)
        meshed = _until_none(rollouts, lambda rollout: _istio_of(rollout) is not None)
        self._services = [(service, *_service_owner(service, rollouts)) for service in manifests.services]
        self._ingresses = [(ingress, _ingress_owner(ingress, routed)) for ingress in manifests.ingresses]
        self._virtual_services = [(one, _virtual_service_owner(one, meshed)) for one in manifests.virtual_services]

    def findings_of(self, rollout: Rollout) -> Iterator[FieldError]:
        yield from validate_rollout(rollout)
        for service, owner, use in self._services:
            if use and owner == rollout.name:
                yield from service_selector_errors(rollout, use, service)
        for ingress, owner in self._ingresses:
            if owner == rollout.name:
                yield from ingress_errors(rollout, ingress)
        for virtual_service, owner in self._virtual_services:
            if owner == rollout.name:
                yield from named_virtual_service_errors(rollout, virtual_service)


def _until_none(rollouts: Sequence[Rollout], has: Callable[[Rollout], bool]) -> list[Rollout]:
    """The Rollouts before the first that has none: with it the incumbent ends the association."""
    end = next((index for index, rollout in enumerate(rollouts) if not has(rollout)), len(rollouts))
    return list(rollouts[:end])


def _istio_of(rollout: Rollout) -> IstioRouting | None:
    routing = routing_of(rollout)
    return routing.istio if routing else None


def _annotated_owner(document: Mapping[str, Any]) -> str | None:
    owner = member(document, "metadata", "annotations", MANAGED_BY)
    return owner if isinstance(owner, str) else None


def _service_owner(service: Mapping[str, Any], rollouts: Sequence[Rollout]) -> tuple[str | None, ServiceUse | None]:
    """The last Rollout that names a Service, and the field that does."""
    owner, use = _annotated_owner(service), None
    for rollout in rollouts:
        for found in sorted(service_uses(rollout), key=_rank):
            if found.name == name_of(service):
                owner, use = rollout.name, found
    return owner, use


def _rank(use: ServiceUse) -> int:
    """When a field is looked at; the last that fits gives its name to the finding."""
    return _FIELDS.index(use.path.rpartition(".")[2])


def _ingress_owner(ingress: Mapping[str, Any], rollouts: Sequence[Rollout]) -> str | None:
    owner = _annotated_owner(ingress)
    for rollout in rollouts:
        service = _routed_service(rollout, routing_of(rollout))
        if service and has_rule_for(ingress, service):
            owner = rollout.name
    return owner


def _routed_service(rollout: Rollout, routing: TrafficRouting | None) -> str:
    """The Service that an Ingress of a Rollout's router has behind it."""
    canary = rollout.spec.strategy.canary
    if not canary or not routing:
        return ""
    if routing.nginx:
        return canary.stable_service
    if routing.alb:
        return routing.alb.root_service or canary.stable_service
    return routing.smi.root_service if routing.smi else ""


def _virtual_service_owner(service: Mapping[str, Any], rollouts: Sequence[Rollout]) -> str | None:
    owner = _annotated_owner(service)
    for rollout in rollouts:
        istio = _istio_of(rollout)
        wanted = [*([istio.virtual_service] if istio and istio.virtual_service else [])]
        wanted += (istio.virtual_services if istio else None) or []
        if name_of(service) in {one.name for one in wanted}:
            owner = rollout.name
    return owner
