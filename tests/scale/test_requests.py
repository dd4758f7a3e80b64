"""How many requests the controller sends: counts, so that they hold on any machine."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from sluicegate.api.crds import crds
from sluicegate.api.resources import ROLLOUTS
from sluicegate.controller.manager import Manager, Settings
from sluicegate.controller.rollouts import Result
from sluicegate.errors import Conflict
from sluicegate.kube.client import Client
from sluicegate.local.cluster import LocalCluster
from sluicegate.local.objects import Key, Object
from sluicegate.local.workloads.played import Delays
from sluicegate.plugins.loading import load_plugins

EXAMPLE = Path(__file__).parents[2] / "examples" / "01-canary" / "rollout.yaml"
ROLLOUT = Key(ROLLOUTS.group, ROLLOUTS.plural, "default", "canary-demo")
WRITES_AT_MOST = 60
DEADLINE = 60.0
LOOKS, LOOK_SECONDS = 1000, 0.01


class Counter:
    """The requests that reach the API server, in order; only the controller sends any in these tests."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []

    def __call__(self, request: web.BaseRequest) -> None:
        self.requests.append((request.method, request.path))

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(verb, path) for verb, path in self.requests if verb != "GET" and "/events" not in path]


@pytest.fixture
def manifest() -> Object:
    """The example's Rollout; its pauses are shortened, which changes no number of requests."""
    rollout: Object = next(doc for doc in yaml.safe_load_all(EXAMPLE.read_text()) if doc["kind"] == "Rollout")
    for step in rollout["spec"]["strategy"]["canary"]["steps"]:
        if "duration" in (step.get("pause") or {}):
            step["pause"]["duration"] = 1
    return rollout


@asynccontextmanager
async def controlled_cluster(folder: Path) -> AsyncIterator[tuple[LocalCluster, Manager]]:
    delays = Delays(ready=0.2, gone=0.05)
    async with (
        LocalCluster(port=0, pods="played", crds=crds(), delays=delays, kubeconfig=folder / "kubeconfig") as cluster,
        await Client.connect(kubeconfig=cluster.kubeconfig) as client,
        asyncio.TaskGroup() as tasks,
    ):
        manager = Manager(client, load_plugins(), Settings())
        controller = tasks.create_task(manager.run())
        yield cluster, manager
        controller.cancel()


async def becomes(cluster: LocalCluster, expected: Callable[[Object], bool]) -> Object:
    """Wait for the Rollout to be as expected, by watching the store."""
    async with asyncio.timeout(DEADLINE):
        changes = cluster.store.subscribe(ROLLOUT.kind)
        try:
            while not expected(rollout := cluster.store.get(ROLLOUT)):
                await anext(changes)
        finally:
            changes.close()
    return rollout


def phase(wanted: str, image: str) -> Callable[[Object], bool]:
    def holds(rollout: Object) -> bool:
        template = rollout["spec"]["template"]["spec"]["containers"][0]
        status = rollout.get("status", {})
        observed = status.get("observedGeneration") == str(rollout["metadata"]["generation"])
        return bool(observed and status.get("phase") == wanted and template["image"].endswith(image))

    return holds


def set_image(colour: str) -> Callable[[Object], Object]:
    def change(rollout: Object) -> Object:
        rollout["spec"]["template"]["spec"]["containers"][0]["image"] = f"argoproj/rollouts-demo:{colour}"
        return rollout

    return change


def resume(rollout: Object) -> Object:
    rollout["status"].pop("pauseConditions", None)
    return rollout


async def test_one_update_of_the_canary_sends_at_most_60_writing_requests(manifest: Object, tmp_path: Path) -> None:
    """Events are not counted: they are never in the way, and a repeat only raises a count."""
    async with controlled_cluster(tmp_path) as (cluster, _):
        cluster.store.create(ROLLOUT, manifest)
        await becomes(cluster, phase("Healthy", "blue"))
        cluster.api.faults = counter = Counter()
        cluster.store.update(ROLLOUT, set_image("yellow"))
        await becomes(cluster, phase("Paused", "yellow"))
        cluster.store.update(ROLLOUT, resume, subresource="status")
        await becomes(cluster, phase("Healthy", "yellow"))
        print(f"one update: {len(counter.writes)} writing requests, events not counted")
        assert len(counter.writes) <= WRITES_AT_MOST, counter.writes


async def test_a_reconcile_that_changes_nothing_sends_no_request(manifest: Object, tmp_path: Path) -> None:
    """Neither a read nor a write: all that a pass needs is in the caches."""
    async with controlled_cluster(tmp_path) as (cluster, manager):
        cluster.store.create(ROLLOUT, manifest)
        await becomes(cluster, phase("Healthy", "blue"))
        cluster.api.faults = counter = Counter()
        for _ in range(LOOKS):  # the controller's own workers may still be at it
            if await pass_over(manager) == Result():
                break
            await asyncio.sleep(LOOK_SECONDS)
        counter.requests.clear()
        assert await pass_over(manager) == Result()
        assert counter.requests == []


async def pass_over(manager: Manager) -> Result | None:
    """One pass over the Rollout; None if it met a newer object."""
    with suppress(Conflict):
        return await manager.reconciler.reconcile((ROLLOUT.namespace, ROLLOUT.name))
    return None
