"""The status of one pass: counters, pause bookkeeping, phase, time line, and the patch that stores what differs."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.selectors import format_selector
from sluicegate.api.status import BlueGreenStatus, CanaryStatus, PauseCondition, RolloutStatus
from sluicegate.engine.active import active_hash, active_rs, preview_hash
from sluicegate.engine.conditions import Conditions
from sluicegate.engine.decision import Event
from sluicegate.engine.duration import Happenings, next_duration
from sluicegate.engine.phase import PhaseFacts, phase_of
from sluicegate.engine.view import View, available, created
from sluicegate.engine.workload import workload_observed_generation


@dataclass(frozen=True, slots=True)
class Pauses:
    """What a pass does to the pauses: begin one, end one, or clear all of them.

    `keeps_mark`: a resumption by the user is still to be acted on.
    """

    begin: str = ""
    end: str = ""
    clear: bool = False
    keeps_mark: bool = False


@dataclass(frozen=True, slots=True)
class StatusWrite:
    """A merge patch of `.status` (empty: nothing to write) and the events that the write gives rise to."""

    patch: dict[str, Any]
    events: tuple[Event, ...]
    status: RolloutStatus


def observed_status(view: View) -> RolloutStatus:
    """The status that starts a pass: fresh counters and hashes, what persists carried over, the rest dropped."""
    old, counted = view.status, _counted(view)
    return old.model_copy(
        update={
            "current_pod_hash": view.pod_hash,
            "current_step_hash": view.step_hash,
            "replicas": sum(created(rs) for rs in view.replica_sets),
            "updated_replicas": created(view.new_rs),
            "ready_replicas": sum(rs.status.ready_replicas for rs in counted),
            "promote_full": old.promote_full and not view.promoted,
            "current_step_index": view.step_index if view.steps else None,
            "workload_observed_generation": workload_observed_generation(view.rollout),
            "blue_green": BlueGreenStatus(active_selector=active_hash(view), preview_selector=preview_hash(view)),
            "canary": CanaryStatus(),
            **scale_counters(view),
        }
    )


def scale_counters(view: View) -> dict[str, Any]:
    """The counters that the scale subresource and its readers follow."""
    counted, serving = _counted(view), active_rs(view)
    return {
        "available_replicas": sum(available(rs) for rs in counted),
        "hpa_replicas": sum(created(rs) for rs in counted),
        "selector": format_selector(serving.spec.selector if serving else view.rollout.spec.selector),
    }


def _counted(view: View) -> tuple[ReplicaSet, ...]:
    """The ReplicaSets whose pods are counted: in blue-green the one that serves, otherwise all."""
    serving = active_rs(view)
    return view.replica_sets if serving is None else (serving,)


def finish(
    view: View,
    status: RolloutStatus,
    found: Conditions,
    happened: Happenings,
    now: datetime,
    *,
    pauses: Pauses | None = None,
) -> StatusWrite:
    """Complete a status: pauses, generation, time line, phase; then take the difference to the stored one.

    Without `pauses` they are left alone: a pass that does not evaluate the steps must not forget that a user resumed.
    """
    now = now.replace(microsecond=0)
    paused = with_pauses(view, status, pauses, now, aborted=happened.aborted) if pauses else status
    held = replace(happened, paused_by_human=_paused_by_human(view, paused))
    new = paused.model_copy(
        update={
            "conditions": list(found.items),
            "observed_generation": str(view.rollout.metadata.generation),
            "duration": next_duration(view.status.duration, held, now),
        }
    )
    new = new.model_copy(update=phase_members(view, new))
    return StatusWrite(merged(view.status, new), _pause_events(view.status, new), new)


def without_full_promotion(status: RolloutStatus, *, aborted: bool) -> RolloutStatus:
    """The status of an abort: one that was asked for before it must not lift it again."""
    return status.model_copy(update={"promote_full": False}) if aborted else status


def merged(old: RolloutStatus, new: RolloutStatus) -> dict[str, Any]:
    """The merge patch from one status to another; absent, null and zero are the same and make no difference."""
    return old.patch_to(new)


def with_pauses(view: View, status: RolloutStatus, pauses: Pauses, now: datetime, *, aborted: bool) -> RolloutStatus:
    """Pause bookkeeping: an abort drops all pauses; the controller's mark lives as long as a pause does.

    While the Rollout is paused by hand the mark stays, so that a pause that a user has resumed does not begin again.
    """
    old = view.status
    abort = {"abort": aborted, "aborted_at": (old.aborted_at or now) if aborted else None}
    if aborted or pauses.clear:
        return status.model_copy(update={**abort, "pause_conditions": [], "controller_pause": False})
    kept = [condition for condition in old.pause_conditions if condition.reason != pauses.end]
    begun = bool(pauses.begin) and all(condition.reason != pauses.begin for condition in kept)
    if begun:
        kept.append(PauseCondition(reason=pauses.begin, start_time=now))
    mark = begun or (old.controller_pause and (bool(kept) or pauses.keeps_mark or view.rollout.spec.paused))
    return status.model_copy(update={**abort, "pause_conditions": kept, "controller_pause": mark})


def phase_members(view: View, status: RolloutStatus) -> dict[str, str]:
    """`phase` and `message` of a status."""
    phase = phase_of(PhaseFacts.of(view.rollout.spec, status))
    return {"phase": phase.phase, "message": phase.message}


def _paused_by_human(view: View, status: RolloutStatus) -> bool:
    """Whether only a person can end the pause, so that the time counts as waiting for one."""
    if view.rollout.spec.paused:
        return True
    timed = {names.BLUE_GREEN_PAUSE} if view.blue_green and view.blue_green.promotes_itself else set()
    step = view.steps[index] if (index := status.current_step_index or 0) in range(len(view.steps)) else None
    if step is not None and step.pause is not None and step.pause.duration is not None:
        timed = {names.CANARY_PAUSE_STEP}
    return any(condition.reason not in timed for condition in status.pause_conditions)


def _pause_events(old: RolloutStatus, new: RolloutStatus) -> tuple[Event, ...]:
    if new.pause_conditions and not old.pause_conditions:
        return (Event("RolloutPaused", f"Rollout is paused ({new.pause_conditions[0].reason})"),)
    if old.pause_conditions and not new.pause_conditions and not new.abort:
        return (Event("RolloutResumed", "Rollout is resumed"),)
    return ()
