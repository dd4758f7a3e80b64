"""Which weight the canary should have now, and what the router that counts pods is asked for."""

from dataclasses import dataclass

from sluicegate.api.rollout import SetCanaryScale
from sluicegate.engine.view import View, available


@dataclass(frozen=True, slots=True)
class SplitRequest:
    """What a router with the capability `POD_COUNT` turns into pods: `weight` of `max_weight`, over `replicas` pods."""

    weight: int
    max_weight: int
    replicas: int
    max_surge: int


@dataclass(frozen=True, slots=True)
class PodCounts:
    """How many pods each side should have in the end, as the router split them."""

    canary: int
    stable: int


@dataclass(frozen=True, slots=True)
class Drive:
    """What the canary's size follows: a weight, or a count of pods where a step gives one."""

    weight: int
    replicas: int | None = None


def current_set_weight(view: View) -> int:
    """The weight that the steps up to the current one ask for: 0 once aborted, all of it when no step is left.

    The last `setWeight` at or before the current step counts; before the first one the weight is 0.
    """
    if view.status.abort:
        return 0
    if view.current_step is None:
        return view.max_weight
    return set_weight_before(view, view.step_index + 1)


def set_weight_before(view: View, index: int) -> int:
    """The last `setWeight` of the steps below an index; 0 without one."""
    weights = (step.set_weight for step in reversed(view.steps[:index]) if step.set_weight is not None)
    return next(weights, 0)


def desired_weight(view: View) -> int:
    """The weight that sizes and routes go towards: that of the steps, or how far an abort has to let it fall by now."""
    falls = view.aborted and view.canary.dynamic_stable_scale and view.new_rs and view.stable_rs
    return _abort_step(view) if falls else current_set_weight(view)


def drive(view: View) -> Drive:
    """What drives the canary's size; a full promotion and an update that is over ask for all of the weight."""
    status = view.status
    if view.full_promotion or not status.stable_rs or status.current_pod_hash == status.stable_rs:
        return Drive(view.max_weight)
    scale = effective_scale(view)
    if scale is not None and scale.replicas is not None:
        return Drive(0, max(0, scale.replicas))
    if scale is not None and scale.weight is not None:
        return Drive(max(0, scale.weight))
    return Drive(desired_weight(view))


def effective_scale(view: View) -> SetCanaryScale | None:
    """The `setCanaryScale` that is in force: the last at or before the current step, unless it follows the traffic.

    An abort ends it, unless the aborted version is to be kept for ever.
    """
    if not view.routed or view.current_step is None or (view.status.abort and view.abort_delay != 0):
        return None
    scales = (step.set_canary_scale for step in reversed(view.steps[: view.step_index + 1]))
    scale = next((found for found in scales if found is not None), None)
    return None if scale is None or scale.match_traffic_weight else scale


def falling_weight(view: View) -> int:
    """The canary's weight while stable takes the traffic back pod by pod (rollout 5.6).

    It never rises because a stable pod flaps, and falls no faster than stable can carry.
    """
    if not view.canary.dynamic_stable_scale or not view.stable_rs or not view.new_rs or view.replicas == 0:
        return 0
    desired = desired_weight(view)
    carried = view.max_weight * available(view.stable_rs) // view.replicas
    needed = max(0, view.max_weight - carried)
    if view.weights is None:
        return max(needed, desired)
    recorded = view.weights.canary.weight
    if desired <= 0:
        return min(needed, recorded)
    return recorded if carried < view.max_weight - desired else min(desired, recorded)


def split_request(view: View) -> SplitRequest:
    """The question for the router of a Rollout without `trafficRouting`."""
    return SplitRequest(drive(view).weight, view.max_weight, view.replicas, view.fences.max_surge)


def _abort_step(view: View) -> int:
    """The highest of the steps' weights, from the last one back, that fewer pods can carry than the canary needs."""
    missing = view.replicas - available(view.stable_rs)
    needed = missing if view.abort_delay_given else max(missing, available(view.new_rs))
    weights = (step.set_weight for step in reversed(view.steps) if step.set_weight is not None)
    return next((weight for weight in weights if view.pods_for(weight) < needed), 0)
