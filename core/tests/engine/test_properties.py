"""What holds for every Rollout and every order of events, not just for the stories that somebody thought of."""

import copy
from itertools import cycle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.traces.comparison import differences, observed_state

from sluicegate.api.rollout import Rollout
from sluicegate.engine.fences import Fences, canary_fences

from .manifests import Manifest
from .scripts import CHANGES, DEATH, MACHINE, Operation, manifests, perform, stories
from .world import World

THOROUGH = settings(
    max_examples=2000, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def fences_of(world: World) -> Fences:
    canary = Rollout.model_validate(world.rollout).spec.strategy.canary
    assert canary is not None
    return canary_fences(canary.surge, canary.unavailable, world.spec["replicas"])


def serving_in_the_end(world: World) -> int:
    """Pods that serve now and are wanted on: what is left of them once the ReplicaSet controller has caught up."""
    return sum(
        min(world.size(name), world.pods.serving(name, world.min_ready, world.now)) for name in world.replica_sets
    )


def index_of(status: Manifest) -> int:
    return int(status.get("currentStepIndex") or 0)


def may_step_back(before: Manifest, after: Manifest) -> bool:
    """Whether a lower step index is in order: an abort, or a reset to another template or other steps."""
    reset = any(before.get(key) != after.get(key) for key in ("currentPodHash", "currentStepHash"))
    return reset or bool(after.get("abort"))


@pytest.mark.timeout(600)
@THOROUGH
@given(manifests(), stories())
def test_pods_stay_within_the_fences_and_steps_go_forward(manifest: Manifest, story: list[Operation]) -> None:
    world = World.healthy(manifest)
    fences, replicas = fences_of(world), world.spec["replicas"]
    for operation in story:
        before = world.status
        perform(world, operation)
        assert sum(world.sizes.values()) <= replicas + fences.max_surge, (operation, world.sizes)
        assert serving_in_the_end(world) >= replicas - fences.max_unavailable, (operation, world.sizes)
        if operation in MACHINE and not may_step_back(before, world.status):
            assert index_of(world.status) >= index_of(before), operation


@pytest.mark.timeout(600)
@THOROUGH
@given(manifests(), stories(*DEATH))
def test_whatever_dies_the_world_comes_to_rest_and_an_abort_brings_all_back_to_stable(
    manifest: Manifest, story: list[Operation]
) -> None:
    world = World.healthy(manifest)
    most = world.spec["replicas"] + fences_of(world).max_surge
    for operation in story:
        perform(world, operation)
        assert sum(world.sizes.values()) <= most, (operation, world.sizes)
    assert_at_rest(world)
    in_flight = world.status["stableRS"] != world.status["currentPodHash"]
    world.pods.heal()
    world.abort()
    assert_at_rest(world)
    assert world.sizes == {world.tag(f"shop-{world.status['stableRS']}"): world.spec["replicas"]}
    assert world.status["phase"] == ("Degraded" if in_flight else "Healthy")


def assert_at_rest(world: World) -> None:
    """The world comes to a rest in which a pass decides nothing at all."""
    world.settle()
    _, decision = world.decide()
    assert (decision.actions, dict(decision.status or {}), decision.events) == ((), {}, ())


@pytest.mark.timeout(600)
@THOROUGH
@given(manifests(), st.lists(CHANGES, min_size=1, max_size=3), st.lists(st.integers(0, 3), min_size=1, max_size=9))
def test_a_controller_that_dies_between_writes_ends_where_one_that_lives_does(
    manifest: Manifest, story: list[Operation], deaths: list[int]
) -> None:
    living, dying = World(manifest), World(copy.deepcopy(manifest))
    survives = cycle([*deaths, None])
    for operation in [("pass_time", 0), *story]:
        for world in (living, dying):
            world.pass_time(4)
            perform(world, operation)
        living.settle()
        dying.settle(writes=lambda: next(survives))
        assert differences(shown(living), shown(dying)) == [], operation


def shown(world: World) -> Manifest:
    return observed_state(world.rollout, world.replica_sets.values()) | {"spec": world.spec}
