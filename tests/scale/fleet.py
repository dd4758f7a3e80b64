"""Many small Rollouts in one namespace, each with its Services and its Ingress, and watches that see them change."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sluicegate.api.resources import INGRESSES, NODES, ROLLOUTS, SERVICES, Resource
from sluicegate.kube.client import Client
from sluicegate.testing.recording import PREFIX

Manifest = dict[str, Any]

NAMESPACE = "default"
WEIGHTS = (20, 40, 60, 80)
AT_ONCE = {"play.sluicegate.dev/ready-after": "0s"}
AT_A_TIME = 32
"""How many objects are created at a time; patches go out all at once."""


@dataclass
class Standing:
    """What the watches have shown of a Rollout last.

    `settled`: the status is of its newest spec, also if the watch has not shown that one yet; `weighed_at` is when its
    Ingress got this weight.
    """

    phase: str = ""
    step: int | None = None
    observed: int = 0
    generation: int = 0
    weight: str = ""
    weighed_at: float = 0.0

    @property
    def settled(self) -> bool:
        return self.observed >= self.generation


class _Metadata(msgspec.Struct, rename="camel"):
    name: str = ""
    resource_version: str = ""
    annotations: dict[str, str] = {}


class _Status(msgspec.Struct, rename="camel"):
    phase: str = ""
    current_step_index: int | None = None
    observed_generation: str = ""


class _Watched(msgspec.Struct):
    metadata: _Metadata
    status: _Status = msgspec.field(default_factory=_Status)


@dataclass
class _Waiting:
    """Those of some Rollouts that do not stand yet as they should."""

    missing: set[str]
    holds: Callable[[Standing], bool]
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def look(self, name: str, standing: Standing) -> None:
        if name in self.missing and self.holds(standing):
            self.missing.discard(name)
            if not self.missing:
                self.done.set()


class Fleet:
    """The Rollouts by name, as the watches show them."""

    def __init__(self, client: Client, node: str) -> None:
        self._client = client
        self._node = node
        self._waiting: list[_Waiting] = []
        self.standings: dict[str, Standing] = {}

    async def grow(self, count: int) -> list[str]:
        """Create so many Rollouts more, of revision `v1`, and return their names."""
        names = [f"shop-{number:04}" for number in range(len(self.standings), len(self.standings) + count)]
        self.standings.update((name, Standing()) for name in names)
        slots = asyncio.Semaphore(AT_A_TIME)

        async def create(name: str) -> None:
            async with slots:
                for service in (f"{name}-stable", f"{name}-canary"):
                    await self._client.create(SERVICES, NAMESPACE, _service(service, name))
                await self._client.create(INGRESSES, NAMESPACE, _ingress(name))
                await self._client.create(ROLLOUTS, NAMESPACE, _rollout(name, self._pod("v1")))

        await asyncio.gather(*map(create, names))
        return names

    async def set_image(self, names: Iterable[str], tag: str) -> None:
        """Give Rollouts another version, all at once."""
        await self._all(names, lambda name: self._edit(name, {"template": {"spec": self._pod(tag)}}))

    async def set_steps(self, names: Iterable[str], steps: Sequence[Manifest]) -> None:
        """Give Rollouts other steps, all at once."""
        await self._all(names, lambda name: self._edit(name, {"strategy": {"canary": {"steps": list(steps)}}}))

    async def promote(self, names: Iterable[str]) -> None:
        """End the pause of Rollouts as `promote` does, all at once."""
        await self._all(names, lambda name: self._edit_status(name, {"pauseConditions": None}))

    async def promote_fully(self, names: Iterable[str]) -> None:
        """What `promote --full` sends, all at once."""
        await self._all(names, lambda name: self._edit_status(name, {"promoteFull": True}))

    async def until(self, names: Iterable[str], holds: Callable[[Standing], bool], seconds: float = 300) -> None:
        """Wait until each of these Rollouts has stood so once. Raises TimeoutError with some that have not."""
        waiting = _Waiting({name for name in names if not holds(self.standings[name])}, holds)
        if not waiting.missing:
            return
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(seconds):
                await waiting.done.wait()
        except TimeoutError:
            shown = ", ".join(f"{name} {self.standings[name]}" for name in sorted(waiting.missing)[:3])
            raise TimeoutError(f"{len(waiting.missing)} Rollouts are not there within {seconds:g} s: {shown}") from None
        finally:
            self._waiting.remove(waiting)

    async def watch(self, resource: Resource, see: Callable[[_Watched], None]) -> None:
        """Follow one kind from now on."""
        pages = [page async for page in self._client.pages(resource, NAMESPACE, limit=1)]
        version = pages[-1].resource_version
        while True:
            async with aclosing(self._client.watch(resource, NAMESPACE, resource_version=version)) as events:
                async for event in events:
                    seen = msgspec.json.decode(event.object, type=_Watched)
                    version = seen.metadata.resource_version
                    if event.type != "BOOKMARK":
                        see(seen)

    def see_rollout(self, seen: _Watched) -> None:
        """Take what the watch of Rollouts shows."""
        standing = self.standings[seen.metadata.name]
        standing.phase, standing.step = seen.status.phase, seen.status.current_step_index
        standing.observed = int(seen.status.observed_generation or 0)
        self._look(seen.metadata.name)

    def see_ingress(self, seen: _Watched) -> None:
        """Take what the watch of Ingresses shows."""
        standing, weight = self.standings[seen.metadata.name], seen.metadata.annotations.get(f"{PREFIX}weight", "")
        if weight != standing.weight:
            standing.weight, standing.weighed_at = weight, time.perf_counter()
        self._look(seen.metadata.name)

    def _look(self, name: str) -> None:
        for waiting in self._waiting:
            waiting.look(name, self.standings[name])

    def _pod(self, tag: str) -> Manifest:
        # Bound to its node from the start: the scheduler binds no more than 50 pods a second.
        return {"nodeName": self._node, "containers": [{"name": "shop", "image": f"shop:{tag}"}]}

    async def _all(self, names: Iterable[str], send: Callable[[str], Awaitable[None]]) -> None:
        await asyncio.gather(*map(send, names))

    async def _edit(self, name: str, spec: Manifest) -> None:
        answer = await self._client.patch(ROLLOUTS, NAMESPACE, name, {"spec": spec})
        self.standings[name].generation = answer["metadata"]["generation"]

    async def _edit_status(self, name: str, status: Manifest) -> None:
        await self._client.patch(ROLLOUTS, NAMESPACE, name, {"status": status}, subresource="status")


@asynccontextmanager
async def watched_fleet(client: Client) -> AsyncIterator[Fleet]:
    """A fleet of no Rollouts yet, in a namespace where there are none."""
    (node,) = await client.list(NODES)
    fleet = Fleet(client, node["metadata"]["name"])
    watches = [
        asyncio.create_task(fleet.watch(ROLLOUTS, fleet.see_rollout)),
        asyncio.create_task(fleet.watch(INGRESSES, fleet.see_ingress)),
    ]
    try:
        yield fleet
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)


def with_pauses() -> list[Manifest]:
    """The weights, each followed by a pause without end."""
    steps: list[list[Manifest]] = [[{"setWeight": weight}, {"pause": {}}] for weight in WEIGHTS]
    return [step for pair in steps for step in pair]


def without_pauses() -> list[Manifest]:
    """The weights, one right after the other."""
    return [{"setWeight": weight} for weight in WEIGHTS]


def healthy(standing: Standing) -> bool:
    """Whether all is done."""
    return standing.settled and standing.phase == "Healthy"


def paused_at(weight: int) -> Callable[[Standing], bool]:
    """Whether a Rollout is in the pause that follows this weight."""
    step = 2 * WEIGHTS.index(weight) + 1
    return lambda standing: (standing.settled, standing.phase, standing.step) == (True, "Paused", step)


def weighs(weight: int) -> Callable[[Standing], bool]:
    """Whether the router has set this weight."""
    return lambda standing: standing.weight == str(weight)


def _rollout(name: str, pod: Manifest) -> Manifest:
    template = {"metadata": {"labels": {"app": name}, "annotations": AT_ONCE}, "spec": pod}
    canary = {
        "canaryService": f"{name}-canary",
        "stableService": f"{name}-stable",
        "trafficRouting": {"plugins": {"sluicegate/recording": {"ingress": name}}},
        "steps": with_pauses(),
    }
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": name}},
        "template": template,
        "strategy": {"canary": canary},
    }
    return {"apiVersion": ROLLOUTS.api_version, "kind": "Rollout", "metadata": {"name": name}, "spec": spec}


def _service(name: str, app: str) -> Manifest:
    spec = {"selector": {"app": app}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _ingress(name: str) -> Manifest:
    backend = {"service": {"name": f"{name}-stable", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    spec = {"rules": [{"host": f"{name}.example.com", "http": {"paths": [path]}}]}
    return {"apiVersion": INGRESSES.api_version, "kind": "Ingress", "metadata": {"name": name}, "spec": spec}
