"""Blue-green from the outside: what serves, what is kept, what the status says, in stories and state by state."""

from typing import Any

import pytest

from .blue_green_world import ANALYSIS, BlueGreenWorld, blue_green_manifest

MANUAL: dict[str, Any] = {"autoPromotionEnabled": False}
PROGRESSING = "Progressing"
CUTOVER = "active service cutover pending"


def shows(world: BlueGreenWorld) -> dict[str, Any]:
    """The columns of the state table of rollout 7.6."""
    found = {"preview": world.preview, "active": world.active, "stable": world.stable}
    return {**found, "sizes": world.sizes, "phase": world.phase()}


# The state table (rollout 7.6), row by row.


def test_fresh_object() -> None:
    world = BlueGreenWorld(blue_green_manifest())
    world.add_service("active")
    world.add_service("preview")
    world.step()
    world.step()
    pending = (PROGRESSING, "more replicas need to be updated")
    assert shows(world) == {"preview": "v1", "active": "", "stable": "v1", "sizes": {"v1": 3}, "phase": pending}


def test_first_replica_set_saturated() -> None:
    world = BlueGreenWorld.serving()
    healthy = ("Healthy", "")
    assert shows(world) == {"preview": "v1", "active": "v1", "stable": "v1", "sizes": {"v1": 3}, "phase": healthy}


@pytest.mark.parametrize(("strategy", "pods"), [({}, 3), ({"previewReplicaCount": 1}, 1)])
def test_update_started(strategy: dict[str, Any], pods: int) -> None:
    world = BlueGreenWorld.serving(**MANUAL, **strategy)
    world.set_image("v2")
    for _ in range(3):
        world.step()
    pending = (PROGRESSING, "more replicas need to be updated")
    sizes = {"v1": 3, "v2": pods}
    assert shows(world) == {"preview": "v2", "active": "v1", "stable": "v1", "sizes": sizes, "phase": pending}


def test_awaiting_pre_promotion() -> None:
    world = BlueGreenWorld.updating(**MANUAL, prePromotionAnalysis=ANALYSIS)
    sizes = {"v1": 3, "v2": 3}
    pending = (PROGRESSING, CUTOVER)
    assert shows(world) == {"preview": "v2", "active": "v1", "stable": "v1", "sizes": sizes, "phase": pending}


def test_paused() -> None:
    world = BlueGreenWorld.updating(**MANUAL)
    sizes = {"v1": 3, "v2": 3}
    paused = ("Paused", "BlueGreenPause")
    assert shows(world) == {"preview": "v2", "active": "v1", "stable": "v1", "sizes": sizes, "phase": paused}
    assert world.reasons() == []


def test_resumed_with_preview_count() -> None:
    world = BlueGreenWorld.updating(**MANUAL, previewReplicaCount=1)
    assert world.sizes == {"v1": 3, "v2": 1}
    world.patch_status({"pauseConditions": None})
    for _ in range(3):
        world.step()
    assert (world.active, world.stable, world.sizes) == ("v1", "v1", {"v1": 3, "v2": 3})
    assert world.blue_green["scaleUpPreviewCheckPoint"] is True
    world.settle()
    assert (world.active, world.stable) == ("v2", "v2")
    assert "scaleUpPreviewCheckPoint" not in world.blue_green


def test_switched() -> None:
    world = BlueGreenWorld.updating(postPromotionAnalysis=ANALYSIS)
    sizes = {"v1": 3, "v2": 3}
    waiting = (PROGRESSING, "waiting for analysis to complete")
    assert shows(world) == {"preview": "v2", "active": "v2", "stable": "v1", "sizes": sizes, "phase": waiting}
    assert world.condition("Healthy") == ("True", "RolloutHealthy", "Rollout is healthy")


def test_promoted() -> None:
    world = BlueGreenWorld.updating()
    sizes = {"v1": 3, "v2": 3}
    assert shows(world) == {"preview": "v2", "active": "v2", "stable": "v2", "sizes": sizes, "phase": ("Healthy", "")}
    assert world.condition("Progressing") == (
        "True",
        "NewReplicaSetAvailable",
        f'ReplicaSet "{world.named("v2")}" has successfully progressed.',
    )
    world.run_out()
    assert world.sizes == {"v2": 3}


