"""Past writes and who waits for the next ones: the source of every watch.

Each kind keeps its last thousand changes, so that a watch can start at a past resource version; further back the
answer is 410 and the client lists again, as with a real server. A subscriber that does not keep up gets the same.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Self

from sluicegate.local import failures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluicegate.local.objects import Change, Kind

CHANGES_KEPT_PER_KIND = 1_000
PENDING_LIMIT = 10_000


class Subscription:
    """Changes of some kinds, in order, until closed. Iterate it, or take what there is with `take`.

    Both raise Expired once more than `PENDING_LIMIT` changes have piled up.
    """

    def __init__(self, hub: History, kinds: frozenset[Kind]) -> None:
        self.kinds = kinds
        self._hub = hub
        self._pending: deque[Change] = deque()
        self._ready = asyncio.Event()
        self._closed = False
        self._overflown = False

    def offer(self, change: Change) -> None:
        """Queue a change if it is of one of the kinds."""
        if self.kinds and change.key.kind not in self.kinds:
            return
        if len(self._pending) >= PENDING_LIMIT:
            self._overflown = True
            self._pending.clear()
        self._pending.append(change)
        self._ready.set()

    async def take(self) -> list[Change]:
        """Wait for changes and return all that have come; empty once the subscription is closed."""
        await self._ready.wait()
        if self._overflown:
            raise failures.expired("the watcher was too slow: too many changes piled up")
        changes = list(self._pending)
        self._pending.clear()
        if not self._closed:
            self._ready.clear()
        return changes

    def close(self) -> None:
        """End the subscription; what is pending can still be taken."""
        self._closed = True
        self._hub.forget(self)
        self._ready.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        while not self._pending or self._overflown:
            if self._closed and not self._overflown:
                raise StopAsyncIteration
            self._pending.extend(await self.take())
        return self._pending.popleft()


class History:
    """The last changes of every kind and all subscriptions; `floor` is the version before which nothing is known."""

    def __init__(self, floor: int = 0) -> None:
        self._floor = floor
        self._floors: dict[Kind, int] = {}
        self._changes: dict[Kind, deque[Change]] = {}
        self._subscriptions: set[Subscription] = set()

    def record(self, change: Change) -> None:
        """Remember a change and hand it to all subscribers."""
        kept = self._changes.setdefault(change.key.kind, deque())
        kept.append(change)
        if len(kept) > CHANGES_KEPT_PER_KIND:
            self._floors[change.key.kind] = kept.popleft().resource_version
        for subscription in list(self._subscriptions):
            subscription.offer(change)

    def floor(self, kinds: Iterable[Kind]) -> int:
        """Return the oldest resource version from which the changes of all these kinds are known."""
        return max([self._floor, *(self._floors.get(kind, 0) for kind in kinds)])

    def subscribe(self, kinds: frozenset[Kind], since: int | None) -> Subscription:
        """Start a subscription: from now on, or from after the version `since`. Raises Expired if that is too old."""
        subscription = Subscription(self, kinds)
        if since is not None:
            self._replay(subscription, since)
        self._subscriptions.add(subscription)
        return subscription

    def _replay(self, subscription: Subscription, since: int) -> None:
        kinds = subscription.kinds or self._changes.keys()
        floor = self.floor(kinds)
        if since < floor:
            raise failures.expired(f"too old resource version: {since} ({floor})")
        past = [change for kind in kinds for change in self._changes.get(kind, ()) if change.resource_version > since]
        for change in sorted(past, key=lambda change: change.resource_version):
            subscription.offer(change)

    def forget(self, subscription: Subscription) -> None:
        """Stop handing changes to a subscription."""
        self._subscriptions.discard(subscription)

    def close(self) -> None:
        """End all subscriptions."""
        for subscription in list(self._subscriptions):
            subscription.close()
