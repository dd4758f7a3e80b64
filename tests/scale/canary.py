"""The example's canary on an embedded cluster within the test's own process, so that its requests can be counted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from sluicegate.api.crds import crds
from sluicegate.api.resources import ROLLOUTS, SERVICES
from sluicegate.controller.manager import Manager, Settings
from sluicegate.kube.client import Client
from sluicegate.local.cluster import LocalCluster
from sluicegate.local.objects import Key, Object
from sluicegate.local.workloads.played import Delays
from sluicegate.plugins.loading import load_plugins

EXAMPLE = Path(__file__).parents[2] / "examples" / "01-canary" / "rollout.yaml"
ROLLOUT = Key(ROLLOUTS.group, ROLLOUTS.plural, "default", "canary-demo")
SERVICE = Key(SERVICES.group, SERVICES.plural, "default", "canary-demo")
DEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class Canary:
    """The cluster with the example applied, and the controller that serves it."""

    cluster: LocalCluster
    manager: Manager

    @property
    def url(self) -> str:
        """The Service's `/color`, through its NodePort."""
        port = self.cluster.store.get(SERVICE)["spec"]["ports"][0]["nodePort"]
        return f"http://127.0.0.1:{port}/color"

    def set_image(self, colour: str) -> None:
        """What `set image` does."""

        def change(rollout: Object) -> Object:
            rollout["spec"]["template"]["spec"]["containers"][0]["image"] = f"argoproj/rollouts-demo:{colour}"
            return rollout

        self.cluster.store.update(ROLLOUT, change)

    def promote(self) -> None:
        """What `promote` does at a pause."""

        def resume(rollout: Object) -> Object:
            rollout["status"].pop("pauseConditions", None)
            return rollout

        self.cluster.store.update(ROLLOUT, resume, subresource="status")

    async def becomes(self, phase: str, colour: str) -> None:
        """Wait, by watching the store, until the current spec is observed and in this phase."""

        def reached(rollout: Object) -> bool:
            status = rollout.get("status", {})
            image = rollout["spec"]["template"]["spec"]["containers"][0]["image"]
            observed = status.get("observedGeneration") == str(rollout["metadata"]["generation"])
            return bool(observed and status.get("phase") == phase and image.endswith(colour))

        await self._until(reached)

    async def _until(self, reached: Callable[[Object], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            changes = self.cluster.store.subscribe(ROLLOUT.kind)
            try:
                while not reached(self.cluster.store.get(ROLLOUT)):
                    await anext(changes)
            finally:
                changes.close()


@asynccontextmanager
async def example_canary(folder: Path, pods: Literal["played", "running"]) -> AsyncIterator[Canary]:
    """Start everything, apply the example with pauses of 1 s, and wait until blue is up."""
    delays = Delays(ready=0.2, gone=0.05)
    async with (
        LocalCluster(port=0, pods=pods, crds=crds(), delays=delays, kubeconfig=folder / "kubeconfig") as cluster,
        await Client.connect(kubeconfig=cluster.kubeconfig) as client,
        asyncio.TaskGroup() as tasks,
    ):
        manager = Manager(client, load_plugins(), Settings())
        controller = tasks.create_task(manager.run())
        canary = Canary(cluster, manager)
        for manifest in yaml.safe_load_all(EXAMPLE.read_text()):
            resource = ROLLOUTS if manifest["kind"] == "Rollout" else SERVICES
            await client.create(resource, "default", _hastened(manifest))
        await canary.becomes("Healthy", "blue")
        yield canary
        controller.cancel()


def _hastened(manifest: Object) -> Object:
    for step in manifest["spec"].get("strategy", {}).get("canary", {}).get("steps", ()):
        if "duration" in (step.get("pause") or {}):
            step["pause"]["duration"] = 1
    return manifest
