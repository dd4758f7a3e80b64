"""A controller that is killed at any point between two writes, and started again: the same end as without."""

import asyncio
import itertools
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.clusters.cluster import Cluster
from tests.clusters.controllers import Recording, running_controller
from tests.clusters.namespace import Namespace, open_namespace, shop
from tests.clusters.wire import Sent, Wire
from tests.traces.comparison import differences, observed_state

STEPS: list[dict[str, Any]] = [{"setWeight": 40}, {"pause": {"duration": 1}}, {"setWeight": 80}]


class Killer:
    """Runs one controller after another, each for one write, two or three; `of` are the requests to count."""

    def __init__(self, wire: Wire, of: list[Sent], kubeconfig: Path, namespace: Namespace) -> None:
        self._wire = wire
        self._of = of
        self._kubeconfig = kubeconfig
        self._namespace = namespace
        self.killed = 0

    async def update(self) -> None:
        """Roll the first version out, then the second."""
        await self._namespace.create(shop(steps=STEPS))
        await self._run_until("blue")
        await self._namespace.set_image("yellow")
        await self._run_until("yellow")

    async def _run_until(self, tag: str) -> None:
        for writes in itertools.cycle((1, 2, 3)):
            if is_healthy(self._namespace, tag):
                return
            async with running_controller(self._kubeconfig, self._namespace.name, Recording()):
                wanted = self._count() + writes
                await first_of(
                    self._wire.until(lambda wanted=wanted: self._count() >= wanted),  # type: ignore[misc]
                    self._namespace.until(lambda: is_healthy(self._namespace, tag), f"{tag} is healthy"),
                )
            self.killed += 1

    def _count(self) -> int:
        return sum(sent.writes for sent in self._of)


@pytest.mark.parametrize("killed_when", ["sent", "answered"])
async def test_same_end_however_often_it_is_killed(
    killed_when: str, cluster: Cluster, namespace: Namespace, wire: Wire, controller_kubeconfig: Path
) -> None:
    killer = Killer(wire, getattr(wire, killed_when), controller_kubeconfig, namespace)

    async with open_namespace(cluster, f"{namespace.name}-undisturbed") as undisturbed:
        await asyncio.gather(killer.update(), update_undisturbed(cluster, undisturbed))
        async with running_controller(controller_kubeconfig, namespace.name, Recording()):
            await namespace.until_rest()
        assert differences(state(undisturbed), state(namespace)) == []
    assert killer.killed > 10


async def update_undisturbed(cluster: Cluster, namespace: Namespace) -> None:
    """The same with one controller from the beginning to the end."""
    async with running_controller(cluster.controller_kubeconfig, namespace.name, Recording()):
        await namespace.create(shop(steps=STEPS))
        await namespace.until(lambda: is_healthy(namespace, "blue"), "the first version is out")
        await namespace.set_image("yellow")
        await namespace.until(lambda: is_healthy(namespace, "yellow"), "the second version is out")
        await namespace.until_rest()


def state(namespace: Namespace) -> dict[str, Any]:
    return observed_state(namespace.rollout, namespace.replica_sets)


def is_healthy(namespace: Namespace, tag: str) -> bool:
    return namespace.settled and namespace.status["phase"] == "Healthy" and namespace.sizes == {tag: 5}


async def first_of(*waits: Coroutine[Any, Any, None]) -> None:
    """Return when the first of them does, and end the others."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
