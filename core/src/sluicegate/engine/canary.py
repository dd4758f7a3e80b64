"""The decision of one pass over a canary, in the two halves before and after its traffic is routed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sluicegate.api import names
from sluicegate.api.status import CanaryStatus, RolloutStatus
from sluicegate.engine.begun import Begun
from sluicegate.engine.canary_analysis import StepRuns, ended_runs, find_step_runs
from sluicegate.engine.conditions import INVALID_SPEC, Conditions
from sluicegate.engine.decision import Action, Decision, Event, PatchService
from sluicegate.engine.delays import RESYNC_SECONDS
from sluicegate.engine.duration import Happenings
from sluicegate.engine.history import history_cleanup
from sluicegate.engine.metadata import ephemeral_writes
from sluicegate.engine.progress import assess, deadline_check_due
from sluicegate.engine.promotion import (
    is_fast_rollback,
    is_rollback,
    promotion_reason,
    skips_steps,
    within_window,
)
from sluicegate.engine.restart import Restart, restart, restarted_at_with_new_template
from sluicegate.engine.revisions import current_revision, sync_revision
from sluicegate.engine.scaling import is_scaling_event, resize_write, scaling_phase, sizes_now
from sluicegate.engine.services import canary_switches, switched
from sluicegate.engine.sizes import Scaling
from sluicegate.engine.step_entries import StepAnswer, StepCall
from sluicegate.engine.step_plugins import StepPluginOutcome, after, calls
from sluicegate.engine.steps import on_pause_step, pause_ends, step_complete, step_text, wants_pause
from sluicegate.engine.sync import (
    Pauses,
    StatusWrite,
    finish,
    merged,
    observed_status,
    phase_members,
    scale_counters,
    without_full_promotion,
)
from sluicegate.engine.traffic import Traffic, Verified, outcome, rolls_back_dynamically, routing_of
from sluicegate.engine.view import View, available, size
from sluicegate.engine.weights import PodCounts, falling_weight
from sluicegate.engine.workload import scale_down

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


def begin(view: View, split: PodCounts | None, now: datetime) -> Begun | Decision:
    """Everything up to the traffic: a changed template or step list only resets, a changed count only resizes.

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
    restarted = restart(view, now)
    if restarted is not None and restarted.evictions:
        return _evict(view, revision, restarted, now)
    switches = _switches(view)
    actions = (*revision, *ephemeral_writes(view), *history_cleanup(view), *switches)
    seen = switched(view, switches)
    return Begun(
        seen,
        actions,
        routing_of(seen),
        restarted_at=restarted.restarted_at if restarted else None,
        requeue_after=restarted.requeue_after if restarted else None,
    )


@dataclass(frozen=True, slots=True)
class _Middle:
    """What a pass knows after the traffic and before the turn of the step plugins."""

    view: View
    traffic: Traffic
    runs: StepRuns
    scaling: Scaling

    @property
    def pause(self) -> str:
        """The reason of the pause that begins now; empty without one."""
        if self.runs.pause:
            return self.runs.pause
        return names.CANARY_PAUSE_STEP if not self.scaling.ended and wants_pause(self.view) else ""

    @property
    def ended(self) -> bool:
        """Whether step plugins have no turn: something was resized, or a pause begins that is not an abort's to end."""
        return self.scaling.ended or bool(self.runs.pause) or (not self.view.aborting and bool(self.pause))


def step_calls(begun: Begun, split: PodCounts | None, verified: Verified, now: datetime) -> tuple[StepCall, ...]:
    """The calls of step plugins that come before the rest of the pass is decided."""
    middle = _middle(begun, split, verified, now)
    if middle.traffic.error is not None:
        return ()
    return calls(middle.view, resized=middle.ended, now=now)


