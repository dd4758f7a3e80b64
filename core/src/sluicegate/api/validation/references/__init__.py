"""What a Rollout refers to: what to look up, and what is wrong with it (rollout 1.7, stages 3 and 4 of rollout 1.1).

Pure: looking up is the caller's, who asks `missing` what to look up next until nothing is, and then
`validate_references`. Templates name further templates, so it can take more than one round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate.api.resources import AMBASSADOR_MAPPINGS, INGRESSES, SERVICES, VIRTUAL_SERVICES
from sluicegate.api.validation.references.ambassador import mapping_errors
from sluicegate.api.validation.references.analysis import analysis_errors
from sluicegate.api.validation.references.app_mesh import NoVirtualRouter, router_errors
from sluicegate.api.validation.references.ingresses import ingress_errors
from sluicegate.api.validation.references.lookups import app_mesh_router, lookup_failures, wanted
from sluicegate.api.validation.references.reference import Known, Reference
from sluicegate.api.validation.references.services import service_errors
from sluicegate.api.validation.references.templates import templates_of
from sluicegate.api.validation.references.uses import (
    analysis_uses,
    ingress_use,
    routing_of,
    service_uses,
    virtual_service_uses,
)
from sluicegate.api.validation.references.virtual_services import virtual_service_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluicegate.api.rollout import Rollout
    from sluicegate.api.validation.field_error import FieldError

__all__ = ["Known", "NoVirtualRouter", "Reference", "missing", "validate_references"]


def missing(rollout: Rollout, known: Known) -> tuple[Reference, ...]:
    """What to look up next: all that the Rollout refers to, as far as `known` leads, and that is not in `known`.

    With nothing known: what its own fields name. A name that is empty is never looked up, and counts as not found.
    """
    named = dict.fromkeys(wanted(rollout, known))
    return tuple(reference for reference in named if reference.name and reference not in known)


def validate_references(rollout: Rollout, known: Known) -> list[FieldError]:
    """Everything wrong with what a Rollout refers to; the first entry is the one that the controller reports.

    Where something does not exist, that alone is told. `known` is complete once `missing` has nothing to add; what is
    not in it counts as not found. Raises NoVirtualRouter.
    """
    failure = next(lookup_failures(rollout, known), None)
    return [failure] if failure else list(_errors(rollout, known))


def _errors(rollout: Rollout, known: Known) -> Iterator[FieldError]:
    namespace = rollout.namespace
    for service in service_uses(rollout):
        yield from service_errors(rollout, service, known[Reference(SERVICES, namespace, service.name)] or {})
    for analysis in analysis_uses(rollout):
        yield from analysis_errors(rollout, analysis, templates_of(analysis, namespace, known))
    yield from _router_errors(rollout, known)


def _router_errors(rollout: Rollout, known: Known) -> Iterator[FieldError]:
    routing, namespace = routing_of(rollout), rollout.namespace
    if not routing:
        return
    ingresses = ingress_use(routing)
    for name in ingresses.names if ingresses else ():
        yield from ingress_errors(rollout, known[Reference(INGRESSES, namespace, name)] or {})
    for use in virtual_service_uses(rollout):
        reference = Reference(VIRTUAL_SERVICES, use.namespace, use.name)
        yield from virtual_service_errors(rollout, use, known[reference] or {})
    for name in routing.ambassador.mappings if routing.ambassador else ():
        yield from mapping_errors(known[Reference(AMBASSADOR_MAPPINGS, namespace, name)] or {})
    router = app_mesh_router(routing, namespace, known)
    if router:
        yield from router_errors(known[router] or {})
