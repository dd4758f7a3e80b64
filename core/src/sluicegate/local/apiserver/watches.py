"""Watches: from a request's query to a stream of lines, `{"type": ..., "object": ...}`.

An object that begins to match the selectors is ADDED to the watcher, one that stops matching is DELETED, whatever was
done to it. The bytes of an object are encoded once for all watchers.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from sluicegate.errors import Expired
from sluicegate.local import failures
from sluicegate.local.apiserver import negotiation, reads, statuses, tables

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from sluicegate.local.apiserver.resources import Served
    from sluicegate.local.apiserver.selectors import Predicate
    from sluicegate.local.apiserver.targets import Target
    from sluicegate.local.history import Subscription
    from sluicegate.local.objects import Change, Document, Object
    from sluicegate.local.store import ObjectStore

_LONGEST_SECONDS = 1800
_BOOKMARK_SECONDS = 60.0
_INITIAL_EVENTS_END = {"k8s.io/initial-events-end": "true"}


@dataclass(slots=True, eq=False)
class Watch:
    """One open watch; iterate `lines` for what is to be sent, and `close` it to end that in order."""

    served: Served
    subscription: Subscription
    present: list[Document]
    matches: Predicate | None
    namespace: str
    version: int
    seconds: float
    bookmarks: bool
    marks_initial_end: bool
    table_include: str | None
    sent_header: bool = False

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield what is to be sent, several events at a time when there are several."""
        yield b"".join(self._line("ADDED", item) for item in self.present)
        if self.marks_initial_end:
            yield self._bookmark(_INITIAL_EVENTS_END)
        loop = asyncio.get_running_loop()
        end = loop.time() + self.seconds
        try:
            while (remaining := end - loop.time()) > 0:
                try:
                    async with asyncio.timeout(min(remaining, _BOOKMARK_SECONDS)):
                        changes = await self.subscription.take()
                except TimeoutError:
                    yield self._bookmark({}) if self.bookmarks else b""
                    continue
                if not changes:
                    return
                yield b"".join(self._changed(change) for change in changes)
        except Expired as error:
            yield _encoded("ERROR", msgspec.json.encode(statuses.failure(error)))
        finally:
            self.subscription.close()

    def close(self) -> None:
        """End the watch; its reader gets a proper end of stream."""
        self.subscription.close()

    def _changed(self, change: Change) -> bytes:
        self.version = change.resource_version
        if self.namespace not in ("", change.key.namespace):
            return b""
        kind = self._kind_for_watcher(change)
        return self._line(kind, change.object) if kind else b""

    def _kind_for_watcher(self, change: Change) -> str:
        if self.matches is None:
            return change.type
        before = change.previous is not None and self.matches(change.previous)
        after = change.type != "DELETED" and self.matches(change.object)
        return {(False, True): "ADDED", (True, True): "MODIFIED", (True, False): "DELETED"}.get((before, after), "")

    def _line(self, kind: str, document: Document) -> bytes:
        if self.table_include is None:
            return _encoded(kind, document.encoded)
        metadata = {"resourceVersion": document["metadata"]["resourceVersion"]}
        header, self.sent_header = not self.sent_header, True
        table = tables.table(self.served, [document], metadata, include=self.table_include, header=header)
        return _encoded(kind, msgspec.json.encode(table))

    def _bookmark(self, annotations: dict[str, str]) -> bytes:
        metadata: Object = {"resourceVersion": str(self.version)}
        if annotations:
            metadata["annotations"] = annotations
        if self.table_include is not None:
            # A row that stands for no object would be printed; a Table without rows is not.
            table = tables.table(self.served, [], metadata, include="None", header=not self.sent_header)
            return _encoded("BOOKMARK", msgspec.json.encode(table))
        resource = self.served.resource
        mark = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        return _encoded("BOOKMARK", msgspec.json.encode(mark))


def _encoded(kind: str, data: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), data)


def open_watch(store: ObjectStore, served: Served, target: Target, query: Mapping[str, str], *, table: bool) -> Watch:
    """Start the watch that a request asks for. Raises Expired if its resource version is too old, BadRequest if it is
    none."""
    asked = negotiation.number(query, "resourceVersion") or 0
    if asked > store.resource_version:
        # Of another life of this cluster: like a version that is too old, it means that the client has to list again.
        raise failures.expired(f"too large resource version: {asked}, current: {store.resource_version}")
    wants_initial = negotiation.flag(query, "sendInitialEvents")
    from_scratch = wants_initial or asked == 0
    page = reads.page(store, served, target, _selectors(query)) if from_scratch else None
    bookmarks = negotiation.flag(query, "allowWatchBookmarks")
    return Watch(
        served=served,
        subscription=store.subscribe(served.kind, since=None if from_scratch else asked),
        present=page.items if page else [],
        matches=reads.selection(served, target, query),
        namespace=target.namespace,
        version=store.resource_version if from_scratch else asked,
        seconds=min(negotiation.number(query, "timeoutSeconds") or _LONGEST_SECONDS, _LONGEST_SECONDS),
        bookmarks=bookmarks,
        marks_initial_end=bookmarks and wants_initial,
        table_include=query.get("includeObject", "Metadata") if table else None,
    )


def _selectors(query: Mapping[str, str]) -> dict[str, str]:
    return {name: query[name] for name in ("labelSelector", "fieldSelector") if name in query}
