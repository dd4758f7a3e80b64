"""The conditions of one status write: healthy, progressing, available, completed, and the progress deadline."""

from dataclasses import dataclass
from datetime import datetime

from sluicegate.api import names
from sluicegate.api.status import RolloutStatus
from sluicegate.engine import conditions as c
from sluicegate.engine.active import is_saturated, with_hash
from sluicegate.engine.conditions import Conditions
from sluicegate.engine.decision import Event
from sluicegate.engine.revisions import current_revision, replica_set_name
from sluicegate.engine.times import later
from sluicegate.engine.view import View


@dataclass(frozen=True, slots=True)
class Assessment:
    """Conditions after a pass, the events they give rise to, and whether the deadline raised an abort."""

    conditions: Conditions
    events: tuple[Event, ...]
    aborts: bool = False


def assess(
    view: View, status: RolloutStatus, now: datetime, *, aborted: bool, paused: bool | None = None
) -> Assessment:
    """Evaluate the conditions against the new counters in `status`, in the order in which Argo Rollouts writes them.

    `paused`: whether the Rollout still is after this pass; as it was before unless given.
    """
    paused = view.paused if paused is None else paused
    stored = Conditions.stored(view.status.conditions).without(c.INVALID_SPEC)
    events: list[Event] = []
    times_out = not aborted and _deadline_aborts(view, status, stored, now)
    found = _healthy(view, status, stored, now, paused=paused)
    if aborted or times_out:
        found = _aborted(view, found, now, _timeout_text(view) if times_out else "", events)
    else:
        became_unhealthy = stored.is_true(c.HEALTHY) and not found.is_true(c.HEALTHY)
        found = _progressing(view, status, found, now, became_unhealthy=became_unhealthy, paused=paused)
    found = _available(view, status, found, now)
    found = _replica_failure(view, found, now)
    found = _completed(view, status, found, now, events)
    return Assessment(found, tuple(events), times_out)


def is_healthy(view: View, status: RolloutStatus) -> bool:
    """All pods updated and available, the spec observed before, and the strategy done."""
    counts = status.updated_replicas == status.available_replicas == view.replicas
    observed = view.status.observed_generation == str(view.rollout.metadata.generation)
    return counts and observed and (_switched_over(view, status) if view.blue_green else _stepped_through(view, status))


def _switched_over(view: View, status: RolloutStatus) -> bool:
    """Whether the Services of a blue-green Rollout select the new version, stable or not yet."""
    selected = {status.blue_green.active_selector}
    if view.blue_green and view.blue_green.preview_service:
        selected.add(status.blue_green.preview_selector)
    return selected == {status.current_pod_hash}


def _stepped_through(view: View, status: RolloutStatus) -> bool:
    steps_done = not view.steps or status.current_step_index in (None, len(view.steps))
    return steps_done and status.is_promoted and status.replicas == view.replicas


def deadline_check_due(view: View, status: RolloutStatus, found: Conditions, now: datetime) -> float | None:
    """Seconds until the progress deadline is to be looked at again; None while it does not run."""
    progressing = found.get(c.PROGRESSING)
    if progressing is None or progressing.last_update_time is None or _exempt(view, found):
        return None
    if is_healthy(view, status) or progressing.reason in (c.ABORTED, c.ROLLOUT_PAUSED, c.TIMED_OUT):
        return None
    due = later(progressing.last_update_time, view.rollout.spec.progress_deadline + 1)
    return max(0.0, (due - now).total_seconds())


def _healthy(view: View, status: RolloutStatus, found: Conditions, now: datetime, *, paused: bool) -> Conditions:
    if not paused and is_healthy(view, status):
        return found.put(c.HEALTHY, c.TRUE, "RolloutHealthy", "Rollout is healthy", now)
    if found.get(c.HEALTHY):
        return found.put(c.HEALTHY, c.FALSE, "RolloutHealthy", "Rollout is not healthy", now)
    return found


def _aborted(view: View, found: Conditions, now: datetime, cause: str, events: list[Event]) -> Conditions:
    text = f"Rollout aborted update to revision {current_revision(view)}"
    why = cause or view.raised_abort
    message = f"{text}: {why}" if why else text
    if cause:
        events.append(Event(c.ABORTED, cause, "Warning"))
    if not found.has(c.PROGRESSING, c.ABORTED):
        events.append(Event(c.ABORTED, message, "Warning"))
    return found.put(c.PROGRESSING, c.FALSE, c.ABORTED, message, now)


