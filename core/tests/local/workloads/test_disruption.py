"""Budgets of disruption say how many pods may go, and an eviction heeds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.errors import Conflict, ServerError, TooManyRequests
from sluicegate.local.apiserver.evictions import evict
from sluicegate.local.apiserver.targets import Target
from sluicegate.local.objects import Key
from sluicegate.local.workloads.disruption import BudgetReconciler

if TYPE_CHECKING:
    from core.tests.local.workloads.conftest import World

BUDGET = Key("policy", "poddisruptionbudgets", "default", "web")
APP = {"matchLabels": {"app": "web"}}
EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction"}


@pytest.fixture(autouse=True)
def pods(world: World) -> None:
    """Four ready pods of one ReplicaSet of four."""
    owner = world.replica_set("web", replicas=4)["metadata"]
    reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": owner["uid"], "controller": True}
    for number in range(4):
        world.pod(f"p{number}", {"app": "web"})
        world.set_ready(f"p{number}")
        key = Key("", "pods", "default", f"p{number}")
        world.store.update(key, lambda pod: {**pod, "metadata": {**pod["metadata"], "ownerReferences": [reference]}})


def budget(world: World, name: str = "web", **spec: Any) -> None:
    manifest = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "spec": {"selector": APP, **spec}}
    world.store.create(BUDGET._replace(name=name), manifest)


def try_to_evict(world: World, name: str, **options: Any) -> None:
    target = Target("", "v1", "pods", "default", name, "eviction")
    evict(world.store, target, {**EVICTION, "metadata": {"name": name}, "deleteOptions": options})


def terminating(world: World) -> list[str]:
    return [pod["metadata"]["name"] for pod in world.pods() if "deletionTimestamp" in pod["metadata"]]


@pytest.mark.parametrize(
    ("spec", "desired", "allowed"),
    [
        ({"minAvailable": 3}, 3, 1),
        ({"minAvailable": "70%"}, 3, 1),
        ({"maxUnavailable": 1}, 3, 1),
        ({"maxUnavailable": "30%"}, 2, 2),
        ({"maxUnavailable": 0}, 4, 0),
        ({"minAvailable": 9}, 9, 0),
    ],
)
def test_a_budget_says_how_many_pods_may_go(world: World, spec: dict[str, Any], desired: int, allowed: int) -> None:
    budget(world, **spec)

    BudgetReconciler(world.store, world.clock).reconcile(BUDGET)

    status = world.store.get(BUDGET)["status"]
    assert (status["expectedPods"], status["currentHealthy"]) == (4, 4)
    assert (status["desiredHealthy"], status["disruptionsAllowed"]) == (desired, allowed)
    assert status["conditions"][0]["status"] == ("True" if allowed else "False")


def test_pods_are_evicted_until_the_budget_is_used_up(world: World) -> None:
    budget(world, minAvailable=3)

    try_to_evict(world, "p0")
    with pytest.raises(TooManyRequests, match="Cannot evict pod as it would violate the pod's disruption budget") as no:
        try_to_evict(world, "p1")

    assert terminating(world) == ["p0"]
    assert no.value.causes[0]["message"] == "The disruption budget web needs 3 healthy pods and has 3 currently"


def test_a_pod_that_is_not_ready_goes_although_nothing_is_to_spare(world: World) -> None:
    budget(world, minAvailable=3)
    world.set_ready("p0", ready=False)

    try_to_evict(world, "p0")

    assert terminating(world) == ["p0"]


def test_a_pod_without_a_budget_goes(world: World) -> None:
    try_to_evict(world, "p0")
    assert terminating(world) == ["p0"]


def test_a_pod_of_two_budgets_is_not_evicted(world: World) -> None:
    budget(world, minAvailable=1)
    budget(world, "other", minAvailable=1)

    with pytest.raises(ServerError, match="more than one PodDisruptionBudget"):
        try_to_evict(world, "p0")


def test_another_pod_of_the_same_name_is_not_evicted(world: World) -> None:
    with pytest.raises(Conflict):
        try_to_evict(world, "p0", preconditions={"uid": "of-another"})
    assert terminating(world) == []