def test_aborted_before_switch() -> None:
    world = BlueGreenWorld.updating(**MANUAL)
    world.abort()
    world.settle()
    text = "Rollout aborted update to revision 2"
    degraded = ("Degraded", f"RolloutAborted: {text}")
    sizes = {"v1": 3, "v2": 3}
    assert shows(world) == {"preview": "v2", "active": "v1", "stable": "v1", "sizes": sizes, "phase": degraded}
    world.run_out()
    assert world.sizes == {"v1": 3}
    assert world.deadline("v2") is not None
    assert world.reasons() == ["RolloutAborted", "ScalingReplicaSet"]


def test_aborted_after_switch() -> None:
    """rollout 10, 41: blue-green aborted after the switch, both RSs healthy: active Service back to stable hash."""
    world = BlueGreenWorld.updating(postPromotionAnalysis=ANALYSIS)
    world.abort()
    world.settle()
    assert (world.active, world.stable, world.phase()[0]) == ("v1", "v1", "Degraded")
    world.run_out()
    assert world.sizes == {"v1": 3}


def test_rollback_while_the_old_replica_set_is_within_its_delay() -> None:
    """rollout 10, 36: blue-green rollback to RS within its delay: no BlueGreenPause; analyses are skipped too."""
    analyses = {"prePromotionAnalysis": ANALYSIS, "postPromotionAnalysis": ANALYSIS}
    world = BlueGreenWorld.serving(**MANUAL)
    world.update("v2")
    world.resume()
    assert (world.active, world.stable) == ("v2", "v2")
    world.patch({"spec": {"strategy": {"blueGreen": analyses}}})
    world.settle()
    world.forget()
    world.update("v1")
    assert (world.active, world.stable, world.phase()) == ("v1", "v1", ("Healthy", ""))
    assert "RolloutPaused" not in world.reasons()
    assert world.events[-1].message.endswith(": Fast rollback")
    assert world.deadline("v1") is None


# Pauses, previews, promotion.


def test_without_automatic_promotion_unset_it_switches_without_any_pause() -> None:
    """rollout 10, 37: blue-green, autoPromotionEnabled unset, seconds 0: switches without any pause."""
    world = BlueGreenWorld.serving()
    world.update("v2")
    assert world.active == "v2"
    assert world.reasons() == [
        "RolloutUpdated",
        "NewReplicaSetCreated",
        "SwitchService",
        "RolloutNotCompleted",
        "ScalingReplicaSet",
        "SwitchService",
        "RolloutCompleted",
    ]


def test_a_timed_pause_ends_strictly_after_its_time() -> None:
    world = BlueGreenWorld.updating(autoPromotionSeconds=10)
    assert world.phase() == ("Paused", "BlueGreenPause")
    _, decision = world.decide()
    assert decision.requeue_after == pytest.approx(10.001)
    world.pass_time(10)
    world.reconcile()
    assert world.active == "v1"
    world.pass_time(0.001)
    world.settle()
    assert (world.active, world.stable) == ("v2", "v2")
    assert "totalManualPauseDurationSeconds" not in world.status["duration"]
    assert world.reasons() == ["SwitchService", "RolloutCompleted", "RolloutResumed"]


def test_a_timed_pause_does_not_end_while_paused_by_hand() -> None:
    """rollout 10, 38: paused 10 s of autoPromotionSeconds, user sets spec.paused, time passes: not promoted."""
    world = BlueGreenWorld.updating(autoPromotionSeconds=10)
    world.pause()
    world.run_out()
    assert (world.active, world.phase()) == ("v1", ("Paused", "manually paused"))
    world.unpause()
    world.settle()
    assert world.active == "v2"


def test_a_timed_pause_can_be_promoted_before_its_time() -> None:
    world = BlueGreenWorld.updating(autoPromotionSeconds=600)
    world.resume()
    assert (world.active, world.phase()) == ("v2", ("Healthy", ""))


