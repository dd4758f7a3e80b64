"""Waiting for what cannot be watched: asks again and again, with a deadline, and says what it saw last."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

T = TypeVar("T")

EVERY_SECONDS = 0.1


async def eventually(ask: Callable[[], Awaitable[T]], holds: Callable[[T], bool], what: str, seconds: float = 60) -> T:
    """The first answer that holds; fails the test, with the last answer, when none does in time."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not holds(answer := await ask()):
        if loop.time() > until:
            pytest.fail(f"not within {seconds:g} s: {what}; last seen: {answer}")
        await asyncio.sleep(EVERY_SECONDS)
    return answer
