"""The decision of one pass over a blue-green Rollout: preview, sizes, pause, switch, analyses, promotion, status."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sluicegate.api import names
from sluicegate.api.status import BlueGreenStatus, RolloutStatus
from sluicegate.engine.active import active_hash, strategy_of
from sluicegate.engine.blue_green_analysis import Analyses, ended_runs, find_analyses
from sluicegate.engine.blue_green_scaling import resize_all
from sluicegate.engine.conditions import Conditions
from sluicegate.engine.cutover import (
    Pausing,
    aborts,
    is_fast_rollback,
    is_fast_tracked,
    next_active,
    pause_before_switch,
    promotion_reason,
)
from sluicegate.engine.decision import Action, Decision, DeleteReplicaSet, Event, PatchService
from sluicegate.engine.delays import RESYNC_SECONDS
from sluicegate.engine.duration import Happenings
from sluicegate.engine.history import history_cleanup
from sluicegate.engine.metadata import ephemeral_writes
from sluicegate.engine.progress import assess, deadline_check_due
from sluicegate.engine.promotion import is_rollback
from sluicegate.engine.restart import Restart, restart, restarted_at_with_new_template
from sluicegate.engine.revisions import current_revision, sync_revision
from sluicegate.engine.scaling import resize_write
from sluicegate.engine.services import switch, switched
from sluicegate.engine.sizes import Scaling
from sluicegate.engine.sync import Pauses, StatusWrite, finish, observed_status, with_pauses, without_full_promotion
from sluicegate.engine.view import View, available, hash_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a pass comes to: the Rollout as it then is, and what its status is to tell of it.

    `view` shows the Services as they are after the switches, and an abort that this pass raises. `back`: this update is
    a fast rollback. `reason` is that of a promotion, None without one.
    """

    view: View
    analyses: Analyses
    pausing: Pausing
    reason: str | None
    latched: bool
    restarted_at: datetime | None = None


def decide(view: View, now: datetime) -> Decision:
    """Decide one pass: a changed template only resets the status; a resize, an eviction or a switch ends nothing."""
    revision, previews = sync_revision(view), _preview_switch(view)
    seen = switched(view, previews)
    if view.template_changed and view.status.current_pod_hash:
        return _reset(seen, (*revision, *previews), now)
    back = is_fast_rollback(seen, now)
    analyses, restarted = find_analyses(seen, back=back), restart(seen, now)
    scaling = resize_all(seen, analyses, now, back=back)
    ready = _is_ready(seen, scaling)
    fast = is_fast_tracked(seen, back=back)
    pausing = pause_before_switch(seen, now, ready=ready, analysed=analyses.pre_done, fast=fast)
    goes_on = fast or (pausing.over and analyses.pre_done)
    switches = _active_switch(seen, next_active(seen, ready=ready, goes_on=goes_on))
    outcome = _outcome(switched(seen, switches), analyses, pausing, back=back)
    actions: tuple[Action, ...] = (
        *revision,
        *previews,
        *(restarted.evictions if restarted else ()),
        *(resize_write(seen, resize) for resize in scaling.resizes),
        *_history(seen),
        *switches,
        *ended_runs(outcome.view, analyses),
        *ephemeral_writes(seen),
    )
    return _decided(outcome, actions, scaling, restarted, now)


def _preview_switch(view: View) -> tuple[PatchService, ...]:
    """The preview Service follows the new version at once, before it has pods; not while paused by hand."""
    if view.halted:
        return ()
    write = switch(view, strategy_of(view).preview_service, hash_of(view.new_rs))
    return () if write is None else (write,)


def _active_switch(view: View, target: str) -> tuple[PatchService, ...]:
    write = switch(view, strategy_of(view).active_service, target)
    return () if write is None else (write,)


def _is_ready(view: View, scaling: Scaling) -> bool:
    """Whether the new ReplicaSet has the size that this pass wants for it, with all pods available."""
    if view.new_rs is None or any(
        resize.changes_size and resize.replica_set is view.new_rs for resize in scaling.resizes
    ):
        return False
    return available(view.new_rs) == view.new_rs.spec.replicas


def _history(view: View) -> tuple[DeleteReplicaSet, ...]:
    """Old ReplicaSets past the history limit, but for the one that the active Service selects."""
    return tuple(delete for delete in history_cleanup(view) if hash_of(delete.replica_set) != active_hash(view))


def _outcome(view: View, analyses: Analyses, pausing: Pausing, *, back: bool) -> Outcome:
    if (failure := analyses.failure) is not None:
        view = view.raising_abort(failure)
    reason = promotion_reason(view, back=back, analysed=analyses.post_done)
    return Outcome(view, analyses, pausing, reason, latched=reason is None and _is_latched(view, analyses, pausing))


