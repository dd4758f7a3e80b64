"""The step machine: how a step is called in events, and when the current one is complete."""

from datetime import datetime

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.rollout import CanaryStep, SetCanaryScale
from sluicegate.api.status import PauseCondition, TrafficWeights
from sluicegate.engine.scaling import sizes_now
from sluicegate.engine.times import later
from sluicegate.engine.view import View, available, created, size
from sluicegate.engine.weights import PodCounts, drive


def step_text(step: CanaryStep) -> str:
    """The step as events name it, such as `setWeight: 20` or `pause: 1h`."""
    if step.set_weight is not None:
        return f"setWeight: {step.set_weight}"
    if step.pause is not None:
        return "pause" if step.pause.duration is None else f"pause: {step.pause.duration}"
    if step.experiment is not None:
        return "experiment"
    if step.analysis is not None:
        return "analysis"
    if step.set_canary_scale is not None:
        return _scale_text(step.set_canary_scale)
    if step.plugin is not None:
        return f"plugin: {step.plugin.name}"
    if step.set_header_route is not None:
        return f"setHeaderRoute: {step.set_header_route.name}"
    if step.set_mirror_route is not None:
        return f"setMirrorRoute: {step.set_mirror_route.name}"
    return "invalid"


def _scale_text(scale: SetCanaryScale) -> str:
    if scale.weight is not None:
        return f"setCanaryScale{{weight: {scale.weight}}}"
    if scale.match_traffic_weight:
        return "setCanaryScale{matchTrafficWeight: true}"
    return f"setCanaryScale{{replicas: {scale.replicas or 0}}}"


def step_complete(
    view: View,
    split: PodCounts | None,
    weights: TrafficWeights | None,
    now: datetime,
    *,
    analysed: bool = False,
    plugin_done: bool = False,
) -> bool:
    """Whether the current step is done, with the weights of this pass; never while the Rollout is paused by hand.

    `analysed`: the run or Experiment that the step waits for has succeeded. `plugin_done`: the step's plugin is done.
    """
    step = view.current_step
    if step is None or view.halted:
        return False
    if step.pause is not None:
        return _pause_over(view, now)
    if step.set_canary_scale is not None:
        return at_desired_counts(view, split, weights)
    if step.set_weight is not None:
        return _has_weight(view, step.set_weight, weights) and at_desired_counts(view, split, weights)
    if step.experiment is not None or (step.analysis is not None and step.analysis.templates):
        return analysed
    if step.set_header_route is not None or step.set_mirror_route is not None:
        return True
    return step.plugin is not None and plugin_done


def _has_weight(view: View, weight: int, weights: TrafficWeights | None) -> bool:
    """Whether the canary has the weight of its step, and nothing says that the data plane has not.

    Argo Rollouts goes on without it while stable cannot carry its share: an analysis then judges another weight, and
    the last step shifts all that was held back at once. Where no pod is wanted there is no weight to wait for.
    """
    if not view.has_routers or view.replicas == 0 or drive(view).replicas == 0:
        return True
    return weights is not None and weights.canary.weight == weight and weights.verified is not False


def pause_condition(view: View) -> PauseCondition | None:
    """The stored condition of a pause step, if one is running."""
    return next((c for c in view.status.pause_conditions if c.reason == names.CANARY_PAUSE_STEP), None)


def pause_ends(view: View) -> datetime | None:
    """When the running pause step is over; None while it has not begun, or has no duration."""
    condition = pause_condition(view)
    pause = view.current_step.pause if view.current_step else None
    if condition is None or condition.start_time is None or pause is None or pause.seconds is None:
        return None
    return later(condition.start_time, pause.seconds)


def wants_pause(view: View) -> bool:
    """Whether the current step is a pause that has yet to begin."""
    if view.rollout.spec.paused or view.full_promotion or not on_pause_step(view):
        return False
    return pause_condition(view) is None and not view.status.controller_pause


def on_pause_step(view: View) -> bool:
    return view.current_step is not None and view.current_step.pause is not None


def _pause_over(view: View, now: datetime) -> bool:
    """Resumed by a user (the condition is gone, the controller's mark still there), or past its end."""
    if pause_condition(view) is None:
        return view.status.controller_pause
    ends = pause_ends(view)
    return ends is not None and now > ends


def at_desired_counts(view: View, split: PodCounts | None, weights: TrafficWeights | None = None) -> bool:
    """Whether the ReplicaSets are what a scaling decision would make of them now, the new one available.

    Unlike Argo Rollouts a step of a basic canary is not complete while an old ReplicaSet still wants pods: its dead
    pods could hold the surge that the canary needs, and the step would complete without a canary.
    """
    if view.basic and any(size(other) > 0 or available(other) > 0 for other in view.others):
        return False
    wanted = sizes_now(view, split, weights)
    if not threshold_met(view, view.new_rs, wanted.new):
        return False
    if view.canary.dynamic_stable_scale:
        return True
    wanted_stable = wanted.stable if view.routed or view.separate_stable else wanted.new
    return size(view.stable_rs) == created(view.stable_rs) == wanted_stable and view.stable_rs is not None


def threshold_met(view: View, replica_set: ReplicaSet | None, wanted: int) -> bool:
    """Whether enough of a ReplicaSet is available: all of `wanted`, or what `replicaProgressThreshold` asks for."""
    threshold = view.canary.replica_progress_threshold
    if threshold is None or replica_set is None or threshold.value < 0:
        return replica_set is not None and size(replica_set) == wanted == available(replica_set)
    if threshold.type == "Percent":
        return wanted == 0 or 100 * available(replica_set) >= threshold.value * wanted
    return available(replica_set) >= threshold.value


def threshold_carries(view: View, replica_set: ReplicaSet, wanted: int) -> bool:
    """Whether `replicaProgressThreshold` is there and met for so many pods."""
    threshold = view.canary.replica_progress_threshold
    return threshold is not None and threshold.value >= 0 and threshold_met(view, replica_set, wanted)
