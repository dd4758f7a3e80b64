"""Restarts: pods older than `spec.restartAt` are evicted, never more at a time than may be missing (rollout 8.6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sluicegate.api.foreign import Pod
from sluicegate.api.selectors import matches
from sluicegate.engine.decision import EvictPod
from sluicegate.engine.view import View, size

CHECK_SECONDS: Final = 30.0
"""How soon a restart that is not done is looked at again: pods can come and go without a ReplicaSet showing it."""

_RESYNC: Final = timedelta(seconds=900)
_JUST_AFTER: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Restart:
    """What a restart does in one pass.

    `restarted_at` is for the status, and given when the evictions are all that is left to do: it may be written once
    none of them was refused, and without waiting for the new pods. `requeue_after` is in seconds.
    """

    evictions: tuple[EvictPod, ...] = ()
    restarted_at: datetime | None = None
    requeue_after: float | None = None


def needs_pods(view: View, now: datetime) -> bool:
    """Whether a restart is due and not done."""
    wanted = view.rollout.spec.restart_at
    return wanted is not None and wanted != view.status.restarted_at and now > wanted


def restart(view: View, now: datetime) -> Restart | None:
    """The next part of a restart, or when it begins; None while none is due before the next resync."""
    wanted = view.rollout.spec.restart_at
    if wanted is None or wanted == view.status.restarted_at:
        return None
    if now <= wanted:
        waits = wanted - now
        return Restart(requeue_after=(waits + _JUST_AFTER).total_seconds()) if waits < _RESYNC else None
    pods = _pods(view)
    old = [pod for pod in pods if _is_older(pod, wanted)]
    staying = [pod for pod in old if pod.metadata.deletion_timestamp is None]
    evictions = tuple(EvictPod(pod) for pod in staying[: _budget(view, pods, now)])
    done = len(evictions) == len(old)
    return Restart(evictions, wanted if done else None, CHECK_SECONDS if old else None)


def restarted_at_with_new_template(view: View, now: datetime) -> datetime | None:
    """The `restartedAt` to store when the template changes: that ends a restart under way, not one still to come."""
    return view.rollout.spec.restart_at if needs_pods(view, now) else view.status.restarted_at


def _pods(view: View) -> list[Pod]:
    """The pods of all ReplicaSets: stable, new, then the others from the oldest on; older pods first."""
    ordered = [rs.metadata.uid for rs in (view.separate_stable, view.new_rs, *view.others) if rs is not None]
    rank = {uid: place for place, uid in enumerate(ordered)}
    placed = [(rank[uid], pod) for pod in view.surroundings.pods if (uid := _owner(view, pod)) in rank]
    return [pod for _, pod in sorted(placed, key=lambda item: (item[0], _born(item[1]), item[1].metadata.name))]


def _owner(view: View, pod: Pod) -> str | None:
    owner, selector = pod.metadata.controller, view.rollout.spec.selector
    return owner.uid if owner is not None and (selector is None or matches(selector, pod.metadata.labels)) else None


def _born(pod: Pod) -> float:
    created = pod.metadata.creation_timestamp
    return created.timestamp() if created else 0.0


def _is_older(pod: Pod, moment: datetime) -> bool:
    created = pod.metadata.creation_timestamp
    return created is not None and created < moment


def _budget(view: View, pods: Iterable[Pod], now: datetime) -> int:
    """Pods that may go now: those available beyond what must stay; one at a time even if none may be missing."""
    wanted = max(view.replicas, sum(size(rs) for rs in view.replica_sets))
    least = wanted - max(view.fences.max_unavailable, 1)
    min_ready = timedelta(seconds=view.rollout.spec.min_ready_seconds)
    return max(0, sum(_is_available(pod, min_ready, now) for pod in pods) - least)


def _is_available(pod: Pod, min_ready: timedelta, now: datetime) -> bool:
    ready = next((condition for condition in pod.status.conditions if condition.type == "Ready"), None)
    if ready is None or ready.status != "True" or pod.metadata.deletion_timestamp is not None:
        return False
    since = ready.last_transition_time
    return not min_ready or (since is not None and since + min_ready < now)
