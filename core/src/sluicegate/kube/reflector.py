"""Keeping a Store equal to what the API holds: list, then watch, then list again only when the watch cannot go on.

Changes reach `on_change` once each: what a list shows unchanged is passed over, what it lacks was deleted, and a name
taken by another object is a deletion and an addition. No failure ends it; all are waited out with growing delays.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from sluicegate.errors import ConnectError, Expired, ServerError, SluicegateError, TooManyRequests
from sluicegate.kube.backoff import Backoff
from sluicegate.kube.nesting import flattened

if TYPE_CHECKING:
    from collections.abc import Callable

    from sluicegate.api.resources import Resource
    from sluicegate.kube.client import Client, WatchEvent
    from sluicegate.kube.store import Store

T = TypeVar("T")

logger = logging.getLogger(__name__)

PAGE_LIMIT: Final = 500
FIRST_RETRY: Final = 0.2
LAST_RETRY: Final = 30.0
# A watch that brought nothing but stood for as long was no failure.
STEADY_SECONDS: Final = 5.0


class Identity(NamedTuple):
    """What tells objects and their versions apart; `namespace` is empty for cluster-scoped kinds."""

    namespace: str
    name: str
    uid: str
    resource_version: str


class _Metadata(msgspec.Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""


class _AnyObject(msgspec.Struct):
    metadata: _Metadata


class Reflector(Generic[T]):
    """Fills a Store with the objects of one resource and reports each change as `on_change(old, new)`.

    `decode` turns an object's JSON into what is stored; an object it cannot decode is logged and left as it was.
    `on_change` runs within the event loop, after the Store has changed; its exceptions end `run`.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        *,
        decode: Callable[[bytes], T],
        identify: Callable[[T], Identity],
        store: Store[T],
        on_change: Callable[[T | None, T | None], None],
        namespace: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> None:
        self._client = client
        self._resource = resource
        self._decode = decode
        self._identify = identify
        self._store = store
        self._on_change = on_change
        self._scope: dict[str, Any] = {
            "namespace": namespace,
            "label_selector": label_selector,
            "field_selector": field_selector,
        }
        self._version = ""
        self._synced = asyncio.Event()
        self._backoff = Backoff(first=FIRST_RETRY, cap=LAST_RETRY)

    async def run(self) -> None:
        """List and watch until cancelled."""
        while True:
            try:
                await self._relist()
                await self._follow()
            except Expired as error:
                logger.info("%s: listing afresh: %s", self._resource.plural, error)
            except SluicegateError as error:
                logger.warning("%s: listing afresh: %s", self._resource.plural, error)
            await asyncio.sleep(self._backoff.next())

    async def wait_synced(self) -> None:
        """Wait until the first full list is in the Store and has been reported."""
        await self._synced.wait()

    async def _relist(self) -> None:
        try:
            await self._list(limit=PAGE_LIMIT)
        except Expired:
            # The pages grew too old while they were read: all at once cannot.
            await self._list(limit=0)

    async def _list(self, *, limit: int) -> None:
        listed: set[tuple[str, str]] = set()
        version = ""
        async with contextlib.aclosing(self._client.pages(self._resource, limit=limit, **self._scope)) as pages:
            async for page in pages:
                version = page.resource_version
                for raw in page.items:
                    found = self._take(raw)
                    listed.add((found.namespace, found.name))
        for namespace, name in self._store.names():
            if (namespace, name) not in listed:
                self._remove(namespace, name)
        self._version = version
        self._store.mark_synced()
        self._synced.set()

    async def _follow(self) -> None:
        """Watch from the last version seen, again and again, until only a fresh list helps."""
        while True:
            try:
                await self._watch_once()
            except (ConnectError, TooManyRequests) as error:
                logger.info("%s: watching again: %s", self._resource.plural, error)
            await asyncio.sleep(self._backoff.next())

    async def _watch_once(self) -> None:
        started = asyncio.get_running_loop().time()
        events = self._client.watch(self._resource, resource_version=self._version, **self._scope)
        async with contextlib.aclosing(events):
            async for event in events:
                self._handle(event)
                self._backoff.reset()
        if asyncio.get_running_loop().time() - started >= STEADY_SECONDS:
            self._backoff.reset()

    def _handle(self, event: WatchEvent) -> None:
        if event.type == "BOOKMARK":
            self._version = _identity(event.object).resource_version
        elif event.type == "DELETED":
            found = _identity(event.object)
            self._remove(found.namespace, found.name)
            self._version = found.resource_version
        else:
            self._version = self._take(event.object).resource_version

    def _take(self, raw: msgspec.Raw) -> Identity:
        try:
            new = self._decode(bytes(raw))
        except Exception as error:
            found = _identity(raw)
            logger.warning("%s %s/%s cannot be decoded: %s", self._resource.kind, found.namespace, found.name, error)
            return found
        found = self._identify(new)
        self._put(found, new)
        return found

    def _put(self, found: Identity, new: T) -> None:
        old = self._store.get(found.namespace, found.name)
        known = None if old is None else self._identify(old)
        if known == found:
            return
        if known is not None and known.uid != found.uid:
            self._remove(found.namespace, found.name)
            old = None
        self._store.put(found.namespace, found.name, new)
        self._on_change(old, new)

    def _remove(self, namespace: str, name: str) -> None:
        old = self._store.get(namespace, name)
        if old is not None:
            self._store.remove(namespace, name)
            self._on_change(old, None)


def _identity(raw: msgspec.Raw) -> Identity:
    try:
        metadata = _metadata(raw)
    except msgspec.DecodeError as error:
        message = f"the API sent an object whose metadata cannot be read: {error}"
        raise ServerError(message, status=200, reason="InvalidAnswer") from error
    return Identity(metadata.namespace, metadata.name, metadata.uid, metadata.resource_version)


def _metadata(raw: msgspec.Raw) -> _Metadata:
    try:
        return msgspec.json.decode(raw, type=_AnyObject).metadata
    except RecursionError:
        return msgspec.json.decode(flattened(bytes(raw)), type=_AnyObject).metadata
