"""Played pods go through the states of real ones after fixed delays, and listen nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.local.objects import Key
from sluicegate.local.workloads.controllers import PlayedControllers
from sluicegate.local.workloads.played import Delays

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from core.tests.local.workloads.conftest import World

    Until = Callable[[Callable[[], bool]], Awaitable[None]]

POD = Key("", "pods", "default", "one")


@pytest.fixture(autouse=True)
async def controllers(world: World) -> AsyncIterator[PlayedControllers]:
    delays = Delays(ready=0.05, pull=0.05, gone=0.05)
    running = PlayedControllers(world.store, world.clock, delays)
    await running.start()
    yield running
    await running.stop()


def status(world: World) -> dict[str, Any]:
    return world.store.get(POD).get("status") or {}


def is_ready(world: World) -> bool:
    return any(held["type"] == "Ready" and held["status"] == "True" for held in status(world).get("conditions", ()))


def waiting(world: World) -> str:
    states = [held["state"] for held in status(world).get("containerStatuses", ())]
    return states[0].get("waiting", {}).get("reason", "") if states else ""


async def test_a_pod_is_created_then_ready(world: World, until: Until) -> None:
    world.pod("one", {"app": "web"})

    await until(lambda: waiting(world) == "ContainerCreating")
    assert status(world)["phase"] == "Pending"
    await until(lambda: is_ready(world))

    assert status(world)["phase"] == "Running"
    assert status(world)["podIP"].startswith("10.64.")
    assert world.store.get(POD)["spec"]["nodeName"] == "local"


async def test_a_pod_may_say_how_long_it_takes(world: World, until: Until) -> None:
    world.pod("one", {"app": "web"})
    slow = {"play.sluicegate.dev/ready-after": "1h"}
    world.store.update(POD, lambda old: {**old, "metadata": {**old["metadata"], "annotations": slow}})
    world.pod("two", {"app": "web"})

    await until(lambda: world.store.get(POD._replace(name="two"))["status"]["phase"] == "Running")

    assert status(world)["phase"] == "Pending"


async def test_an_image_that_ends_in_error_is_never_pulled(world: World, until: Until) -> None:
    world.pod("one", {}, containers=[{"name": "app", "image": "demo/shop:error"}])

    await until(lambda: waiting(world) == "ErrImagePull")
    await until(lambda: waiting(world) == "ImagePullBackOff")

    assert status(world)["phase"] == "Pending"
    assert not is_ready(world)


async def test_a_deleted_pod_is_gone_soon_whatever_its_grace_period(world: World, until: Until) -> None:
    world.pod("one", {"app": "web"})
    await until(lambda: is_ready(world))

    world.store.delete(POD)
    assert "deletionTimestamp" in world.store.get(POD)["metadata"]
    await until(lambda: world.store.find(POD) is None)


async def test_readiness_gates_hold_a_pod_back_and_let_it_go(world: World, until: Until) -> None:
    world.pod("one", {"app": "web"}, readinessGates=[{"conditionType": "shop/open"}])
    await until(lambda: status(world).get("phase") == "Running")
    assert not is_ready(world)

    opened = {"type": "shop/open", "status": "True"}
    conditions = [*status(world)["conditions"], opened]
    world.store.update(
        POD, lambda old: {**old, "status": {**old["status"], "conditions": conditions}}, subresource="status"
    )

    await until(lambda: is_ready(world))


async def test_a_replica_set_of_played_pods_becomes_available(world: World, until: Until) -> None:
    world.replica_set("web", replicas=3)
    world.service()

    await until(lambda: (world.status("web") or {}).get("availableReplicas") == 3)
    await until(lambda: len(addresses(world)) == 3)

    world.scale("web", 1)
    await until(lambda: len(world.pods()) == 1 and len(addresses(world)) == 1)


def addresses(world: World) -> list[str]:
    found: dict[str, Any] = world.store.find(Key("", "endpoints", "default", "web")) or {}
    return [held["ip"] for subset in found.get("subsets", ()) for held in subset.get("addresses", ())]
