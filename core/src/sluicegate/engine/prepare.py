"""What comes first in a pass: refusals, claims, conditions that follow the user's pauses, and the new ReplicaSet."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.rollout import Rollout
from sluicegate.engine import conditions as c
from sluicegate.engine.conditions import Conditions
from sluicegate.engine.decision import Decision, Event, PatchRollout
from sluicegate.engine.duration import Happenings
from sluicegate.engine.revisions import (
    claims,
    create_replica_set,
    is_owned,
    replica_set_name,
)
from sluicegate.engine.surroundings import Surroundings
from sluicegate.engine.sync import finish, merged
from sluicegate.engine.view import View


def prepare(
    rollout: Rollout,
    candidates: Iterable[ReplicaSet],
    errors: Sequence[str],
    now: datetime,
    surroundings: Surroundings | None = None,
) -> View | Decision:
    """The view to decide on, or the decision that ends the pass before that.

    `candidates` are the ReplicaSets of the namespace that carry a hash label; `errors` the printed field errors of the
    spec, of which the first is shown. A Rollout that is being deleted is left alone.
    """
    if rollout.metadata.deletion_timestamp is not None:
        return Decision()
    if errors:
        return refuse(rollout, errors[0], now)
    if wanted := claims(rollout, candidates := tuple(candidates)):
        return Decision(wanted)
    if rollout.spec.replicas is None:
        return Decision((PatchRollout({"spec": {"replicas": 1}}),))
    view = owned_view(rollout, candidates, surroundings)
    return _follow_pauses(view, now) or _create(view, now) or view


def owned_view(rollout: Rollout, candidates: Iterable[ReplicaSet], surroundings: Surroundings | None = None) -> View:
    """The view over those of the candidates that the Rollout owns."""
    return View.of(rollout, (rs for rs in candidates if is_owned(rollout, rs)), surroundings)


def refuse(rollout: Rollout, error: str, now: datetime, *, retry_after: float | None = None) -> Decision:
    """Tell of an invalid spec: condition, phase and message; nothing else is touched.

    The pass counts as failed, so that it is tried again soon: what the Rollout refers to may appear. With `retry_after`
    it does not, and is tried again after so many seconds.
    """
    message = f'The Rollout "{rollout.metadata.name}" is invalid: {error}'
    stored = Conditions.stored(rollout.status.conditions)
    old = stored.get(c.INVALID_SPEC)
    if old and old.message != message:
        stored = stored.without(c.INVALID_SPEC)
    found = stored.put(c.INVALID_SPEC, c.TRUE, c.INVALID_SPEC, message, now)
    status = rollout.status.model_copy(
        update={
            "conditions": list(found.items),
            "observed_generation": str(rollout.metadata.generation),
            "phase": "Degraded",
            "message": f"{c.INVALID_SPEC}: {message}",
        }
    )
    patch = merged(rollout.status, status)
    if retry_after is not None:
        return Decision(status=patch, requeue_after=retry_after)
    return Decision(status=patch, error=message)


def creation_failed(view: View, error: str, now: datetime) -> Decision:
    """Tell of a ReplicaSet that the API refused to create."""
    text = f'Failed to create new replica set "{replica_set_name(view)}": {error}'
    found = Conditions.stored(view.status.conditions).put(c.PROGRESSING, c.FALSE, c.CREATE_ERROR, text, now)
    status = view.status.model_copy(update={"conditions": list(found.items)})
    event = Event(c.CREATE_ERROR, text, "Warning")
    return Decision(status=merged(view.status, status), events=(event,), error=text)


def name_collided(view: View) -> Decision:
    """Count a ReplicaSet name that is taken by another one; the next pass derives a new name from the count."""
    count = (view.status.collision_count or 0) + 1
    status = view.status.model_copy(update={"collision_count": count})
    taken = f'replicasets.apps "{replica_set_name(view)}" already exists'
    return Decision(status=merged(view.status, status), error=taken)


def _follow_pauses(view: View, now: datetime) -> Decision | None:
    """Bring Progressing and Paused in line with what the user or the last pass did; a difference ends the pass."""
    if view.status.observed_generation != str(view.rollout.metadata.generation):
        return None
    stored = Conditions.stored(view.status.conditions)
    found = _paused_condition(view, _progressing_condition(view, stored, now), stored, now)
    if found is stored:
        return None
    retried = found.has(c.PROGRESSING, c.RETRY) and not stored.has(c.PROGRESSING, c.RETRY)
    return _condition_patch(view, found, now, retried=retried)


def _progressing_condition(view: View, stored: Conditions, now: datetime) -> Conditions:
    if stored.has(c.PROGRESSING, c.ABORTED):
        if view.status.abort:
            return stored
        return stored.put(c.PROGRESSING, c.UNKNOWN, c.RETRY, "Retrying Rollout after abort", now)
    if stored.is_true(c.COMPLETED) or view.paused == stored.has(c.PROGRESSING, c.ROLLOUT_PAUSED):
        return stored
    if view.paused:
        return stored.put(c.PROGRESSING, c.UNKNOWN, c.ROLLOUT_PAUSED, "Rollout is paused", now)
    return stored.put(c.PROGRESSING, c.UNKNOWN, c.RESUMED, "Rollout is resumed", now)


def _paused_condition(view: View, found: Conditions, stored: Conditions, now: datetime) -> Conditions:
    if stored.has(c.PROGRESSING, c.ABORTED) or view.paused == stored.is_true(c.PAUSED):
        return found
    return found.put(c.PAUSED, c.TRUE if view.paused else c.FALSE, c.ROLLOUT_PAUSED, "Rollout is paused", now)


def _condition_patch(view: View, found: Conditions, now: datetime, *, retried: bool) -> Decision:
    """Conditions, phase and time line alone: counters and the rest of the status stay as they were."""
    happened = Happenings(retried=retried, aborted=view.status.abort)
    write = finish(view, view.status, found, happened, now)
    return Decision(status=write.patch, events=write.events)


def _create(view: View, now: datetime) -> Decision | None:
    if view.new_rs is not None:
        return None
    text = f'Created new replica set "{replica_set_name(view)}"'
    found = Conditions.stored(view.status.conditions).put(c.PROGRESSING, c.TRUE, c.NEW_RS_CREATED, text, now)
    status = view.status.model_copy(update={"conditions": list(found.items)})
    return Decision(create_replica_set(view), merged(view.status, status))
