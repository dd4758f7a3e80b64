"""Which weights the routers are to be given, and what becomes of what they answer (rollout 8.2, traffic 1.4-1.9)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sluicegate.api.rollout import CanaryStep
from sluicegate.api.routes import Destination, HeaderRoute, MirrorRoute, Routes
from sluicegate.api.status import TrafficWeights, WeightDestination
from sluicegate.engine.decision import Decision, Event
from sluicegate.engine.steps import at_desired_counts, threshold_carries
from sluicegate.engine.view import View, available, hash_of, revision_of
from sluicegate.engine.weights import current_set_weight, falling_weight, set_weight_before

RETRY_SECONDS = 10.0
"""How soon a router is asked again whose data plane does not have the weights yet."""


@dataclass(frozen=True, slots=True)
class Routing:
    """What each router is handed in this pass.

    `stages` are applied in order, the last one is the state wanted. With `verify` the routers are asked whether that
    one is in force.
    """

    stages: tuple[Routes, ...]
    verify: bool


@dataclass(frozen=True, slots=True)
class Verified:
    """What all routers of a Rollout answered: False if one has not got it or could not be asked, None if none can tell.

    `errors` are the texts of those that could not be asked.
    """

    verified: bool | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Traffic:
    """The outcome of routing: weights for the status, events, when to ask again; `error` ends the pass."""

    weights: TrafficWeights | None = None
    events: tuple[Event, ...] = ()
    requeue_after: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """The weight that the canary is to have, which pods it is, and whether header and mirror routes are to go."""

    weight: int
    canary_hash: str
    removes_routes: bool = False


def rolls_back_dynamically(view: View) -> bool:
    """Whether a stable version that had shrunk is taking its traffic back from the version that was given up."""
    weights = view.weights
    if not view.canary.dynamic_stable_scale or not view.status.is_promoted or weights is None or not view.has_routers:
        return False
    former = weights.canary.pod_template_hash
    exists = any(hash_of(rs) == former for rs in view.others)
    return exists and available(view.new_rs) < view.replicas


def wanted_shift(view: View) -> Shift:
    """The first match of the incumbent's table of desired weights."""
    canary_hash = hash_of(view.new_rs)
    if rolls_back_dynamically(view) and view.weights is not None:
        return Shift(falling_weight(view), view.weights.canary.pod_template_hash)
    if view.status.is_promoted:
        return Shift(0, canary_hash, removes_routes=True)
    if view.aborted:
        weight = falling_weight(view)
        return Shift(weight, _carrier(view, weight), removes_routes=True)
    if available(view.new_rs) == 0:
        return Shift(0, canary_hash, removes_routes=True)
    if view.full_promotion:
        return Shift(_full_promotion_weight(view), canary_hash, removes_routes=True)
    return Shift(_step_weight(view), canary_hash)


def _carrier(view: View, weight: int) -> str:
    """Whose the weight of an aborted update is: of the version that has it, until the new one has the pods for it."""
    recorded = view.weights.canary.pod_template_hash if view.weights is not None else ""
    exists = any(hash_of(rs) == recorded and available(rs) > 0 for rs in view.others)
    return recorded if weight and exists and available(view.new_rs) < view.pods_for(weight) else hash_of(view.new_rs)


def routing_of(view: View) -> Routing | None:
    """What the routers are to be handed; None to leave them alone, as there are none or stable cannot carry its share.

    The header and mirror routes of an update that is over are taken away even then, with the weights as they are.
    """
    if not view.has_routers:
        return None
    shift = wanted_shift(view)
    if not _stable_carries(view, shift.weight):
        kept = _recorded_routes(view) if shift.removes_routes else None
        return Routing((kept,), verify=False) if kept is not None else None
    wanted = _routes(view, shift)
    drained = _drained(view, shift)
    return Routing((*((drained,) if drained else ()), wanted), verify=_is_verified(view, shift.weight))


def outcome(view: View, routing: Routing | None, verified: Verified) -> Traffic:
    """What routing means for the pass: recorded weights, their event, and whether to wait for the data plane."""
    if routing is None:
        return Traffic(view.weights if view.has_routers else None)
    routes = routing.stages[-1]
    weights = _weights(routes, verified.verified)
    errors = tuple(Event("WeightVerifyError", f"Failed to verify weight: {e}", "Warning") for e in verified.errors)
    events = (*_weight_events(view.weights, weights), *errors)
    if verified.verified is not False:
        return Traffic(weights, events)
    at_end = routes.canary.weight == view.max_weight and view.current_step is None
    text = f"end of rollout, desired weight {routes.canary.weight} not yet verified" if at_end else None
    return Traffic(weights, events, RETRY_SECONDS, text)


def shifts(view: View, routing: Routing) -> bool:
    """Whether the routers are handed other weights, or others' weights, than are recorded."""
    return len(routing.stages) > 1 or not _same(_weights(routing.stages[-1], None), view.weights)


def routing_failed(error: str) -> Decision:
    """A router could not do it: the pass fails before anything is resized, and its status is not written."""
    return Decision(events=(Event("TrafficRoutingError", error, "Warning"),), error=error)


def _full_promotion_weight(view: View) -> int:
    if view.canary.dynamic_stable_scale:
        carried = view.max_weight * available(view.new_rs) // view.replicas if view.replicas else 0
        return min(carried, view.max_weight)
    return _held(view, min(view.weights.canary.weight, view.max_weight)) if view.weights is not None else 0


