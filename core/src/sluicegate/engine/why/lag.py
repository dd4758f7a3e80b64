"""Whether the controller is there at all, and has seen what is to be explained."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sluicegate.api import names
from sluicegate.api.model import parse_time
from sluicegate.engine.decision import EvictPod
from sluicegate.engine.delays import deadline_of
from sluicegate.engine.steps import pause_ends
from sluicegate.engine.view import View
from sluicegate.engine.why.explanation import Finding
from sluicegate.engine.why.situation import Situation
from sluicegate.engine.why.wording import clock

_PATIENCE: Final = timedelta(minutes=1)
"""What a busy controller may take; a lease is renewed every few seconds."""

_LOOK: Final = (
    "To see when it last gave a sign of life: {kubectl} get lease -A "
    "--field-selector metadata.name=argo-rollouts-controller-lock -o yaml"
)


def lag(situation: Situation) -> Finding | None:
    """What is to be known before all else if the state that is read is not the state that is wanted."""
    return _dead(situation) or _behind(situation)


def _dead(situation: Situation) -> Finding | None:
    """There is work to do, and nobody is seen to do it."""
    if not _has_work(situation):
        return None
    heartbeat, now = situation.heartbeat, situation.now
    since = heartbeat if heartbeat is not None else _idle_since(situation)
    if since is None or now - since <= _PATIENCE:
        return None
    sign = "its last sign of life was at" if heartbeat is not None else "there is work to do, and nothing is done since"
    return Finding(
        "The controller does not seem to run, so nothing here goes on.",
        f"The controller: {sign} {clock(since, now)}.",
        since,
        "Once it runs it goes on from where it was. Pods and traffic stay as they are until then.",
        (_LOOK.format(kubectl=situation.commands.kubectl),),
    )


def _behind(situation: Situation) -> Finding | None:
    if not is_behind(situation):
        return None
    view = situation.view
    seen, newest = view.status.observed_generation, view.rollout.metadata.generation
    known = f"It knows change {seen}, the newest is {newest}." if seen else "It has not seen this Rollout at all."
    update = "Then the update to the new version begins."
    return Finding(
        "The controller has not looked at the newest change of the manifest yet.",
        f"The controller: that takes a second or so. {known}{_instance(view)}",
        situation.last_change,
        update if view.template_changed else "What is said below may be about the manifest as it was before.",
        (_LOOK.format(kubectl=situation.commands.kubectl),),
    )


def is_behind(situation: Situation) -> bool:
    """Whether the status is of an older manifest."""
    view = situation.view
    return view.status.observed_generation != str(view.rollout.metadata.generation)


def _instance(view: View) -> str:
    instance = view.rollout.metadata.labels.get(names.INSTANCE_ID_LABEL)
    return f" Its label {names.INSTANCE_ID_LABEL} leaves it to the controller {instance} alone." if instance else ""


def _has_work(situation: Situation) -> bool:
    """Whether a pass made now would write something; evictions do not count, which a budget may refuse for long."""
    decision = situation.decision
    if decision is None or any(isinstance(action, EvictPod) for action in decision.actions):
        return is_behind(situation)
    return bool(decision.actions or decision.status) or is_behind(situation)


def _idle_since(situation: Situation) -> datetime | None:
    """When something changed last that makes work; None if that cannot be told."""
    if situation.last_change is None:
        return None
    return max((situation.last_change, *(time for time in _moments(situation) if time <= situation.now)))


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
