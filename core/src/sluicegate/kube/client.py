"""The Kubernetes API as Sluicegate uses it: raw objects in and out, lists by the page, watches by the line.

What comes by the thousand is handed on as bytes (`msgspec.Raw`), for the caller to decode into just what it needs.
"""

from __future__ import annotations

import builtins
import contextlib
import random
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from sluicegate.api.resources import PODS
from sluicegate.errors import Expired, ServerError
from sluicegate.kube.access import SERVICE_ACCOUNT, Access, find_access
from sluicegate.kube.failures import Status, one_line, status_error
from sluicegate.kube.nesting import flattened
from sluicegate.kube.patches import JSON_PATCH, MERGE_PATCH
from sluicegate.kube.transport import Request, Transport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from sluicegate.api.resources import Resource

T = TypeVar("T")
Object = dict[str, Any]

PAGE_LIMIT: Final = 500
# A watch is asked to end in this many seconds at random, so that those of many clients do not end together.
WATCH_SECONDS: Final = (240, 480)
# Bookmarks come about once a minute; a connection silent for longer than two is taken for dead.
WATCH_SILENCE: Final = 130.0


class _ListMetadata(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _List(msgspec.Struct):
    items: builtins.list[msgspec.Raw] | None = None
    metadata: _ListMetadata = msgspec.field(default_factory=_ListMetadata)


class Page(msgspec.Struct, frozen=True):
    """A part of a list; the resource version is that of the whole list, to watch from."""

    items: builtins.list[msgspec.Raw]
    resource_version: str


class WatchEvent(msgspec.Struct, frozen=True):
    """A line of a watch; `type` is ADDED, MODIFIED, DELETED or BOOKMARK."""

    type: str
    object: msgspec.Raw


class Client:
    """A connection to one Kubernetes API, for one event loop; an async context manager.

    Attributes: `address` (the server's URL), `source` (kubeconfig path or `in-cluster`), `namespace` (of the context).
    Requests raise the ApiError of the answer's status, ConnectError when none came, ConfigError without credentials.
    """

    def __init__(self, access: Access, *, watch_silence: float = WATCH_SILENCE) -> None:
        self.address = access.address
        self.source = access.source
        self.namespace = access.namespace
        self._transport = Transport(access)
        self._watch_silence = watch_silence

    @classmethod
    async def connect(
        cls,
        *,
        kubeconfig: Path | None = None,
        context: str | None = None,
        service_account: Path = SERVICE_ACCOUNT,
        watch_silence: float = WATCH_SILENCE,
    ) -> Self:
        """A client for the cluster that kubectl would use: `kubeconfig`, $KUBECONFIG, `~/.kube/config`, the pod's own.

        Sends nothing yet. `watch_silence` is for how many seconds a watch may say nothing. Raises ConfigError.
        """
        return cls(await find_access(kubeconfig, context, service_account), watch_silence=watch_silence)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        """One object."""
        return self._decode(await self.get_bytes(resource, namespace, name), Object)

    async def get_bytes(self, resource: Resource, namespace: str | None, name: str) -> bytes:
        """One object as the server sent it."""
        return await self._transport.send(Request(method="GET", path=resource.path(namespace, name)))

    async def pages(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = PAGE_LIMIT,
    ) -> AsyncGenerator[Page]:
        """A list in pages of at most `limit` objects, or in one page with 0.

        Raises Expired when the list grew too old between pages; start afresh, best with `limit=0`.
        """
        query = _selectors(label_selector, field_selector) | ({"limit": str(limit)} if limit else {})
        while True:
            answer = await self._transport.send(Request(method="GET", path=resource.path(namespace), query=query))
            found = self._decode_outer(answer, _List)
            yield Page(found.items or [], found.metadata.resource_version)
            if not found.metadata.continue_:
                return
            query["continue"] = found.metadata.continue_

    async def list(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str = "", field_selector: str = ""
    ) -> builtins.list[Object]:
        """All objects of a namespace, or of all; started afresh when it grew too old between pages."""
        try:
            return await self._list(resource, namespace, label_selector, field_selector, PAGE_LIMIT)
        except Expired:
            return await self._list(resource, namespace, label_selector, field_selector, limit=0)

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
    ) -> AsyncGenerator[WatchEvent]:
        """Changes after a resource version, and bookmarks, until the server ends the watch, as it must in minutes.

        Close it (`contextlib.aclosing`) when leaving early. Raises Expired for a version that is too old, ServerError
        with reason InvalidAnswer for a line that is no event; after either only a fresh list helps.
        """
        query = {
            **_selectors(label_selector, field_selector),
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(random.randint(*WATCH_SECONDS)),
        }
        path = resource.path(namespace)
        request = Request(method="GET", path=path, query=query, silence=self._watch_silence)
        async with contextlib.aclosing(self._transport.lines(request)) as lines:
            async for line in lines:
                yield self._event(line)

    async def create(self, resource: Resource, namespace: str | None, body: Object) -> Object:
        """Create an object and return it as stored."""
        return await self._write(Request(method="POST", path=resource.path(namespace), body=body))

    async def evict(self, namespace: str, pod: str, *, uid: str) -> None:
        """Ask that a pod goes, if it still is that one; raises TooManyRequests where a disruption budget keeps it."""
        body: Object = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
            "deleteOptions": {"preconditions": {"uid": uid}},
        }
        path = PODS.path(namespace, pod, "eviction")
        await self._transport.send(Request(method="POST", path=path, body=body, patient=False))

    async def replace(
        self, resource: Resource, namespace: str | None, name: str, body: Object, *, subresource: str = ""
    ) -> Object:
        """Put an object in place of the stored one, with a resource version in it only of that one (else Conflict)."""
        return await self._write(Request(method="PUT", path=resource.path(namespace, name, subresource), body=body))

    async def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Object | builtins.list[Any],
        *,
        subresource: str = "",
        content_type: str = MERGE_PATCH,
    ) -> Object:
        """Patch an object and return it as stored; a list is a JSON patch whatever `content_type` says."""
        path = resource.path(namespace, name, subresource)
        if isinstance(body, builtins.list):
            content_type = JSON_PATCH
        return await self._write(Request(method="PATCH", path=path, body=body, content_type=content_type))

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str = "Background",
    ) -> None:
        """Delete an object, given a uid or resource version only if it still is that one (else Conflict)."""
        expected = {"uid": uid, "resourceVersion": resource_version}
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if preconditions := {key: value for key, value in expected.items() if value is not None}:
            options["preconditions"] = preconditions
        await self._transport.send(Request(method="DELETE", path=resource.path(namespace, name), body=options))

    async def _write(self, request: Request) -> Object:
        return self._decode(await self._transport.send(request), Object)

    async def _list(
        self, resource: Resource, namespace: str | None, label_selector: str, field_selector: str, limit: int
    ) -> builtins.list[Object]:
        pages = self.pages(
            resource, namespace, label_selector=label_selector, field_selector=field_selector, limit=limit
        )
        # The API leaves out of the items what the list says once.
        kind = {"apiVersion": resource.api_version, "kind": resource.kind}
        return [{**kind, **self._decode(raw, Object)} async for page in pages for raw in page.items]

    def _event(self, line: bytes) -> WatchEvent:
        event = self._decode_outer(line, WatchEvent)
        if event.type == "ERROR":
            raise status_error(self._decode(event.object, Status))
        return event

    def _decode_outer(self, data: bytes, kind: type[T]) -> T:
        """Decode what holds raw objects; one that is nested too deeply to be read comes without its depths."""
        try:
            return self._decode(data, kind)
        except ServerError as error:
            if not isinstance(error.__cause__, RecursionError):
                raise
            return self._decode(flattened(data), kind)

    def _decode(self, data: bytes | msgspec.Raw, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, RecursionError) as error:
            excerpt = one_line(bytes(data).decode(errors="replace"))
            message = f"{self.address} sent what is not a Kubernetes answer: {one_line(error)}: {excerpt}"
            raise ServerError(message, status=200, reason="InvalidAnswer") from error


def _selectors(label_selector: str, field_selector: str) -> dict[str, str]:
    selectors = {"labelSelector": label_selector, "fieldSelector": field_selector}
    return {name: selector for name, selector in selectors.items() if selector}
