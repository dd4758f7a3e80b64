"""How many requests the controller sends: counts, so that they hold on any machine."""

import asyncio
from contextlib import suppress
from pathlib import Path

from aiohttp import web
from tests.scale.canary import ROLLOUT, example_canary

from sluicegate.controller.manager import Manager
from sluicegate.controller.rollouts import Result
from sluicegate.errors import Conflict

WRITES_AT_MOST = 60
LOOKS, LOOK_SECONDS = 1000, 0.01


class Counter:
    """The requests that reach the API server, in order; only the controller sends any while it counts."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []

    def __call__(self, request: web.BaseRequest) -> None:
        self.requests.append((request.method, request.path))

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(verb, path) for verb, path in self.requests if verb != "GET" and "/events" not in path]


async def test_one_update_of_the_canary_sends_at_most_60_writing_requests(tmp_path: Path) -> None:
    """Events are not counted: they are never in the way, and a repeat only raises a count."""
    async with example_canary(tmp_path, "played") as canary:
        canary.cluster.api.faults = counter = Counter()
        canary.set_image("yellow")
        await canary.becomes("Paused", "yellow")
        canary.promote()
        await canary.becomes("Healthy", "yellow")
        print(f"one update: {len(counter.writes)} writing requests, events not counted")
        assert len(counter.writes) <= WRITES_AT_MOST, counter.writes


async def test_a_reconcile_that_changes_nothing_sends_no_request(tmp_path: Path) -> None:
    """Neither a read nor a write: all that a pass needs is in the caches."""
    async with example_canary(tmp_path, "played") as canary:
        canary.cluster.api.faults = counter = Counter()
        for _ in range(LOOKS):  # the controller's own workers may still be at it
            if await pass_over(canary.manager) == Result():
                break
            await asyncio.sleep(LOOK_SECONDS)
        counter.requests.clear()
        assert await pass_over(canary.manager) == Result()
        assert counter.requests == []


async def pass_over(manager: Manager) -> Result | None:
    """One pass over the Rollout; None if it met a newer object."""
    with suppress(Conflict):
        return await manager.reconciler.reconcile((ROLLOUT.namespace, ROLLOUT.name))
    return None
