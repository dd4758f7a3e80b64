"""What a Rollout refers to is missing, wrong or somebody else's, and hands that meddle: told of, safe, and mended."""

from typing import Any

import pytest
from tests.clusters.controllers import Recording
from tests.clusters.namespace import SHOP, Namespace, shop
from tests.clusters.wire import Wire

from sluicegate.api.resources import REPLICA_SETS, ROLLOUTS, SERVICES, Resource

STABLE, CANARY = "shop-stable", "shop-canary"
WITH_SERVICES: dict[str, Any] = {"stableService": STABLE, "canaryService": CANARY}
STEPS: list[dict[str, Any]] = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]
MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"


def service(name: str, app: str = SHOP, managed_by: str | None = None) -> dict[str, Any]:
    annotations = {} if managed_by is None else {MANAGED_BY: managed_by}
    spec = {"selector": {"app": app}, "ports": [{"port": 80}]}
    return {"metadata": {"name": name, "annotations": annotations}, "spec": spec}


async def patch(namespace: Namespace, resource: Resource, name: str, changes: dict[str, Any]) -> None:
    await namespace.client.patch(resource, namespace.name, name, changes)


async def refused(namespace: Namespace, error: str, sizes: dict[str, int] | None = None) -> None:
    """Condition, phase and message tell of the error, and the sizes are these and stay."""
    message = f'The Rollout "shop" is invalid: {error}'
    await namespace.until_phase("Degraded", f"InvalidSpec: {message}")
    assert namespace.condition("InvalidSpec")["message"] == message
    await namespace.until_rest()
    assert namespace.sizes == (sizes or {})


async def mended(namespace: Namespace, phase: str = "Healthy", message: str = "") -> None:
    await namespace.until_phase(phase, message)
    assert namespace.condition("InvalidSpec") == {}


async def updating(namespace: Namespace, **canary: Any) -> None:
    """A canary of five pods, paused in its first step from blue to yellow."""
    await namespace.create(shop(steps=STEPS, **canary))
    await namespace.until_phase("Healthy")
    await namespace.set_image("yellow")
    await namespace.until_phase("Paused", "CanaryPauseStep")
    await namespace.until_rest()
    assert namespace.sizes == {"blue": 4, "yellow": 1}


async def test_missing_services_are_named_one_after_the_other_and_their_coming_is_noticed(
    namespace: Namespace, controller: Recording
) -> None:
    await namespace.create(shop(replicas=1, **WITH_SERVICES))

    for name, path in ((STABLE, "stableService"), (CANARY, "canaryService")):
        found = f'spec.strategy.canary.{path}: Invalid value: "{name}": service "{name}" not found'
        await refused(namespace, found)
        await namespace.create(service(name), resource=SERVICES)

    await mended(namespace)
    await namespace.until(
        lambda: namespace.service_hash(STABLE) == namespace.service_hash(CANARY) == namespace.status["stableRS"],
        "both Services are taken over",
    )


async def test_service_deleted_in_mid_update_stops_it_until_it_is_back(
    namespace: Namespace, controller: Recording
) -> None:
    await namespace.create(service(STABLE), service(CANARY), resource=SERVICES)
    await updating(namespace, **WITH_SERVICES)

    await namespace.client.delete(SERVICES, namespace.name, CANARY)
    error = f'spec.strategy.canary.canaryService: Invalid value: "{CANARY}": service "{CANARY}" not found'
    await refused(namespace, error, {"blue": 4, "yellow": 1})
    await namespace.edit_status({"pauseConditions": None})
    await namespace.until_rest()
    assert namespace.sizes == {"blue": 4, "yellow": 1}

    await namespace.create(service(CANARY), resource=SERVICES)
    await mended(namespace, "Paused", "CanaryPauseStep")
    assert namespace.sizes == {"blue": 2, "yellow": 3}
    assert namespace.service_hash(CANARY) == namespace.status["currentPodHash"]


