"""A namespace of a test's own: what the test does in it, and what it sees there, watched from the first moment on.

Every version of its Rollouts, and of the objects that these move, is kept in the order in which the API showed them, so
that a test waits for a change instead of asking for it, and can tell afterwards what happened on the way.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, NamedTuple

import msgspec
import pytest

from sluicegate.api.resources import DEPLOYMENTS, INGRESSES, NAMESPACES, REPLICA_SETS, ROLLOUTS, SERVICES, Resource
from sluicegate.kube.client import Client

from .cluster import Cluster

Manifest = dict[str, Any]

WATCHED = (ROLLOUTS, REPLICA_SETS, SERVICES, DEPLOYMENTS, INGRESSES)

REST_SECONDS = 3.5
"""Nothing written for so long means rest; the timed pauses of the tests are 3 s or more than 9 s."""

SHOP = "shop"
"""The Rollout of most tests."""


class Seen(NamedTuple):
    """A line of a watch: ADDED, MODIFIED or DELETED, and the object as it then was."""

    plural: str
    type: str
    object: Manifest


class Namespace:
    """What there is in one namespace, and the ways to change it; `client` reaches the API directly.

    Attributes: `seen` (every version of every Rollout, ReplicaSet, Service and Deployment, in the order of its kind's
    watch).
    """

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name
        self.seen: list[Seen] = []
        self._objects: dict[str, dict[str, Manifest]] = {resource.plural: {} for resource in WATCHED}
        self._changed = asyncio.Condition()
        self._watches: list[asyncio.Task[None]] = []

    # What there is.

    def find_rollout(self, name: str = SHOP) -> Manifest | None:
        """A Rollout as last seen."""
        return self._objects[ROLLOUTS.plural].get(name)

    @property
    def rollout(self) -> Manifest:
        """The Rollout `shop` as last seen. Raises LookupError while there is none."""
        return self._objects[ROLLOUTS.plural][SHOP]

    @property
    def status(self) -> Manifest:
        """The status of the Rollout `shop`, empty before it has one."""
        rollout = self.find_rollout()
        return rollout.get("status", {}) if rollout else {}

    @property
    def settled(self) -> bool:
        """Whether the controller has seen the newest spec of `shop`."""
        rollout = self.find_rollout() or {"metadata": {"generation": -1}}
        return str(rollout["metadata"]["generation"]) == self.status.get("observedGeneration")

    @property
    def replica_sets(self) -> list[Manifest]:
        """All ReplicaSets as last seen, oldest first."""
        found = self._objects[REPLICA_SETS.plural].values()
        return sorted(found, key=lambda item: (item["metadata"]["creationTimestamp"], item["metadata"]["name"]))

    @property
    def services(self) -> list[Manifest]:
        """All Services as last seen."""
        return list(self._objects[SERVICES.plural].values())

    @property
    def deployments(self) -> list[Manifest]:
        """All Deployments as last seen."""
        return list(self._objects[DEPLOYMENTS.plural].values())

    @property
    def sizes(self) -> dict[str, int]:
        """How many pods each ReplicaSet wants that wants any, by the tag of its image."""
        sizes = {tag_of(item): item["spec"]["replicas"] for item in self.replica_sets}
        return {tag: size for tag, size in sizes.items() if size}

    def condition(self, type: str) -> Manifest:
        """A condition of `shop`, empty if there is none of that type."""
        return next((item for item in self.status.get("conditions", ()) if item["type"] == type), {})

    def service_hash(self, name: str) -> str:
        """The pod template hash that a Service selects; empty while it selects none."""
        selector = self._objects[SERVICES.plural].get(name, {}).get("spec", {}).get("selector", {})
        return str(selector.get("rollouts-pod-template-hash", ""))

    def routed(self, name: str) -> dict[str, str]:
        """What the recording router has written to an Ingress, by the annotation's name without its prefix."""
        annotations = self._objects[INGRESSES.plural].get(name, {}).get("metadata", {}).get("annotations", {})
        prefix = "recording.sluicegate.dev/"
        return {key.removeprefix(prefix): value for key, value in annotations.items() if key.startswith(prefix)}

    # What to do with it.

    async def create(self, *manifests: Mapping[str, Any], resource: Resource = ROLLOUTS) -> None:
        """Create objects of one kind."""
        for manifest in manifests:
            await self.client.create(resource, self.name, dict(manifest))

    async def edit(self, patch: Manifest) -> None:
        """Merge a patch into the Rollout `shop`."""
        await self.client.patch(ROLLOUTS, self.name, SHOP, patch)

    async def edit_status(self, patch: Manifest) -> None:
        """Merge a patch into the status of `shop`, as the verbs of the command line do."""
        await self.client.patch(ROLLOUTS, self.name, SHOP, {"status": patch}, subresource="status")

    async def annotate_replica_set(self, name: str, annotations: Mapping[str, str]) -> None:
        """Put annotations on a ReplicaSet."""
        await self.client.patch(REPLICA_SETS, self.name, name, {"metadata": {"annotations": dict(annotations)}})

    async def set_image(self, tag: str) -> None:
        """Give `shop` another version."""
        template = self.rollout["spec"]["template"]["spec"]
        containers = [{**template["containers"][0], "image": image(tag)}]
        await self.edit({"spec": {"template": {"spec": {"containers": containers}}}})

    # Waiting.

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Return as soon as the condition holds; fail the test, with the last state, when it does not in time."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self._check_watches() or condition())
        except TimeoutError:
            pytest.fail(f"not within {seconds:g} s: {what}\n{self.describe()}")

    async def until_phase(self, phase: str, message: str = "", seconds: float = 60) -> None:
        """Wait until `shop` has this phase and message for its newest spec."""
        wanted = (phase, message)

        def reached() -> bool:
            return self.settled and (self.status.get("phase"), self.status.get("message", "")) == wanted

        await self.until(reached, f"{phase} {message!r}", seconds)

    async def until_rest(self, seconds: float = 60) -> None:
        """Wait until nothing is written any more to what is watched."""
        try:
            async with asyncio.timeout(seconds):
                while await self._changes_within(REST_SECONDS):
                    pass
        except TimeoutError:
            pytest.fail(f"no rest within {seconds:g} s\n{self.describe()}")

    async def _changes_within(self, seconds: float) -> bool:
        count = len(self.seen)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self._check_watches() or len(self.seen) > count)
        return len(self.seen) > count

    def describe(self) -> str:
        """The state for a person to read."""
        lines = [json.dumps(self.status, indent=1)]
        for item in self.replica_sets:
            status = {key: value for key, value in item.get("status", {}).items() if isinstance(value, int)}
            lines.append(f"{item['metadata']['name']} {tag_of(item)} wants {item['spec']['replicas']}: {status}")
        return "\n".join(lines)

    # The watches.

    async def start(self) -> None:
        """List, then watch from there in the background."""
        for resource in WATCHED:
            pages = [page async for page in self.client.pages(resource, self.name)]
            watch = self._watch(resource, pages[-1].resource_version)
            self._watches.append(asyncio.create_task(watch, name=f"watch {resource.plural}"))

    async def stop(self) -> None:
        """End the watches."""
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)

    async def _watch(self, resource: Resource, version: str) -> None:
        while True:
            lines = self.client.watch(resource, self.name, resource_version=version)
            async with aclosing(lines):
                async for line in lines:
                    found = msgspec.json.decode(line.object, type=Manifest)
                    version = found["metadata"]["resourceVersion"]
                    if line.type != "BOOKMARK":
                        await self._see(Seen(resource.plural, line.type, found))

    async def _see(self, seen: Seen) -> None:
        objects, name = self._objects[seen.plural], seen.object["metadata"]["name"]
        async with self._changed:
            self.seen.append(seen)
            if seen.type == "DELETED":
                objects.pop(name, None)
            else:
                objects[name] = seen.object
            self._changed.notify_all()

    def _check_watches(self) -> bool:
        """Raise what ended a watch; never true, so that a condition can follow."""
        for watch in self._watches:
            if watch.done():
                watch.result()
        return False


