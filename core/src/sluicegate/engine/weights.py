"""Which weight the canary should have now, and what the router that counts pods is asked for."""

from dataclasses import dataclass

from sluicegate.engine.view import View

MAX_WEIGHT = 100


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


def current_set_weight(view: View) -> int:
    """The weight that the steps up to the current one ask for: 0 once aborted, all of it when no step is left.

    The last `setWeight` at or before the current step counts; before the first one the weight is 0.
    """
    if view.status.abort:
        return 0
    if view.current_step is None:
        return MAX_WEIGHT
    for step in reversed(view.steps[: view.step_index + 1]):
        if step.set_weight is not None:
            return step.set_weight
    return 0


def wanted_weight(view: View) -> int:
    """The weight that drives the canary's size; a full promotion and an update that is over ask for all of it."""
    status = view.status
    if view.full_promotion or not status.stable_rs or status.current_pod_hash == status.stable_rs:
        return MAX_WEIGHT
    return current_set_weight(view)


def split_request(view: View) -> SplitRequest:
    """The question for the router of a Rollout without `trafficRouting`."""
    return SplitRequest(wanted_weight(view), MAX_WEIGHT, view.replicas, view.fences.max_surge)