def decide(
    begun: Begun, split: PodCounts | None, verified: Verified, now: datetime, answers: Sequence[StepAnswer] = ()
) -> Decision:
    """The rest of a pass, after the traffic: sizes, pauses, at most one step, the status.

    `answers` are those to `step_calls`, all of them and in order.
    """
    middle = _middle(begun, split, verified, now)
    view, traffic, runs, scaling = middle.view, middle.traffic, middle.runs, middle.scaling
    if traffic.error is not None:
        return _unverified(view, traffic)
    plugins = after(view, answers, resized=middle.ended, now=now)
    view = view if plugins.abort is None else view.raising_abort(plugins.abort)
    writes = tuple(resize_write(view, resize) for resize in scaling.resizes)
    done = step_complete(view, split, traffic.weights, now, analysed=runs.succeeded, plugin_done=plugins.completes)
    advance = _advance(view, done=done and not runs.unwatched, pause=middle.pause)
    handed_over = scale_down(view, new_size=_new_size(view, scaling), promotes=promotion_reason(view) is not None)
    status = _advanced_status(view, advance, middle, plugins, begun.restarted_at)
    write = _write(view, status, advance, now)
    due = (begun.requeue_after, traffic.requeue_after, plugins.requeue_after, *scaling.requeues)
    return Decision(
        (*ended_runs(view, runs), *writes, *handed_over),
        write.patch,
        (*runs.events(), *plugins.events, *advance.events, *write.events),
        requeue_after=_soonest((*due, *_own_looks(view, write.status, now))),
        opening=traffic.events,
    )


def _middle(begun: Begun, split: PodCounts | None, verified: Verified, now: datetime) -> _Middle:
    view, traffic = begun.view, outcome(begun.view, begun.routing, verified)
    runs = find_step_runs(view)
    view = view if runs.failure is None else view.raising_abort(runs.failure)
    return _Middle(view, traffic, runs, _scaling(view, split, traffic, runs, now))


def _scaling(view: View, split: PodCounts | None, traffic: Traffic, runs: StepRuns, now: datetime) -> Scaling:
    """The resizes of this pass; none while a person is to decide what a run could not."""
    if runs.pause == names.INCONCLUSIVE_ANALYSIS_RUN:
        return Scaling((), ended=False)
    return scaling_phase(view, sizes_now(view, split, traffic.weights), now)


def _switches(view: View) -> tuple[PatchService, ...]:
    weight = falling_weight(view) if view.routed else 0
    return canary_switches(view, delayed=rolls_back_dynamically(view), abort_weight=weight)


def _evict(view: View, revision: tuple[Action, ...], restarted: Restart, now: datetime) -> Decision:
    """End the pass with evictions; the restart is over at once if these pods were the last and none was refused."""
    actions = (*revision, *restarted.evictions)
    if restarted.restarted_at is None:
        return Decision(actions, requeue_after=restarted.requeue_after)
    status = view.status.model_copy(update={"restarted_at": restarted.restarted_at})
    status = status.model_copy(update=phase_members(view, status))
    return Decision(actions, merged(view.status, status), requeue_after=restarted.requeue_after, after_evictions=True)


def _unverified(view: View, traffic: Traffic) -> Decision:
    """Stop short of the end: stable must not go before the data plane is known to have left it."""
    canary = view.status.canary.model_copy(update={"weights": traffic.weights})
    status = view.status.model_copy(update={"canary": canary})
    return Decision(status=merged(view.status, status), events=traffic.events, error=traffic.error)


def _rescale(view: View, split: PodCounts | None, revision: tuple[Action, ...], now: datetime) -> Decision:
    scaling = scaling_phase(view, sizes_now(view, split, view.weights), now)
    resizes = tuple(resize_write(view, resize) for resize in scaling.resizes)
    handed_over = scale_down(view, new_size=_new_size(view, scaling), promotes=False)
    status = view.status.model_copy(update=scale_counters(view))
    found = Conditions.stored(view.status.conditions).without(INVALID_SPEC)
    write = finish(view, status, found, Happenings(aborted=view.status.abort), now)
    requeue = min(scaling.requeues, default=None)
    return Decision((*revision, *resizes, *handed_over), write.patch, write.events, requeue_after=requeue)


def _new_size(view: View, scaling: Scaling) -> int | None:
    """The size that the new ReplicaSet has after the scaling phase; None if there was none."""
    if view.halted:
        return None
    resized = (resize.replicas for resize in scaling.resizes if resize.replica_set is view.new_rs)
    return next(resized, size(view.new_rs))


