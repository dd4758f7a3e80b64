"""A workloadRef that lends nothing: told of with the incumbent's words, nothing scaled, and taken up once it does."""

from typing import Any

from tests.clusters.controllers import Recording
from tests.clusters.namespace import SHOP, Namespace, image, shop, tag_of

from sluicegate.api.resources import DEPLOYMENTS

LENDER = "shop-deployment"
STEPS: list[dict[str, Any]] = [{"setWeight": 20}, {"pause": {}}]


def borrowing(kind: str = "Deployment", **members: Any) -> dict[str, Any]:
    """The Rollout `shop` with the template of a workload, which is never scaled."""
    manifest = shop(replicas=5, steps=STEPS)
    del manifest["spec"]["template"], manifest["spec"]["selector"]
    manifest["spec"]["workloadRef"] = {"apiVersion": "apps/v1", "kind": kind, "name": LENDER, **members}
    return manifest


def deployment(tag: str = "blue") -> dict[str, Any]:
    """A Deployment of no pods that lends its template."""
    template = {
        "metadata": {"labels": {"app": SHOP}},
        "spec": {"containers": [{"name": "shop", "image": image(tag)}]},
    }
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": SHOP}}, "template": template}
    return {"metadata": {"name": LENDER}, "spec": spec}


def sizes(namespace: Namespace) -> dict[str, int]:
    """The sizes of the Rollout's own ReplicaSets that want pods, by the tag of the image."""
    own = [item for item in namespace.replica_sets if item["metadata"]["ownerReferences"][0]["kind"] == "Rollout"]
    return {tag_of(item): size for item in own if (size := item["spec"]["replicas"])}


async def refused(namespace: Namespace, error: str, runs: dict[str, int] | None = None) -> None:
    """The error is told of, and what runs is this and stays."""
    await namespace.until_phase("Degraded", f'InvalidSpec: The Rollout "shop" is invalid: {error}')
    await namespace.until_rest()
    assert sizes(namespace) == (runs or {})


def not_found(namespace: Namespace) -> str:
    return f'deployments.apps "{namespace.name}/{LENDER}" not found'


async def test_reference_to_nothing_is_told_of_until_the_deployment_is_there(
    namespace: Namespace, controller: Recording
) -> None:
    await namespace.create(borrowing())
    await refused(namespace, not_found(namespace))

    await namespace.create(deployment(), resource=DEPLOYMENTS)

    await namespace.until_phase("Healthy")
    assert sizes(namespace) == {"blue": 5}
    assert namespace.condition("InvalidSpec") == {}


async def test_reference_to_a_kind_that_is_not_allowed_is_told_of_until_it_is_mended(
    namespace: Namespace, controller: Recording
) -> None:
    await namespace.create(deployment(), resource=DEPLOYMENTS)
    await namespace.create(borrowing(kind="StatefulSet"))
    await refused(namespace, "workload of type apps/StatefulSet is not supported")

    await namespace.edit({"spec": {"workloadRef": {"kind": "Deployment"}}})

    await namespace.until_phase("Healthy")
    assert sizes(namespace) == {"blue": 5}


async def test_deployment_that_goes_in_mid_update_stops_it_until_it_is_back(
    namespace: Namespace, controller: Recording
) -> None:
    await namespace.create(deployment(), resource=DEPLOYMENTS)
    await namespace.create(borrowing())
    await namespace.until_phase("Healthy")
    await namespace.client.patch(DEPLOYMENTS, namespace.name, LENDER, deployment("yellow"))
    await namespace.until(lambda: sizes(namespace) == {"blue": 4, "yellow": 1}, "the first step")
    await namespace.until_phase("Paused", "CanaryPauseStep")

    await namespace.client.delete(DEPLOYMENTS, namespace.name, LENDER)
    await refused(namespace, not_found(namespace), {"blue": 4, "yellow": 1})

    await namespace.create(deployment("yellow"), resource=DEPLOYMENTS)
    await namespace.until_phase("Paused", "CanaryPauseStep")
    assert sizes(namespace) == {"blue": 4, "yellow": 1}
    await namespace.edit_status({"pauseConditions": None})
    await namespace.until_phase("Healthy")
    assert sizes(namespace) == {"yellow": 5}


async def test_template_beside_the_reference_is_refused_and_what_runs_stays(
    namespace: Namespace, controller: Recording
) -> None:
    await namespace.create(deployment(), resource=DEPLOYMENTS)
    await namespace.create(borrowing())
    await namespace.until_phase("Healthy")

    await namespace.edit({"spec": {"replicas": 3, "template": deployment("red")["spec"]["template"]}})
    await refused(namespace, "template must be empty for workload reference rollout", {"blue": 5})

    await namespace.edit({"spec": {"template": None}})
    await namespace.until_phase("Healthy")
    assert sizes(namespace) == {"blue": 3}
