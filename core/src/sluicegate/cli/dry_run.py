"""What the controller would make of a Rollout now, without doing any of it: its errors, its view, its decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluicegate.api.rollout import RolloutSpec
from sluicegate.api.validation import (
    FieldError,
    InvalidManifest,
    NoVirtualRouter,
    missing,
    parse_rollout,
    validate_references,
    validate_rollout,
)
from sluicegate.api.validation.pod_template import template_errors
from sluicegate.controller.pod_counts import split_pods
from sluicegate.engine.decision import Decision
from sluicegate.engine.passes import begin, decide
from sluicegate.engine.prepare import prepare
from sluicegate.engine.traffic import Verified
from sluicegate.engine.weights import PodCounts, split_request
from sluicegate.errors import ApiError, NotFound, PluginError
from sluicegate.plugins import load_plugins
from sluicegate.plugins.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sluicegate.api.foreign import ReplicaSet
    from sluicegate.api.rollout import Rollout
    from sluicegate.api.validation import Reference
    from sluicegate.cli.views.fields import Object
    from sluicegate.engine.view import View
    from sluicegate.kube.client import Client


@dataclass(frozen=True)
class Draft:
    """A Rollout as far as it can be read, and what is wrong with its manifest by itself."""

    rollout: Rollout
    errors: tuple[FieldError, ...] = ()


def read_rollout(document: Object) -> Draft:
    """A Rollout from its JSON; one whose spec cannot be read has an empty one. Raises InvalidManifest for the rest."""
    try:
        return Draft(parse_rollout(document))
    except InvalidManifest as error:
        rollout = parse_rollout({**document, "spec": {}})
        return Draft(rollout.model_copy(update={"spec": RolloutSpec()}), error.errors)


def own_errors(rollout: Rollout) -> tuple[FieldError, ...]:
    """What is wrong with a Rollout by itself, its borrowed template included."""
    spec = rollout.spec
    if spec.workload_ref is None or spec.template is None:
        return tuple(validate_rollout(rollout))
    own = validate_rollout(rollout.model_copy(update={"spec": spec.model_copy(update={"template": None})}))
    if any(error.path == "spec.selector" for error in own):
        return tuple(own)
    return (*template_errors(spec.template, spec.selector), *own)


async def reference_errors(client: Client, rollout: Rollout) -> tuple[FieldError, ...]:
    """What is wrong with what a Rollout refers to; nothing, if that may not be read."""
    known: dict[Reference, Mapping[str, Any] | None] = {}
    try:
        while wanted := missing(rollout, known):
            for reference in wanted:
                known[reference] = await _document(client, reference)
        return tuple(validate_references(rollout, known))
    except (ApiError, NoVirtualRouter):
        return ()


async def _document(client: Client, reference: Reference) -> Mapping[str, Any] | None:
    try:
        return await client.get(reference.resource, reference.namespace or None, reference.name)
    except NotFound:
        return None


def split_of(view: View) -> PodCounts | None:
    """How many pods each version is to have; None where no router counts them, or it could not be asked."""
    if not view.basic:
        return None
    try:
        return split_pods(load_plugins(), Guard(), split_request(view), view.name)
    except PluginError:
        return None


def decision_of(
    view: View, replica_sets: Sequence[ReplicaSet], errors: Sequence[FieldError], split: PodCounts | None, now: datetime
) -> Decision | None:
    """What a pass would decide now, if the routers answered as they did last; None where that cannot be told."""
    printed = [str(error) for error in errors]
    prepared = prepare(view.rollout, replica_sets, printed, now, view.surroundings)
    if isinstance(prepared, Decision):
        return prepared
    if view.basic and split is None:
        return None
    begun = begin(prepared, split, now)
    if isinstance(begun, Decision):
        return begun
    answer = Verified(view.weights.verified if view.weights is not None else None)
    return decide(begun, split, answer if begun.routing is not None and begun.routing.verify else Verified(), now)
