"""The loop that every controller of the embedded cluster runs in.

They live in the process of the store, whose reads and writes are plain calls: a reconcile is one synchronous function,
so nothing can change between what it reads and what it writes, and no queue, cache or expectation is needed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Protocol

from sluicegate.errors import Expired

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluicegate.local.history import Subscription
    from sluicegate.local.objects import Change, Key, Kind
    from sluicegate.local.store import ObjectStore

logger = logging.getLogger(__name__)
RETRY_SECONDS: Final = 1.0


class Reconciler(Protocol):
    """One controller: the kinds it watches, the objects a change concerns, and what it does about one of them."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds whose changes it wants to hear of."""

    def everything(self) -> Iterable[Key]:
        """All objects to look at when the loop starts, or has missed changes."""

    def concerned(self, change: Change) -> Iterable[Key]:
        """The objects that a change may concern."""

    def reconcile(self, key: Key) -> float | None:
        """Bring one object to where it should be; return after how many seconds to look again by itself."""


class ControlLoop:
    """Reconciles what changes concern, in the order of the changes, each object once a batch."""

    def __init__(self, store: ObjectStore, reconciler: Reconciler) -> None:
        self._store = store
        self._reconciler = reconciler
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether it has been started and not stopped."""
        return self._task is not None

    def start(self) -> None:
        """Reconcile everything there is, then whatever changes, until `stop`."""
        subscription = self._subscribe()
        self._task = asyncio.create_task(self._follow(subscription))

    async def stop(self) -> None:
        """End the loop; nothing is reconciled afterwards."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for timer in self._timers.values():
            timer.cancel()

    def reconcile(self, key: Key) -> None:
        """Reconcile one object now; an error is logged and the object tried again a little later."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        try:
            again = self._reconciler.reconcile(key)
        except Exception:
            logger.exception("cannot reconcile %s %s/%s; trying again", key.resource, key.namespace, key.name)
            again = RETRY_SECONDS
        if again is not None:
            self.reconcile_after(key, again)

    def reconcile_after(self, key: Key, seconds: float) -> None:
        """Reconcile one object so many seconds from now, unless something changes it before."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        self._timers[key] = asyncio.get_running_loop().call_later(seconds, self.reconcile, key)

    def reconcile_all(self) -> None:
        """Reconcile everything there is now."""
        for key in list(self._reconciler.everything()):
            self.reconcile(key)

    def _subscribe(self) -> Subscription:
        subscription = self._store.subscribe(*self._reconciler.kinds)
        self.reconcile_all()
        return subscription

    async def _follow(self, subscription: Subscription) -> None:
        while True:
            try:
                changes = await subscription.take()
            except Expired:
                subscription.close()
                subscription = self._subscribe()
                continue
            if not changes:
                return
            for key in dict.fromkeys(key for change in changes for key in self._reconciler.concerned(change)):
                self.reconcile(key)
            # `take` does not wait while changes are there; others on the loop get their turn here.
            await asyncio.sleep(0)