def _reset(view: View, revision: tuple[Action, ...], now: datetime) -> Decision:
    """Start over with the first step; going back to the stable version, or within the window, needs no steps."""
    index, events = _first_index(view)
    restarted_at = restarted_at_with_new_template(view, now) if view.template_changed else view.status.restarted_at
    status = observed_status(view).model_copy(
        update={
            "canary": _kept(view),
            "current_step_index": index,
            "promote_full": False,
            "restarted_at": restarted_at,
        }
    )
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


def _advance(view: View, *, done: bool, pause: str) -> Advance:
    """Promote, abort, or complete at most one step."""
    skips = skips_steps(view)
    last = len(view.steps)
    here = Advance(
        index=(last if skips else view.step_index) if view.steps else None,
        stable=view.status.stable_rs,
        promote_full=view.full_promotion and not view.promoted,
        aborted=view.aborting and not skips,
        pauses=Pauses(clear=skips),
    )
    if reason := promotion_reason(view):
        return _promote(view, here, reason)
    if here.aborted:
        return replace(here, index=0 if view.steps else None)
    if done and not skips:
        return _complete_step(view, here)
    return replace(here, pauses=Pauses(begin=pause)) if pause else here


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


def _advanced_status(
    view: View, advance: Advance, middle: _Middle, plugins: StepPluginOutcome, restarted_at: datetime | None
) -> RolloutStatus:
    stays = advance.index == view.step_index and not advance.aborted
    watched = not advance.aborted and advance.stable != view.pod_hash
    canary = CanaryStatus(
        current_background_analysis_run_status=middle.runs.background.status if watched else None,
        current_step_analysis_run_status=middle.runs.analysis.status if stays else None,
        current_experiment=middle.runs.current_experiment if stays else "",
        weights=middle.traffic.weights,
        step_plugin_statuses=list(plugins.statuses),
        stable_ping_pong=_next_ping_pong(view, promotes=bool(advance.promoted_as)),
    )
    return observed_status(view).model_copy(
        update={
            "canary": canary,
            "current_step_index": advance.index,
            "stable_rs": advance.stable,
            "promote_full": advance.promote_full,
            "restarted_at": restarted_at or view.status.restarted_at,
        }
    )


def _kept(view: View) -> CanaryStatus:
    """What of the canary's own status outlives a pass and a new template: where traffic goes."""
    old = view.status.canary
    return CanaryStatus(weights=old.weights, stable_ping_pong=old.stable_ping_pong)


def _next_ping_pong(view: View, *, promotes: bool) -> str:
    """The ping-pong Service that is stable: each promotion gives the other one the role."""
    former = view.status.canary.stable_ping_pong
    if not promotes or view.canary.ping_pong is None:
        return former
    return "pong" if former == "ping" else "ping"


def _write(view: View, status: RolloutStatus, advance: Advance, now: datetime) -> StatusWrite:
    assessment = assess(view, status, now, aborted=advance.aborted)
    aborted = advance.aborted or assessment.aborts
    happened = Happenings(aborted=aborted, promoted_as=advance.promoted_as, settled=_settled(view, status))
    status = without_full_promotion(status, aborted=aborted)
    write = finish(view, status, assessment.conditions, happened, now, pauses=advance.pauses)
    return replace(write, events=(*assessment.events, *write.events))


def _settled(view: View, status: RolloutStatus) -> bool:
    return status.is_promoted and available(view.new_rs) >= view.replicas


def _own_looks(view: View, status: RolloutStatus, now: datetime) -> Iterator[float | None]:
    """Seconds until the progress deadline and the end of a timed pause are due."""
    yield deadline_check_due(view, status, Conditions.stored(status.conditions), now)
    ends = pause_ends(view)
    left = (ends - now + _JUST_AFTER).total_seconds() if ends is not None and not view.halted else RESYNC_SECONDS
    if left < RESYNC_SECONDS:
        yield max(0.0, left)


def _soonest(due: Iterable[float | None]) -> float | None:
    """Seconds until something is due that no change in the cluster will tell of; None leaves it to the resync."""
    return min((seconds for seconds in due if seconds is not None), default=None)
