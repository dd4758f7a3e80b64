"""A queue of keys to reconcile, by the algorithm of client-go: each key at most once in line and once in hand.

A key added while a worker holds it is handed out again only when that worker is done, so no two workers ever hold the
same key and no change is missed. Plain adds go in line at once, whatever the key's errors; only retries after errors
back off. All waiting is by the event loop's clock.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

K = TypeVar("K", bound="Hashable")

FIRST_RETRY = 0.005
LAST_RETRY = 1000.0


class QueueShutDown(Exception):
    """The queue is shut down and has handed out all it held."""


class WorkQueue(Generic[K]):
    """Deduplicating queue for the workers of one event loop; retry delays are seconds and double with each failure."""

    def __init__(self, *, first_retry: float = FIRST_RETRY, last_retry: float = LAST_RETRY) -> None:
        self._first_retry = first_retry
        self._last_retry = last_retry
        self._line: deque[K] = deque()
        self._dirty: set[K] = set()
        self._processing: set[K] = set()
        self._delays = _Delays[K]()
        self._failures: dict[K, int] = {}
        self._takers: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def __len__(self) -> int:
        """How many keys are in line, those in hand or delayed not counted."""
        return len(self._line)

    def add(self, key: K) -> None:
        """Ask for a key to be handled now, or again as soon as the worker that holds it is done."""
        if self._closed or key in self._dirty:
            return
        self._dirty.add(key)
        if key not in self._processing:
            self._enqueue(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Add a key later; of several delays of one key the earliest counts."""
        if self._closed:
            return
        if seconds <= 0:
            self.add(key)
            return
        self._delays.set(key, asyncio.get_running_loop().time() + seconds)
        self._set_timer()

    def add_rate_limited(self, key: K) -> None:
        """Add a key after a failure: 5 ms later, then twice as long each time, at most 1000 s, until `forget`."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        # Bounded exponent: a key may fail for months, and the power must stay a float.
        self.add_after(key, min(self._first_retry * 2.0 ** min(failures, 60), self._last_retry))

    def forget(self, key: K) -> None:
        """Say that the key was handled well: its next failure backs off from the start."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """Wait for a key and take it; the caller must call `done` with it.

        Everything else in the event loop gets a turn before each key, however long the line is. Raises QueueShutDown
        once the queue is shut down and empty.
        """
        # A worker whose keys need no I/O would else never give way: not to watches, nor to the renewal of the lease.
        await asyncio.sleep(0)
        while not self._line:
            if self._closed:
                raise QueueShutDown
            await self._wait()
        key = self._line.popleft()
        self._processing.add(key)
        self._dirty.discard(key)
        return key

    def done(self, key: K) -> None:
        """Hand a key back; if it was added meanwhile it goes in line again."""
        self._processing.discard(key)
        if key in self._dirty:
            self._enqueue(key)

    def shutdown(self) -> None:
        """Take no more keys and drop delayed ones; workers may still get what is in line."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        while self._takers:
            self._wake()

    def _enqueue(self, key: K) -> None:
        self._line.append(key)
        self._wake()

    async def _wait(self) -> None:
        taker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._takers.append(taker)
        try:
            await taker
        except asyncio.CancelledError:
            if taker in self._takers:
                self._takers.remove(taker)
            elif self._line:
                # This worker was woken for a key it will not take any more: wake another.
                self._wake()
            raise

    def _wake(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due = self._delays.next_due()
        self._timer = None if due is None else asyncio.get_running_loop().call_at(due, self._release, due)

    def _release(self, due: float) -> None:
        # The loop fires timers up to its clock's resolution early; what the timer was set for is due all the same.
        for key in self._delays.pop_due(max(due, asyncio.get_running_loop().time())):
            self.add(key)
        self._set_timer()


class _Delays(Generic[K]):
    """Keys by the time they are due; a heap whose outdated entries are skipped when they come up."""

    def __init__(self) -> None:
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._count = 0

    def set(self, key: K, due: float) -> None:
        if due >= self._due.get(key, float("inf")):
            return
        self._due[key] = due
        self._count += 1
        heapq.heappush(self._heap, (due, self._count, key))

    def next_due(self) -> float | None:
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> list[K]:
        keys: list[K] = []
        while (due := self.next_due()) is not None and due <= now:
            keys.append(heapq.heappop(self._heap)[2])
            del self._due[keys[-1]]
        return keys
