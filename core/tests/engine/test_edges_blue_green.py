"""Edge cases of blue-green beside those in `test_blue_green.py`; the numbers are rows of rollout 10."""

from .blue_green_world import BlueGreenWorld

STEPS = [{"setWeight": 20}, {"pause": {}}]


def test_53_bluegreen_to_canary_on_a_healthy_object() -> None:
    """blueGreen status nulled, index = len, selector = spec.selector, no new duration attempt."""
    world = BlueGreenWorld.serving()
    before = world.status["duration"]
    assert world.blue_green["activeSelector"] == world.status["stableRS"]
    world.patch({"spec": {"strategy": {"blueGreen": None, "canary": {"steps": STEPS}}}})
    world.settle()
    assert world.status.get("blueGreen", {}) == {}
    assert world.status["currentStepIndex"] == len(STEPS)
    assert world.status["selector"] == "app=shop"
    assert world.status["duration"] == before
    assert (world.sizes, world.status["phase"]) == ({"v1": 3}, "Healthy")


def test_53_the_new_strategy_serves_the_next_update() -> None:
    world = BlueGreenWorld.serving(replicas=5)
    world.patch({"spec": {"strategy": {"blueGreen": None, "canary": {"steps": STEPS}}}})
    world.settle()
    world.update("v2")
    assert world.sizes == {"v1": 4, "v2": 1}
    assert world.status["message"] == "CanaryPauseStep"
