"""How many pods each ReplicaSet of a basic canary gets in this pass.

One calculation never goes above `replicas + maxSurge` pods, nor below `replicas - maxUnavailable` available ones; the
split that is wanted in the end is reached over several passes, as pods become available.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sluicegate.api.foreign import ReplicaSet
from sluicegate.engine.view import View, available, newest_first, size
from sluicegate.engine.weights import PodCounts


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of the new and of the stable ReplicaSet; `stable` is 0 where the new one is the stable one."""

    new: int
    stable: int


@dataclass(frozen=True, slots=True)
class Resize:
    """One write that sets a ReplicaSet's size and the desired count it was decided for."""

    replica_set: ReplicaSet
    replicas: int

    @property
    def changes_size(self) -> bool:
        """Whether pods come or go; a mere refresh of the annotation does not end the scaling phase."""
        return size(self.replica_set) != self.replicas


@dataclass(frozen=True, slots=True)
class Scaling:
    """The resizes of one pass, and whether they end it: the next pass then sees the sizes as they became."""

    resizes: tuple[Resize, ...]
    ended: bool


def next_sizes(view: View, split: PodCounts) -> Sizes:
    """One calculation of the sizes that new and stable ReplicaSet may have now, on the way to `split`.

    Old ReplicaSets are drained before either shrinks; the stable one grows before the new one does.
    """
    wanted = Sizes(split.canary, split.stable) if view.separate_stable else Sizes(view.replicas, 0)
    grown = _grow(view, wanted)
    if view.old_size > 0:
        return _give_up_dead_pods(view, wanted, grown)
    return _shrink(view, wanted, grown)


def scaling_phase(view: View, split: PodCounts) -> Scaling:
    """The resizes of this pass: of the stable, else of the new, else of the old ReplicaSets; none while halted."""
    if view.halted:
        return Scaling((), ended=False)
    sizes = next_sizes(view, split)
    writes: list[Resize] = []
    for replica_set, wanted in ((view.separate_stable, sizes.stable), (view.new_rs, sizes.new)):
        if replica_set is None or not _differs(view, replica_set, wanted):
            continue
        resize = Resize(replica_set, wanted)
        writes.append(resize)
        if resize.changes_size:
            return Scaling(tuple(writes), ended=True)
    others = _drain_others(view)
    return Scaling((*writes, *others.resizes), others.ended)


def _differs(view: View, replica_set: ReplicaSet, wanted: int) -> bool:
    return size(replica_set) != wanted or view.desired_annotation(replica_set) != str(view.replicas)


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


def _drain_others(view: View) -> Scaling:
    """Old ReplicaSets lose their dead pods first, then what availability can spare, newest revision first."""
    sizes: dict[str, int] = {}
    for other in view.others:
        if size(other) and available(other) > size(other):
            return Scaling(_resized(view.others, sizes), ended=False)
        sizes[other.metadata.uid] = min(size(other), available(other))
    budget = sum(available(rs) for rs in view.replica_sets) - view.least_available
    if budget <= 0:
        return Scaling(_resized(view.others, sizes), ended=False)
    for other in newest_first(view.others):
        cut = min(sizes[other.metadata.uid], budget)
        sizes[other.metadata.uid] -= cut
        budget -= cut
    resizes = _resized(view.others, sizes)
    return Scaling(resizes, ended=bool(resizes))


def _resized(replica_sets: Iterable[ReplicaSet], sizes: Mapping[str, int]) -> tuple[Resize, ...]:
    return tuple(
        Resize(rs, sizes[rs.metadata.uid]) for rs in replica_sets if sizes.get(rs.metadata.uid, size(rs)) != size(rs)
    )
