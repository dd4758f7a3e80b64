"""The controller under test: a Manager in the test's own event loop, limited to the test's namespace.

What it emits as events is written down before repeats are counted up and limits apply.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sluicegate.controller.manager import Manager, Settings
from sluicegate.kube.client import Client
from sluicegate.kube.recorder import ObjectReference
from sluicegate.plugins.loading import load_plugins

PLUGINS = Path(__file__).parent / "plugins"


class Emitted(NamedTuple):
    """An event on a Rollout."""

    type: str
    reason: str
    message: str


@dataclass
class Recording:
    """Every event in the order in which it was emitted."""

    events: list[Emitted] = field(default_factory=list)

    def record(self, reference: ObjectReference, type: str, reason: str, message: str) -> None:
        """Take an event."""
        self.events.append(Emitted(type, reason, message))

    def reasons(self, without: str = "RolloutAddedToInformer") -> list[str]:
        """The reasons of all events but those that come with every start of a controller."""
        return [event.reason for event in self.events if event.reason != without]


@asynccontextmanager
async def running_controller(
    kubeconfig: Path, namespace: str, recording: Recording, *, instance_id: str = ""
) -> AsyncIterator[None]:
    """Run a controller while the body runs, then end it at whatever point it has reached, as a kill would.

    Raises what ended it, if it ended by itself.
    """
    async with await Client.connect(kubeconfig=kubeconfig) as client:
        settings = Settings(namespace=namespace, instance_id=instance_id)
        manager = Manager(client, load_plugins(PLUGINS), settings, recorder=recording)
        running = asyncio.create_task(manager.run(), name="controller")
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