@pytest.mark.parametrize(
    ("foreign", "detail", "mend"),
    [
        (service(CANARY, app="stall"), 'has unmatch label "app" in rollout', {"spec": {"selector": {"app": SHOP}}}),
        (
            service(CANARY, managed_by="stall"),
            "is managed by another Rollout",
            {"metadata": {"annotations": {MANAGED_BY: None}}},
        ),
    ],
    ids=["unmatched label", "managed by another Rollout"],
)
async def test_foreign_service_is_left_alone_and_nothing_scaled_until_it_is_ours(
    foreign: dict[str, Any], detail: str, mend: dict[str, Any], namespace: Namespace, controller: Recording
) -> None:
    await namespace.create(service(STABLE), foreign, resource=SERVICES)
    await namespace.create(shop(replicas=1, **WITH_SERVICES))

    await refused(
        namespace, f'spec.strategy.canary.canaryService: Invalid value: "{CANARY}": Service "{CANARY}" {detail}'
    )
    assert namespace.service_hash(CANARY) == namespace.service_hash(STABLE) == ""

    await patch(namespace, SERVICES, CANARY, mend)
    await mended(namespace)
    await namespace.until(lambda: namespace.service_hash(CANARY) != "", "it is taken over")


async def test_edit_that_makes_a_running_update_invalid_stops_it_where_it_is_and_it_goes_on_when_mended(
    namespace: Namespace, controller: Recording, wire: Wire
) -> None:
    await updating(namespace)
    index, sent = namespace.status["currentStepIndex"], len(wire.sent)

    await namespace.edit({"spec": {"replicas": 9, "strategy": {"canary": {"maxSurge": 0, "maxUnavailable": 0}}}})
    error = "spec.strategy.maxSurge: Invalid value: 0: MaxSurge and MaxUnavailable both can not be zero"
    await refused(namespace, error, {"blue": 4, "yellow": 1})
    assert namespace.status["currentStepIndex"] == index
    assert {request.path.rpartition("/")[2] for request in wire.sent[sent:] if request.writes} == {"status"}

    await namespace.edit({"spec": {"replicas": 5, "strategy": {"canary": {"maxSurge": 1}}}})
    await mended(namespace, "Paused", "CanaryPauseStep")
    await namespace.edit_status({"pauseConditions": None})
    await namespace.until(lambda: namespace.sizes == {"blue": 2, "yellow": 3}, "the next step")


async def test_abort_gets_through_once_a_spec_that_was_made_invalid_is_mended(
    namespace: Namespace, controller: Recording
) -> None:
    await updating(namespace)
    await namespace.edit({"spec": {"minReadySeconds": -1}})
    await refused(
        namespace,
        "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0",
        {"blue": 4, "yellow": 1},
    )

    await namespace.edit_status({"abort": True})
    await namespace.edit({"spec": {"minReadySeconds": 0}})

    await mended(namespace, "Degraded", "RolloutAborted: Rollout aborted update to revision 2")
    await namespace.until(lambda: namespace.sizes == {"blue": 5}, "all pods are stable")


async def test_deleted_stable_replica_set_makes_the_new_version_stable(
    namespace: Namespace, controller: Recording
) -> None:
    """As with Argo Rollouts: what is left is all there is to serve."""
    await updating(namespace)
    stable = next(item for item in namespace.replica_sets if item["spec"]["replicas"] == 4)

    await namespace.client.delete(REPLICA_SETS, namespace.name, stable["metadata"]["name"])

    await namespace.until_phase("Healthy")
    await namespace.until_rest()
    assert namespace.sizes == {"yellow": 5}
    assert namespace.status["stableRS"] == namespace.status["currentPodHash"]


