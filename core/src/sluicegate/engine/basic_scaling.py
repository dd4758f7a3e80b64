"""How many pods the new and the stable ReplicaSet of a basic canary get in this pass.

One calculation never goes above `replicas + maxSurge` pods, nor below `replicas - maxUnavailable` available ones; the
split that is wanted in the end is reached over several passes, as pods become available.
"""

from sluicegate.api.foreign import ReplicaSet
from sluicegate.engine.sizes import Sizes
from sluicegate.engine.view import View, available, hash_of, size
from sluicegate.engine.weights import PodCounts


def next_sizes(view: View, split: PodCounts) -> Sizes:
    """One calculation of the sizes that new and stable ReplicaSet may have now, on the way to `split`.

    Old ReplicaSets are drained before either shrinks; the stable one grows before the new one does.
    """
    wanted = Sizes(split.canary, split.stable) if view.separate_stable else Sizes(view.replicas, 0)
    grown = _grow(view, wanted)
    if view.old_size > 0:
        return _give_up_dead_pods(view, wanted, grown)
    return _keep_serving(view, _shrink(view, wanted, grown))


def _grow(view: View, wanted: Sizes) -> Sizes:
    new, stable = view.new_size, view.stable_size
    room = view.capacity - (view.old_size + new + stable)
    if view.separate_stable and stable < wanted.stable and room > 0:
        grown = min(stable + room, wanted.stable)
        room -= grown - stable
        stable = grown
    if view.new_rs is not None and new < wanted.new and room > 0:
        new = min(new + room, wanted.new)
    return Sizes(new, stable)


def _give_up_dead_pods(view: View, wanted: Sizes, grown: Sizes) -> Sizes:
    """Let the new ReplicaSet drop its unavailable pods when it is above its target and stable has no room to grow.

    Argo Rollouts is stuck there: old pods use up the surge, and nothing shrinks while old pods run.
    """
    if view.new_rs is None or grown.stable >= wanted.stable or not view.separate_stable:
        return grown
    return Sizes(min(grown.new, max(wanted.new, available(view.new_rs))), grown.stable)


def _shrink(view: View, wanted: Sizes, grown: Sizes) -> Sizes:
    increasing = view.new_rs is None or wanted.new >= view.new_size
    have = _counted(view.new_rs, by_size=not increasing) + _counted(view.separate_stable, by_size=increasing)
    spare = have - view.least_available
    if spare <= 0:
        return grown
    if not increasing and view.new_rs is not None:
        drained = max(wanted.new, view.new_size - spare)
        new, stable = _clamp(view, view.new_rs, drained, view.separate_stable, grown.stable)
        return Sizes(new, stable)
    if view.separate_stable is not None:
        drained = max(wanted.stable, view.stable_size - spare) if view.stable_size > wanted.stable else grown.stable
        stable, new = _clamp(view, view.separate_stable, drained, view.new_rs, grown.new)
        return Sizes(new, stable)
    return grown


def _keep_serving(view: View, sizes: Sizes) -> Sizes:
    """Leave stable its last pod as long as the stable Service selects it: that is switched after the promotion only.

    Argo Rollouts takes it, and the Service has no pods until the next pass. Without surge there is no room for it.
    """
    stable = view.separate_stable
    selected = stable is not None and view.surroundings.service_hash(view.canary.stable_service) == hash_of(stable)
    if sizes.stable > 0 or size(stable) == 0 or not selected or view.fences.max_surge == 0:
        return sizes
    return Sizes(min(sizes.new, view.capacity - 1), 1)


def _counted(replica_set: ReplicaSet | None, *, by_size: bool) -> int:
    """Pods that count as serving: the ReplicaSet to be drained counts by size, so that a crash loop can't block it."""
    if replica_set is None:
        return 0
    return size(replica_set) if by_size else min(size(replica_set), available(replica_set))


def _clamp(view: View, draining: ReplicaSet, drained: int, keeping: ReplicaSet | None, kept: int) -> tuple[int, int]:
    """Fit both sizes below the capacity, and keep as many available pods as the floor asks for."""
    if keeping is None:
        return drained, kept
    kept -= max(0, kept + drained - view.capacity)
    serving = min(available(draining), drained) + min(available(keeping), kept)
    lost = max(0, available(keeping) - kept)
    kept += min(lost, max(0, view.least_available - serving))
    return drained - max(0, kept + drained - view.capacity), kept