def _is_latched(view: View, analyses: Analyses, pausing: Pausing) -> bool:
    """Whether a preview that is done with grows to all pods; kept until the promotion or a new template."""
    preview = strategy_of(view).preview_replica_count
    if preview is None or view.promoted:
        return False
    tried_out = not aborts(view) and pausing.over and analyses.pre_done and available(view.new_rs) == max(0, preview)
    return view.status.blue_green.scale_up_preview_check_point or tried_out


def _reset(view: View, actions: tuple[Action, ...], now: datetime) -> Decision:
    """Take a new template up: pauses, abort, analyses and what was reached with the one before are forgotten."""
    status = observed_status(view).model_copy(
        update={"promote_full": False, "restarted_at": restarted_at_with_new_template(view, now)}
    )
    assessment = assess(view, status, now, aborted=False)
    fast = is_fast_rollback(view, now)
    rollback = "FastRolledBack" if fast else "RolledBack" if is_rollback(view) else ""
    happened = Happenings(changed=True, rollback=rollback, settled=_is_settled(view, status))
    write = finish(view, status, assessment.conditions, happened, now, pauses=Pauses(clear=True))
    return Decision(actions, write.patch, (*assessment.events, *write.events))


def _decided(
    outcome: Outcome, actions: tuple[Action, ...], scaling: Scaling, restarted: Restart | None, now: datetime
) -> Decision:
    evicts = restarted is not None and bool(restarted.evictions)
    restarted_at = restarted.restarted_at if restarted is not None else None
    write = _write(outcome if evicts else replace(outcome, restarted_at=restarted_at), now)
    after_evictions = evicts and restarted_at is not None and not write.patch and not write.events
    if after_evictions:
        write = _write(replace(outcome, restarted_at=restarted_at), now)
    found = Conditions.stored(write.status.conditions)
    due = (
        *scaling.requeues,
        outcome.pausing.requeue_after,
        restarted.requeue_after if restarted is not None else None,
        _within_resync(deadline_check_due(outcome.view, write.status, found, now)),
    )
    return Decision(actions, write.patch, write.events, _soonest(due), after_evictions=after_evictions)


def _write(outcome: Outcome, now: datetime) -> StatusWrite:
    view, status = outcome.view, _status(outcome)
    aborted = outcome.reason is None and aborts(view)
    pauses = _pauses(outcome)
    paused = view.rollout.spec.paused or bool(with_pauses(view, status, pauses, now, aborted=aborted).pause_conditions)
    assessment = assess(view, status, now, aborted=aborted, paused=paused)
    begins = not view.status.current_pod_hash
    happened = Happenings(
        changed=begins,
        aborted=aborted or assessment.aborts,
        promoted_as=_promoted_as(outcome) if not begins else "",
        settled=_is_settled(view, status),
    )
    status = without_full_promotion(status, aborted=happened.aborted)
    write = finish(view, status, assessment.conditions, happened, now, pauses=pauses)
    events = (*outcome.analyses.events(), *_promotion_events(outcome), *assessment.events, *write.events)
    return replace(write, events=events)


def _status(outcome: Outcome) -> RolloutStatus:
    view, analyses = outcome.view, outcome.analyses
    status = observed_status(view)
    own: BlueGreenStatus = status.blue_green.model_copy(
        update={
            "scale_up_preview_check_point": outcome.latched,
            "pre_promotion_analysis_run_status": analyses.pre.status,
            "post_promotion_analysis_run_status": analyses.post.status,
        }
    )
    promoted = outcome.reason is not None
    return status.model_copy(
        update={
            "blue_green": own,
            "stable_rs": view.pod_hash if promoted else view.status.stable_rs,
            "promote_full": view.full_promotion and not promoted and not view.promoted,
            "restarted_at": outcome.restarted_at or view.status.restarted_at,
        }
    )


def _pauses(outcome: Outcome) -> Pauses:
    view, pauses = outcome.view, outcome.pausing.pauses
    if outcome.reason is not None or view.full_promotion:
        return Pauses(clear=True)
    return replace(pauses, begin=names.INCONCLUSIVE_ANALYSIS_RUN) if outcome.analyses.inconclusive else pauses


def _promoted_as(outcome: Outcome) -> str:
    if outcome.reason is None or outcome.view.promoted:
        return ""
    return "FastPromoted" if outcome.view.full_promotion else "Promoted"


def _promotion_events(outcome: Outcome) -> tuple[Event, ...]:
    view = outcome.view
    if outcome.reason is None or view.promoted:
        return ()
    text = f"Rollout completed update to revision {current_revision(view)} ({view.pod_hash}): {outcome.reason}"
    return (Event("RolloutCompleted", text),)


def _is_settled(view: View, status: RolloutStatus) -> bool:
    return status.is_promoted and available(view.new_rs) >= view.replicas


def _within_resync(seconds: float | None) -> float | None:
    return seconds if seconds is not None and seconds < RESYNC_SECONDS else None


def _soonest(due: Iterable[float | None]) -> float | None:
    return min((seconds for seconds in due if seconds is not None), default=None)
