"""How the ReplicaSets that are neither new nor stable lose their pods.

Dead pods go first. A basic canary then drains what availability can spare; with traffic routing a version that still
gets traffic is left alone, one that was promoted waits out its delay, and an intermediate one goes at once.
"""

from collections.abc import Mapping
from datetime import datetime

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.engine.delays import Delay, Fate, deadline_of, fate, holds
from sluicegate.engine.services import serving_services
from sluicegate.engine.sizes import Resize, Scaling
from sluicegate.engine.view import View, available, hash_of, newest_first, size

Planned = Mapping[str, int]
"""Sizes by the UID of the ReplicaSet."""


def drain_others(view: View, now: datetime) -> Scaling:
    """The writes on old ReplicaSets of one pass; it ends the pass if it got through and resized any."""
    sizes: dict[str, int] = {}
    for other in view.others:
        if size(other) and available(other) > size(other):
            return Scaling(_resized(view, sizes), ended=False)
        sizes[other.metadata.uid] = min(size(other), available(other))
    budget = sum(available(rs) for rs in view.replica_sets) - view.least_available
    if budget <= 0:
        return Scaling(_resized(view, sizes), ended=False)
    return _drain_routed(view, sizes, budget, now) if view.routed else _drain_basic(view, sizes, budget)


def is_referenced(view: View, replica_set: ReplicaSet) -> bool:
    """Whether traffic may still reach a ReplicaSet: by the status, by recorded weights, or by a Service as it is.

    Ping-pong Services do not count: the one of the former stable version goes on selecting it, without weight.
    """
    status, weights = view.status, view.weights
    hashes = {status.stable_rs, status.current_pod_hash}
    hashes |= {status.blue_green.active_selector, status.blue_green.preview_selector}
    if weights is not None:
        hashes |= {weights.canary.pod_template_hash, weights.stable.pod_template_hash}
    hashes |= {view.surroundings.service_hash(name) for name in serving_services(view.rollout)}
    return hash_of(replica_set) in hashes - {""}


def drop_deadline(replica_set: ReplicaSet, annotations: Mapping[str, str | None] | None = None) -> Resize | None:
    """The write that removes a deadline; None where there is none."""
    if deadline_of(replica_set) is None:
        return None
    return Resize(replica_set, size(replica_set), {**(annotations or {}), names.SCALE_DOWN_DEADLINE: None})


def emptied(view: View, replica_set: ReplicaSet) -> Resize:
    """The write that takes all pods of an old ReplicaSet, and its deadline unless an aborted version is held."""
    return _resize(view, replica_set, 0)


def delayed(view: View, replica_set: ReplicaSet, decided: Fate) -> Resize | None:
    """The write that a fate asks for; None where the ReplicaSet just waits on."""
    if decided.ends:
        return emptied(view, replica_set)
    if decided.deadline is None:
        return None
    return Resize(replica_set, size(replica_set), {names.SCALE_DOWN_DEADLINE: decided.deadline})


def _drain_basic(view: View, sizes: dict[str, int], budget: int) -> Scaling:
    """Newest revision first, by as much as the budget has left."""
    for other in newest_first(view.others):
        cut = min(max(0, sizes[other.metadata.uid] - _pods_kept(view, other)), budget)
        sizes[other.metadata.uid] -= cut
        budget -= cut
    resizes = _resized(view, sizes)
    return Scaling(resizes, ended=bool(resizes))


def _pods_kept(view: View, other: ReplicaSet) -> int:
    """The last pod of a version stays as long as the stable Service has no other to select."""
    selected = view.surroundings.service_hash(view.canary.stable_service)
    return 1 if available(other) > 0 and selected == hash_of(other) else 0


def _drain_routed(view: View, sizes: dict[str, int], budget: int, now: datetime) -> Scaling:
    """Newest revision first, until the budget is used up; the last one drained may take more than is left of it."""
    delay = Delay(view.canary.scale_down_delay, view.canary.scale_down_revision_limit)
    waiting = 0
    begun: dict[str, str] = {}
    requeues: list[float] = []
    for other in newest_first(view.others):
        pods = sizes[other.metadata.uid]
        if pods == 0 or is_referenced(view, other):
            continue
        if budget <= 0:
            break
        decided = _fate_of(view, other, waiting, delay, now)
        if decided.ends:
            sizes[other.metadata.uid] = 0
            budget -= pods
        else:
            waiting += 1
        if decided.deadline is not None:
            begun[other.metadata.uid] = decided.deadline
        if decided.requeue_after is not None:
            requeues.append(decided.requeue_after)
    resizes = _resized(view, sizes, begun)
    return Scaling(resizes, any(resize.changes_size for resize in resizes), tuple(requeues))


def _fate_of(view: View, other: ReplicaSet, waiting: int, delay: Delay, now: datetime) -> Fate:
    promoted = view.status.is_promoted
    if view.canary.dynamic_stable_scale or not (promoted or deadline_of(other) is not None):
        return Fate(ends=True)
    return fate(other, waiting, delay, now)


def _resized(view: View, sizes: Planned, begun: Mapping[str, str] | None = None) -> tuple[Resize, ...]:
    begun = begun or {}
    writes = (_resize(view, rs, sizes.get(rs.metadata.uid, size(rs)), begun.get(rs.metadata.uid)) for rs in view.others)
    return tuple(write for write in writes if write.changes_size or names.SCALE_DOWN_DEADLINE in write.annotations)


def _resize(view: View, replica_set: ReplicaSet, replicas: int, deadline: str | None = None) -> Resize:
    annotations: dict[str, str | None] = {}
    if replicas != size(replica_set):
        annotations[names.DESIRED_REPLICAS] = str(view.replicas)
        if replicas == 0 and deadline_of(replica_set) is not None and not holds(view):
            annotations[names.SCALE_DOWN_DEADLINE] = None
    if deadline is not None:
        annotations[names.SCALE_DOWN_DEADLINE] = deadline
    return Resize(replica_set, replicas, annotations)
