"""Stories that the model test has found, each as short as it gets, and what was wrong."""

from typing import Any, Final

import pytest
from tests.model.playing import play
from tests.model.world import Setting

SERVICES: Final = {"stableService": "stable", "canaryService": "canary"}


def routed(*steps: Any, replicas: int = 2, spec: dict[str, Any] | None = None, **canary: Any) -> Setting:
    """A canary with a router that is asked whether its weights are in force."""
    routing = {"plugins": {"sluicegate/recording": {"ingress": "edge", "verify": True}}}
    strategy = {**SERVICES, "trafficRouting": routing, "steps": list(steps), **canary}
    return Setting({"canary": strategy}, replicas, spec or {})


@pytest.mark.parametrize("dynamic", [False, True])
def test_a_canary_keeps_its_pods_until_a_lower_weight_is_in_force(dynamic: bool) -> None:
    """A step from 100 down to 20 took the pods first, while the routers still sent everything to them."""
    play(routed({"setWeight": 100}, {"setWeight": 20}, dynamicStableScale=dynamic), [("image", "v2")])


def test_a_dynamic_stable_version_does_not_shrink_in_the_pass_that_gives_it_more_weight() -> None:
    """Its size followed the weight of the pass before, and a `setCanaryScale` kept that for enough."""
    steps = ({"setCanaryScale": {"weight": 50}}, {"setWeight": 50}, {"setWeight": 34})
    play(routed(*steps, dynamicStableScale=True), [("image", "v2")])


def test_an_abort_waits_for_stable_pods_that_are_worth_more() -> None:
    """The canary Service went to stable at once, with two pods left of five, while the canary had all it needed."""
    setting = routed({"setWeight": 50}, {"pause": {}}, replicas=5)
    play(setting, [("image", "v2"), ("settle",), ("crash", 1, 3, None), ("settle",), ("abort",), ("settle",)])


@pytest.mark.parametrize("scale", [{}, {"setCanaryScale": {"replicas": 0}}])
def test_a_weight_that_no_pod_can_carry_does_not_hold_up_the_steps(scale: dict[str, Any]) -> None:
    """With no pods asked for the weight stays 0, and the step waited for it until the progress deadline."""
    replicas, steps = (2, (scale, {"setWeight": 50})) if scale else (0, ({"setWeight": 50},))
    play(routed(*steps, replicas=2), [("scale", replicas), ("settle",), ("image", "v2")])


@pytest.mark.parametrize(
    "strategy", [{"canary": {}}, {"canary": SERVICES}, {"blueGreen": {"activeService": "active"}}], ids=str
)
def test_an_abort_by_the_deadline_ends_a_full_promotion(strategy: dict[str, Any]) -> None:
    """The next pass took the full promotion for one asked for after the abort: aborted and retried for ever."""
    setting = Setting(strategy, 1, {"progressDeadlineAbort": True, "progressDeadlineSeconds": 5})
    play(setting, [("image", "bad"), ("passes", 3), ("full",)])


@pytest.mark.parametrize("preview", [0, -1])
def test_a_preview_of_no_pods_is_paused_once(preview: int) -> None:
    """A preview size below 0 was never reached, so that the timed pause began again and again."""
    strategy = {"activeService": "active", "autoPromotionSeconds": 2, "previewReplicaCount": preview}
    play(Setting({"blueGreen": strategy}, 1), [("image", "v2")])


def test_the_stable_service_moves_only_to_pods_that_carry_its_weight() -> None:
    """Killed right after a full promotion at weight 25, with most new pods crashed since, 75 went to the one left."""
    killed = ("faults", [None] * 5 + ["killed after"])
    story = [("image", "v2"), ("settle",), ("full",), killed, ("between", 5, ("crash", 0, 3, None)), ("settle",)]
    play(routed({"setWeight": 25}, {"pause": {}}, replicas=4), story)


def test_scaling_to_nothing_during_the_end_of_an_update_leaves_no_pod_behind() -> None:
    """The stable Service never moved to a version without pods, and so kept the pods of the old one for ever."""
    story = [("image", "v2"), ("passes", 2), ("between", 3, ("image", "bad")), ("between", 0, ("scale", 0))]
    play(routed(replicas=1), [*story, ("time", 31), ("passes", 2)])
