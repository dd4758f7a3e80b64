"""A blue-green Rollout whose Services go or whose spec is made wrong in mid-update: what serves goes on serving."""

from typing import Any

from tests.clusters.controllers import Recording
from tests.clusters.namespace import SHOP, Namespace, shop

from sluicegate.api.resources import REPLICA_SETS, ROLLOUTS, SERVICES

ACTIVE, PREVIEW = "shop-active", "shop-preview"
MANUAL = {"activeService": ACTIVE, "previewService": PREVIEW, "autoPromotionEnabled": False}


def service(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"selector": {"app": SHOP}, "ports": [{"port": 80}]}}


def blue_green(**members: Any) -> dict[str, Any]:
    manifest = shop(replicas=2)
    manifest["spec"]["strategy"] = {"blueGreen": {**MANUAL, **members}}
    return manifest


async def refused(namespace: Namespace, error: str, sizes: dict[str, int]) -> None:
    """The error is told of, and the sizes are these and stay."""
    await namespace.until_phase("Degraded", f'InvalidSpec: The Rollout "shop" is invalid: {error}')
    await namespace.until_rest()
    assert namespace.sizes == sizes


async def paused(namespace: Namespace) -> None:
    """Two pods of blue serve, two of yellow wait for a person."""
    await namespace.create(service(ACTIVE), service(PREVIEW), resource=SERVICES)
    await namespace.create(blue_green())
    await namespace.until_phase("Healthy")
    await namespace.set_image("yellow")
    await namespace.until_phase("Paused", "BlueGreenPause")
    await namespace.until_rest()
    assert namespace.sizes == {"blue": 2, "yellow": 2}


async def test_missing_services_are_told_of_and_their_coming_is_noticed(
    namespace: Namespace, controller: Recording
) -> None:
    await namespace.create(blue_green())

    for name, path in ((ACTIVE, "activeService"), (PREVIEW, "previewService")):
        error = f'spec.strategy.blueGreen.{path}: Invalid value: "{name}": service "{name}" not found'
        await refused(namespace, error, {})
        await namespace.create(service(name), resource=SERVICES)

    await namespace.until_phase("Healthy")
    assert namespace.service_hash(ACTIVE) == namespace.service_hash(PREVIEW) == namespace.status["stableRS"]


async def test_active_service_deleted_in_the_pause_stops_the_update_until_it_is_back(
    namespace: Namespace, controller: Recording
) -> None:
    """The Service that comes back selects stable again, whatever was asked for meanwhile."""
    await paused(namespace)
    stable = namespace.status["stableRS"]

    await namespace.client.delete(SERVICES, namespace.name, ACTIVE)
    error = f'spec.strategy.blueGreen.activeService: Invalid value: "{ACTIVE}": service "{ACTIVE}" not found'
    await refused(namespace, error, {"blue": 2, "yellow": 2})

    await namespace.create(service(ACTIVE), resource=SERVICES)
    await namespace.until(lambda: namespace.service_hash(ACTIVE) == stable, "stable serves")
    await namespace.until_phase("Paused", "BlueGreenPause")
    await namespace.until_rest()
    assert namespace.service_hash(ACTIVE) == stable

    await namespace.edit_status({"pauseConditions": None})
    await namespace.until_phase("Healthy")
    assert namespace.service_hash(ACTIVE) == namespace.status["currentPodHash"] != stable


async def test_edit_that_makes_the_update_invalid_switches_nothing_and_it_goes_on_when_mended(
    namespace: Namespace, controller: Recording
) -> None:
    await paused(namespace)
    stable = namespace.status["stableRS"]

    await namespace.edit({"spec": {"replicas": 4, "strategy": {"blueGreen": {"previewService": ACTIVE}}}})
    await namespace.edit_status({"pauseConditions": None})
    error = (
        f'spec.strategy.activeService: Invalid value: "{ACTIVE}": This rollout uses the same service for the active '
        "and preview services, but two different services are required."
    )
    await refused(namespace, error, {"blue": 2, "yellow": 2})
    assert namespace.service_hash(ACTIVE) == stable

    await namespace.edit({"spec": {"replicas": 2, "strategy": {"blueGreen": {"previewService": PREVIEW}}}})
    await namespace.until_phase("Healthy")
    assert namespace.service_hash(ACTIVE) == namespace.status["currentPodHash"] != stable


async def test_replica_sets_scaled_by_hand_get_their_sizes_back_and_traffic_stays(
    namespace: Namespace, controller: Recording
) -> None:
    await paused(namespace)
    stable = namespace.status["stableRS"]

    for item, size in zip(namespace.replica_sets, (3, 0), strict=True):
        patch = {"spec": {"replicas": size}}
        await namespace.client.patch(REPLICA_SETS, namespace.name, item["metadata"]["name"], patch)

    await namespace.until(lambda: namespace.sizes == {"blue": 2, "yellow": 2}, "both have their pods again")
    await namespace.until_phase("Paused", "BlueGreenPause")
    await namespace.until_rest()
    assert namespace.service_hash(ACTIVE) == stable


async def test_rollout_deleted_in_the_pause_takes_its_pods_and_gives_its_services_back(
    namespace: Namespace, controller: Recording
) -> None:
    await paused(namespace)

    await namespace.client.delete(ROLLOUTS, namespace.name, SHOP)

    await namespace.until(lambda: not namespace.replica_sets, "both ReplicaSets go")
    await namespace.until(
        lambda: not namespace.service_hash(ACTIVE) and not namespace.service_hash(PREVIEW), "both Services are unpinned"
    )
