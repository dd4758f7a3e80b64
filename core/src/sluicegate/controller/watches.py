"""Watching the kinds that only some Rollouts need: Ingresses, routes of a mesh, pods, templates, referenced workloads.

What every Rollout needs (Rollouts, ReplicaSets, Services) is in `caches` from the start; a kind comes in here when a
Rollout first asks for it, and costs nothing before.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

from sluicegate.api.resources import Resource
from sluicegate.controller.caches import Key, StoredObject, decode_object
from sluicegate.controller.interests import ByLabels, ByName, HasMetadata, Interests
from sluicegate.controller.watched import KindCache, WatchedKind
from sluicegate.errors import Forbidden
from sluicegate.kube.client import Client

if TYPE_CHECKING:
    import builtins

T = TypeVar("T", bound=HasMetadata)


class Watches:
    """Reads of Rollouts from caches that fill themselves, and `enqueue` of those Rollouts that a change concerns.

    Each kind is listed and watched once, in the whole scope of the controller (`namespace`, None for all), from the
    first read on. With thousands of Rollouts that read Ingresses there is still one list (in pages), one watch, and one
    copy of each Ingress in memory, whole; a read sends no request, and a change costs a look-up by name and enqueues
    only who read that Ingress. The price is that the Ingresses that no Rollout reads are kept too. Of large kinds ask
    by a `WatchedKind` that decodes little of each object and watches few of them.

    Reads raise Forbidden if the controller may not list or watch the kind (the text says which), or for a namespace
    outside its scope; ConnectError if the kind could not be listed yet. A kind that the API does not serve has no
    objects; it is tried again every 5 seconds, and found soon after its CRD appears.
    """

    def __init__(self, client: Client, enqueue: Callable[[Key], None], namespace: str | None = None) -> None:
        self._client = client
        self._enqueue = enqueue
        self._namespace = namespace
        self._interests = Interests()
        self._caches: dict[WatchedKind[Any], KindCache[Any]] = {}
        self._writers: dict[tuple[WatchedKind[Any], str, str], tuple[Key, str]] = {}

    def begin(self, reader: Key) -> None:
        """Start a pass of a Rollout: it depends on what this pass and the one before it read, and on nothing else."""
        self._interests.begin(reader)

    def forget(self, reader: Key) -> None:
        """Drop what is kept of a Rollout that is gone."""
        self._interests.forget(reader)

    @overload
    async def get(self, reader: Key, kind: Resource, namespace: str, name: str) -> StoredObject | None: ...
    @overload
    async def get(self, reader: Key, kind: WatchedKind[T], namespace: str, name: str) -> T | None: ...
    async def get(self, reader: Key, kind: Resource | WatchedKind[Any], namespace: str, name: str) -> Any:
        """An object, or None if it does not exist; `namespace` does not matter for cluster-scoped kinds."""
        watched = _watched(kind)
        where = self._scope(watched, namespace)
        self._interests.add(reader, ByName(watched, where, name))
        cache = self._cache(watched)
        await cache.ready()
        return cache.get(where, name)

    @overload
    async def list(
        self, reader: Key, kind: Resource, namespace: str, label_selector: str = ""
    ) -> "builtins.list[StoredObject]": ...
    @overload
    async def list(
        self, reader: Key, kind: WatchedKind[T], namespace: str, label_selector: str = ""
    ) -> "builtins.list[T]": ...
    async def list(
        self, reader: Key, kind: Resource | WatchedKind[Any], namespace: str, label_selector: str = ""
    ) -> Any:
        """The objects of a namespace that the selector matches (empty: all); raises BadRequest if it is none."""
        watched = _watched(kind)
        where = self._scope(watched, namespace)
        self._interests.add(reader, ByLabels(watched, where, label_selector))
        cache = self._cache(watched)
        await cache.ready()
        return cache.select(where, label_selector)

    def written(self, reader: Key, kind: Resource | WatchedKind[Any], document: Mapping[str, Any]) -> None:
        """Show an object as the API has just answered with it, for as long as the watch lags behind."""
        watched = _watched(kind)
        metadata = self._cache(watched).written(msgspec.json.encode(document))
        self._writers[watched, metadata.namespace, metadata.name] = (reader, metadata.resource_version)

    def deleted(self, kind: Resource | WatchedKind[Any], observed: Mapping[str, Any]) -> None:
        """Show an object no longer that was just deleted or found to be gone, for as long as the watch lags behind."""
        self._cache(_watched(kind)).deleted(decode_object(msgspec.json.encode(observed)))

    async def close(self) -> None:
        """End all watches."""
        for cache in self._caches.values():
            await cache.stop()

    def _scope(self, kind: WatchedKind[Any], namespace: str) -> str:
        if not kind.resource.namespaced:
            return ""
        if self._namespace not in (None, namespace):
            message = f"{kind} of namespace {namespace} are out of reach: the controller works in {self._namespace}"
            raise Forbidden(message, status=403, reason="Forbidden")
        return namespace

    def _cache(self, kind: WatchedKind[Any]) -> KindCache[Any]:
        if kind not in self._caches:
            self._caches[kind] = KindCache(self._client, kind, self._namespace, partial(self._changed, kind))
            self._caches[kind].start()
        return self._caches[kind]

    def _changed(self, kind: WatchedKind[Any], old: HasMetadata | None, new: HasMetadata | None) -> None:
        writer = self._writer(kind, new or old)
        for reader in self._interests.readers(kind, old, new):
            if reader != writer:
                self._enqueue(reader)

    def _writer(self, kind: WatchedKind[Any], changed: HasMetadata | None) -> Key | None:
        """Who has made this very version, and needs no news of it."""
        if changed is None:
            return None
        metadata = changed.metadata
        writer, version = self._writers.pop((kind, metadata.namespace, metadata.name), (None, ""))
        return writer if version == metadata.resource_version else None


def _watched(kind: Resource | WatchedKind[Any]) -> WatchedKind[Any]:
    return kind if isinstance(kind, WatchedKind) else WatchedKind(kind, decode_object)
