"""Ending a verb that watches: by Ctrl-C, by SIGTERM, or when its time is up."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Wakeup:
    """What a watching verb waits for: something has changed, or it shall end (`stopped`)."""

    def __init__(self) -> None:
        self.stopped = False
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Say that something has changed."""
        self._event.set()

    def stop(self) -> None:
        """Say that the verb shall end."""
        self.stopped = True
        self._event.set()

    async def wait(self, seconds: float | None = None) -> bool:
        """Wait for a notice, at most so many seconds; whether there was one."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


@contextmanager
def ended_by_signals(wakeup: Wakeup, *, seconds: float = 0) -> Iterator[None]:
    """Stop `wakeup` at SIGINT or SIGTERM, and after `seconds` (0: never); the second signal ends the process."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _interrupted, wakeup)
    timer = loop.call_later(seconds, wakeup.stop) if seconds else None
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        if timer:
            timer.cancel()


def _interrupted(wakeup: Wakeup) -> None:
    if wakeup.stopped:
        os._exit(1)
    wakeup.stop()
