"""What users get during an update: real pods, real requests, each over a new connection."""

import asyncio
from collections import Counter
from pathlib import Path

import aiohttp
from tests.scale.canary import Canary, example_canary

AT_20_PERCENT = 1000
DURING_THE_UPDATE = 5000
CLIENTS = 8
REQUEST_SECONDS = 5.0
BLUE, YELLOW = '"blue"', '"yellow"'


async def answers(url: str, count: int) -> Counter[str]:
    """How often each answer came to `count` requests by 8 clients; what fails counts under the error's name."""
    found: Counter[str] = Counter()
    left = iter(range(count))
    connector = aiohttp.TCPConnector(force_close=True, limit=CLIENTS)
    timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def client() -> None:
            for _ in left:
                found[await answer(session, url)] += 1

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return found


async def answer(session: aiohttp.ClientSession, url: str) -> str:
    try:
        async with session.get(url) as response:
            text = await response.text()
            return text if response.status == 200 else f"status {response.status}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return type(error).__name__


async def update(canary: Canary) -> None:
    canary.promote()
    await canary.becomes("Healthy", "yellow")


async def test_a_weight_of_20_gives_every_fifth_new_connection_to_the_canary(tmp_path: Path) -> None:
    """1,000 new connections at 20 % give 200 ± 10 yellow answers."""
    async with example_canary(tmp_path, "running") as canary:
        canary.set_image("yellow")
        await canary.becomes("Paused", "yellow")
        found = await answers(canary.url, AT_20_PERCENT)
        print(f"20 % step: {found[YELLOW]} of {AT_20_PERCENT} yellow")
        assert 190 <= found[YELLOW] <= 210, found
        assert found.total() == found[YELLOW] + found[BLUE], found


async def test_no_request_of_5000_fails_during_an_update(tmp_path: Path) -> None:
    """From the new image to the last old pod's end every request is answered by one of the two versions."""
    async with example_canary(tmp_path, "running") as canary:
        canary.set_image("yellow")
        await canary.becomes("Paused", "yellow")
        updating = asyncio.create_task(update(canary))
        found: Counter[str] = Counter()
        while not updating.done() or found.total() < DURING_THE_UPDATE:
            found += await answers(canary.url, 500)
        await updating
        print(f"during the update: {dict(found)}")
        assert set(found) == {YELLOW, BLUE}