def test_a_promotion_is_not_forgotten_while_a_pod_is_missing() -> None:
    world = BlueGreenWorld.updating(**MANUAL)
    world.lose("v2")
    world.resume()
    assert world.active == "v1"
    world.pods.heal()
    world.sync()
    world.settle()
    assert world.active == "v2"


def test_the_checkpoint_is_latched_when_the_preview_is_done_with() -> None:
    """rollout 10, 39: previewReplicaCount 3 of 5, 3 available, pause done: checkpoint latched; next target is 5."""
    world = BlueGreenWorld.updating(replicas=5, previewReplicaCount=3, **MANUAL)
    world.patch_status({"pauseConditions": None})
    world.reconcile()
    world.reconcile()
    assert world.blue_green["scaleUpPreviewCheckPoint"] is True
    world.reconcile()
    assert world.sizes == {"v1": 5, "v2": 5}


def test_the_checkpoint_is_reset_by_a_new_template() -> None:
    """rollout 11: after an abort with the checkpoint latched, the next update is tried out as a preview again."""
    world = BlueGreenWorld.updating(previewReplicaCount=1, prePromotionAnalysis=ANALYSIS, **MANUAL)
    world.run("pre", "Successful")
    world.patch_status({"pauseConditions": None})
    for _ in range(3):
        world.reconcile()
    world.abort()
    world.settle()
    assert world.blue_green["scaleUpPreviewCheckPoint"] is True
    world.update("v3")
    assert (world.sizes["v3"], world.active) == (1, "v1")
    world.run("pre", "Successful")
    world.resume()
    assert (world.active, world.stable) == ("v3", "v3")


def test_promoted_once_after_being_paused_both_ways() -> None:
    """rollout 11: controllerPause is kept while spec.paused is set."""
    world = BlueGreenWorld.updating(**MANUAL)
    world.pause()
    world.settle()
    world.resume()
    assert world.status["controllerPause"] is True
    world.unpause()
    world.settle()
    assert world.active == "v2"


def test_a_full_promotion_skips_pause_and_analyses() -> None:
    world = BlueGreenWorld.updating(
        **MANUAL, previewReplicaCount=1, prePromotionAnalysis=ANALYSIS, postPromotionAnalysis=ANALYSIS
    )
    name = world.run("pre", "Running")
    world.promote_full()
    world.settle()
    assert (world.active, world.stable, world.phase()) == ("v2", "v2", ("Healthy", ""))
    assert world.status["duration"]["completionStatus"] == "FastPromoted"
    assert world.runs[name].terminating
    assert "promoteFull" not in world.status


def test_a_full_promotion_of_an_aborted_update_goes_on() -> None:
    world = BlueGreenWorld.updating(**MANUAL)
    world.abort()
    world.run_out()
    world.run_out()
    assert world.sizes == {"v1": 3}
    world.promote_full()
    world.settle()
    assert (world.active, world.stable, world.phase()) == ("v2", "v2", ("Healthy", ""))


def test_a_full_promotion_when_the_delay_of_the_aborted_version_is_over_waits_for_its_pods() -> None:
    world = BlueGreenWorld.updating(**MANUAL)
    world.abort()
    world.settle()
    world.pass_time(60)
    world.promote_full()
    world.reconcile()
    assert (world.active, world.size(world.named("v2"))) == ("v1", 0)
    world.settle()
    assert world.active == "v2"


def test_an_abort_wins_over_a_full_promotion_before_it() -> None:
    world = BlueGreenWorld.updating("error", **MANUAL)
    world.promote_full()
    world.settle()
    world.abort()
    world.settle()
    assert (world.active, world.phase()[0]) == ("v1", "Degraded")
    assert "promoteFull" not in world.status


def test_the_new_version_is_not_stable_before_it_has_its_pods() -> None:
    world = BlueGreenWorld.updating(postPromotionAnalysis=ANALYSIS)
    world.lose("v2")
    world.run("post", "Successful")
    assert (world.active, world.stable) == ("v2", "v1")
    world.abort()
    world.settle()
    assert (world.active, world.stable) == ("v1", "v1")


