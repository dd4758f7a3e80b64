"""A plugin that fails: told of on the Rollout, in words that stay, and never in the way of an abort."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.clusters.controllers import Recording
from tests.clusters.namespace import Namespace, shop
from tests.clusters.programs import Shell

from sluicegate.controller.manager import Manager, Settings
from sluicegate.kube.client import Client
from sluicegate.plugins import PodCountRouter, PodCounts
from sluicegate.plugins.registry import LoadedPlugin, PluginRecord, Registry

FAILS = 'InvalidSpec: The Rollout "shop" is invalid: plugin `acme/pods`, split: '
KEEPS_FAILING = f"{FAILS}keeps failing and is called less often: ValueError: no luck"


class Moody(PodCountRouter):
    """Fails while it is `broken`; else gives the canary one pod."""

    name = "acme/pods"
    broken = True

    def split(self, weight: int, max_weight: int, replicas: int, max_surge: int) -> PodCounts:
        """One pod, whatever the weight."""
        if self.broken:
            raise ValueError("no luck")
        return PodCounts(canary=1, stable=replicas - 1)


@pytest.fixture
async def router(namespace: Namespace, controller_kubeconfig: Path) -> AsyncIterator[Moody]:
    """The one router of a controller that runs in the namespace."""
    moody = Moody()
    record = PluginRecord(name="pods", distribution="acme-pods", version="1")
    async with await Client.connect(kubeconfig=controller_kubeconfig) as client:
        registry = Registry([LoadedPlugin(record, (moody,))])
        manager = Manager(client, registry, Settings(namespace=namespace.name), recorder=Recording())
        running = asyncio.create_task(manager.run())
        yield moody
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_it_is_told_of_and_an_abort_gets_through(namespace: Namespace, router: Moody, shell: Shell) -> None:
    await namespace.create(shop(steps=[{"setWeight": 20}, {"pause": {}}]))
    await namespace.until_phase("Healthy")

    await namespace.set_image("yellow")
    await namespace.until_phase("Degraded", KEEPS_FAILING)
    assert namespace.condition("InvalidSpec")["message"] == KEEPS_FAILING.removeprefix("InvalidSpec: ")
    assert (await shell.run("kubectl-argo-rollouts status shop")).stdout == f"Degraded - {KEEPS_FAILING}\n"
    # Tried again meanwhile, with nothing new to say.
    await namespace.until_rest()

    await namespace.edit_status({"abort": True})
    await namespace.until_phase("Degraded", "RolloutAborted: Rollout aborted update to revision 2")
    await namespace.until(lambda: namespace.sizes == {"blue": 5}, "all pods are stable")
    assert namespace.condition("InvalidSpec") == {}


async def test_the_update_goes_on_when_it_has_recovered(namespace: Namespace, router: Moody) -> None:
    await namespace.create(shop(steps=[{"setWeight": 20}, {"pause": {}}]))
    await namespace.until_phase("Healthy")
    await namespace.set_image("yellow")
    await namespace.until_phase("Degraded", KEEPS_FAILING)

    router.broken = False

    await namespace.until_phase("Paused", "CanaryPauseStep")
    assert namespace.sizes == {"blue": 4, "yellow": 1}
    assert namespace.condition("InvalidSpec") == {}
