"""The requests of the demo: each over a new connection, so many a second, a bounded number under way and in all."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import aiohttp

from sluicegate.cli.demo.ledger import Reply
from sluicegate.cli.failure import CommandError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from sluicegate.cli.demo.ledger import Ledger

REQUESTS_PER_SECOND: Final = 150
MOST_UNDER_WAY: Final = 100
MOST_REQUESTS: Final = 20_000
DEADLINE_SECONDS: Final = 5.0
_EXCERPT: Final = 40
_TRIES: Final = 100
_SECONDS_BETWEEN_TRIES: Final = 0.05


class Load:
    """Asks `url` for its colour again and again; `on_reply` is called after each entry in the ledger.

    A request fails without a whole answer in five seconds, with a status other than 200, or with a body that is none of
    the `colours`.
    """

    def __init__(self, url: str, colours: Iterable[str], ledger: Ledger, on_reply: Callable[[], None]) -> None:
        self._url = url
        self._colours = {json.dumps(colour): colour for colour in colours}
        self._ledger = ledger
        self._on_reply = on_reply
        self._under_way: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send while the body runs; when that ends well, requests under way come to their end."""
        timeout = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
        connector = aiohttp.TCPConnector(force_close=True, limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            sending = asyncio.create_task(self._send_all(session))
            try:
                yield
                sending.cancel()
                await asyncio.gather(*self._under_way)
            finally:
                await _cancel(sending, *self._under_way)

    async def _send_all(self, session: aiohttp.ClientSession) -> None:
        clock = asyncio.get_running_loop().time
        due = clock()
        for _ in range(MOST_REQUESTS):
            await asyncio.sleep(due - clock())
            if len(self._under_way) < MOST_UNDER_WAY:
                self._send(session)
            # What was missed while the machine was busy is not made up for.
            due = max(due + 1 / REQUESTS_PER_SECOND, clock())

    def _send(self, session: aiohttp.ClientSession) -> None:
        task = asyncio.create_task(self._enter(session))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _enter(self, session: aiohttp.ClientSession) -> None:
        ticket = self._ledger.open()
        self._ledger.close(ticket, await self._ask(session))
        self._on_reply()

    async def _ask(self, session: aiohttp.ClientSession) -> Reply:
        try:
            async with session.get(self._url) as response:
                body = await response.text(errors="replace")
        except TimeoutError:
            return Reply(failure=f"no answer within {DEADLINE_SECONDS:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Reply(failure=_reason(error))
        if response.status != 200:
            return Reply(failure=f"status {response.status}")
        colour = self._colours.get(body.strip())
        return Reply(colour) if colour else Reply(failure=f"unknown answer {body[:_EXCERPT]!r}")


async def wait_answered(url: str) -> None:
    """Wait until somebody answers there; raises CommandError when nobody does for some seconds."""
    timeout = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for _ in range(_TRIES):
            with suppress(aiohttp.ClientError, OSError):
                async with session.get(url):
                    return
            await asyncio.sleep(_SECONDS_BETWEEN_TRIES)
    raise CommandError(f"nobody answers at {url}")


def _reason(error: Exception) -> str:
    """The system's own words where there are any, since the client's hold the address too."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return str(error) or type(error).__name__


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