def test_retry_after_an_abort_goes_through_the_pause_again() -> None:
    world = BlueGreenWorld.updating(**MANUAL)
    world.abort()
    world.run_out()
    world.retry()
    world.settle()
    assert (world.active, world.phase(), world.sizes) == ("v1", ("Paused", "BlueGreenPause"), {"v1": 3, "v2": 3})
    assert world.deadline("v2") is None
    assert "abortedAt" not in world.status


# Sizes, counters, rest.


def test_a_change_of_replicas_reaches_all_versions_also_while_paused_by_hand() -> None:
    world = BlueGreenWorld.updating(**MANUAL)
    world.pause()
    world.scale(5)
    world.settle()
    assert world.sizes == {"v1": 5, "v2": 5}


def test_an_old_version_in_its_delay_follows_the_replicas() -> None:
    world = BlueGreenWorld.updating()
    world.scale(5)
    world.settle()
    assert world.sizes == {"v1": 5, "v2": 5}


def test_zero_replicas_and_back() -> None:
    world = BlueGreenWorld.updating(**MANUAL)
    world.scale(0)
    world.settle()
    assert (world.sizes, world.active) == ({}, "v1")
    world.resume()
    assert world.active == "v2"
    world.scale(2)
    world.settle()
    assert (world.active, world.sizes["v2"], world.phase()) == ("v2", 2, ("Healthy", ""))


def test_a_scale_down_delay_of_zero_means_at_once() -> None:
    """rollout 11: `scaleDownDelaySeconds: 0` means at once (what the field says)."""
    world = BlueGreenWorld.updating(scaleDownDelaySeconds=0)
    assert world.sizes == {"v2": 3}


def test_an_abort_delay_of_zero_keeps_the_preview() -> None:
    world = BlueGreenWorld.updating(abortScaleDownDelaySeconds=0, **MANUAL)
    world.abort()
    world.run_out()
    assert world.sizes == {"v1": 3, "v2": 3}


def test_counters_follow_the_version_that_serves() -> None:
    world = BlueGreenWorld.updating(previewReplicaCount=1, **MANUAL)
    status = world.status
    assert (status["replicas"], status["HPAReplicas"], status["availableReplicas"]) == (4, 3, 3)
    assert status["selector"] == f"app=shop,rollouts-pod-template-hash={world.hash_of('v1')}"


def test_counters_are_sums_while_nothing_serves() -> None:
    """rollout 10, 42: no active RS in blue-green: HPAReplicas/available sum over all RSs, selector = spec.selector."""
    world = BlueGreenWorld(blue_green_manifest())
    world.add_service("active")
    world.add_service("preview")
    world.set_image("error")
    world.settle()
    world.update("error2-error")
    status = world.status
    assert (status["HPAReplicas"], status["selector"]) == (status["replicas"], "app=shop")
    assert status["replicas"] == 6


def test_a_progress_deadline_aborts_and_leaves_stable_serving() -> None:
    world = BlueGreenWorld.serving()
    world.patch({"spec": {"progressDeadlineSeconds": 20, "progressDeadlineAbort": True}})
    world.update("error")
    world.run_out()
    world.run_out()
    text = f'ReplicaSet "{world.named("error")}" has timed out progressing.'
    assert world.phase() == ("Degraded", f"RolloutAborted: Rollout aborted update to revision 2: {text}")
    assert (world.active, world.sizes) == ("v1", {"v1": 3})


def test_without_preview_service_nothing_but_the_active_one_is_managed() -> None:
    world = BlueGreenWorld.updating(preview=False)
    assert (world.active, world.preview) == ("v2", "")
    assert "previewSelector" not in world.blue_green


def test_a_settled_rollout_writes_nothing() -> None:
    world = BlueGreenWorld.updating(**MANUAL)
    for act in (world.pause, world.unpause, world.resume, world.abort):
        act()
        world.settle()
        world.run_out()
        world.forget()
        world.run_out()
        assert world.writes == []
