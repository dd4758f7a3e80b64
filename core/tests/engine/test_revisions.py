"""ReplicaSets of revisions: what a new one looks like, numbers, adoption, names that are taken, history (rollout 4)."""

from typing import Any

import pytest

from sluicegate.engine.decision import ClaimReplicaSet, CreateReplicaSet, DeleteReplicaSet
from sluicegate.engine.revisions import name_taken
from sluicegate.engine.templates import runs_template

from .manifests import canary_manifest
from .world import World

REVISION = "rollout.argoproj.io/revision"
HISTORY = "rollout.argoproj.io/revision-history"
DESIRED = "rollout.argoproj.io/desired-replicas"


def annotations(world: World, tag: str) -> dict[str, str]:
    return world.replica_set(tag)["metadata"]["annotations"]  # type: ignore[no-any-return]


def update(world: World, *tags: str) -> None:
    for tag in tags:
        world.pass_time(60)
        world.set_image(tag)
        world.settle()


def test_a_new_replica_set_is_born_empty_with_hash_owner_and_copied_annotations() -> None:
    manifest = canary_manifest(replicas=3)
    manifest["metadata"]["annotations"] = {
        "team": "shop",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
        "notified.notifications.argoproj.io": "{}",
    }
    manifest["spec"]["minReadySeconds"] = 7
    (create, *_) = World(manifest).reconcile().actions
    assert isinstance(create, CreateReplicaSet)
    made: dict[str, Any] = dict(create.manifest)
    labels = {"app": "shop", "rollouts-pod-template-hash": "84c88798c9"}
    assert made["metadata"]["name"] == "shop-84c88798c9"
    assert made["metadata"]["labels"] == labels
    assert made["metadata"]["annotations"] == {"team": "shop", REVISION: "1", DESIRED: "3"}
    assert made["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "name": "shop",
            "uid": "uid-of-the-rollout",
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert (made["spec"]["replicas"], made["spec"]["minReadySeconds"]) == (0, 7)
    assert made["spec"]["selector"]["matchLabels"] == labels
    assert made["spec"]["template"]["metadata"]["labels"] == labels


def test_a_replica_set_does_not_inherit_the_instance_id_of_its_rollout() -> None:
    """It is found by its hash and its owner; only analysis runs and experiments carry the id on."""
    manifest = canary_manifest()
    manifest["metadata"]["labels"] = {"argo-rollouts.argoproj.io/controller-instance-id": "blue", "team": "shop"}
    (create, *_) = World(manifest).reconcile().actions
    assert isinstance(create, CreateReplicaSet)
    assert set(create.manifest["metadata"]["labels"]) == {"app", "rollouts-pod-template-hash"}


METADATA: dict[str, Any] = {"canaryMetadata": {"labels": {"role": "canary", "tier": "x"}, "annotations": {"note": "c"}}}
ANTI_AFFINITY: dict[str, Any] = {"antiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}


@pytest.mark.parametrize("strategy", [METADATA, ANTI_AFFINITY, {**METADATA, **ANTI_AFFINITY}])
@pytest.mark.parametrize("tier", [None, "web"])
def test_row_4_rs_template_that_differs_only_by_injected_ephemeral_metadata_anti_affinity_or_service_account(
    strategy: dict[str, Any], tier: str | None
) -> None:
    """Lookup: still recognised as newRS, also when its hash is that of another algorithm."""
    manifest = canary_manifest(steps=[{"pause": {}}], **strategy)
    template = manifest["spec"]["template"]
    template["spec"] |= {"serviceAccountName": "shop", "affinity": {}}
    if tier is not None:
        template["metadata"]["labels"]["tier"] = tier
    world = World.healthy(manifest)
    world.set_image("v2")
    world.settle()
    live = next(found for found in world.owned() if found.metadata.name == world.named("v2"))
    assert live.spec.template["metadata"]["labels"].get("role") == ("canary" if "canaryMetadata" in strategy else None)
    for labels in (live.spec.template["metadata"]["labels"], live.spec.selector.match_labels):
        labels["rollouts-pod-template-hash"] = "5f6d7"
    assert live.spec.template["spec"].pop("serviceAccount") == "shop"
    assert runs_template(live, world.spec["template"])
    assert not runs_template(live, {**world.spec["template"], "spec": template["spec"]})


def test_versions_that_come_back_are_numbered_anew_and_remember_their_numbers() -> None:
    world = World.healthy(canary_manifest(steps=[]))
    update(world, "v2")
    assert (annotations(world, "v1")[REVISION], annotations(world, "v2")[REVISION]) == ("1", "2")
    update(world, "v1")
    assert (annotations(world, "v1")[REVISION], annotations(world, "v1")[HISTORY]) == ("3", "1")
    update(world, "v2", "v1")
    assert (annotations(world, "v1")[REVISION], annotations(world, "v1")[HISTORY]) == ("5", "1,3")
    assert world.rollout["metadata"]["annotations"][REVISION] == "5"


def test_a_version_that_comes_back_is_told_of_as_an_update_but_not_as_created() -> None:
    world = World.healthy(canary_manifest(steps=[]))
    update(world, "v2")
    world.forget()
    update(world, "v1")
    assert world.reasons()[:2] == ["RolloutUpdated", "RolloutNotCompleted"]
    assert "NewReplicaSetCreated" not in world.reasons()


@pytest.mark.parametrize("tag", ["v1", "v2"])
def test_a_changed_count_alone_or_with_a_version_that_comes_back_tells_of_no_created_replica_set(tag: str) -> None:
    world = World.healthy(canary_manifest(steps=[]))
    update(world, "v2")
    world.scale(7)
    world.set_image(tag)
    course = world.settle()
    reasons = {condition["reason"] for status in course for condition in status["conditions"]}
    assert world.sizes == {tag: 7}
    assert "NewReplicaSetCreated" not in reasons


def test_an_update_whose_process_died_before_its_status_was_written_begins_all_the_same() -> None:
    world = World.healthy(canary_manifest(steps=[]))
    world.scale(7)
    world.set_image("v2")
    world.reconcile(writes=1)
    assert "v2" in {world.tag(name) for name in world.replica_sets}
    world.reconcile()
    assert world.named("v2").endswith(world.status["currentPodHash"])
    assert world.condition("Completed") == ("False", "RolloutCompleted", "RolloutCompleted")


def test_revisions_that_are_no_numbers_count_as_none() -> None:
    world = World.healthy(canary_manifest(steps=[]))
    annotations(world, "v1")[REVISION] = "first"
    update(world, "v2")
    assert annotations(world, "v2")[REVISION] == "1"


def test_an_annotation_of_the_rollout_reaches_the_current_replica_set_and_is_never_taken_away() -> None:
    world = World.healthy(canary_manifest(steps=[]))
    world.patch({"metadata": {"annotations": {"team": "shop"}}})
    world.settle()
    assert annotations(world, "v1")["team"] == "shop"
    world.patch({"metadata": {"annotations": {"team": None}}})
    world.settle()
    assert annotations(world, "v1")["team"] == "shop"


def test_min_ready_seconds_reach_the_current_replica_set() -> None:
    world = World.healthy(canary_manifest(steps=[]))
    world.patch({"spec": {"minReadySeconds": 9}})
    world.settle()
    assert world.replica_set("v1")["spec"]["minReadySeconds"] == 9


def test_a_replica_set_without_owner_is_adopted_with_its_pods() -> None:
    world = World.healthy(canary_manifest(steps=[]))
    world.replica_set("v1")["metadata"]["ownerReferences"] = []
    world.pass_time(1)
    (claim,) = world.reconcile().actions
    assert isinstance(claim, ClaimReplicaSet) and claim.adopts
    world.settle()
    assert world.sizes == {"v1": 5}
    assert len(world.replica_sets) == 1
    assert world.replica_set("v1")["metadata"]["ownerReferences"][0]["uid"] == "uid-of-the-rollout"


@pytest.mark.parametrize(
    "metadata",
    [{"deletionTimestamp": "2026-01-01T00:00:00Z"}, {"labels": {"app": "shop"}}, {"labels": {"app": "other"}}],
)
def test_what_is_going_or_lacks_the_hash_or_does_not_match_is_not_adopted(metadata: dict[str, Any]) -> None:
    world = World.healthy(canary_manifest(steps=[]))
    stored = world.replica_set("v1")["metadata"]
    stored["ownerReferences"] = []
    if "labels" in metadata and metadata["labels"]["app"] == "other":
        metadata = {"labels": {**stored["labels"], "app": "other"}}
    stored |= metadata
    world.pass_time(1)
    assert not any(isinstance(action, ClaimReplicaSet) for action in world.decide()[1].actions)


def test_one_that_matches_no_longer_is_released_and_other_owners_stay() -> None:
    world = World.healthy(canary_manifest(steps=[]))
    update(world, "v2")
    old = world.replica_set("v1")["metadata"]
    old["labels"]["app"] = "other"
    old["ownerReferences"].append({"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "uid-of-x"})
    world.pass_time(1)
    (claim,) = world.reconcile().actions
    assert isinstance(claim, ClaimReplicaSet) and not claim.adopts
    assert [owner["uid"] for owner in world.replica_set("v1")["metadata"]["ownerReferences"]] == ["uid-of-x"]


def test_replica_sets_of_others_are_left_alone() -> None:
    world = World.healthy(canary_manifest(steps=[]))
    world.replica_set("v1")["metadata"]["ownerReferences"][0]["uid"] = "uid-of-another"
    world.pass_time(1)
    _, decision = world.decide()
    assert [type(action) for action in decision.actions] == [CreateReplicaSet]


def test_a_name_that_is_taken_leads_to_another_hash_with_the_collision_counted() -> None:
    world = World(canary_manifest(steps=[]))
    name = "shop-84c88798c9"
    taken = World.healthy(canary_manifest(steps=[])).replica_sets[name]
    taken["metadata"] |= {"ownerReferences": [{"uid": "uid-of-another", "controller": True}]}
    world.replica_sets[name] = taken
    world.settle()
    assert world.status["collisionCount"] == 1
    (other,) = set(world.replica_sets) - {name}
    assert world.size(other) == 5


@pytest.mark.parametrize(("tag", "owner", "taken"), [("v1", "", False), ("v2", "", True), ("v1", "another", True)])
def test_a_name_is_taken_by_another_template_or_owner_only(tag: str, owner: str, taken: bool) -> None:
    world = World.healthy(canary_manifest(steps=[]))
    view, _ = world.decide()
    update(world, "v2")
    if owner:
        world.replica_set(tag)["metadata"]["ownerReferences"][0]["uid"] = owner
    existing = next(found for found in world.owned() if found.metadata.name == world.named(tag))
    assert view is not None
    assert name_taken(view, existing) is taken


def test_the_oldest_above_the_limit_go_and_new_and_stable_never_count() -> None:
    manifest = canary_manifest(steps=[])
    manifest["spec"]["revisionHistoryLimit"] = 2
    world = World.healthy(manifest)
    update(world, "v2", "v3", "v4")
    assert [world.tag(name) for name in world.replica_sets] == ["v2", "v3", "v4"]
    world.set_steps([{"setWeight": 20}, {"pause": {}}])
    update(world, "v5")
    assert [world.tag(name) for name in world.replica_sets] == ["v2", "v3", "v4", "v5"]


def test_history_cleanup_skips_one_whose_pods_still_go_and_takes_none_in_its_place() -> None:
    manifest = canary_manifest(steps=[])
    world = World.healthy(manifest)
    update(world, "v2", "v3")
    world.replica_set("v1")["status"]["replicas"] = 1
    world.patch({"spec": {"revisionHistoryLimit": 1}})
    _, decision = world.decide()
    assert not any(isinstance(action, DeleteReplicaSet) for action in decision.actions)
    world.sync()
    world.settle()
    assert [world.tag(name) for name in world.replica_sets] == ["v2", "v3"]