@pytest.mark.parametrize("sizes", [{4: 0, 1: 3}, {4: 9, 1: 0}], ids=["stable away", "canary away"])
async def test_replica_sets_scaled_by_hand_get_their_sizes_back(
    sizes: dict[int, int], namespace: Namespace, controller: Recording
) -> None:
    await updating(namespace)

    for item in namespace.replica_sets:
        size = sizes[item["spec"]["replicas"]]
        await patch(namespace, REPLICA_SETS, item["metadata"]["name"], {"spec": {"replicas": size}})

    await namespace.until(lambda: namespace.sizes == {"blue": 4, "yellow": 1}, "the sizes of the step")
    await namespace.until_phase("Paused", "CanaryPauseStep")
    await namespace.until_rest()
    assert namespace.sizes == {"blue": 4, "yellow": 1}


async def test_two_rollouts_with_one_selector_leave_each_other_alone(
    namespace: Namespace, controller: Recording, wire: Wire
) -> None:
    await namespace.create(shop(replicas=2, steps=STEPS), named(shop(replicas=3, steps=STEPS), "stall"))
    await namespace.until_phase("Healthy")
    await namespace.until(lambda: phase_of(namespace, "stall") == "Healthy", "the other one is healthy, too")
    await namespace.until_rest()
    assert owned(namespace) == {SHOP: {"blue": 2}, "stall": {"blue": 3}}
    sent = len(wire.sent)
    await namespace.until_rest()
    assert [request for request in wire.sent[sent:] if request.writes] == []

    await namespace.set_image("yellow")
    await namespace.until_phase("Paused", "CanaryPauseStep")
    await namespace.until_rest()
    assert owned(namespace) == {SHOP: {"blue": 2, "yellow": 1}, "stall": {"blue": 3}}
    assert phase_of(namespace, "stall") == "Healthy"


def named(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    return {**manifest, "metadata": {"name": name}}


def phase_of(namespace: Namespace, name: str) -> str:
    return str((namespace.find_rollout(name) or {}).get("status", {}).get("phase"))


def owned(namespace: Namespace) -> dict[str, dict[str, int]]:
    """The sizes of the ReplicaSets of each Rollout, by the tag of the image, without those that want no pods."""
    found: dict[str, dict[str, int]] = {}
    for item in namespace.replica_sets:
        (owner,) = item["metadata"]["ownerReferences"]
        tag = item["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]
        if size := item["spec"]["replicas"]:
            found.setdefault(owner["name"], {})[tag] = size
    return found


async def test_no_replicas_is_a_count_like_any_other(namespace: Namespace, controller: Recording) -> None:
    await namespace.create(shop(replicas=0, steps=STEPS))
    await namespace.until_phase("Healthy")
    await namespace.set_image("yellow")
    await namespace.until_phase("Paused", "CanaryPauseStep")
    await namespace.until_rest()
    assert namespace.sizes == {}

    await namespace.edit({"spec": {"replicas": 5}})
    await namespace.until(lambda: namespace.sizes == {"blue": 4, "yellow": 1}, "the sizes of the step")
    await namespace.until_phase("Paused", "CanaryPauseStep")

    await namespace.edit({"spec": {"replicas": 0}})
    await namespace.until(lambda: namespace.sizes == {}, "no pods any more")
    await namespace.edit_status({"promoteFull": True})
    await namespace.until_phase("Healthy")
    assert namespace.status["stableRS"] == namespace.status["currentPodHash"]
    await namespace.until_rest()
    assert namespace.sizes == {}


async def test_rollout_deleted_in_mid_update_takes_its_pods_and_gives_its_services_back(
    namespace: Namespace, controller: Recording
) -> None:
    await namespace.create(service(STABLE), service(CANARY), resource=SERVICES)
    await updating(namespace, **WITH_SERVICES)

    await namespace.client.delete(ROLLOUTS, namespace.name, SHOP)

    await namespace.until(lambda: not namespace.replica_sets, "both ReplicaSets go")
    await namespace.until(
        lambda: not namespace.service_hash(STABLE) and not namespace.service_hash(CANARY), "both Services are unpinned"
    )
    assert all(not item["metadata"].get("annotations") for item in namespace.services)
