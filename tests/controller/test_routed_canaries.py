"""A canary whose traffic a router shares: Services first, then weights, each only onto pods that can serve."""

from typing import Any

from tests.clusters.controllers import Recording
from tests.clusters.eventually import eventually
from tests.clusters.namespace import SHOP, Namespace, shop

from sluicegate.api.resources import INGRESSES, ROLLOUTS, SERVICES

STABLE, CANARY, EDGE = "shop-stable", "shop-canary", "shop-edge"
STEPS: list[dict[str, Any]] = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]


def service(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"selector": {"app": SHOP}, "ports": [{"port": 80}]}}


def ingress(name: str) -> dict[str, Any]:
    backend = {"service": {"name": STABLE, "port": {"number": 80}}}
    return {"metadata": {"name": name}, "spec": {"defaultBackend": backend}}


async def deploy(namespace: Namespace, *, steps: list[dict[str, Any]] | None = None, **canary: Any) -> None:
    """A healthy routed canary `shop` of 5 pods, with its two Services and its Ingress."""
    await namespace.create(service(STABLE), service(CANARY), resource=SERVICES)
    await namespace.create(ingress(EDGE), resource=INGRESSES)
    routing = {"plugins": {"sluicegate/recording": {"ingress": EDGE}}}
    strategy = {"stableService": STABLE, "canaryService": CANARY, "trafficRouting": routing, **canary}
    await namespace.create(shop(steps=STEPS if steps is None else steps, **strategy))
    await namespace.until_phase("Healthy")
    await namespace.until_rest()


async def test_update_moves_services_then_weights_and_comes_to_rest(
    namespace: Namespace, controller: Recording
) -> None:
    await deploy(namespace)
    old = namespace.status["stableRS"]
    assert namespace.service_hash(STABLE) == namespace.service_hash(CANARY) == old
    assert namespace.routed(EDGE)["weight"] == "0"

    await namespace.set_image("green")
    await namespace.until_phase("Paused", "CanaryPauseStep")
    new = namespace.status["currentPodHash"]
    assert namespace.routed(EDGE)["weight"] == "20"
    assert namespace.routed(EDGE)["hashes"] == f"{old},{new}"
    assert (namespace.service_hash(STABLE), namespace.service_hash(CANARY)) == (old, new)
    assert namespace.sizes == {"blue": 5, "green": 1}

    await namespace.edit_status({"pauseConditions": None})
    await namespace.until(lambda: namespace.routed(EDGE)["weight"] == "60", "the second weight")
    await namespace.until_phase("Paused", "CanaryPauseStep")
    await namespace.edit_status({"pauseConditions": None})
    await namespace.until_phase("Healthy")
    await namespace.until(lambda: namespace.routed(EDGE)["weight"] == "0", "all traffic by way of the stable Service")
    await namespace.until_rest()
    assert namespace.service_hash(STABLE) == namespace.service_hash(CANARY) == new
    weights = [event.message for event in controller.events if event.reason == "TrafficWeightUpdated"]
    assert [text.removeprefix("Traffic weight updated ") for text in weights] == [
        "to 0", "", "from 0 to 20", "from 20 to 60", "from 60 to 100", "from 100 to 0",
    ]  # fmt: skip


async def test_abort_takes_the_weight_back_and_switches_the_canary_service_once(
    namespace: Namespace, controller: Recording
) -> None:
    """Argo Rollouts goes on switching it to and fro."""
    await deploy(namespace, abortScaleDownDelaySeconds=2)
    old = namespace.status["stableRS"]
    await namespace.set_image("green")
    await namespace.until_phase("Paused", "CanaryPauseStep")

    await namespace.edit_status({"abort": True})
    await namespace.until(lambda: namespace.sizes == {"blue": 5}, "the aborted pods go after their delay")
    await namespace.until_rest()

    assert namespace.routed(EDGE)["weight"] == "0"
    assert namespace.service_hash(CANARY) == namespace.service_hash(STABLE) == old
    assert controller.reasons().count("SwitchService") == 4
    assert namespace.status["phase"] == "Degraded"


async def test_services_of_a_rollout_that_is_gone_select_all_pods_again(
    namespace: Namespace, controller: Recording
) -> None:
    await deploy(namespace)

    await namespace.client.delete(ROLLOUTS, namespace.name, SHOP)

    await namespace.until(
        lambda: not namespace.service_hash(STABLE) and not namespace.service_hash(CANARY), "both Services are unpinned"
    )
    assert all(not item["metadata"].get("annotations") for item in namespace.services)


async def test_service_that_is_no_longer_named_is_unpinned(namespace: Namespace, controller: Recording) -> None:
    await deploy(namespace)
    await namespace.create(service("shop-next"), resource=SERVICES)

    await namespace.edit({"spec": {"strategy": {"canary": {"canaryService": "shop-next"}}}})

    await namespace.until(lambda: not namespace.service_hash(CANARY), "the former canary Service is unpinned")
    await namespace.until(
        lambda: namespace.service_hash("shop-next") == namespace.status["stableRS"], "the new one is taken over"
    )


async def test_router_that_fails_is_asked_again_until_it_can(namespace: Namespace, controller: Recording) -> None:
    """Each failure counts, also one that is like the one before; nothing is resized meanwhile."""
    await deploy(namespace)
    await namespace.client.delete(INGRESSES, namespace.name, EDGE)
    await namespace.set_image("green")

    await eventually(lambda: failures(controller), lambda count: count >= 3, "several failures")
    assert namespace.sizes == {"blue": 5}

    await namespace.create(ingress(EDGE), resource=INGRESSES)
    await namespace.until_phase("Paused", "CanaryPauseStep")
    assert namespace.routed(EDGE)["weight"] == "20"


async def failures(controller: Recording) -> int:
    return controller.reasons().count("TrafficRoutingError")
