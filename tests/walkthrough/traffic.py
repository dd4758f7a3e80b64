"""Requests to a Service through its node port, each over a new connection as a new client makes it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp

AT_A_TIME = 4
PAUSE_SECONDS = 0.02


@dataclass
class Traffic:
    """All the requests of a test; `failures` says what went wrong with each that failed."""

    url: str
    session: aiohttp.ClientSession
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _going: asyncio.Task[None] | None = None

    async def ask(self) -> str | None:
        """The colour that one request is answered with; None when it failed."""
        try:
            async with self.session.get(self.url) as response:
                response.raise_for_status()
                colour = str(await response.json(content_type=None))
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failures.append(repr(error))
            return None
        self.answers[colour] += 1
        return colour

    async def shares(self, count: int = 100) -> dict[str, float]:
        """How many of 100 requests each colour answers now."""
        colours = Counter([await self.ask() for _ in range(count)])
        return {str(colour): 100 * answers / count for colour, answers in colours.items()}

    def start(self) -> None:
        """Send requests from now on."""
        self._going = asyncio.create_task(self._go_on(), name="requests")

    async def stop(self) -> None:
        """Send no more requests."""
        if self._going:
            self._going.cancel()
            with suppress(asyncio.CancelledError):
                await self._going
            self._going = None

    async def _go_on(self) -> None:
        while True:
            await asyncio.gather(*(self.ask() for _ in range(AT_A_TIME)))
            await asyncio.sleep(PAUSE_SECONDS)


@asynccontextmanager
async def traffic_to(port: int) -> AsyncIterator[Traffic]:
    """Send requests to a node port while the body runs, or until it stops them."""
    connector = aiohttp.TCPConnector(force_close=True)
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        traffic = Traffic(f"http://127.0.0.1:{port}/color", session)
        traffic.start()
        try:
            yield traffic
        finally:
            await traffic.stop()