def _held(view: View, weight: int) -> int:
    """No more than this version has already, or than its available pods carry.

    Argo Rollouts gives a version the weight of a step that was skipped before it had the pods, and in a full promotion
    the weight of the version before it.
    """
    recorded = view.weights.canary if view.weights is not None else None
    kept = recorded.weight if recorded is not None and recorded.pod_template_hash == hash_of(view.new_rs) else 0
    carried = view.max_weight * available(view.new_rs) // view.replicas if view.replicas else view.max_weight
    return min(weight, max(kept, carried))


def _step_weight(view: View) -> int:
    if not view.steps:
        return 0
    wanted, before = current_set_weight(view), set_weight_before(view, view.step_index)
    if wanted < before or at_desired_counts(view, None, view.weights):
        return wanted
    return _held(view, before)


def _stable_carries(view: View, weight: int) -> bool:
    """Whether stable has the pods for what the canary leaves to it, or as many as the progress threshold asks for."""
    if view.stable_rs is None:
        return False
    recorded = view.weights.canary.weight if view.weights is not None else 0
    needed = (view.max_weight - weight) * view.replicas // view.max_weight
    if weight < min(recorded, view.max_weight) and view.replicas and not available(view.stable_rs):
        return False
    return available(view.stable_rs) >= needed or threshold_carries(view, view.stable_rs, needed)


def _is_verified(view: View, weight: int) -> bool:
    """Whether the answer matters: at a `setWeight`, and before the end of an update."""
    if view.status.is_promoted or view.aborted:
        return False
    step = view.current_step
    return weight == view.max_weight if step is None else step.set_weight is not None


def _routes(view: View, shift: Shift) -> Routes:
    canary = view.canary
    return Routes(
        stable=Destination(canary.stable_service, view.status.stable_rs, view.max_weight - shift.weight),
        canary=Destination(canary.canary_service, shift.canary_hash, shift.weight),
        max_weight=view.max_weight,
        header_routes=() if shift.removes_routes else _header_routes(view),
        mirror_routes=() if shift.removes_routes else _mirror_routes(view),
        managed_routes=_managed_routes(view),
        ping_pong=view.ping_pong,
    )


def _drained(view: View, shift: Shift) -> Routes | None:
    """The state that takes the weight off the version before, so that the new one never gets it unawares."""
    weights = view.weights
    if weights is None or weights.canary.pod_template_hash in ("", shift.canary_hash):
        return None
    if weights.canary.weight <= shift.weight:
        return None
    return _routes(view, replace(shift, canary_hash=weights.canary.pod_template_hash))


def _recorded_routes(view: View) -> Routes | None:
    weights = view.weights
    if weights is None or not _managed_routes(view):
        return None
    weight = min(max(0, weights.canary.weight), view.max_weight)
    recorded = _routes(view, Shift(weight, weights.canary.pod_template_hash, removes_routes=True))
    return replace(recorded, stable=replace(recorded.stable, pod_template_hash=weights.stable.pod_template_hash))


def _managed_routes(view: View) -> tuple[str, ...]:
    routing = view.canary.traffic_routing
    return tuple(route.name for route in (routing.managed_routes if routing else None) or ())


def _header_routes(view: View) -> tuple[HeaderRoute, ...]:
    """Those that the steps up to the current one have set and not taken away again; none in the first revision."""
    wanted: dict[str, HeaderRoute | None] = {}
    for step in _steps_so_far(view):
        if (route := step.set_header_route) is not None:
            wanted[route.name] = HeaderRoute(route.name, tuple(route.match)) if route.match else None
    return tuple(found for name in _managed_routes(view) if (found := wanted.get(name)) is not None)


def _mirror_routes(view: View) -> tuple[MirrorRoute, ...]:
    wanted: dict[str, MirrorRoute | None] = {}
    for step in _steps_so_far(view):
        if (route := step.set_mirror_route) is not None:
            percentage = 100 if route.percentage is None else route.percentage
            wanted[route.name] = MirrorRoute(route.name, tuple(route.match), percentage) if route.match else None
    return tuple(found for name in _managed_routes(view) if (found := wanted.get(name)) is not None)


def _steps_so_far(view: View) -> Sequence[CanaryStep]:
    return view.steps[: view.step_index + 1] if revision_of(view.new_rs) > 1 else ()


def _weights(routes: Routes, verified: bool | None) -> TrafficWeights:
    def destination(found: Destination) -> WeightDestination:
        return WeightDestination(
            weight=found.weight, service_name=found.service, pod_template_hash=found.pod_template_hash
        )

    return TrafficWeights(
        canary=destination(routes.canary),
        stable=destination(routes.stable),
        additional=[destination(found) for found in routes.experiments],
        verified=verified,
    )


def _weight_events(old: TrafficWeights | None, new: TrafficWeights) -> Iterator[Event]:
    if _same(new, old):
        return
    parts = []
    if old is None:
        parts.append(f"to {new.canary.weight}")
    elif old.canary.weight != new.canary.weight:
        parts.append(f"from {old.canary.weight} to {new.canary.weight}")
    if old is not None and old.additional != new.additional:
        shown = " ".join(f"{{{d.weight} {d.service_name} {d.pod_template_hash}}}" for d in new.additional)
        parts.append(f"additional: [{shown}]")
    yield Event("TrafficWeightUpdated", f"Traffic weight updated {', '.join(parts)}")


def _same(new: TrafficWeights, old: TrafficWeights | None) -> bool:
    return old is not None and (old.canary, old.stable, old.additional) == (new.canary, new.stable, new.additional)
