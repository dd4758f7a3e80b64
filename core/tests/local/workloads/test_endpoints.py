"""Endpoints and EndpointSlices say which pods of a Service can be sent requests, and on which ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.local.objects import Key
from sluicegate.local.workloads.endpoints import EndpointsReconciler

if TYPE_CHECKING:
    from core.tests.local.workloads.conftest import World

WEB = Key("", "services", "default", "web")
LABELS = {"app": "web"}


@pytest.fixture
def reconciler(world: World) -> EndpointsReconciler:
    return EndpointsReconciler(world.store)


def slices(world: World) -> list[dict[str, Any]]:
    return list(world.store.list("discovery.k8s.io", "endpointslices"))


def subsets(world: World) -> Any:
    return world.store.get(Key("", "endpoints", "default", "web")).get("subsets")


def conditions(world: World) -> dict[str, Any]:
    return {end["targetRef"]["name"]: end["conditions"] for found in slices(world) for end in found["endpoints"]}


def test_ready_and_unready_pods(world: World, reconciler: EndpointsReconciler) -> None:
    world.service()
    world.pod("one", LABELS)
    world.pod("two", LABELS)
    world.pod("three", {"app": "other"})
    world.set_ready("one", ip="127.10.0.2")
    world.set_ready("two", ready=False, ip="127.10.0.3")

    reconciler.reconcile(WEB)

    (found,) = slices(world)
    assert found["metadata"]["labels"]["kubernetes.io/service-name"] == "web"
    assert found["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    assert conditions(world) == {
        "one": {"ready": True, "serving": True, "terminating": False},
        "two": {"ready": False, "serving": False, "terminating": False},
    }
    (subset,) = subsets(world)
    assert [address["ip"] for address in subset["addresses"]] == ["127.10.0.2"]
    assert [address["ip"] for address in subset["notReadyAddresses"]] == ["127.10.0.3"]
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]


def test_a_deleted_pod_leaves_at_once_but_still_serves(world: World, reconciler: EndpointsReconciler) -> None:
    world.service()
    world.pod("one", LABELS)
    world.set_ready("one")
    world.store.delete(Key("", "pods", "default", "one"))

    reconciler.reconcile(WEB)

    assert conditions(world) == {"one": {"ready": False, "serving": True, "terminating": True}}
    assert subsets(world) is None


def test_a_named_target_port_is_looked_up_in_the_pod(world: World, reconciler: EndpointsReconciler) -> None:
    world.service(ports=[{"name": "main", "port": 80, "targetPort": "http"}])
    ports = [{"name": "http", "containerPort": 9090}]
    world.pod("one", LABELS, containers=[{"name": "app", "image": "i", "ports": ports}])
    world.set_ready("one")

    reconciler.reconcile(WEB)

    assert slices(world)[0]["ports"] == [{"name": "main", "port": 9090, "protocol": "TCP"}]


def test_pods_with_other_real_ports_have_a_slice_of_their_own(world: World, reconciler: EndpointsReconciler) -> None:
    world.service()
    for name in ("one", "two"):
        world.pod(name, LABELS)
        world.set_ready(name)
    moved = {"sluicegate.dev/ports": '{"8080": 50000}'}
    pod = Key("", "pods", "default", "two")
    world.store.update(pod, lambda old: {**old, "metadata": {**old["metadata"], "annotations": moved}})

    reconciler.reconcile(WEB)

    found = {
        held["ports"][0]["port"]: [end["targetRef"]["name"] for end in held["endpoints"]] for held in slices(world)
    }
    assert found == {8080: ["one"], 50000: ["two"]}


def test_a_second_look_changes_nothing(world: World, reconciler: EndpointsReconciler) -> None:
    world.service()
    world.pod("one", LABELS)
    world.set_ready("one")
    reconciler.reconcile(WEB)
    version = world.store.resource_version

    reconciler.reconcile(WEB)

    assert world.store.resource_version == version


def test_everything_goes_with_the_service(world: World, reconciler: EndpointsReconciler) -> None:
    world.service()
    world.pod("one", LABELS)
    world.set_ready("one")
    reconciler.reconcile(WEB)
    world.store.delete(WEB)

    reconciler.reconcile(WEB)

    assert slices(world) == []
    assert world.store.list("", "endpoints") == []


def test_endpoints_of_a_service_without_selector_are_its_users_own(
    world: World, reconciler: EndpointsReconciler
) -> None:
    world.service(selector=None)

    reconciler.reconcile(WEB)

    assert world.store.list("", "endpoints") == []


async def test_a_pod_that_changes_its_labels_concerns_both_services(
    world: World, reconciler: EndpointsReconciler
) -> None:
    world.service("web")
    world.service("new", selector={"app": "new"})
    world.pod("one", LABELS)
    changes = world.store.subscribe(("", "pods"))
    pod = Key("", "pods", "default", "one")
    world.store.update(pod, lambda old: {**old, "metadata": {**old["metadata"], "labels": {"app": "new"}}})

    (change,) = await changes.take()

    assert {key.name for key in reconciler.concerned(change)} == {"web", "new"}
