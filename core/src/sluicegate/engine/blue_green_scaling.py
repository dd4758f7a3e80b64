"""How many pods each ReplicaSet of a blue-green Rollout gets in this pass (rollout 5.7).

The ReplicaSet that the active Service selects carries all traffic: it is never made smaller than the Rollout, whatever
the status says of it.
"""

from collections.abc import Iterable
from datetime import datetime

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.engine.active import active_hash, is_active, is_saturated, strategy_of, with_hash
from sluicegate.engine.blue_green_analysis import Analyses
from sluicegate.engine.delays import Delay, Fate, Hold, fate, hold
from sluicegate.engine.drains import delayed, drop_deadline, is_referenced
from sluicegate.engine.scaling import sized_for
from sluicegate.engine.sizes import Resize, Scaling
from sluicegate.engine.view import View, hash_of, newest_first, size


def new_target(view: View, *, back: bool) -> int:
    """The wanted size of the new ReplicaSet, when no abort holds it: all pods, or those of a preview.

    `back`: the update is a fast rollback, to a version that is to serve again at once.
    """
    preview = strategy_of(view).preview_replica_count
    if preview is None or view.new_rs is None or back or _is_whole(view):
        return view.replicas
    if view.status.current_pod_hash == hash_of(view.new_rs) and not view.paused:
        return view.replicas if view.status.blue_green.scale_up_preview_check_point else max(0, preview)
    return max(0, preview)


def resize_all(view: View, analyses: Analyses, now: datetime, *, back: bool) -> Scaling:
    """The writes of this pass: on the stable, the new and the old ReplicaSets; a resize never ends the pass."""
    held = None if view.status.is_promoted else hold(view, now)
    others = () if _others_wait(view, analyses) else tuple(_old(view, now))
    resizes = [
        resize for resize in (_stable(view), _new(view, held, new_target(view, back=back))) if resize is not None
    ]
    resizes.extend(resize for _, resize in others if resize is not None)
    requeues = (held.requeue_after if held else None, *(decided.requeue_after for decided, _ in others))
    return Scaling(tuple(resizes), ended=False, requeues=tuple(after for after in requeues if after is not None))


def _is_whole(view: View) -> bool:
    """Whether the new ReplicaSet is more than a preview: it serves, or is to serve without being tried out first."""
    serving = with_hash(view, view.status.blue_green.active_selector)
    if serving is None or serving is view.new_rs or is_active(view, view.new_rs):
        return True
    return view.new_rs is view.stable_rs or view.full_promotion


def _stable(view: View) -> Resize | None:
    stable = view.separate_stable
    return None if stable is None else _combined(drop_deadline(stable), sized_for(view, stable, view.replicas))


def _new(view: View, held: Hold | None, target: int) -> Resize | None:
    new = view.new_rs
    if new is None:
        return None
    if held is None:
        return _combined(drop_deadline(new), sized_for(view, new, target))
    wanted = target if held.replicas is None else held.replicas
    sized = sized_for(view, new, max(wanted, size(new)) if is_active(view, new) else wanted)
    if held.deadline is None:
        return sized
    replicas = sized.replicas if sized else size(new)
    return _combined(sized, Resize(new, replicas, {names.SCALE_DOWN_DEADLINE: held.deadline}))


def _combined(first: Resize | None, second: Resize | None) -> Resize | None:
    """Two writes on one ReplicaSet in one; the size is that of the second."""
    if first is None or second is None:
        return first or second
    return Resize(second.replica_set, second.replicas, {**first.annotations, **second.annotations})


def _others_wait(view: View, analyses: Analyses) -> bool:
    """Whether the old versions are left alone: somebody may yet want them back, or nothing else serves.

    While the active Service selects no version it selects all of them. Argo Rollouts then takes the old ones down
    although the new one has no pods yet.
    """
    if view.has_pause(names.INCONCLUSIVE_ANALYSIS_RUN) or _awaits_post_promotion(view, analyses):
        return True
    return not active_hash(view) and not any(is_saturated(view, rs) for rs in (view.new_rs, view.stable_rs))


def _awaits_post_promotion(view: View, analyses: Analyses) -> bool:
    """Whether the switch is done and its analysis is not; a delay that is given runs all the same."""
    if strategy_of(view).scale_down_delay_seconds is not None or view.promoted:
        return False
    if view.status.blue_green.active_selector != hash_of(view.new_rs) or analyses.post_done:
        return False
    return analyses.post.run is not None or is_saturated(view, view.new_rs)


def _old(view: View, now: datetime) -> Iterable[tuple[Fate, Resize | None]]:
    """What becomes of each old version that no traffic can reach, newest revision first."""
    delay = Delay(strategy_of(view).scale_down_delay, strategy_of(view).scale_down_revision_limit)
    waiting = 0
    for other in newest_first(view.others):
        if size(other) == 0 or is_referenced(view, other):
            continue
        decided = fate(other, waiting, delay, now)
        waiting += 0 if decided.ends else 1
        yield decided, _of_fate(view, other, decided)


def _of_fate(view: View, other: ReplicaSet, decided: Fate) -> Resize | None:
    """While it waits an old version has as many pods as the Rollout, ready to take over again."""
    if decided.waits:
        return sized_for(view, other, view.replicas) if size(other) != view.replicas else None
    return delayed(view, other, decided)
