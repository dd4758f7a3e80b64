"""What serves in blue-green is safe: aborts, edits by hand, lost ReplicaSets, updates that overtake each other."""

from typing import Any

import pytest

from .blue_green_world import ANALYSIS, BlueGreenWorld, blue_green_manifest

MANUAL: dict[str, Any] = {"autoPromotionEnabled": False}


def test_an_abort_moves_traffic_back_although_the_new_version_is_broken() -> None:
    """rollout 11: abort after the switch with an unsaturated newRS: back when stableRS is available."""
    world = BlueGreenWorld.updating(postPromotionAnalysis=ANALYSIS, abortScaleDownDelaySeconds=1)
    world.lose("v2")
    world.abort()
    world.settle()
    assert world.active == "v1"
    world.run_out()
    assert world.sizes == {"v1": 3}


def test_an_aborted_version_serves_on_while_stable_cannot() -> None:
    world = BlueGreenWorld.updating(postPromotionAnalysis=ANALYSIS, abortScaleDownDelaySeconds=1)
    world.abort()
    world.reconcile(writes=1)
    world.lose("v1")
    world.settle()
    world.run_out()
    assert (world.active, world.sizes) == ("v2", {"v1": 3, "v2": 3})
    world.pods.heal()
    world.sync()
    world.settle()
    assert world.active == "v1"


def test_an_abort_moves_traffic_back_also_while_paused_by_hand() -> None:
    world = BlueGreenWorld.updating(postPromotionAnalysis=ANALYSIS)
    world.pause()
    world.abort()
    world.settle()
    assert world.active == "v1"


def test_the_version_that_serves_is_kept_when_another_update_overtakes_it() -> None:
    world = BlueGreenWorld.updating(postPromotionAnalysis=ANALYSIS, scaleDownDelaySeconds=0)
    world.patch({"spec": {"strategy": {"blueGreen": MANUAL}}})
    world.update("v3")
    world.run_out()
    assert (world.active, world.stable) == ("v2", "v1")
    assert world.sizes == {"v1": 3, "v2": 3, "v3": 3}
    world.abort()
    world.settle()
    world.run_out()
    assert (world.active, world.sizes) == ("v1", {"v1": 3})


def test_a_service_edited_by_hand_is_put_back() -> None:
    world = BlueGreenWorld.updating()
    world.edit_service("active", world.hash_of("v1"))
    world.edit_service("preview", None)
    world.settle()
    assert (world.active, world.preview) == ("v2", "v2")


def test_a_version_that_a_service_selects_by_hand_is_not_taken_down() -> None:
    world = BlueGreenWorld.updating(scaleDownDelaySeconds=5)
    world.pause()
    world.edit_service("active", world.hash_of("v1"))
    world.run_out()
    assert (world.active, world.sizes) == ("v1", {"v1": 3, "v2": 3})
    world.unpause()
    world.settle()
    assert world.active == "v2"


@pytest.mark.parametrize("lost", [None, "dead"])
def test_a_service_that_loses_its_selector_in_mid_update_goes_back_to_stable(lost: str | None) -> None:
    """Argo Rollouts takes an empty selector for a first deployment: no pause, no analysis, and promoted at once."""
    world = BlueGreenWorld.updating(**MANUAL)
    world.edit_service("active", lost)
    world.settle()
    assert (world.active, world.stable, world.phase()) == ("v1", "v1", ("Paused", "BlueGreenPause"))


def test_a_first_version_that_never_came_up_is_replaced_without_pause() -> None:
    world = BlueGreenWorld(blue_green_manifest(**MANUAL))
    world.add_service("active")
    world.add_service("preview")
    world.set_image("error")
    world.settle()
    assert world.active == ""
    world.update("v2")
    assert (world.active, world.stable, world.phase()) == ("v2", "v2", ("Healthy", ""))


def test_the_new_version_takes_over_when_stable_is_deleted_by_hand() -> None:
    world = BlueGreenWorld.updating(**MANUAL)
    world.delete("v1")
    world.settle()
    assert (world.active, world.stable) == ("v2", "v2")


def test_an_aborted_version_serves_when_stable_is_deleted_by_hand() -> None:
    world = BlueGreenWorld.updating(**MANUAL)
    world.abort()
    world.reconcile()
    world.delete("v1")
    world.settle()
    assert (world.active, world.phase()[0]) == ("v2", "Degraded")
    world.retry()
    world.settle()
    assert (world.active, world.phase()) == ("v2", ("Healthy", ""))


def test_back_to_stable_after_the_switch_with_a_preview_count() -> None:
    """rollout 5.7: a newRS that is stableRS is sized R, so that the active Service can be moved back."""
    world = BlueGreenWorld.updating(postPromotionAnalysis=ANALYSIS, previewReplicaCount=1)
    assert world.active == "v2"
    world.update("v1")
    assert (world.active, world.stable, world.phase()) == ("v1", "v1", ("Healthy", ""))
    assert all(resize.name != world.named("v1") for resize in world.resizes)


def test_a_rollback_within_the_delay_keeps_its_pods_despite_a_preview_count() -> None:
    world = BlueGreenWorld.updating(previewReplicaCount=1)
    assert world.active == "v2"
    world.forget()
    world.update("v1")
    assert (world.active, world.stable) == ("v1", "v1")
    assert world.resizes == []


def test_no_version_is_promoted_by_an_abort_of_a_finished_update() -> None:
    world = BlueGreenWorld.updating()
    world.abort()
    world.settle()
    assert (world.active, world.phase(), "abort" in world.status) == ("v2", ("Healthy", ""), False)