@asynccontextmanager
async def open_namespace(cluster: Cluster, name: str) -> AsyncIterator[Namespace]:
    """Create a namespace, watch it, and delete it at the end without waiting for all in it to be gone."""
    async with await Client.connect(kubeconfig=cluster.kubeconfig) as client:
        await client.create(NAMESPACES, None, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        try:
            async with existing_namespace(cluster, name) as namespace:
                yield namespace
        finally:
            await client.delete(NAMESPACES, None, name)


@asynccontextmanager
async def existing_namespace(cluster: Cluster, name: str) -> AsyncIterator[Namespace]:
    """Watch a namespace that is there, and that stays."""
    async with await Client.connect(kubeconfig=cluster.kubeconfig) as client:
        namespace = Namespace(client, name)
        try:
            await namespace.start()
            yield namespace
        finally:
            await namespace.stop()


def image(tag: str) -> str:
    """An image that every cluster can run: played, run by the embedded cluster, or pulled by a given one."""
    return f"argoproj/rollouts-demo:{tag}"


def tag_of(replica_set: Manifest) -> str:
    """The tag of the image that a ReplicaSet runs."""
    containers = replica_set["spec"]["template"]["spec"]["containers"]
    return str(containers[0]["image"].rpartition(":")[2])


def shop(
    *, steps: list[Manifest] | None = None, replicas: int | None = 5, tag: str = "blue", **canary: Any
) -> Manifest:
    """The manifest of a canary Rollout `shop`; `canary` are further members of its strategy."""
    strategy = {**canary} if steps is None else {**canary, "steps": steps}
    spec: Manifest = {
        "selector": {"matchLabels": {"app": SHOP}},
        "template": {
            "metadata": {"labels": {"app": SHOP}},
            "spec": {"containers": [{"name": "shop", "image": image(tag)}]},
        },
        "strategy": {"canary": strategy},
    }
    sized = spec if replicas is None else {"replicas": replicas, **spec}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": SHOP}, "spec": sized}
