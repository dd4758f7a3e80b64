"""The story that the demo tells: a version runs, and its successor takes over step by step while requests come in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from sluicegate.api.resources import PODS, REPLICA_SETS, ROLLOUTS, SERVICES
from sluicegate.cli.demo.load import REQUESTS_PER_SECOND, Load, wait_answered
from sluicegate.cli.failure import CommandError
from sluicegate.cli.feed import Feed, Query
from sluicegate.cli.interrupt import Wakeup
from sluicegate.cli.promote import promote, promote_once
from sluicegate.cli.set import change_image
from sluicegate.cli.views.fields import items, name_of, number, text
from sluicegate.cli.views.phase import client_phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from sluicegate.cli.demo.audience import Audience
    from sluicegate.cli.demo.example import Example, Stop
    from sluicegate.cli.demo.ledger import Ledger
    from sluicegate.cli.settings import Scope
    from sluicegate.cli.views.fields import Object

ANSWERS_BEFORE: Final = 500
ANSWERS_TO_PROMOTE: Final = 1_000
ANSWERS_AT_THE_END: Final = 500
REQUESTS_IN_ALL: Final = 5_000
MOST_SECONDS: Final = 60.0
_HOPELESS: Final = ("Degraded", "Error", "InvalidSpec")


class Story:
    """A run of the example on an empty cluster. Its `play` raises CommandError when the update does not go its way."""

    def __init__(self, scope: Scope, example: Example, ledger: Ledger, audience: Audience) -> None:
        self._scope = scope
        self._example = example
        self._ledger = ledger
        self._audience = audience
        self._changed = Wakeup()
        self.url = ""
        self._feed = Feed(scope, _queries(example), lambda changed: self._changed.notify())

    async def play(self) -> None:
        """Tell it from beginning to end; what was measured is in the ledger then, and where in `url`."""
        await self._apply()
        async with self._feed.running():
            self._audience.see(self._feed.snapshot)
            await self._until(self._healthy, "the first version was not Healthy")
            self.url = await self._service_url()
            self._audience.hear(f"Healthy. Sending {REQUESTS_PER_SECOND} requests a second to {self.url}")
            async with self._load().running():
                await self._measured(ANSWERS_BEFORE)
                await self._update()
                await self._finish()

    async def _apply(self) -> None:
        for resource, manifest in self._example.objects:
            await self._scope.client.create(resource, self._scope.namespace, manifest)
        name, replicas, image = self._example.name, self._example.replicas, self._example.old.image
        self._audience.hear(f"Applied Rollout and Service {name}: {replicas} pods of {image}")

    async def _service_url(self) -> str:
        """Where the Service answers, once it does."""
        service = await self._scope.client.get(SERVICES, self._scope.namespace, name_of(self._example.service))
        url = f"http://127.0.0.1:{number(items(service, 'spec', 'ports')[0], 'nodePort')}/color"
        await wait_answered(url)
        return url

    def _load(self) -> Load:
        colours = (self._example.old.colour, self._example.new.colour)
        return Load(self.url, colours, self._ledger, self._changed.notify)

    async def _update(self) -> None:
        """Set the image, and go through all pauses."""
        new, container = self._example.new, self._example.container
        self._audience.hear(f"Setting the image to {new.image}")
        await change_image(self._scope, self._example.name, container, new.image)
        for stop in self._example.stops():
            await self._pause(stop)

    async def _pause(self, stop: Stop) -> None:
        step = self._step(stop.index)
        self._ledger.begin(step, stop.weight)
        await self._until(lambda: self._has_reached(stop), f"the canary did not reach step {step}")
        self._ledger.settle()
        self._audience.hear(f"Step {step}: paused at {stop.weight} %{', until promoted' if stop.endless else ''}")
        if stop.endless:
            await self._measured(ANSWERS_TO_PROMOTE)
            await promote(self._scope, self._example.name, promote_once)
            self._audience.hear(f"Promoted after {self._ledger.current.measured:,} answers")
        await self._until(lambda: self._has_left(stop), f"the canary did not get past step {step}")

    async def _finish(self) -> None:
        """Wait for the end of the update, and see who answers then."""
        end = len(self._example.steps)
        self._ledger.begin(self._step(end), 100)
        await self._until(lambda: self._healthy() and not self._updating(), "the update did not end Healthy")
        self._ledger.settle()
        self._audience.hear(f"Healthy: {self._example.new.image} is the stable version now")
        await self._measured(ANSWERS_AT_THE_END)
        await self._until(lambda: self._ledger.requests >= REQUESTS_IN_ALL, "the requests did not come to an end")

    def _step(self, index: int) -> str:
        return f"{index}/{len(self._example.steps)}"

    async def _measured(self, count: int) -> None:
        entry = self._ledger.current
        await self._until(lambda: entry.measured >= count, f"there were not {count:,} answers")

    async def _until(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Wait for the condition; raises CommandError when it is too late, or the Rollout is beyond hope."""
        try:
            async with asyncio.timeout(MOST_SECONDS):
                while not condition():
                    self._refuse_failed()
                    await self._changed.wait()
        except TimeoutError:
            raise CommandError(f"{otherwise} within {MOST_SECONDS:g} s: {self._state()}") from None

    def _refuse_failed(self) -> None:
        if client_phase(self._rollout()).phase in _HOPELESS:
            raise CommandError(f"the update failed: {self._state()}")

    def _state(self) -> str:
        phase = client_phase(self._rollout())
        reason = f" ({phase.message})" if phase.message else ""
        return f"the Rollout is {phase.phase}{reason}; {self._ledger.counts}"

    def _rollout(self) -> Object:
        """The Rollout as last seen, empty before it was."""
        return next(iter(self._feed.snapshot()[ROLLOUTS]), {})

    def _healthy(self) -> bool:
        return client_phase(self._rollout()).phase == "Healthy"

    def _updating(self) -> bool:
        rollout = self._rollout()
        return text(rollout, "status", "currentPodHash") != text(rollout, "status", "stableRS")

    def _has_reached(self, stop: Stop) -> bool:
        rollout = self._rollout()
        index = number(rollout, "status", "currentStepIndex")
        paused = index == stop.index and bool(items(rollout, "status", "pauseConditions"))
        return self._updating() and (paused or index > stop.index)

    def _has_left(self, stop: Stop) -> bool:
        return not self._updating() or number(self._rollout(), "status", "currentStepIndex") > stop.index


def _queries(example: Example) -> list[Query]:
    return [Query(ROLLOUTS, f"metadata.name={example.name}"), Query(REPLICA_SETS), Query(PODS)]
