"""Edge cases of the basic canary, each pinned by the incumbent's own tests; the numbers are the rows of rollout 10."""

import copy
from typing import Any

import pytest

from sluicegate.engine.decision import PatchRollout
from sluicegate.engine.promotion import is_rollback, promotion_reason, within_window
from sluicegate.engine.steps import step_complete

from .builders import DAWN, canary_view, make_replica_set, make_view, split_of
from .manifests import canary_manifest
from .world import World

STEPS = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]


def updating(*, image: str = "v2", **canary: Any) -> World:
    """A world paused in the first pause of an update to v2."""
    world = World.healthy(canary_manifest(**{"steps": STEPS, "replicas": 5, **canary}))
    world.set_image(image)
    world.settle()
    world.forget()
    return world


def test_01_the_first_version_is_stable_and_past_all_steps_although_no_pod_is_available() -> None:
    world = World(canary_manifest(steps=STEPS))
    for _ in range(3):
        world.step()
    assert world.status["stableRS"] == world.status["currentPodHash"]
    assert world.status["currentStepIndex"] == len(STEPS)
    assert world.available() == 0


def test_02_equal_quantities_written_differently_name_the_same_replica_set() -> None:
    found = []
    for cpu in ("2000m", "2"):
        manifest = canary_manifest()
        manifest["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"cpu": cpu}}
        found.append(list(World.healthy(manifest).replica_sets))
    assert found[0] == found[1]


def relabelled(world: World, hash_: str) -> None:
    """Give the only ReplicaSet the hash of another algorithm, everywhere where that hash stands."""
    (name,) = world.replica_sets
    stored = world.replica_sets.pop(name)
    stored["metadata"]["name"] = f"shop-{hash_}"
    stored["metadata"]["labels"]["rollouts-pod-template-hash"] = hash_
    stored["spec"]["template"]["metadata"]["labels"]["rollouts-pod-template-hash"] = hash_
    world.replica_sets[f"shop-{hash_}"] = stored
    world.pods.pods[f"shop-{hash_}"] = world.pods.pods.pop(name)
    world.patch_status({"stableRS": hash_, "currentPodHash": hash_})


def test_03_a_replica_set_with_the_hash_of_another_algorithm_and_an_equal_template_is_reused() -> None:
    world = World.healthy(canary_manifest(steps=STEPS))
    relabelled(world, "5f6d7")
    world.forget()
    world.settle()
    assert list(world.replica_sets) == ["shop-5f6d7"]
    assert world.status["currentStepIndex"] == len(STEPS)
    assert (world.events, world.resizes) == ([], [])


def test_04_a_template_that_differs_only_by_service_account_is_recognised() -> None:
    manifest = canary_manifest(steps=STEPS)
    manifest["spec"]["template"]["spec"]["serviceAccountName"] = "shop"
    world = World.healthy(manifest)
    relabelled(world, "5f6d7")
    stored = world.replica_set("v1")
    assert stored["spec"]["template"]["spec"].pop("serviceAccount") == "shop"
    world.forget()
    world.settle()
    assert list(world.replica_sets) == ["shop-5f6d7"]


def test_05_back_to_the_stable_version_in_mid_update_needs_no_steps() -> None:
    world = updating()
    world.set_image("v1")
    world.settle()
    assert world.sizes == {"v1": 5}
    assert world.status["currentStepIndex"] == len(STEPS)
    annotations = world.replica_set("v1")["metadata"]["annotations"]
    assert annotations["rollout.argoproj.io/revision"] == "3"
    assert annotations["rollout.argoproj.io/revision-history"] == "1"
    assert world.status["duration"]["completionStatus"] == "FastRolledBack"
    assert world.status["phase"] == "Healthy"


def test_06_back_to_stable_with_other_steps_ends_past_the_new_ones() -> None:
    world = updating()
    world.set_image("v1")
    world.set_steps([*STEPS, {"setWeight": 80}])
    world.settle()
    assert world.status["currentStepIndex"] == len(STEPS) + 1
    assert world.sizes == {"v1": 5}


def windowed(revisions: int) -> dict[str, Any]:
    manifest = canary_manifest(steps=STEPS)
    manifest["spec"]["rollbackWindow"] = {"revisions": revisions}
    return manifest


def after_a_second_version(manifest: dict[str, Any]) -> World:
    world = World.healthy(manifest)
    world.pass_time(60)
    world.set_image("v2")
    world.settle()
    world.promote_full()
    world.settle()
    world.pass_time(60)
    world.forget()
    return world


def test_07_within_the_rollback_window_an_older_version_comes_back_without_steps() -> None:
    world = after_a_second_version(windowed(1))
    world.set_image("v1")
    world.settle()
    assert world.sizes == {"v1": 5}
    assert world.status["currentStepIndex"] == len(STEPS)
    assert [event.message for event in world.events if event.reason == "RolloutCompleted"] == [
        "Rollout completed update to revision 3 (84c88798c9): Rollback within window"
    ]
    assert "RolloutStepCompleted" not in world.reasons()


def test_07_an_older_version_with_pods_skips_the_steps_at_once() -> None:
    world = World.healthy(windowed(1))
    world.pass_time(60)
    world.set_image("v2")
    world.settle()
    world.promote()
    world.settle()
    world.promote()
    while world.status["stableRS"] != world.status["currentPodHash"]:
        world.step()
        world.pass_time(1)
    world.patch_status({})
    stored = world.replica_set("v1")
    stored["spec"]["replicas"] = 1
    world.sync()
    world.set_image("v1")
    world.settle()
    assert [event.message for event in world.events if event.reason == "SkipSteps"] == [
        "Rollback to active ReplicaSets within RollbackWindow"
    ]


def test_07_without_a_window_an_older_version_runs_every_step() -> None:
    world = after_a_second_version(canary_manifest(steps=STEPS))
    world.set_image("v1")
    world.settle()
    assert world.status["currentStepIndex"] == 1
    assert world.sizes == {"v1": 1, "v2": 4}


@pytest.mark.parametrize(("experiment", "within"), [(True, True), (False, False)])
def test_08_the_replica_set_of_an_experiment_does_not_count_for_the_window(experiment: bool, within: bool) -> None:
    between = make_replica_set("o", 0, 0, revision=2)
    if experiment:
        between.metadata.annotations["experiment.argoproj.io/name"] = "try"
    new = make_replica_set("c", 1, 1, new=True, revision=1)
    spec = {"replicas": 5, "rollbackWindow": {"revisions": 1}, "strategy": {"canary": {}}}
    rollout = {"spec": spec, "status": {"stableRS": "s", "currentPodHash": "c"}}
    view = make_view(rollout, [new, between, make_replica_set("s", 5, 5, revision=3)])
    assert within_window(view) is within


def test_09_a_version_newer_than_stable_is_never_a_rollback() -> None:
    view = canary_view(5, [make_replica_set("s", 5, 5), make_replica_set("c", 1, 1, new=True, revision=2)])
    assert not is_rollback(view)


def test_10_with_new_steps_and_no_replica_set_yet_it_is_created_first_and_the_index_reset_in_the_next_pass() -> None:
    world = World.healthy(canary_manifest(steps=STEPS))
    world.set_steps([{"setWeight": 50}])
    world.set_image("v2")
    world.step()
    assert world.status["currentStepIndex"] == len(STEPS)
    assert len(world.replica_sets) == 2
    world.step()
    assert world.status["currentStepIndex"] == 0


def test_11_more_replicas_for_a_paused_canary_resize_only() -> None:
    world = updating()
    world.scale(10)
    before = copy.deepcopy(world.status)
    decision = world.reconcile()
    assert world.size(world.named("v1")) == 8
    assert world.status["currentStepIndex"] == before["currentStepIndex"]
    assert world.status["pauseConditions"] == before["pauseConditions"]
    assert {event.reason for event in decision.events} == set()
    world.settle()
    assert world.sizes == {"v1": 8, "v2": 2}


def test_12_replicas_and_image_in_one_edit_while_paused() -> None:
    """The new version is taken up before anything is resized, unlike with the incumbent (docs/differences.md)."""
    world = updating()
    world.set_image("v3")
    world.scale(10)
    world.step()
    assert len(world.replica_sets) == 3
    world.reconcile()
    assert world.named("v3").endswith(world.status["currentPodHash"])
    assert not world.resizes
    world.settle()
    assert world.sizes == {"v1": 8, "v3": 2}


def test_13_an_abort_of_a_finished_update_is_dropped() -> None:
    world = World.healthy(canary_manifest(steps=STEPS))
    world.patch_status({"abort": True, "abortedAt": "2026-01-01T00:00:00Z"})
    world.settle()
    assert not world.status.get("abort")
    assert "abortedAt" not in world.status
    assert world.status["currentStepIndex"] == len(STEPS)
    assert world.status["phase"] == "Healthy"
    assert world.events == []


def test_14_an_abort_in_mid_steps_goes_to_index_0_and_is_degraded() -> None:
    world = updating()
    world.abort()
    world.settle()
    assert world.status["currentStepIndex"] == 0
    assert world.status["phase"] == "Degraded"
    assert world.status["message"] == "RolloutAborted: Rollout aborted update to revision 2"
    assert world.sizes == {"v1": 5}


def test_15_an_abort_that_is_lowered_gives_one_patch_with_a_fresh_deadline() -> None:
    world = updating()
    world.abort()
    world.settle()
    world.retry()
    world.pass_time(1000)
    world.forget()
    decision = world.reconcile()
    assert world.writes == ["patch rollout/status"]
    assert decision.actions == ()
    assert world.condition("Progressing") == ("Unknown", "RolloutRetry", "Retrying Rollout after abort")
    progressing = next(item for item in world.status["conditions"] if item["type"] == "Progressing")
    assert progressing["lastUpdateTime"] == world.now.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_16_a_pause_that_is_over_does_not_resume_while_the_user_pauses() -> None:
    world = updating(steps=[{"setWeight": 20}, {"pause": {"duration": 60}}])
    world.pause()
    world.settle()
    world.pass_time(120)
    world.settle()
    assert world.status["currentStepIndex"] == 1
    assert world.status["message"] == "manually paused"
    world.unpause()
    world.settle()
    assert world.status["currentStepIndex"] == 2


@pytest.mark.parametrize(("duration", "asked"), [("10m", True), ("16m", False)])
def test_17_a_pause_that_ends_beyond_the_resync_asks_for_no_look(duration: str, asked: bool) -> None:
    world = updating(steps=[{"setWeight": 20}, {"pause": {"duration": duration}}])
    _, decision = world.decide()
    assert (decision.requeue_after is not None) is asked


@pytest.mark.parametrize(("created", "complete"), [(8, True), (7, False)])
def test_18_19_a_weight_waits_for_stable_pods_to_be_created_but_not_to_be_available(
    created: int, complete: bool
) -> None:
    replica_sets = [
        make_replica_set("s", 8, 0, created=created),
        make_replica_set("c", 2, 2, new=True, revision=2),
    ]
    view = canary_view(10, replica_sets, steps=[{"setWeight": 20}], maxSurge=1, maxUnavailable=0)
    assert step_complete(view, split_of(view), None, DAWN, analysed=False) is complete


def test_44_a_missing_count_is_written_back_and_nothing_else() -> None:
    world = World(canary_manifest(replicas=None, steps=STEPS))
    decision = world.reconcile()
    assert decision.actions == (PatchRollout({"spec": {"replicas": 1}}),)
    assert world.writes == ["patch rollout"]
    world.settle()
    assert world.sizes == {"v1": 1}


def test_45_old_replica_sets_with_pods_count_for_the_history_limit_but_stay() -> None:
    world = updating()
    world.patch({"spec": {"revisionHistoryLimit": 0}})
    world.set_image("v3")
    world.step()
    world.step()
    assert world.sizes["v2"] == 1
    world.step()
    assert "v2" in {world.tag(name) for name in world.replica_sets}
    world.settle()
    assert {world.tag(name) for name in world.replica_sets} == {"v1", "v3"}


def test_51_only_the_new_and_the_stable_replica_set_tell_of_a_changed_count() -> None:
    world = updating()
    world.set_image("v3")
    world.step()
    world.step()
    world.replica_set("v2")["metadata"]["annotations"]["rollout.argoproj.io/desired-replicas"] = "99"
    world.settle()
    assert world.status["currentStepIndex"] == 1
    assert world.sizes == {"v1": 4, "v3": 1}


def test_52_another_reason_for_an_invalid_spec_replaces_the_message() -> None:
    world = World.healthy(canary_manifest(steps=STEPS))
    for error in ("spec.a: Required value", "spec.b: Required value"):
        _, decision = world.decide([error])
        world.carry_out(decision)
        message = f'The Rollout "shop" is invalid: {error}'
        assert world.condition("InvalidSpec") == ("True", "InvalidSpec", message)
        assert (world.status["phase"], world.status["message"]) == ("Degraded", f"InvalidSpec: {message}")
        assert decision.error == message
        assert decision.actions == ()
    _, decision = world.decide([error])
    assert not decision.status


def test_52_the_condition_goes_once_the_spec_is_valid() -> None:
    world = World.healthy(canary_manifest(steps=STEPS))
    _, decision = world.decide(["spec.a: Required value"])
    world.carry_out(decision)
    world.settle()
    assert world.condition("InvalidSpec") is None
    assert world.status["phase"] == "Healthy"


@pytest.mark.parametrize("abort", [True, False])
def test_59_the_deadline_aborts_also_when_that_is_asked_for_after_it_has_passed(abort: bool) -> None:
    manifest = canary_manifest(steps=[{"setWeight": 20}])
    manifest["spec"] |= {"progressDeadlineSeconds": 30}
    world = World.healthy(manifest)
    world.set_image("error")
    world.settle()
    world.pass_time(60)
    world.settle()
    assert world.status["message"].startswith("ProgressDeadlineExceeded: ReplicaSet ")
    world.forget()
    if not abort:
        assert world.sizes["error"] == 1
        return
    world.patch({"spec": {"progressDeadlineAbort": True}})
    world.settle()
    assert world.status["abort"] is True
    timed_out = f'ReplicaSet "{world.named("error")}" has timed out progressing.'
    text = f"Rollout aborted update to revision 2: {timed_out}"
    assert world.status["message"] == f"RolloutAborted: {text}"
    assert [event.message for event in world.events if event.reason == "RolloutAborted"] == [timed_out, text]
    assert world.sizes == {"v1": 5}


def test_61_more_pods_available_than_wanted_do_not_block_promotion() -> None:
    replica_sets = [make_replica_set("s", 0, 0), make_replica_set("c", 2, 2, new=True, revision=2)]
    view = canary_view(1, replica_sets, steps=[{"setWeight": 20}], status={"currentStepIndex": 1})
    assert promotion_reason(view) == "Completed all 1 canary steps"


def test_61_a_smaller_count_in_the_last_step_is_promoted_then_scaled_down() -> None:
    world = updating(replicas=2, steps=[{"setWeight": 100}, {"pause": {}}])
    assert world.sizes == {"v2": 2}
    world.scale(1)
    world.promote()
    world.settle()
    assert world.status["stableRS"] == world.status["currentPodHash"]
    assert world.sizes == {"v2": 1}


def test_64_a_rewritten_condition_moves_to_the_end_of_the_list() -> None:
    world = updating()
    wanted = ["Available", "Completed", "Progressing", "Paused", "Healthy"]
    stored = {item["type"]: item for item in world.status["conditions"]}
    world.patch_status({"conditions": [stored[type_] for type_ in wanted]})
    world.promote()
    world.reconcile()
    assert [item["type"] for item in world.status["conditions"]] == [
        "Available",
        "Completed",
        "Healthy",
        "Progressing",
        "Paused",
    ]
