"""What the status tells on the way, write by write: the recorded sequences of rollout 2.2, pauses and the deadline."""

from typing import Any

import pytest

from .blue_green_world import ANALYSIS, BlueGreenWorld
from .manifests import canary_manifest
from .world import World

STEPS: list[object] = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": 60}}]

Told = dict[str, Any]


def paused(**canary: Any) -> World:
    """A world at rest in the first pause of an update to v2."""
    world = World.healthy(canary_manifest(**{"steps": STEPS, **canary}))
    world.set_image("v2")
    world.settle()
    world.pass_time(4)
    world.forget()
    return world


def write(world: World) -> Told:
    """The next pass; what became of the members that a reader looks at, `-` for one that went."""
    before = told(world)
    world.reconcile()
    after = told(world)
    return {key: after.get(key, "-") for key in before | after if before.get(key) != after.get(key)}


def told(world: World) -> Told:
    """The reason of Progressing, the state of Paused and Healthy, and what else shows where an update stands."""
    status = world.status
    found = {
        "index": status.get("currentStepIndex"),
        "pauses": [pause["reason"] for pause in status.get("pauseConditions", ())],
        "mark": status.get("controllerPause"),
        "phase": status.get("phase"),
        "message": status.get("message"),
        "abort": "abortedAt" in status,
    }
    for type_, column in (("Progressing", 1), ("Paused", 0), ("Healthy", 0)):
        if condition := world.condition(type_):
            found[type_] = condition[column]
    return {key: value for key, value in found.items() if value}


def test_a_pause_begins() -> None:
    world = World.healthy(canary_manifest(steps=[{"pause": {}}]))
    world.set_image("v2")
    world.step()
    world.step()
    pause = {"pauses": ["CanaryPauseStep"], "mark": True, "phase": "Paused", "message": "CanaryPauseStep"}
    assert write(world) == pause
    assert write(world) == {"Progressing": "RolloutPaused", "Paused": "True"}
    assert write(world) == {}


def test_a_user_promotes() -> None:
    world = paused()
    world.promote()
    assert write(world) == {
        "Progressing": "RolloutResumed",
        "Paused": "False",
        "phase": "Progressing",
        "message": "more replicas need to be updated",
    }
    assert world.status["duration"]["totalManualPauseDurationSeconds"] == 4
    assert write(world) == {"index": 2, "mark": "-", "Progressing": "ReplicaSetUpdated"}


def test_a_timed_pause_expires() -> None:
    world = paused(steps=[{"setWeight": 20}, {"pause": {"duration": 60}}, {"pause": {}}])
    world.pass_time(60)
    gone = {"pauses": "-", "mark": "-", "phase": "Progressing", "message": "more replicas need to be updated"}
    assert write(world) == {"index": 2, "Progressing": "ReplicaSetUpdated", **gone}
    assert write(world) == {"Paused": "False"}


def test_a_timed_pause_ends_strictly_after_its_time() -> None:
    world = paused(steps=[{"setWeight": 20}, {"pause": {"duration": 60}}])
    world.pass_time(56)
    assert write(world) == {}
    _, decision = world.decide()
    assert decision.requeue_after == pytest.approx(0.001)
    world.pass_time(0.001)
    assert write(world)["index"] == 2


@pytest.mark.parametrize("act", [World.promote_full, lambda world: world.set_image("v1")])
def test_a_full_promotion_or_a_way_back_while_paused_goes_like_a_timed_pause(act: Any) -> None:
    world = paused()
    act(world)
    first = write(world)
    assert (first["pauses"], first["mark"], first["phase"]) == ("-", "-", "Progressing")
    assert "Paused" not in first
    assert write(world)["Paused"] == "False"


def test_pods_that_become_ready_while_paused_show_as_progress_for_one_write() -> None:
    world = paused()
    world.pods.kill(world.named("v1"), 1)
    world.sync()
    world.reconcile()
    world.settle()
    assert world.condition("Progressing") == ("Unknown", "RolloutPaused", "Rollout is paused")
    world.pods.kill(world.named("v1"), 1)
    world.sync()
    world.reconcile()
    world.pass_time(2)
    world.sync()
    assert write(world) == {"Progressing": "ReplicaSetUpdated"}
    assert write(world) == {"Progressing": "RolloutPaused"}


def test_an_abort_while_paused_is_one_write_and_leaves_the_paused_condition() -> None:
    world = paused()
    world.abort()
    assert write(world) == {
        "index": "-",
        "pauses": "-",
        "mark": "-",
        "abort": True,
        "Progressing": "RolloutAborted",
        "phase": "Degraded",
        "message": "RolloutAborted: Rollout aborted update to revision 2",
    }
    world.settle()
    assert world.condition("Paused") == ("True", "RolloutPaused", "Rollout is paused")


def test_a_retry_shows_first_then_ends_the_pause_then_works() -> None:
    world = paused()
    world.abort()
    world.settle()
    world.retry()
    first = write(world)
    assert (first["Progressing"], first["phase"]) == ("RolloutRetry", "Progressing")
    assert set(world.status["duration"]) == {"rolloutStartedAt"}
    assert write(world) == {"Paused": "False"}
    assert write(world) == {"abort": "-"}
    assert world.resizes


def test_an_edit_that_starts_no_update_shows_as_unhealthy_for_one_write() -> None:
    world = World.healthy(canary_manifest(steps=STEPS))
    world.patch({"spec": {"revisionHistoryLimit": 3}})
    assert write(world) == {"Healthy": "False", "Progressing": "ReplicaSetNotAvailable"}
    assert write(world) == {"Healthy": "True", "Progressing": "NewReplicaSetAvailable"}
    assert world.status["phase"] == "Healthy"
    assert world.events == []


