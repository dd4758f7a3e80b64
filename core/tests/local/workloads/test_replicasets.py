"""The ReplicaSet controller keeps as many pods as asked for, counts them, and shares them out by label and owner."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from sluicegate.local.objects import Key
from sluicegate.local.workloads.events import EventSink
from sluicegate.local.workloads.replicasets import ReplicaSetReconciler

if TYPE_CHECKING:
    from core.tests.local.workloads.conftest import World


@pytest.fixture
def reconciler(world: World) -> ReplicaSetReconciler:
    events = EventSink(world.store, "replicaset-controller", world.clock)
    return ReplicaSetReconciler(world.store, events, world.clock)


def key(name: str = "web") -> Key:
    return Key("apps", "replicasets", "default", name)


def test_creates_pods_like_kubernetes(world: World, reconciler: ReplicaSetReconciler) -> None:
    owner = world.replica_set("web", replicas=2)

    reconciler.reconcile(key())

    assert len(world.pods()) == 2
    pod = world.pods()[0]
    assert re.fullmatch("web-[bcdfghjklmnpqrstvwxz2456789]{5}", pod["metadata"]["name"])
    assert pod["metadata"]["labels"] == {"app": "web", "colour": "blue"}
    assert pod["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "web",
            "uid": owner["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert sorted(world.events("SuccessfulCreate")) == [f"Created pod: {name}" for name in world.pod_names()]


def test_a_second_look_changes_nothing(world: World, reconciler: ReplicaSetReconciler) -> None:
    world.replica_set("web", replicas=3)
    reconciler.reconcile(key())
    version = world.store.resource_version

    reconciler.reconcile(key())

    assert world.store.resource_version == version


def test_a_restarted_controller_makes_no_duplicates(world: World, reconciler: ReplicaSetReconciler) -> None:
    world.replica_set("web", replicas=3)
    reconciler.reconcile(key())
    names = world.pod_names()

    events = EventSink(world.store, "replicaset-controller", world.clock)
    ReplicaSetReconciler(world.store, events, world.clock).reconcile(key())

    assert world.pod_names() == names


def test_the_status_counts_what_there_is_and_leaves_out_zeros(world: World, reconciler: ReplicaSetReconciler) -> None:
    world.replica_set("web", replicas=2)
    reconciler.reconcile(key())
    assert world.status("web") == {"replicas": 2, "fullyLabeledReplicas": 2, "observedGeneration": 1}

    world.set_ready(world.pod_names()[0])
    reconciler.reconcile(key())

    counts = {"replicas": 2, "fullyLabeledReplicas": 2, "readyReplicas": 1, "availableReplicas": 1}
    assert world.status("web") == {**counts, "observedGeneration": 1}


def test_a_pod_is_available_after_min_ready_seconds(world: World, reconciler: ReplicaSetReconciler) -> None:
    world.replica_set("web", minReadySeconds=10)
    reconciler.reconcile(key())
    world.set_ready(world.pod_names()[0])

    world.clock.forward(9)
    assert reconciler.reconcile(key()) is not None
    assert "availableReplicas" not in world.status("web")

    world.clock.forward(1)
    assert reconciler.reconcile(key()) is None
    assert world.status("web")["availableReplicas"] == 1


def test_shrinking_deletes_the_unready_first(world: World, reconciler: ReplicaSetReconciler) -> None:
    world.replica_set("web", replicas=3)
    reconciler.reconcile(key())
    first, second, third = world.pod_names()
    world.set_ready(first)
    world.set_ready(second, ready=False)
    world.set_ready(third)

    world.scale("web", 2)
    reconciler.reconcile(key())

    leaving = [pod["metadata"]["name"] for pod in world.pods() if "deletionTimestamp" in pod["metadata"]]
    assert leaving == [second]
    assert world.status("web")["replicas"] == 2
    assert world.events("SuccessfulDelete") == [f"Deleted pod: {second}"]


def test_a_pod_that_is_being_deleted_is_replaced_at_once(world: World, reconciler: ReplicaSetReconciler) -> None:
    world.replica_set("web")
    reconciler.reconcile(key())
    world.set_ready(world.pod_names()[0])
    world.store.delete(Key("", "pods", "default", world.pod_names()[0]))

    reconciler.reconcile(key())

    assert len(world.pods()) == 2


def test_adopts_a_matching_pod_without_a_controller(world: World, reconciler: ReplicaSetReconciler) -> None:
    owner = world.replica_set("web")
    world.pod("stray", {"app": "web", "colour": "blue"})

    reconciler.reconcile(key())

    assert world.pod_names() == ["stray"]
    assert world.pods()[0]["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"]


def test_releases_a_pod_whose_labels_no_longer_match(world: World, reconciler: ReplicaSetReconciler) -> None:
    world.replica_set("web")
    reconciler.reconcile(key())
    (name,) = world.pod_names()
    moved = {"app": "elsewhere"}
    pod = Key("", "pods", "default", name)
    world.store.update(pod, lambda old: {**old, "metadata": {**old["metadata"], "labels": moved}})

    reconciler.reconcile(key())

    assert "ownerReferences" not in world.store.get(pod)["metadata"]
    assert len(world.pods()) == 2


def test_leaves_pods_of_another_controller_alone(world: World, reconciler: ReplicaSetReconciler) -> None:
    world.replica_set("web")
    world.replica_set("other")
    reconciler.reconcile(key("web"))

    reconciler.reconcile(key("other"))

    assert len(world.pods()) == 2


async def test_a_change_of_a_pod_concerns_its_owner_or_those_that_select_it(
    world: World, reconciler: ReplicaSetReconciler
) -> None:
    world.replica_set("web")
    world.replica_set("green", colour="green")
    changes = world.store.subscribe(("", "pods"), since=0)
    world.pod("stray", {"app": "web", "colour": "green"})
    reconciler.reconcile(key("web"))

    concerned = [list(reconciler.concerned(change)) for change in await changes.take()]
    assert concerned == [[key("green")], [key("web")]]
