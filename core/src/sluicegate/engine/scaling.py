"""The scaling phase of a canary: which ReplicaSets one pass resizes, in which order, and the writes for it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.status import TrafficWeights
from sluicegate.engine.basic_scaling import next_sizes
from sluicegate.engine.decision import Event, PatchReplicaSet
from sluicegate.engine.delays import Hold, hold
from sluicegate.engine.drains import drain_others, drop_deadline
from sluicegate.engine.routed_scaling import routed_sizes
from sluicegate.engine.sizes import Resize, Scaling, Sizes
from sluicegate.engine.view import View, revision_of, size
from sluicegate.engine.weights import PodCounts


def sizes_now(view: View, split: PodCounts | None, weights: TrafficWeights | None) -> Sizes:
    """One calculation of what new and stable ReplicaSet are to have now.

    `split` is that of the router that counts pods, None with traffic routing. `weights` are those of this pass; the
    stable one carries them and those of the pass before, so that it never shrinks ahead of the traffic.
    """
    if split is not None:
        return next_sizes(view, split)
    now, before = routed_sizes(view, weights), routed_sizes(view, view.weights)
    return Sizes(now.new, max(now.stable, before.stable))


def scaling_phase(view: View, sizes: Sizes, now: datetime) -> Scaling:
    """The writes of this pass: on the stable, else on the new, else on the old ReplicaSets; none while halted."""
    if view.halted:
        return Scaling((), ended=False)
    held = hold(view, now)
    done = [drop for rs in _in_use(view, held) if (drop := drop_deadline(rs)) is not None]
    for resize in _main_resizes(view, sizes, held):
        done.append(resize)
        if resize.changes_size:
            return Scaling(_merged(done), ended=True)
    requeues = (held.requeue_after,) if held is not None and held.requeue_after is not None else ()
    others = drain_others(view, now)
    return Scaling((*_merged(done), *others.resizes), others.ended, (*requeues, *others.requeues))


def resize_write(view: View, resize: Resize) -> PatchReplicaSet:
    """One patch of the size and the annotations, with its event where pods come or go."""
    replica_set, replicas = resize.replica_set, resize.replicas
    patch: dict[str, Any] = {"metadata": {"annotations": dict(resize.annotations)}} if resize.annotations else {}
    if not resize.changes_size:
        return PatchReplicaSet(replica_set, patch)
    direction = "up" if replicas > size(replica_set) else "down"
    text = (
        f"Scaled {direction} ReplicaSet {replica_set.metadata.name} (revision {revision_of(replica_set)}) "
        f"from {size(replica_set)} to {replicas}"
    )
    return PatchReplicaSet(replica_set, patch | {"spec": {"replicas": replicas}}, (Event("ScalingReplicaSet", text),))


def is_scaling_event(view: View) -> bool:
    """Whether the wanted count differs from the one that the running new or stable ReplicaSet was last sized for.

    While halted nothing is resized, and the rest of a pass, an abort above all, must not wait for it.
    """
    return not view.halted and any(
        replica_set is not None
        and size(replica_set) > 0
        and (desired := view.desired_annotation(replica_set)) is not None
        and desired.isdecimal()
        and desired != str(view.replicas)
        for replica_set in (view.new_rs, view.stable_rs)
    )


def sized_for(view: View, replica_set: ReplicaSet, replicas: int) -> Resize | None:
    """The write that gives a ReplicaSet in use its size and the count it was decided for; None where it has both."""
    if size(replica_set) == replicas and view.desired_annotation(replica_set) == str(view.replicas):
        return None
    return Resize(replica_set, replicas, {names.DESIRED_REPLICAS: str(view.replicas)})


def _in_use(view: View, held: Hold | None) -> Iterable[ReplicaSet]:
    """The ReplicaSets whose deadline, from an earlier use, means nothing any more."""
    new = None if held is not None or view.new_rs is view.stable_rs else view.new_rs
    return (rs for rs in (view.stable_rs, new) if rs is not None)


def _main_resizes(view: View, sizes: Sizes, held: Hold | None) -> Iterable[Resize]:
    if view.separate_stable is not None and (resize := sized_for(view, view.separate_stable, sizes.stable)):
        yield resize
    if view.new_rs is None:
        return
    wanted = sizes.new if held is None or held.replicas is None else held.replicas
    if resize := sized_for(view, view.new_rs, wanted):
        yield resize
    if held is not None and held.deadline is not None:
        yield Resize(view.new_rs, wanted, {names.SCALE_DOWN_DEADLINE: held.deadline})


def _merged(resizes: Iterable[Resize]) -> tuple[Resize, ...]:
    """One write for each ReplicaSet, in the order of the first."""
    merged: dict[str, Resize] = {}
    for resize in resizes:
        former = merged.get(resize.replica_set.metadata.uid)
        annotations = {**(former.annotations if former else {}), **resize.annotations}
        merged[resize.replica_set.metadata.uid] = Resize(resize.replica_set, resize.replicas, annotations)
    return tuple(merged.values())
