"""The decision of one pass over a basic canary."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sluicegate.api import names
from sluicegate.api.status import RolloutStatus
from sluicegate.engine.conditions import INVALID_SPEC, Conditions
from sluicegate.engine.decision import Action, Decision, Event, PatchReplicaSet
from sluicegate.engine.duration import Happenings
from sluicegate.engine.history import history_cleanup
from sluicegate.engine.progress import assess, deadline_check_due
from sluicegate.engine.promotion import (
    is_fast_rollback,
    is_rollback,
    promotion_reason,
    skips_steps,
    within_window,
)
from sluicegate.engine.revisions import current_revision, sync_revision
from sluicegate.engine.scaling import Resize, Scaling, scaling_phase
from sluicegate.engine.steps import on_pause_step, pause_ends, step_complete, step_text, wants_pause
from sluicegate.engine.sync import Pauses, StatusWrite, finish, observed_status, scale_counters
from sluicegate.engine.view import View, available, revision_of, size
from sluicegate.engine.weights import PodCounts

RESYNC_SECONDS = 900.0
"""Every Rollout is looked at again after this time; an earlier look is asked for only where something is due before."""

_JUST_AFTER = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Advance:
    """Where the update stands after this pass."""

    index: int | None
    stable: str
    promote_full: bool
    aborted: bool
    pauses: Pauses
    promoted_as: str = ""
    events: tuple[Event, ...] = ()


def decide(view: View, split: PodCounts, now: datetime) -> Decision:
    """Decide one pass, given how the router split the wanted weight into pods.

    A changed template or step list only resets, a changed count only resizes; else history, sizes, at most one step.
    Argo Rollouts resizes before it takes a new template up, by the weight of the one before, and so gives a new version
    most of the pods when image and count change in one edit.
    """
    revision = sync_revision(view)
    if view.template_changed:
        return _reset(view, revision, now)
    if is_scaling_event(view):
        return _rescale(view, split, revision, now)
    if view.steps_changed:
        return _reset(view, revision, now)
    scaling = scaling_phase(view, split)
    actions: tuple[Action, ...] = (*revision, *history_cleanup(view), *scaling_writes(view, scaling))
    advance = _advance(view, split, now, begins_pause=not scaling.ended and wants_pause(view))
    write = _write(view, advance, now)
    return Decision(actions, write.patch, (*advance.events, *write.events), _next_look(view, write.status, now))


def is_scaling_event(view: View) -> bool:
    """Whether the wanted count differs from the one that the running new or stable ReplicaSet was last sized for.

    While halted nothing is resized, and the rest of a pass, an abort above all, must not wait for it.
    """
    return not view.halted and any(
        replica_set is not None
        and size(replica_set) > 0
        and (desired := view.desired_annotation(replica_set)) is not None
        and desired != str(view.replicas)
        for replica_set in (view.new_rs, view.stable_rs)
    )


def scaling_writes(view: View, scaling: Scaling) -> tuple[PatchReplicaSet, ...]:
    """The writes of a scaling phase; a ReplicaSet in use that is not resized loses its deadline all the same."""
    if view.halted:
        return ()
    resized = tuple(resize_write(view, resize) for resize in scaling.resizes)
    done = {write.replica_set.metadata.uid for write in resized}
    in_use = (rs for rs in (view.separate_stable, view.new_rs) if rs is not None and rs.metadata.uid not in done)
    patch = {"metadata": {"annotations": {names.SCALE_DOWN_DEADLINE: None}}}
    kept = (PatchReplicaSet(rs, patch) for rs in in_use if names.SCALE_DOWN_DEADLINE in rs.metadata.annotations)
    return (*kept, *resized)


def resize_write(view: View, resize: Resize) -> PatchReplicaSet:
    """One write of the size and the count it was decided for; a ReplicaSet in use, or emptied, loses its deadline."""
    replica_set, replicas = resize.replica_set, resize.replicas
    annotations: dict[str, str | None] = {names.DESIRED_REPLICAS: str(view.replicas)}
    in_use = replica_set is view.new_rs or replica_set is view.stable_rs
    if names.SCALE_DOWN_DEADLINE in replica_set.metadata.annotations and (in_use or replicas == 0):
        annotations[names.SCALE_DOWN_DEADLINE] = None
    patch: dict[str, Any] = {"metadata": {"annotations": annotations}}
    if not resize.changes_size:
        return PatchReplicaSet(replica_set, patch)
    direction = "up" if replicas > size(replica_set) else "down"
    text = (
        f"Scaled {direction} ReplicaSet {replica_set.metadata.name} (revision {revision_of(replica_set)}) "
        f"from {size(replica_set)} to {replicas}"
    )
    return PatchReplicaSet(replica_set, patch | {"spec": {"replicas": replicas}}, (Event("ScalingReplicaSet", text),))


def _rescale(view: View, split: PodCounts, revision: tuple[Action, ...], now: datetime) -> Decision:
    resizes = scaling_writes(view, scaling_phase(view, split))
    status = view.status.model_copy(update=scale_counters(view))
    found = Conditions.stored(view.status.conditions).without(INVALID_SPEC)
    write = finish(view, status, found, Happenings(aborted=view.status.abort), now)
    return Decision((*revision, *resizes), write.patch, write.events)


def _reset(view: View, revision: tuple[Action, ...], now: datetime) -> Decision:
    """Start over with the first step; going back to the stable version, or within the window, needs no steps."""
    index, events = _first_index(view)
    status = observed_status(view).model_copy(update={"current_step_index": index, "promote_full": False})
    assessment = assess(view, status, now, aborted=False)
    rollback = "FastRolledBack" if is_fast_rollback(view) else "RolledBack" if is_rollback(view) else ""
    happened = Happenings(changed=True, rollback=rollback, settled=_settled(view, status))
    write = finish(view, status, assessment.conditions, happened, now, pauses=Pauses(clear=True))
    return Decision(revision, write.patch, (*events, *assessment.events, *write.events))


def _first_index(view: View) -> tuple[int | None, tuple[Event, ...]]:
    if not view.steps:
        return None, ()
    if view.new_rs is not None and view.promoted:
        return len(view.steps), (Event("SkipSteps", "Rollback to stable ReplicaSets"),)
    if within_window(view) and size(view.new_rs) > 0:
        return len(view.steps), (Event("SkipSteps", "Rollback to active ReplicaSets within RollbackWindow"),)
    return 0, ()


def _advance(view: View, split: PodCounts, now: datetime, *, begins_pause: bool) -> Advance:
    """Promote, abort, or complete at most one step."""
    skips = skips_steps(view)
    last = len(view.steps)
    here = Advance(
        index=(last if skips else view.step_index) if view.steps else None,
        stable=view.status.stable_rs,
        promote_full=view.full_promotion and not view.promoted,
        aborted=view.aborted and not skips,
        pauses=Pauses(clear=skips),
    )
    if reason := promotion_reason(view):
        return _promote(view, here, reason)
    if here.aborted:
        return replace(here, index=0 if view.steps else None)
    if not skips and step_complete(view, split, now):
        return _complete_step(view, here)
    return replace(here, pauses=Pauses(begin=names.CANARY_PAUSE_STEP)) if begins_pause else here


def _promote(view: View, here: Advance, reason: str) -> Advance:
    index = len(view.steps) if view.steps else None
    promoted = replace(here, index=index, promote_full=False, aborted=False, pauses=Pauses(clear=True))
    if view.promoted:
        return promoted
    text = f"Rollout completed update to revision {current_revision(view)} ({view.pod_hash}): {reason}"
    return replace(
        promoted,
        stable=view.pod_hash,
        promoted_as="FastPromoted" if view.status.promote_full else "Promoted",
        events=(Event("RolloutCompleted", text),),
    )


def _complete_step(view: View, here: Advance) -> Advance:
    step, index = view.steps[view.step_index], view.step_index + 1
    text = f"Rollout step {index}/{len(view.steps)} completed ({step_text(step)})"
    pauses = Pauses(end=names.CANARY_PAUSE_STEP) if on_pause_step(view) else here.pauses
    return replace(here, index=index, pauses=pauses, events=(Event("RolloutStepCompleted", text),))


def _write(view: View, advance: Advance, now: datetime) -> StatusWrite:
    status = observed_status(view).model_copy(
        update={
            "current_step_index": advance.index,
            "stable_rs": advance.stable,
            "promote_full": advance.promote_full,
        }
    )
    assessment = assess(view, status, now, aborted=advance.aborted)
    happened = Happenings(
        aborted=advance.aborted or assessment.aborts,
        promoted_as=advance.promoted_as,
        settled=_settled(view, status),
    )
    write = finish(view, status, assessment.conditions, happened, now, pauses=advance.pauses)
    return replace(write, events=(*assessment.events, *write.events))


def _settled(view: View, status: RolloutStatus) -> bool:
    return status.is_promoted and available(view.new_rs) >= view.replicas


def _next_look(view: View, status: RolloutStatus, now: datetime) -> float | None:
    """Seconds until something is due that no change in the cluster will tell of; None leaves it to the resync."""
    due = [deadline_check_due(view, status, Conditions.stored(status.conditions), now)]
    ends = pause_ends(view)
    if ends is not None and not view.halted:
        due.append(max(0.0, (ends - now + _JUST_AFTER).total_seconds()))
    return min((seconds for seconds in due if seconds is not None and seconds < RESYNC_SECONDS), default=None)
