"""Which ReplicaSets belong to a Rollout: those it finds and adopts, those in its way, and all of them when it goes."""

from pathlib import Path
from typing import Any

from tests.clusters.controllers import Recording, running_controller
from tests.clusters.eventually import eventually
from tests.clusters.namespace import SHOP, Namespace, image, shop

from sluicegate.api.resources import PODS, REPLICA_SETS, ROLLOUTS

HASH = "rollouts-pod-template-hash"


def replica_set(name: str, tag: str, labels: dict[str, str], *, replicas: int = 2) -> dict[str, Any]:
    """A ReplicaSet that nobody owns."""
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "shop", "image": image(tag)}]},
            },
        },
    }


def owner(namespace: Namespace, name: str) -> dict[str, Any]:
    """The owner references of a ReplicaSet as last seen, by kind and UID; empty without one."""
    found = next(item for item in namespace.replica_sets if item["metadata"]["name"] == name)
    return {item["kind"]: item["uid"] for item in found["metadata"].get("ownerReferences", ())}


async def test_orphan_with_a_hash_label_is_adopted_and_used(namespace: Namespace, controller_kubeconfig: Path) -> None:
    labels, recording = {"app": SHOP, HASH: "abc123"}, Recording()
    await namespace.create(replica_set("shop-old", "blue", labels), resource=REPLICA_SETS)
    await namespace.create(shop(replicas=2))

    # Started when both are there: of two new objects it may see the Rollout first.
    async with running_controller(controller_kubeconfig, namespace.name, recording):
        await namespace.until_phase("Healthy")

    assert owner(namespace, "shop-old") == {"Rollout": namespace.rollout["metadata"]["uid"]}
    assert namespace.status["stableRS"] == "abc123"
    assert len(namespace.replica_sets) == 1
    assert "NewReplicaSetCreated" not in recording.reasons()


async def test_orphan_without_a_hash_label_is_not_adopted(namespace: Namespace, controller: Recording) -> None:
    """A difference from Argo Rollouts on purpose: it would adopt it, and then fail for want of the label."""
    await namespace.create(replica_set("shop-plain", "blue", {"app": SHOP}), resource=REPLICA_SETS)
    await namespace.create(shop(replicas=2))

    await namespace.until_phase("Healthy")

    assert owner(namespace, "shop-plain") == {}
    assert len(namespace.replica_sets) == 2


async def test_name_that_is_taken_gives_another_one(namespace: Namespace, controller: Recording) -> None:
    await namespace.create(shop(replicas=2))
    await namespace.until_phase("Healthy")
    taken = namespace.replica_sets[0]["metadata"]["name"]
    await namespace.client.delete(ROLLOUTS, namespace.name, SHOP)
    await namespace.until(lambda: not namespace.replica_sets, "the ReplicaSet goes with its Rollout")
    await namespace.create(replica_set(taken, "red", {"app": "stranger"}), resource=REPLICA_SETS)

    await namespace.create(shop(replicas=2))
    await namespace.until_phase("Healthy")

    assert namespace.status["collisionCount"] == 1
    assert namespace.status["stableRS"] not in taken
    assert sorted(namespace.sizes) == ["blue", "red"]
    assert owner(namespace, taken) == {}


async def test_replica_set_that_lost_its_hash_label_gets_it_back(namespace: Namespace, controller: Recording) -> None:
    """Without it the controller does not see its own ReplicaSet, and could neither size nor replace it."""
    await namespace.create(shop(replicas=2))
    await namespace.until_phase("Healthy")
    name = namespace.replica_sets[0]["metadata"]["name"]
    patch = {"metadata": {"labels": {HASH: None}}}
    without = await namespace.client.patch(REPLICA_SETS, namespace.name, name, patch)

    def is_back() -> bool:
        (found,) = (item["metadata"] for item in namespace.replica_sets)
        newer = int(found["resourceVersion"]) > int(without["metadata"]["resourceVersion"])
        return newer and found["name"] == name and HASH in found["labels"]

    await namespace.until(is_back, "the label is back")


async def test_everything_goes_with_its_rollout(namespace: Namespace, controller: Recording) -> None:
    await namespace.create(shop(steps=[{"setWeight": 50}, {"pause": {}}], replicas=2))
    await namespace.until_phase("Healthy")
    await namespace.set_image("yellow")
    await namespace.until_phase("Paused", "CanaryPauseStep")

    await namespace.client.delete(ROLLOUTS, namespace.name, SHOP)

    await namespace.until(lambda: not namespace.replica_sets, "both ReplicaSets go")
    await eventually(
        lambda: namespace.client.list(PODS, namespace.name), lambda pods: not pods, "the pods of both go, too"
    )
    assert controller.events[-1].message == f"Rollout shop/{namespace.name} is deleted."


async def test_replica_set_that_goes_is_made_again(namespace: Namespace, controller: Recording) -> None:
    await namespace.create(shop(replicas=2))
    await namespace.until_phase("Healthy")
    gone = namespace.replica_sets[0]["metadata"]

    await namespace.client.delete(REPLICA_SETS, namespace.name, gone["name"])
    await namespace.until(
        lambda: namespace.sizes == {"blue": 2} and namespace.replica_sets[0]["metadata"]["uid"] != gone["uid"],
        "another ReplicaSet of the same size",
    )
    await namespace.until_phase("Healthy")

    assert [item["metadata"]["name"] for item in namespace.replica_sets] == [gone["name"]]
