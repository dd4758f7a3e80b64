"""Steps, promotion, abort, rollback and what users do in between: rollout 6, and where we differ on purpose (11)."""

from typing import Any

import pytest

from sluicegate.api.rollout import CanaryStep
from sluicegate.api.status import TrafficWeights, WeightDestination
from sluicegate.engine.promotion import promotion_reason
from sluicegate.engine.steps import step_complete, step_text

from .builders import DAWN, canary_view, make_replica_set
from .manifests import canary_manifest
from .world import World

STEPS: list[object] = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]


def updating(**canary: Any) -> World:
    """A world at rest in an update to v2."""
    world = World.healthy(canary_manifest(**{"steps": STEPS, **canary}))
    world.set_image("v2")
    world.settle()
    world.forget()
    return world


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ({"setWeight": 20}, "setWeight: 20"),
        ({"setWeight": 0}, "setWeight: 0"),
        ({"pause": {}}, "pause"),
        ({"pause": {"duration": "1h"}}, "pause: 1h"),
        ({"pause": {"duration": 3}}, "pause: 3"),
        ({"experiment": {"templates": []}}, "experiment"),
        ({"analysis": {}}, "analysis"),
        ({"setCanaryScale": {"weight": 25, "matchTrafficWeight": True, "replicas": 3}}, "setCanaryScale{weight: 25}"),
        ({"setCanaryScale": {"matchTrafficWeight": True}}, "setCanaryScale{matchTrafficWeight: true}"),
        ({"setCanaryScale": {"replicas": 3}}, "setCanaryScale{replicas: 3}"),
        ({"plugin": {"name": "a/b"}}, "plugin: a/b"),
        ({"setHeaderRoute": {"name": "h"}}, "setHeaderRoute: h"),
        ({"setMirrorRoute": {"name": "m"}}, "setMirrorRoute: m"),
        ({}, "invalid"),
    ],
)
def test_how_events_name_a_step(step: dict[str, Any], text: str) -> None:
    assert step_text(CanaryStep.model_validate(step)) == text


def test_at_most_one_step_completes_in_a_pass() -> None:
    world = World.healthy(canary_manifest(steps=[{"setWeight": 0}] * 4))
    world.set_image("v2")
    world.step()
    world.step()
    indices = []
    for _ in range(4):
        world.step()
        indices.append(world.status["currentStepIndex"])
    assert indices == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("status", "available", "reason"),
    [
        ({"stableRS": ""}, 0, "Initial deploy"),
        ({"abort": True}, 5, None),
        ({}, 4, None),
        ({"promoteFull": True}, 4, None),
        ({"promoteFull": True}, 5, "Full promotion requested"),
        ({"promoteFull": True, "abort": True}, 5, "Full promotion requested"),
        ({"currentStepIndex": 0}, 5, None),
        ({"currentStepIndex": 1}, 5, "Completed all 1 canary steps"),
    ],
)
def test_when_the_new_version_becomes_stable(status: dict[str, Any], available: int, reason: str | None) -> None:
    replica_sets = [make_replica_set("s", 0, 0), make_replica_set("c", 5, available, new=True, revision=2)]
    view = canary_view(5, replica_sets, steps=[{"setWeight": 20}], status=status)
    assert promotion_reason(view) == reason


def test_pods_too_many_that_do_not_serve_yet_do_not_hold_promotion() -> None:
    replica_sets = [make_replica_set("s", 0, 0), make_replica_set("c", 6, 5, new=True, revision=2)]
    assert promotion_reason(canary_view(5, replica_sets)) == "Completed all 0 canary steps"


def test_a_met_threshold_promotes_below_the_count() -> None:
    replica_sets = [make_replica_set("s", 0, 0), make_replica_set("c", 5, 4, new=True, revision=2)]
    threshold = {"type": "Percent", "value": 80}
    assert promotion_reason(canary_view(5, replica_sets, replicaProgressThreshold=threshold)) == (
        "Completed all 0 canary steps"
    )


def test_without_steps_an_update_rolls_to_the_end() -> None:
    world = updating(steps=None)
    assert world.sizes == {"v2": 5}
    assert "currentStepIndex" not in world.status
    assert world.status["phase"] == "Healthy"


