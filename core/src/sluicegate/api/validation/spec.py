"""The local checks of a Rollout, in the incumbent's order (rollout 1.9): those that need no other object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sluicegate.api.encoding import encode
from sluicegate.api.validation.field_error import FieldError, internal, invalid, required
from sluicegate.api.validation.pod_template import template_errors
from sluicegate.api.validation.selector import selector_errors
from sluicegate.api.validation.strategy import strategy_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluicegate.api.rollout import Rollout, RolloutSpec

_NOT_NEGATIVE: Final = "must be greater than or equal to 0"


def validate_rollout(rollout: Rollout) -> list[FieldError]:
    """Everything wrong with a Rollout by itself; the first entry is the one that the controller reports."""
    return list(_errors(rollout.spec))


def _errors(spec: RolloutSpec) -> Iterator[FieldError]:
    if spec.desired_replicas < 0:
        yield invalid("spec.replicas", spec.replicas, _NOT_NEGATIVE)
    if spec.workload_ref is None:
        yield from _selector_presence_errors(spec)
    elif not spec.template_is_empty:
        yield internal("spec.template", "template must be empty for workload reference rollout")
    yield from _template_errors(spec)
    yield from _number_errors(spec)
    yield from strategy_errors(spec)


def _selector_presence_errors(spec: RolloutSpec) -> Iterator[FieldError]:
    if spec.selector is None:
        yield required("spec.selector", "Rollout has missing field '.spec.selector'")
        return
    yield from selector_errors(spec.selector, "spec.selector")
    if spec.selector.is_empty:
        yield invalid("spec.selector", {}, "empty selector is invalid for deployment")


def _template_errors(spec: RolloutSpec) -> Iterator[FieldError]:
    if spec.selector is not None and any(selector_errors(spec.selector, "spec.selector")):
        shown = encode(spec.selector.document(), "LabelSelector")
        yield invalid("spec.selector", shown, "invalid label selector")
    elif spec.workload_ref is None:
        yield from template_errors(spec.template or {}, spec.selector)


def _number_errors(spec: RolloutSpec) -> Iterator[FieldError]:
    deadline = "spec.progressDeadlineSeconds"
    if spec.min_ready_seconds < 0:
        yield invalid("spec.minReadySeconds", spec.min_ready_seconds, _NOT_NEGATIVE)
    if spec.history_limit < 0:
        yield invalid("spec.revisionHistoryLimit", spec.history_limit, _NOT_NEGATIVE)
    if spec.progress_deadline < 0:
        yield invalid(deadline, spec.progress_deadline, _NOT_NEGATIVE)
    if spec.progress_deadline <= spec.min_ready_seconds:
        yield invalid(deadline, spec.progress_deadline, "must be greater than minReadySeconds")
