"""What a manifest, a tool or a hand on the cluster must not be able to bring about: outages, storms, lost aborts."""

from typing import Any

import pytest

from sluicegate.engine.decision import Decision
from sluicegate.engine.revisions import name_taken, relabel

from .manifests import canary_manifest
from .world import World

STEPS = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]


def updating(**canary: Any) -> World:
    """A world at rest in the first pause of an update to v2."""
    world = World.healthy(canary_manifest(**{"steps": STEPS, "replicas": 10, **canary}))
    world.set_image("v2")
    world.settle()
    world.forget()
    return world


def most_of(world: World, tag: str) -> int:
    """The largest size that a version had while the world came to rest."""
    largest = 0
    while not is_idle(world.step()):
        largest = max(largest, world.sizes.get(tag, 0))
    world.settle()
    return max(largest, world.sizes.get(tag, 0))


def is_idle(decision: Decision) -> bool:
    return not decision.actions and not decision.status


@pytest.mark.parametrize(("replicas", "most"), [(20, 4), (9, 2), (5, 1)])
def test_image_and_count_in_one_edit_give_the_new_version_no_more_than_its_step(replicas: int, most: int) -> None:
    """docs/differences.md: Argo Rollouts sizes the new version by the weight of the finished update before, 100 %."""
    world = World.healthy(canary_manifest(steps=STEPS, replicas=10))
    world.scale(replicas)
    world.set_image("v2")
    assert most_of(world, "v2") == most


@pytest.mark.parametrize("key", ["scale-down-deadline", "rollout.argoproj.io/ephemeral-metadata"])
def test_annotations_with_a_meaning_on_replica_sets_are_not_copied_from_the_rollout(key: str) -> None:
    world = updating()
    world.patch({"metadata": {"annotations": {key: "foo"}}})
    world.settle()
    assert all(key not in rs["metadata"]["annotations"] for rs in world.replica_sets.values())


def test_annotation_edits_do_not_make_the_revision_history_grow() -> None:
    """docs/differences.md: with Argo Rollouts any changed annotation appends the revision again."""
    world = updating()
    for stamp in range(3):
        world.patch({"metadata": {"annotations": {"stamp": str(stamp)}}})
        world.settle()
    annotations = world.replica_set("v2")["metadata"]["annotations"]
    assert annotations["stamp"] == "2"
    assert "rollout.argoproj.io/revision-history" not in annotations


@pytest.mark.parametrize("fences", [{"maxSurge": -5}, {"maxUnavailable": -5}, {"maxSurge": "-50%"}])
def test_negative_fences_take_no_pod_away_and_let_the_update_go_on(fences: dict[str, Any]) -> None:
    world = updating(**fences, replicas=5)
    assert sum(world.sizes.values()) >= 4
    assert world.status["message"] == "CanaryPauseStep"


def test_an_aborted_version_does_not_become_stable_when_the_stable_replica_set_is_deleted() -> None:
    world = updating()
    world.abort()
    world.settle()
    stable = world.status["stableRS"]
    del world.replica_sets[world.named("v1")]
    world.settle()
    assert world.status["stableRS"] == stable
    assert world.status["phase"] == "Degraded"


def test_an_abort_shows_while_paused_by_hand_with_another_count() -> None:
    world = updating()
    world.pause()
    world.scale(12)
    world.settle()
    world.abort()
    world.settle()
    assert world.status["abortedAt"]
    assert world.status["message"] == "RolloutAborted: Rollout aborted update to revision 2"


def test_a_pause_that_is_over_is_not_looked_at_again_and_again_while_an_analysis_holds_the_rollout() -> None:
    world = World.healthy(canary_manifest(steps=[{"pause": {"duration": 5}}, {"setWeight": 50}], replicas=5))
    world.set_image("v2")
    for _ in range(4):
        world.step()
    conditions = [*world.status["pauseConditions"], {"reason": "InconclusiveAnalysisRun", "startTime": PAST}]
    world.patch_status({"pauseConditions": conditions})
    world.settle()
    world.pass_time(60)
    _, decision = world.decide()
    assert (is_idle(decision), decision.requeue_after) == (True, None)


PAST = "2026-01-01T00:00:00Z"


def test_a_revision_that_no_controller_wrote_counts_as_none() -> None:
    world = updating()
    world.replica_set("v1")["metadata"]["annotations"]["rollout.argoproj.io/revision"] = "9" * 5000
    world.set_image("v3")
    world.settle()
    assert world.replica_set("v3")["metadata"]["annotations"]["rollout.argoproj.io/revision"] == "3"


def test_our_own_replica_set_that_a_webhook_has_added_to_is_not_another_one() -> None:
    world = updating()
    view, _ = world.decide()
    assert view is not None
    existing = view.new_rs
    assert existing is not None
    existing.spec.template["spec"]["containers"].append({"name": "mesh", "image": "mesh:1"})
    existing.spec.template.setdefault("metadata", {}).setdefault("annotations", {})["injected"] = "yes"
    assert not name_taken(view, existing)


def test_our_own_replica_set_without_its_hash_label_gets_it_back() -> None:
    world = updating()
    view, _ = world.decide()
    assert view is not None
    assert view.new_rs is not None
    assert relabel(view, view.new_rs) is None
    del view.new_rs.metadata.labels["rollouts-pod-template-hash"]
    patch = relabel(view, view.new_rs)
    assert patch is not None
    assert patch.patch == {"metadata": {"labels": {"rollouts-pod-template-hash": view.template_hash}}}