def test_promotions_lead_through_all_steps() -> None:
    world = updating()
    assert world.sizes == {"v1": 4, "v2": 1}
    world.promote()
    world.settle()
    assert world.sizes == {"v1": 2, "v2": 3}
    world.promote()
    world.settle()
    assert world.sizes == {"v2": 5}
    assert world.status["duration"]["completionStatus"] == "Promoted"
    assert world.events[-1].message.endswith(": Completed all 4 canary steps")


def test_a_promotion_without_a_pause_skips_the_running_step() -> None:
    world = updating()
    world.set_image("error")
    world.settle()
    assert world.status["currentStepIndex"] == 0
    world.promote()
    world.settle()
    assert world.status["currentStepIndex"] == 1
    assert world.status["message"] == "CanaryPauseStep"


def test_a_full_promotion_skips_what_is_left_within_the_fences() -> None:
    world = updating(maxSurge=1, maxUnavailable=0)
    world.promote_full()
    world.settle()
    assert world.sizes == {"v2": 5}
    assert "promoteFull" not in world.status
    assert world.status["duration"]["completionStatus"] == "FastPromoted"
    assert world.events[-1].message.endswith(": Full promotion requested")
    assert "RolloutStepCompleted" not in world.reasons()


def test_a_full_promotion_ends_with_another_template() -> None:
    world = updating()
    world.promote_full()
    world.set_image("v3")
    world.settle()
    assert "promoteFull" not in world.status
    assert world.status["currentStepIndex"] == 1


def test_a_full_promotion_of_a_finished_update_is_dropped() -> None:
    world = World.healthy(canary_manifest(steps=STEPS))
    world.patch_status({"promoteFull": True})
    world.settle()
    assert "promoteFull" not in world.status
    assert world.events == []


def test_a_retry_goes_on_with_the_same_replica_set_from_the_first_step() -> None:
    world = updating()
    world.promote()
    world.settle()
    world.abort()
    world.settle()
    world.retry()
    world.settle()
    assert len(world.replica_sets) == 2
    assert world.status["currentStepIndex"] == 1
    assert world.sizes == {"v1": 4, "v2": 1}
    assert "abortedAt" not in world.status


@pytest.mark.parametrize("change", [{"set_image": "v3"}, {"set_steps": [{"setWeight": 40}, {"pause": {}}]}])
def test_an_abort_ends_with_another_template_or_other_steps(change: dict[str, Any]) -> None:
    world = updating()
    world.abort()
    world.settle()
    for verb, argument in change.items():
        getattr(world, verb)(argument)
    world.settle()
    assert not world.status.get("abort")
    assert world.status["phase"] == "Paused"
    assert world.status["currentStepIndex"] == 1


def test_any_other_edit_of_an_aborted_rollout_moves_only_the_observed_generation() -> None:
    world = updating()
    world.abort()
    world.settle()
    before = dict(world.status)
    world.patch({"spec": {"revisionHistoryLimit": 4}})
    world.settle()
    changed = {key for key in world.status if world.status[key] != before.get(key)}
    assert changed == {"observedGeneration"}


def test_a_third_image_in_mid_update_drains_the_second_version_before_anything_shrinks() -> None:
    world = updating(maxSurge=1, maxUnavailable=0)
    world.set_image("v3")
    world.settle()
    assert world.sizes == {"v1": 4, "v3": 1}
    moved = [(world.tag(resize.name), resize.before > resize.after) for resize in world.resizes]
    assert moved.index(("v2", True)) < (moved.index(("v1", True)) if ("v1", True) in moved else len(moved))


def test_other_steps_in_mid_update_begin_with_the_first_of_them() -> None:
    world = updating()
    world.set_steps([{"setWeight": 40}, {"pause": {}}])
    world.settle()
    assert world.status["currentStepIndex"] == 1
    assert world.sizes == {"v1": 3, "v2": 2}


def test_other_steps_of_a_finished_rollout_only_move_the_index() -> None:
    world = World.healthy(canary_manifest(steps=STEPS))
    world.set_steps([{"setWeight": 40}])
    world.settle()
    assert world.status["currentStepIndex"] == 1
    assert world.status["phase"] == "Healthy"
    assert world.resizes == []


