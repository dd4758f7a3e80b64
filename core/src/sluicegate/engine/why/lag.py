"""Whether the controller is there at all, and has seen what is to be explained."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sluicegate.api.model import parse_time
from sluicegate.engine.decision import EvictPod
from sluicegate.engine.delays import deadline_of
from sluicegate.engine.steps import pause_ends
from sluicegate.engine.why.explanation import Finding
from sluicegate.engine.why.situation import Situation
from sluicegate.engine.why.wording import ago

_PATIENCE: Final = timedelta(minutes=1)
"""What a busy controller may take; a lease is renewed every few seconds."""

_LOOK: Final = "To see the pods of the controller: {kubectl} get pods -A -l app.kubernetes.io/name=argo-rollouts"


def lag(situation: Situation) -> Finding | None:
    """What is to be known before all else if the state that is read is not the state that is wanted."""
    return _dead(situation) or _behind(situation)


def _dead(situation: Situation) -> Finding | None:
    heartbeat, now = situation.heartbeat, situation.now
    if heartbeat is not None:
        since = heartbeat if now - heartbeat > _PATIENCE else None
        sign = "it last gave a sign of life"
    else:
        since = _idle_since(situation)
        sign = "there is work to do here, and nothing has happened"
    if since is None:
        return None
    return Finding(
        "The controller does not seem to run, so nothing here goes on.",
        f"The controller: {sign} {'at' if heartbeat else 'since'} {ago(since, now)}.",
        since,
        "Once it runs it goes on from where it was. Pods and traffic stay as they are until then.",
        (_LOOK.format(kubectl=situation.commands.kubectl),),
    )


def _behind(situation: Situation) -> Finding | None:
    rollout = situation.view.rollout
    if situation.view.status.observed_generation == str(rollout.metadata.generation):
        return None
    seen = situation.view.status.observed_generation
    newest = rollout.metadata.generation
    known = f"It knows change {seen}, the newest is {newest}." if seen else "It has not seen this Rollout at all."
    return Finding(
        "The controller has not looked at the newest change of the manifest yet.",
        f"The controller: that takes a second or so. {known}",
        situation.last_change,
        "What is said below may be about the manifest as it was before.",
        (_LOOK.format(kubectl=situation.commands.kubectl),),
    )


def _idle_since(situation: Situation) -> datetime | None:
    """Since when something is due that nobody does; None if it is not so, or cannot be told."""
    decision, last = situation.decision, situation.last_change
    if decision is None or last is None or not (decision.actions or decision.status):
        return None
    if any(isinstance(action, EvictPod) for action in decision.actions):
        return None
    since = max((last, *(time for time in _moments(situation) if time <= situation.now)))
    return since if situation.now - since > _PATIENCE else None


def _moments(situation: Situation) -> Iterator[datetime]:
    """The times after which something has become due without a write on the Rollout."""
    view = situation.view
    if (ends := pause_ends(view)) is not None:
        yield ends
    if situation.last_progress is not None:
        yield situation.last_progress + timedelta(seconds=view.rollout.spec.progress_deadline)
    if view.rollout.spec.restart_at is not None:
        yield view.rollout.spec.restart_at
    for replica_set in view.replica_sets:
        if (due := parse_time(deadline_of(replica_set) or "")) is not None:
            yield due
        yield from (cond.last_transition_time for cond in replica_set.status.conditions if cond.last_transition_time)
    yield from (warning.last for warning in situation.warnings)
    yield from situation.pods_changed
