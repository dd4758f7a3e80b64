"""Edge cases of what the status tells, from the incumbent's own tests; the numbers are the rows of rollout 10."""

import pytest

from sluicegate.cli.views.phase import client_phase

from .manifests import canary_manifest
from .world import World


def test_60_a_status_patch_that_fails_at_a_completing_transition_tells_of_it_once_on_the_later_success() -> None:
    """What the completion metric, which is the metrics' issue, goes by is the event."""
    world = World.healthy(canary_manifest(replicas=1, steps=[{"setWeight": 100}, {"pause": {}}]))
    world.set_image("v2")
    world.settle()
    world.promote()
    world.forget()
    deaths = 0
    while "RolloutCompleted" not in world.reasons() and deaths < 20:
        _, decision = world.decide()
        completes = any(event.reason == "RolloutCompleted" for event in decision.events)
        if completes and deaths < 2:
            world.carry_out(decision, writes=len(decision.actions))
            deaths += 1
            assert "RolloutCompleted" not in world.reasons()
            continue
        world.step()
        world.pass_time(1)
    world.settle()
    assert deaths == 2
    assert world.reasons().count("RolloutCompleted") == 1


@pytest.mark.parametrize(
    ("observed", "phase"),
    [("6f9c8d7b5c", "Healthy"), ("", "Healthy"), ("9", "Healthy"), ("3", "Healthy"), ("2", "Progressing")],
)
def test_62_an_observedgeneration_that_is_a_legacy_non_numeric_or_larger_numeric_string_is_treated_as_observed(
    observed: str, phase: str
) -> None:
    world = World.healthy(canary_manifest(replicas=1))
    world.rollout["metadata"]["generation"] = 3
    world.patch_status({"observedGeneration": observed})
    assert client_phase(world.rollout).phase == phase
