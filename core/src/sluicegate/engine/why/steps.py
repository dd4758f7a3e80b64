"""The steps of a canary in the words of a person."""

from sluicegate.api.rollout import CanaryStep, SetCanaryScale
from sluicegate.engine.view import View
from sluicegate.engine.why.wording import count, span


def step_name(view: View) -> str:
    """`step 2 of 4`; empty where no step is left."""
    return f"step {view.step_index + 1} of {len(view.steps)}" if view.current_step is not None else ""


def next_words(view: View) -> str:
    """What comes once the current step is done."""
    following = view.step_index + 1
    if following >= len(view.steps):
        return "Then the new version becomes the stable one, once all its pods are available."
    return f"Then step {following + 1} of {len(view.steps)}: {step_words(view, view.steps[following])}."


def step_words(view: View, step: CanaryStep) -> str:
    """What a step does, as a clause without a full stop."""
    if step.set_weight is not None:
        return weight_words(view, step.set_weight)
    if step.pause is not None:
        return _pause_words(step.pause.seconds)
    if step.set_canary_scale is not None:
        return _scale_words(step.set_canary_scale)
    if step.analysis is not None:
        return "an analysis of the new version"
    if step.experiment is not None:
        return "an experiment"
    if step.set_header_route is not None:
        return _route_words("requests with certain headers go to the new version", bool(step.set_header_route.match))
    if step.set_mirror_route is not None:
        return _route_words("copies of some requests go to the new version", bool(step.set_mirror_route.match))
    return f"plugin {step.plugin.name}" if step.plugin is not None else "a step without content"


def weight_words(view: View, weight: int) -> str:
    """`20 % of the traffic to the new version`; without routing the pods are what is counted."""
    share = percent(weight, view.max_weight)
    return f"{share} of the traffic to the new version" if view.routed else f"{share} of the pods run the new version"


def percent(weight: int, most: int) -> str:
    """A weight as a percentage, with one decimal where it is not whole."""
    share = 100 * weight / most
    return f"{share:.0f} %" if share == int(share) else f"{share:.1f} %"


def _pause_words(seconds: int | None) -> str:
    return "a pause until a person lets it go on" if seconds is None else f"a pause of {span(seconds)}"


def _scale_words(scale: SetCanaryScale) -> str:
    if scale.match_traffic_weight:
        return "the new version gets as many pods as its traffic needs"
    if scale.replicas is not None:
        return f"the new version gets {count(scale.replicas, 'pod')}"
    return f"the new version gets pods for {scale.weight or 0} % of the traffic"


def _route_words(given: str, exists: bool) -> str:
    return given if exists else "a special route is taken away"
