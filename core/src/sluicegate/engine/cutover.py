"""When the active Service moves, and to which ReplicaSet: pause, short cuts, abort and promotion (rollout 7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.model import parse_time
from sluicegate.engine import promotion
from sluicegate.engine.active import active_hash, active_rs, is_active, is_saturated, strategy_of
from sluicegate.engine.delays import RESYNC_SECONDS, deadline_of
from sluicegate.engine.sync import Pauses
from sluicegate.engine.times import later
from sluicegate.engine.view import View, available, hash_of

_JUST_AFTER: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Pausing:
    """What the pause before the switch comes to in this pass; `over`: it no longer stands in the way."""

    pauses: Pauses
    over: bool = False
    requeue_after: float | None = None


def aborts(view: View) -> bool:
    """Whether traffic is to go back to stable; a full promotion that was asked for after the abort lifts it."""
    return view.raised_abort is not None or (view.aborted and not view.full_promotion)


def is_fast_rollback(view: View, now: datetime) -> bool:
    """A rollback without pause and analysis: to stable, within the window, or to a version still in its delay."""
    if promotion.is_fast_rollback(view):
        return True
    written = deadline_of(view.new_rs) if view.new_rs is not None and promotion.is_rollback(view) else None
    due = parse_time(written) if written is not None else None
    return due is not None and due > now


def is_fast_tracked(view: View, *, back: bool) -> bool:
    """Whether the switch waits for nothing but pods.

    Argo Rollouts also takes the short cut when the active Service has lost its selector in mid-update; here stable gets
    it back, and only a Rollout that has never served goes on at once.
    """
    if back or view.full_promotion or is_active(view, view.new_rs):
        return True
    return not active_hash(view) and (view.separate_stable is None or never_served(view))


def never_served(view: View) -> bool:
    """Whether the version that is called stable, the first one, has not come up at all."""
    if active_hash(view) or view.status.blue_green.active_selector or view.replicas == 0:
        return False
    return view.separate_stable is not None and available(view.separate_stable) == 0


def pause_before_switch(view: View, now: datetime, *, ready: bool, analysed: bool, fast: bool) -> Pausing:
    """Begin the pause, end it, or wait.

    `ready`: the new ReplicaSet has the pods it is to have, available. `analysed`: the pre-promotion analysis is done.
    A user's resumption is not forgotten while pods are missing.
    """
    status, strategy = view.status, strategy_of(view)
    resumed = status.controller_pause and not status.pause_conditions
    if aborts(view) or view.halted or not ready:
        return Pausing(Pauses(keeps_mark=resumed and analysed))
    needed = not strategy.promotes_itself or strategy.auto_promotion_seconds > 0
    if fast or not needed or status.blue_green.scale_up_preview_check_point:
        return Pausing(Pauses(end=names.BLUE_GREEN_PAUSE), over=True)
    if not analysed:
        return Pausing(Pauses())
    if view.has_pause(names.BLUE_GREEN_PAUSE):
        return _paused(view, now)
    return Pausing(Pauses(), over=True) if status.controller_pause else Pausing(Pauses(begin=names.BLUE_GREEN_PAUSE))


def next_active(view: View, *, ready: bool, goes_on: bool) -> str:
    """The hash that the active Service is to select; empty: it is left alone.

    `goes_on`: nothing but pods stands in the way of the new version.
    """
    if aborts(view):
        return hash_of(_refuge(view))
    if view.halted:
        return ""
    if (stable := _rescue(view)) is not None:
        return hash_of(stable)
    if not ready or not is_saturated(view, view.new_rs):
        return ""
    return hash_of(view.new_rs) if goes_on else active_hash(view)


def promotion_reason(view: View, *, back: bool, analysed: bool) -> str | None:
    """Why the new version is to be marked stable now; None while it is not. `analysed`: also after the switch.

    Unlike with Argo Rollouts it must have its pods: the old ones go soon after.
    """
    lost_stable = view.stable_rs is None and not (view.status.stable_rs and aborts(view))
    if lost_stable or (never_served(view) and not aborts(view)):
        return "Initial deploy"
    if not is_active(view, view.new_rs) or available(view.new_rs) < view.replicas or aborts(view):
        return None
    if view.full_promotion:
        return "Full promotion requested"
    if back:
        return "Rollback within window" if promotion.within_window(view) else "Fast rollback"
    return "Completed blue-green update" if analysed else None


def _paused(view: View, now: datetime) -> Pausing:
    """In the pause: a timed one is over strictly after its time, one that waits for a person never by itself."""
    strategy = strategy_of(view)
    started = next(pause.start_time for pause in view.status.pause_conditions if pause.reason == names.BLUE_GREEN_PAUSE)
    if not strategy.promotes_itself or started is None:
        return Pausing(Pauses())
    ends = later(started, strategy.auto_promotion_seconds)
    if now > ends:
        return Pausing(Pauses(end=names.BLUE_GREEN_PAUSE), over=True)
    left = (ends - now + _JUST_AFTER).total_seconds()
    return Pausing(Pauses(), requeue_after=left if left < RESYNC_SECONDS else None)


def _refuge(view: View) -> ReplicaSet | None:
    """Who serves after an abort: stable, as soon as it is worth more than what serves now.

    Without a stable ReplicaSet, deleted by hand, the aborted version serves if nothing else does.
    """
    stable, serving = view.stable_rs, active_rs(view)
    if stable is None:
        dead = available(serving) == 0 and is_saturated(view, view.new_rs)
        return view.new_rs if dead else None
    enough = view.replicas if not active_hash(view) else min(view.replicas, max(1, available(serving)))
    return stable if stable is serving or available(stable) >= enough else None


def _rescue(view: View) -> ReplicaSet | None:
    """The stable ReplicaSet, if it can serve and the active Service selects no version or a dead one."""
    stable, serving = view.separate_stable, active_rs(view)
    if stable is None or available(stable) < view.replicas:
        return None
    if not active_hash(view):
        return stable
    dead = serving is None or (serving is not view.new_rs and available(serving) == 0 < view.replicas)
    return stable if dead and serving is not stable else None
