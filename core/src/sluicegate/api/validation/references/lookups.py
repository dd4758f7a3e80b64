"""Looking up what a Rollout refers to (rollout 1.7, table A): what to look up, and what it means if it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate.api.resources import (
    AMBASSADOR_MAPPINGS,
    APP_MESH_VIRTUAL_SERVICES,
    INGRESSES,
    SERVICES,
    VIRTUAL_SERVICES,
)
from sluicegate.api.validation.field_error import FieldError, internal, invalid
from sluicegate.api.validation.references.app_mesh import NoVirtualRouter, router_of
from sluicegate.api.validation.references.reference import Known, Reference
from sluicegate.api.validation.references.templates import template_failures, template_references
from sluicegate.api.validation.references.uses import (
    ROUTING,
    VirtualServiceUse,
    analysis_uses,
    ingress_use,
    routing_of,
    service_uses,
    virtual_service_uses,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluicegate.api.rollout import Rollout, TrafficRouting


def wanted(rollout: Rollout, known: Known) -> Iterator[Reference]:
    """All that a Rollout refers to, as far as `known` leads."""
    namespace = rollout.namespace
    for service in service_uses(rollout):
        yield Reference(SERVICES, namespace, service.name)
    for analysis in analysis_uses(rollout):
        yield from template_references(analysis, namespace, known)
    for virtual_service in virtual_service_uses(rollout):
        yield _virtual_service(virtual_service)
    routing = routing_of(rollout)
    if routing:
        yield from _routers_want(routing, namespace, known)


def _routers_want(routing: TrafficRouting, namespace: str, known: Known) -> Iterator[Reference]:
    ingresses = ingress_use(routing)
    for name in ingresses.names if ingresses else ():
        yield Reference(INGRESSES, namespace, name)
    for name in routing.ambassador.mappings if routing.ambassador else ():
        yield Reference(AMBASSADOR_MAPPINGS, namespace, name)
    if routing.app_mesh and routing.app_mesh.virtual_service:
        yield Reference(APP_MESH_VIRTUAL_SERVICES, namespace, routing.app_mesh.virtual_service.name)
    router = app_mesh_router(routing, namespace, known)
    if router:
        yield router


def app_mesh_router(routing: TrafficRouting, namespace: str, known: Known) -> Reference | None:
    """The virtual router that a canary is weighed on, once its VirtualService is known."""
    if not routing.app_mesh or not routing.app_mesh.virtual_service:
        return None
    service = Reference(APP_MESH_VIRTUAL_SERVICES, namespace, routing.app_mesh.virtual_service.name)
    return router_of(known.get(service) or {}, namespace)


def lookup_failures(rollout: Rollout, known: Known) -> Iterator[FieldError]:
    """What a Rollout refers to and does not exist, in the order of the lookups; only the first is of interest.

    Raises NoVirtualRouter where that is what keeps the lookups from going on.
    """
    namespace = rollout.namespace
    for service in service_uses(rollout):
        if known.get(Reference(SERVICES, namespace, service.name)) is None:
            yield invalid(service.path, service.name, f'service "{service.name}" not found')
    for analysis in analysis_uses(rollout):
        yield from template_failures(analysis, namespace, known)
    routing = routing_of(rollout)
    if routing:
        yield from _ingress_failures(routing, namespace, known)
        yield from _istio_failures(rollout, routing, known)
        yield from _mapping_failures(routing, namespace, known)
        yield from _app_mesh_failures(routing, namespace, known)


def _ingress_failures(routing: TrafficRouting, namespace: str, known: Known) -> Iterator[FieldError]:
    if routing.nginx:
        one, many = bool(routing.nginx.stable_ingress), routing.nginx.stable_ingresses is not None
        yield from _choice_failures(f"{ROUTING}.nginx", "StableIngress or StableIngresses", one, many)
    if routing.alb:
        one, many = bool(routing.alb.ingress), routing.alb.ingresses is not None
        yield from _choice_failures(f"{ROUTING}.alb", "Ingress or Ingresses", one, many)
    use = ingress_use(routing)
    for name in use.names if use else ():
        if use and known.get(Reference(INGRESSES, namespace, name)) is None:
            yield invalid(use.path, use.shown, f'ingress.networking.k8s.io "{name}" not found')


def _choice_failures(path: str, members: str, one: bool, many: bool) -> Iterator[FieldError]:
    if one == many:
        yield internal(path, f"Either {members} must be configured. {'Both' if one else 'Neither'} are configured.")


def _istio_failures(rollout: Rollout, routing: TrafficRouting, known: Known) -> Iterator[FieldError]:
    istio = routing.istio
    if istio and (istio.virtual_service is None) == (istio.virtual_services is None):
        yield internal(f"{ROUTING}.istio", "either VirtualService or VirtualServices must be configured")
    for use in virtual_service_uses(rollout):
        if known.get(_virtual_service(use)) is None:
            yield invalid(use.path, use.name, f'virtualservices.networking.istio.io "{use.name}" not found')


def _virtual_service(use: VirtualServiceUse) -> Reference:
    return Reference(VIRTUAL_SERVICES, use.namespace, use.name)


def _mapping_failures(routing: TrafficRouting, namespace: str, known: Known) -> Iterator[FieldError]:
    path = f"{ROUTING}.ambassador.mappings"
    if routing.ambassador and not routing.ambassador.mappings:
        yield invalid(path, None, "must provide at least one mapping")
    for name in routing.ambassador.mappings if routing.ambassador else ():
        if known.get(Reference(AMBASSADOR_MAPPINGS, namespace, name)) is None:
            yield invalid(path, name, f'mappings.getambassador.io "{name}" not found')


def _app_mesh_failures(routing: TrafficRouting, namespace: str, known: Known) -> Iterator[FieldError]:
    if not routing.app_mesh:
        return
    # The lower-case name is what the incumbent prints.
    path = f"{ROUTING}.appmesh.virtualService"
    if not routing.app_mesh.virtual_service:
        yield invalid(path, None, "must provide virtual-service")
        return
    name = routing.app_mesh.virtual_service.name
    service = known.get(Reference(APP_MESH_VIRTUAL_SERVICES, namespace, name))
    if service is None:
        yield invalid(path, f"{name}.{namespace}", f'virtualservices.appmesh.k8s.aws "{name}" not found')
        return
    router = router_of(service, namespace)
    if router is None:
        raise NoVirtualRouter(namespace, name)
    if known.get(router) is None:
        yield invalid(path, f"{name}.{namespace}", f'virtualrouters.appmesh.k8s.aws "{router.name}" not found')
