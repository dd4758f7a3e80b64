"""Who follows the demo: a person at a terminal, a log that gets plain lines, or nobody."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, Protocol

import click
from rich.live import Live

from sluicegate.cli.demo.scene import Scene, draw, progress_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from contextlib import AbstractAsyncContextManager

    from rich.console import Console

    from sluicegate.cli.feed import Snapshot

SECONDS_BETWEEN_FRAMES: Final = 0.2
SECONDS_BETWEEN_LINES: Final = 5.0


class Audience(Protocol):
    """Whoever follows the story."""

    def hear(self, line: str) -> None:
        """Take note of what happens now."""

    def see(self, snapshot: Callable[[], Snapshot]) -> None:
        """Look at the cluster from now on, through this."""

    def watching(self) -> AbstractAsyncContextManager[None]:
        """Follow what happens while the body runs."""


class Nobody:
    """Follows nothing."""

    def hear(self, line: str) -> None:
        """Nobody hears it."""

    def see(self, snapshot: Callable[[], Snapshot]) -> None:
        """Nobody looks."""

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Just run the body."""
        yield


class Log:
    """Writes a plain line for each happening, and one every few seconds while requests are sent."""

    def __init__(self, scene: Scene, *, err: bool) -> None:
        self._scene = scene
        self._err = err

    def hear(self, line: str) -> None:
        """Write it, with the time."""
        click.echo(f"{self._scene.seconds():5.1f} s  {line}", err=self._err)

    def see(self, snapshot: Callable[[], Snapshot]) -> None:
        """The happenings say all that a log has to hold."""

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Write the regular lines while the body runs."""
        async with _beside(self._report_regularly()):
            yield

    async def _report_regularly(self) -> None:
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_LINES)
            if self._scene.ledger.requests:
                self.hear(progress_line(self._scene))


class Screen:
    """Draws the scene on a terminal, again and again; the last picture stays."""

    def __init__(self, scene: Scene, console: Console) -> None:
        self._scene = scene
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def hear(self, line: str) -> None:
        """Show it in place of the one before."""
        self._scene.happening = line
        self._draw()

    def see(self, snapshot: Callable[[], Snapshot]) -> None:
        """Show the Rollout and its tree from now on."""
        self._scene.snapshot = snapshot

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Draw while the body runs."""
        with self._live:
            async with _beside(self._draw_regularly()):
                yield
            self._draw()

    async def _draw_regularly(self) -> None:
        while True:
            self._draw()
            await asyncio.sleep(SECONDS_BETWEEN_FRAMES)

    def _draw(self) -> None:
        size = self._live.console.size
        self._live.update(draw(self._scene, size.width, size.height), refresh=True)


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do this while the body runs; an error in it is raised when the body has ended."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
