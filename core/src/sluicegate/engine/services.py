"""Which pods each Service of a Rollout selects, and when it may be switched to others."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.rollout import Rollout
from sluicegate.engine.decision import Event, PatchService
from sluicegate.engine.view import View, available, hash_of, size

UNPINNED: Final[Mapping[str, Any]] = {
    "metadata": {"annotations": {names.MANAGED_BY: None}},
    "spec": {"selector": {names.HASH_LABEL: None}},
}
"""The merge patch that gives a Service back the selector it had before a Rollout took it over."""


def named_services(rollout: Rollout) -> Iterator[str]:
    """The names of the Services that the strategies of a Rollout refer to; empty ones are left out."""
    canary = rollout.spec.strategy.canary
    pair = canary.ping_pong if canary is not None else None
    yield from serving_services(rollout)
    if pair is not None:
        yield from filter(None, (pair.ping_service, pair.pong_service))


def serving_services(rollout: Rollout) -> Iterator[str]:
    """Those of them whose selector alone decides what they reach."""
    canary, blue_green = rollout.spec.strategy.canary, rollout.spec.strategy.blue_green
    if blue_green is not None:
        yield from filter(None, (blue_green.active_service, blue_green.preview_service))
    if canary is not None:
        yield from filter(None, (canary.stable_service, canary.canary_service))


def switch(view: View, name: str, target_hash: str) -> PatchService | None:
    """The write that points a Service at a hash and marks it as this Rollout's; None where there is nothing to do."""
    service = view.surroundings.services.get(name)
    if service is None or not target_hash:
        return None
    former = view.surroundings.service_hash(name)
    marked = names.MANAGED_BY in service.metadata.annotations
    if former == target_hash and marked:
        return None
    patch: dict[str, Any] = {"spec": {"selector": {names.HASH_LABEL: target_hash}}}
    if not marked:
        patch["metadata"] = {"annotations": {names.MANAGED_BY: view.name}}
    text = f"Switched selector for service '{name}' from '{former}' to '{target_hash}'"
    return PatchService(service, patch, (Event("SwitchService", text),))


def switched(view: View, writes: tuple[PatchService, ...]) -> View:
    """The view as it is once these writes are made."""
    surroundings = view.surroundings
    for write in writes:
        service = write.service
        selector = {**service.spec.selector, **write.patch["spec"]["selector"]}
        spec = msgspec.structs.replace(service.spec, selector=selector)
        surroundings = surroundings.with_service(msgspec.structs.replace(service, spec=spec))
    return view.seeing(surroundings)


def may_switch(view: View, name: str, replica_set: ReplicaSet | None) -> bool:
    """Whether a ReplicaSet can serve what comes over a Service (rollout 4.8).

    One that the Rollout has taken over needs a pod that is available; before that all pods must be, as nobody has
    checked yet what the Service carries. Where no pods are wanted none is waited for.
    """
    service = view.surroundings.services.get(name)
    if service is not None and names.MANAGED_BY in service.metadata.annotations:
        return available(replica_set) >= min(1, view.replicas)
    return size(replica_set) > 0 and available(replica_set) >= size(replica_set)


def canary_switches(view: View, *, delayed: bool, abort_weight: int) -> tuple[PatchService, ...]:
    """The Services of a canary that are to be switched now: ping-pong, then stable, then canary.

    `delayed`: the canary Service stays while stable takes the traffic back. `abort_weight` is the weight that an
    aborted update still wants on the canary.
    """
    return tuple(_canary_switches(view, delayed=delayed, abort_weight=abort_weight))


def _canary_switches(view: View, *, delayed: bool, abort_weight: int) -> Iterator[PatchService]:
    canary = view.canary
    if view.ping_pong is not None and not view.promoted and view.new_rs is not None and _can_take_over(view):
        yield from _to(view, view.ping_pong.canary_service, view.new_rs)
    stable = view.stable_rs
    if (
        stable is not None
        and may_switch(view, canary.stable_service, stable)
        and _is_worth(view, canary.stable_service)
    ):
        yield from _to(view, canary.stable_service, stable)
    if (target := _canary_target(view, delayed=delayed, abort_weight=abort_weight)) is not None:
        yield from _to(view, canary.canary_service, target)


def _canary_target(view: View, *, delayed: bool, abort_weight: int) -> ReplicaSet | None:
    """What the canary Service is to select now, None to leave it.

    An aborted update with traffic routing moves it once, and never back: Argo Rollouts switches it to and fro on every
    pass while the canary has pods.
    """
    service = view.canary.canary_service
    if view.aborted:
        back = view.stable_rs is not None and abort_weight == 0
        return view.stable_rs if back and _may_go_back(view, service) else None
    if view.new_rs is None or delayed or not may_switch(view, service, view.new_rs):
        return None
    return view.new_rs if _can_take_over(view) else None


def _may_go_back(view: View, service: str) -> bool:
    """Whether the canary Service of an aborted update loses nothing by it; Argo Rollouts moves it even onto no pod."""
    return _is_worth(view, service) if view.routed else may_switch(view, service, view.stable_rs)


def _is_worth(view: View, service: str) -> bool:
    """Whether stable serves behind a Service at least as well as what that selects now.

    Argo Rollouts asks for one pod, and so may give all traffic to it while the version before is whole.
    """
    selected = view.surroundings.service_hash(service)
    serving = next((available(rs) for rs in view.replica_sets if hash_of(rs) == selected), 0)
    return available(view.stable_rs) >= min(view.replicas, max(1, serving))


def _to(view: View, name: str, replica_set: ReplicaSet) -> Iterator[PatchService]:
    if view.surroundings.service_hash(name) == hash_of(replica_set):
        return
    if (write := switch(view, name, hash_of(replica_set))) is not None:
        yield write


def _can_take_over(view: View) -> bool:
    """Whether the new version can carry the weight that is recorded for another one.

    Argo Rollouts switches as soon as one pod is available, also while the version before still has a weight.
    """
    weights = view.weights
    if weights is None or weights.canary.pod_template_hash in ("", hash_of(view.new_rs)):
        return True
    return available(view.new_rs) >= view.pods_for(weights.canary.weight)