def test_a_pause_by_hand_says_so_and_tells_no_event() -> None:
    world = World.healthy(canary_manifest(steps=STEPS))
    world.pause()
    world.settle()
    assert (world.status["phase"], world.status["message"]) == ("Paused", "manually paused")
    world.unpause()
    world.settle()
    assert world.status["phase"] == "Healthy"
    assert not {"RolloutPaused", "RolloutResumed"} & set(world.reasons())


def test_nothing_is_resized_while_paused_by_hand() -> None:
    world = paused()
    world.pause()
    world.scale(10)
    world.settle()
    assert world.sizes == {"v1": 4, "v2": 1}
    world.unpause()
    world.settle()
    assert world.sizes == {"v1": 8, "v2": 2}


def test_a_pause_step_does_not_begin_while_paused_by_hand() -> None:
    world = World.healthy(canary_manifest(steps=[{"pause": {}}]))
    world.set_image("v2")
    world.step()
    world.step()
    world.pause()
    world.settle()
    assert "pauseConditions" not in world.status
    world.unpause()
    world.settle()
    assert world.status["message"] == "CanaryPauseStep"


def test_a_pause_step_does_not_stop_resizes() -> None:
    world = paused()
    world.scale(10)
    world.settle()
    assert world.sizes == {"v1": 8, "v2": 2}
    assert world.status["phase"] == "Paused"


def test_an_object_paused_both_ways_needs_one_promotion_only() -> None:
    """rollout 11: the controller's mark stays while a person pauses, so that the pause step does not begin again."""
    world = paused()
    world.pause()
    world.settle()
    world.patch_status({"pauseConditions": None})
    world.settle()
    assert world.status["controllerPause"] is True
    world.unpause()
    world.settle()
    assert world.status["currentStepIndex"] == 3


def stuck(**spec: Any) -> World:
    manifest = canary_manifest(steps=[{"setWeight": 20}])
    manifest["spec"] |= {"progressDeadlineSeconds": 30, **spec}
    world = World.healthy(manifest)
    world.set_image("error")
    world.settle()
    world.forget()
    return world


def test_a_passed_deadline_degrades_and_the_next_progress_ends_that() -> None:
    world = stuck()
    _, decision = world.decide()
    assert decision.requeue_after == pytest.approx(31, abs=1)
    world.pass_time(32)
    world.settle()
    text = f'ReplicaSet "{world.named("error")}" has timed out progressing.'
    assert world.condition("Progressing") == ("False", "ProgressDeadlineExceeded", text)
    assert (world.status["phase"], world.status["message"]) == ("Degraded", f"ProgressDeadlineExceeded: {text}")
    world.set_image("v3")
    world.settle()
    assert world.status["phase"] == "Healthy"


def test_no_look_is_asked_for_once_all_is_done_aborted_or_timed_out() -> None:
    done, aborted, late = World.healthy(canary_manifest(steps=STEPS)), paused(), stuck()
    aborted.abort()
    aborted.settle()
    late.pass_time(32)
    late.settle()
    assert [world.decide()[1].requeue_after for world in (done, aborted, late)] == [None, None, None]


def test_no_deadline_runs_in_a_pause() -> None:
    world = paused()
    world.pass_time(10_000)
    world.settle()
    assert world.status["phase"] == "Paused"


def test_a_failure_of_the_new_replica_set_is_mirrored_until_it_is_gone() -> None:
    world = paused()
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}
    stored = world.replica_set("v2")
    stored["status"]["conditions"] = [failure]
    world.pass_time(1)
    world.reconcile()
    assert world.condition("ReplicaFailure") == ("True", "FailedCreate", "quota")
    del stored["status"]["conditions"]
    world.pass_time(1)
    world.reconcile()
    assert world.condition("ReplicaFailure") is None


def test_a_blue_green_rollout_is_healthy_from_the_switch_on() -> None:
    """rollout 2.2: before stable moves, and while the phase still waits for the post-promotion analysis."""
    world = BlueGreenWorld.updating(postPromotionAnalysis=ANALYSIS)
    assert world.condition("Healthy") == ("True", "RolloutHealthy", "Rollout is healthy")
    assert world.condition("Completed") == ("False", "RolloutCompleted", "RolloutCompleted")
    assert world.status["phase"] == "Progressing"


def test_a_blue_green_pause_after_the_switch_comes_to_rest() -> None:
    world = BlueGreenWorld.updating(postPromotionAnalysis=ANALYSIS)
    world.pause()
    world.settle()
    assert world.condition("Progressing") == ("Unknown", "RolloutPaused", "Rollout is paused")
    assert world.condition("Healthy") == ("False", "RolloutHealthy", "Rollout is not healthy")
    world.unpause()
    world.settle()
    assert world.condition("Healthy") == ("True", "RolloutHealthy", "Rollout is healthy")


def test_a_blue_green_rollout_is_available_while_the_version_that_serves_is_whole() -> None:
    world = BlueGreenWorld.updating("error")
    available, lacking = "Rollout has minimum availability", "Rollout does not have minimum availability"
    assert world.condition("Available") == ("True", "AvailableReason", available)
    world.lose("v1")
    world.settle()
    assert world.condition("Available") == ("False", "AvailableReason", lacking)
