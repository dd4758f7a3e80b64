"""A Rollout that gets an instance id belongs to another controller: left alone, and nothing of it is kept."""

import asyncio
from contextlib import suppress
from pathlib import Path

from tests.clusters.controllers import Recording, running_controller
from tests.clusters.eventually import eventually
from tests.clusters.namespace import SHOP, Namespace, shop
from tests.clusters.wire import Wire

from sluicegate.api.names import INSTANCE_ID_LABEL
from sluicegate.api.resources import ROLLOUTS
from sluicegate.controller.manager import Manager, Settings
from sluicegate.kube.client import Client
from sluicegate.plugins.loading import load_plugins


async def test_rollout_that_is_handed_over_is_forgotten(
    namespace: Namespace, controller_kubeconfig: Path, wire: Wire
) -> None:
    """One without ReplicaSets, whose own going would make the controller look: its spec is invalid."""
    manifest = shop(steps=[{"setWeight": 101}])
    async with await Client.connect(kubeconfig=controller_kubeconfig) as client:
        manager = Manager(client, load_plugins(), Settings(namespace=namespace.name), recorder=Recording())
        running = asyncio.create_task(manager.run())
        await namespace.create(manifest)
        await eventually(lambda: kept_of(manager, namespace), bool, "the controller has looked at it")

        await namespace.edit({"metadata": {"labels": {INSTANCE_ID_LABEL: "theirs"}}})
        await namespace.client.delete(ROLLOUTS, namespace.name, SHOP)

        await eventually(lambda: kept_of(manager, namespace), lambda kept: not kept, "nothing is kept of it", seconds=5)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_controllers_share_rollouts_out_by_instance_id(
    namespace: Namespace, controller_kubeconfig: Path, controller: Recording
) -> None:
    ours, theirs = shop(), shop()
    theirs["metadata"] = {"name": "shop-b", "labels": {INSTANCE_ID_LABEL: "b"}}
    theirs["spec"]["selector"]["matchLabels"] = theirs["spec"]["template"]["metadata"]["labels"] = {"app": "shop-b"}
    await namespace.create(theirs, ours)
    await namespace.until_phase("Healthy")
    assert "status" not in (namespace.find_rollout("shop-b") or {})

    async with running_controller(controller_kubeconfig, namespace.name, Recording(), instance_id="b"):
        await namespace.until(
            lambda: (namespace.find_rollout("shop-b") or {}).get("status", {}).get("phase") == "Healthy",
            "the controller of that id brings it up",
        )
    assert controller.reasons().count("NewReplicaSetCreated") == 1


async def kept_of(manager: Manager, namespace: Namespace) -> list[str]:
    """The names of all that the reconciler keeps by Rollout and that has an entry of `shop`."""
    kept = vars(manager.reconciler).items()
    return [name for name, entries in kept if isinstance(entries, dict) and (namespace.name, SHOP) in entries]