def _progressing(
    view: View, status: RolloutStatus, found: Conditions, now: datetime, *, became_unhealthy: bool, paused: bool
) -> Conditions:
    if is_healthy(view, status) and not (paused and found.has(c.PROGRESSING, c.ROLLOUT_PAUSED)):
        message = f'ReplicaSet "{replica_set_name(view)}" has successfully progressed.'
        return found.put(c.PROGRESSING, c.TRUE, c.NEW_RS_AVAILABLE, message, now)
    if became_unhealthy and status.is_promoted:
        return found.renew(c.PROGRESSING, c.TRUE, c.NOT_AVAILABLE, c.NO_MINIMUM_AVAILABILITY, now)
    if became_unhealthy or _progress_made(view, status):
        return found.renew(c.PROGRESSING, c.TRUE, c.RS_UPDATED, f"{_subject(view)} is progressing.", now)
    if _timed_out(view, found, now) and not _exempt(view, found):
        return found.put(c.PROGRESSING, c.FALSE, c.TIMED_OUT, _timeout_text(view), now)
    return found


def _subject(view: View) -> str:
    return f'ReplicaSet "{view.new_rs.metadata.name}"' if view.new_rs else f'Rollout "{view.name}"'


def _timeout_text(view: View) -> str:
    return f"{_subject(view)} has timed out progressing."


def _progress_made(view: View, new: RolloutStatus) -> bool:
    old = view.status
    return (
        new.updated_replicas != old.updated_replicas
        or new.replicas - new.updated_replicas < old.replicas - old.updated_replicas
        or new.ready_replicas > old.ready_replicas
        or new.available_replicas > old.available_replicas
        or (_selects_anew(old, new) if view.blue_green else _moves_on(old, new))
    )


def _selects_anew(old: RolloutStatus, new: RolloutStatus) -> bool:
    before, after = old.blue_green, new.blue_green
    return (before.active_selector, before.preview_selector) != (after.active_selector, after.preview_selector)


def _moves_on(old: RolloutStatus, new: RolloutStatus) -> bool:
    both_indexed = old.current_step_index is not None and new.current_step_index is not None
    return (
        new.stable_rs != old.stable_rs
        or (both_indexed and new.current_step_index != old.current_step_index)
        or new.current_step_hash != old.current_step_hash
    )


def _timed_out(view: View, found: Conditions, now: datetime) -> bool:
    progressing = found.get(c.PROGRESSING)
    if progressing is None or progressing.reason in (c.ABORTED, c.ROLLOUT_PAUSED):
        return False
    if progressing.reason == c.TIMED_OUT:
        return True
    since = progressing.last_update_time
    return since is not None and later(since, view.rollout.spec.progress_deadline) < now


def _exempt(view: View, found: Conditions) -> bool:
    """Whether no progress is expected: a step that waits, a pause, an old ReplicaSet that waits out its delay."""
    step = view.current_step
    waits = step is not None and bool(step.pause or step.analysis or step.experiment)
    delayed = any(names.SCALE_DOWN_DEADLINE in rs.metadata.annotations for rs in view.others)
    return waits or delayed or found.is_true(c.PAUSED)


def _deadline_aborts(view: View, status: RolloutStatus, stored: Conditions, now: datetime) -> bool:
    if not view.rollout.spec.progress_deadline_abort or status.is_promoted:
        return False
    stuck = not _progress_made(view, status) and not _exempt(view, stored)
    return stuck and _timed_out(view, stored, now)


def _available(view: View, status: RolloutStatus, found: Conditions, now: datetime) -> Conditions:
    if _has_its_pods(view, status):
        return found.put(c.AVAILABLE, c.TRUE, "AvailableReason", c.MINIMUM_AVAILABILITY, now)
    return found.put(c.AVAILABLE, c.FALSE, "AvailableReason", c.NO_MINIMUM_AVAILABILITY, now)


def _has_its_pods(view: View, status: RolloutStatus) -> bool:
    if view.blue_green:
        return is_saturated(view, with_hash(view, status.blue_green.active_selector))
    return status.available_replicas >= view.replicas


def _replica_failure(view: View, found: Conditions, now: datetime) -> Conditions:
    """Mirror the first failure, of the new ReplicaSet before any other."""
    ordered = [*([view.new_rs] if view.new_rs else []), *view.older]
    failures = (cond for rs in ordered for cond in rs.status.conditions if cond.type == c.REPLICA_FAILURE)
    failure = next(failures, None)
    if failure is None:
        return found.without(c.REPLICA_FAILURE)
    since = failure.last_transition_time or now
    return found.put(c.REPLICA_FAILURE, failure.status, failure.reason, failure.message, since)


def _completed(view: View, status: RolloutStatus, found: Conditions, now: datetime, events: list[Event]) -> Conditions:
    if status.is_promoted:
        return found.put(c.COMPLETED, c.TRUE, "RolloutCompleted", "RolloutCompleted", now)
    old = found.get(c.COMPLETED)
    if old is None or old.status == c.TRUE:
        revision, version = current_revision(view), status.current_pod_hash
        text = f"Rollout not completed, started update to revision {revision} ({version})"
        events.append(Event("RolloutNotCompleted", text))
    return found.put(c.COMPLETED, c.FALSE, "RolloutCompleted", "RolloutCompleted", now)
