"""How long pods outlive their use: the scale-down delay of old versions, and that of an aborted one.

Shared by canaries with traffic routing and by blue-green (rollout 5.8 and 5.9).
"""

from dataclasses import dataclass
from datetime import datetime

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.model import format_time, parse_time
from sluicegate.engine.times import later
from sluicegate.engine.view import View, available, size

RESYNC_SECONDS = 900.0
"""Every Rollout is looked at again after this time; an earlier look is asked for only where something is due before."""


@dataclass(frozen=True, slots=True)
class Delay:
    """How long old versions are kept, in seconds, and how many of them may be waiting at a time."""

    seconds: int
    revisions: int


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a ReplicaSet that waits, or is to wait, for its end.

    `ends`: it goes to 0 now. `deadline`: to be written, when the wait begins. `waits`: its deadline is still to come.
    `requeue_after` is in seconds.
    """

    ends: bool = False
    deadline: str | None = None
    waits: bool = False
    requeue_after: float | None = None


def deadline_of(replica_set: ReplicaSet) -> str | None:
    """The deadline as written on a ReplicaSet, None without one."""
    return replica_set.metadata.annotations.get(names.SCALE_DOWN_DEADLINE)


def fate(replica_set: ReplicaSet, waiting: int, delay: Delay, now: datetime) -> Fate:
    """The fate of an old ReplicaSet, with so many newer ones waiting already.

    Unlike with Argo Rollouts, where a delay of 0 keeps the pods for ever, it means at once.
    """
    written = deadline_of(replica_set)
    if waiting >= delay.revisions or (written is None and delay.seconds <= 0):
        return Fate(ends=True)
    if written is None:
        return Fate(deadline=_after(now, delay.seconds), requeue_after=float(delay.seconds))
    due = parse_time(written)
    if due is None or due <= now:
        return Fate(ends=True)
    return Fate(waits=True, requeue_after=_within_resync(due, now))


@dataclass(frozen=True, slots=True)
class Hold:
    """The size that an aborted version keeps, and the deadline to be written on it; both None: size as usual."""

    replicas: int | None = None
    deadline: str | None = None
    requeue_after: float | None = None


def hold(view: View, now: datetime) -> Hold | None:
    """How the new ReplicaSet of an aborted update is held until stable carries the traffic, and then the delay is over.

    None where no hold applies. The deadline stays on the ReplicaSet when it is reached, so that it stays at 0.
    """
    if not holds(view) or view.new_rs is None:
        return None
    # A deadline on the stable ReplicaSet means nothing, and is dropped in the same pass.
    written = None if view.new_rs is view.stable_rs else deadline_of(view.new_rs)
    if written is None:
        ready = available(view.stable_rs) >= view.replicas
        return Hold(size(view.new_rs), _after(now, view.abort_delay) if ready else None)
    due = parse_time(written)
    if due is None:
        return Hold()
    if due <= now:
        return Hold(replicas=0)
    return Hold(size(view.new_rs), requeue_after=_within_resync(due, now))


def holds(view: View) -> bool:
    """Whether the delay of an aborted version replaces its sizing."""
    if not view.aborting or view.stable_rs is None or view.basic or view.abort_delay == 0:
        return False
    return view.abort_delay_given or not view.canary.dynamic_stable_scale


def _after(now: datetime, seconds: int) -> str:
    return format_time(later(now, seconds))


def _within_resync(due: datetime, now: datetime) -> float | None:
    seconds = (due - now).total_seconds()
    return seconds if seconds < RESYNC_SECONDS else None