def test_a_duration_as_text_is_another_step() -> None:
    world = updating(steps=[{"setWeight": 20}, {"pause": {"duration": 600}}, {"setWeight": 40}, {"pause": {}}])
    world.promote()
    world.settle()
    assert world.status["currentStepIndex"] == 3
    world.set_steps([{"setWeight": 20}, {"pause": {"duration": "600"}}, {"setWeight": 40}, {"pause": {}}])
    world.settle()
    assert world.status["currentStepIndex"] == 1


def test_undo_brings_an_older_version_back_by_its_stored_template() -> None:
    world = updating(steps=[])
    world.pass_time(60)
    world.undo("v1")
    world.settle()
    assert world.sizes == {"v1": 5}
    assert len(world.replica_sets) == 2


def with_dead_pods_of_an_old_version(weight: int) -> World:
    """A third version is on its way while an old one holds nothing but dead pods, which use up the surge."""
    world = World.healthy(
        canary_manifest(replicas=3, steps=[{"setWeight": weight}, {"pause": {}}], maxSurge=1, maxUnavailable=0)
    )
    world.set_image("error")
    world.settle()
    assert world.sizes == {"v1": 3, "error": 1}
    return world


def test_a_weight_is_not_reached_while_an_old_version_wants_pods() -> None:
    """rollout 11: with Argo Rollouts the step may complete with no canary pod at all."""
    world = with_dead_pods_of_an_old_version(34)
    world.set_image("v3")
    seen = [status for status in world.settle() if status.get("currentStepIndex") == 1]
    assert seen
    assert all(status.get("updatedReplicas", 0) >= 1 for status in seen)
    assert world.sizes == {"v1": 2, "v3": 1}


def test_dead_canary_pods_give_way_to_stable_while_an_old_version_holds_the_surge() -> None:
    """rollout 11: with Argo Rollouts nothing moves until the template changes."""
    world = World.healthy(
        canary_manifest(replicas=3, steps=[{"setWeight": 34}, {"pause": {}}], maxSurge=1, maxUnavailable=0)
    )
    world.set_image("v2")
    world.settle()
    assert world.sizes == {"v1": 2, "v2": 1}
    world.set_image("error")
    world.settle()
    world.abort()
    world.settle()
    assert world.sizes == {"v1": 3}


def test_an_abort_during_a_full_promotion_wins_unlike_with_the_incumbent() -> None:
    """docs/differences.md: Argo Rollouts drops the abort and goes on to 100 %."""
    world = updating()
    world.promote_full()
    world.step()
    world.abort()
    world.settle()
    assert world.sizes == {"v1": 5}
    assert world.status["phase"] == "Degraded"
    assert not world.status.get("promoteFull")


def test_a_full_promotion_of_an_aborted_update_goes_on() -> None:
    world = updating()
    world.abort()
    world.settle()
    world.promote_full()
    world.settle()
    assert world.sizes == {"v2": 5}
    assert not world.status.get("abort")


def test_a_rollout_that_is_being_deleted_is_left_alone() -> None:
    world = World.healthy(canary_manifest(steps=STEPS))
    world.rollout["metadata"]["deletionTimestamp"] = "2026-01-03T00:00:00Z"
    world.set_image("v2")
    world.forget()
    world.settle()
    assert world.writes == []


def test_a_routed_weight_step_waits_for_its_weight_while_stable_cannot_carry_the_rest() -> None:
    """A difference on purpose: what comes after the step must not judge, or build on, another weight."""
    replica_sets = [make_replica_set("s", 10, 3), make_replica_set("c", 6, 6, new=True, revision=2)]
    view = canary_view(10, replica_sets, steps=[{"setWeight": 60}], trafficRouting={"nginx": {}})
    weights = TrafficWeights(canary=WeightDestination(weight=20, pod_template_hash="c"))
    assert not step_complete(view, None, weights, DAWN, analysed=False)
    reached = TrafficWeights(canary=WeightDestination(weight=60, pod_template_hash="c"))
    assert step_complete(view, None, reached, DAWN, analysed=False)
