"""What this process has written itself and a cache may not show yet: shown in the cache's place until it does."""

from typing import Final, Generic, NamedTuple, TypeVar

from sluicegate.api.foreign import ObjectMeta
from sluicegate.controller.interests import HasMetadata

T = TypeVar("T", bound=HasMetadata)

PATIENCE_SECONDS: Final = 5.0
"""After this long the cache counts as right: the object may have changed hands in ways that left no trace in it."""

ObjectKey = tuple[str, str]


class _Written(NamedTuple, Generic[T]):
    """The object as written (None: deleted), the version from which on a cache is no longer behind, and until when."""

    obj: T | None
    uid: str
    version: int
    until: float


class OwnWrites(Generic[T]):
    """The objects of one kind that are ahead of their cache; `now` is a monotonic time in seconds."""

    def __init__(self) -> None:
        self._written: dict[ObjectKey, _Written[T]] = {}

    def remember(self, obj: T, now: float) -> None:
        """Take an object as a write, or a read past the cache, has shown it."""
        metadata = obj.metadata
        self._keep(metadata, _Written(obj, metadata.uid, version_of(metadata), now + PATIENCE_SECONDS))

    def remember_gone(self, metadata: ObjectMeta, now: float) -> None:
        """Take note that an object is deleted, which was last seen like this."""
        # A finalizer may keep it: then it comes again, in a later version.
        self._keep(metadata, _Written(None, metadata.uid, version_of(metadata) + 1, now + PATIENCE_SECONDS))

    def caught_up(self, old: T | None, new: T | None) -> None:
        """Drop what a change of the cache has made out of date."""
        shown = new or old
        if shown is None:
            return
        key = (shown.metadata.namespace, shown.metadata.name)
        written = self._written.get(key)
        if written and (_shows(new, written) if new else shown.metadata.uid == written.uid):
            del self._written[key]

    def over(self, key: ObjectKey, shown: T | None, now: float) -> T | None:
        """What is known of an object that the cache shows like this."""
        written = self._written.get(key)
        if written is None:
            return shown
        if now < written.until and not (shown and _shows(shown, written)):
            return written.obj
        del self._written[key]
        return shown

    def keys(self, namespace: str) -> list[ObjectKey]:
        """The objects of a namespace that may be ahead of the cache."""
        return [key for key in self._written if key[0] == namespace]

    def _keep(self, metadata: ObjectMeta, written: _Written[T]) -> None:
        # Answers may come in another order than the writes were made in.
        key = (metadata.namespace, metadata.name)
        known = self._written.get(key)
        if known is None or known.version <= written.version:
            self._written[key] = written


def version_of(metadata: ObjectMeta) -> int:
    """The resource version as a number; 0 if it is none, so that every cache counts as caught up."""
    return int(metadata.resource_version) if metadata.resource_version.isdecimal() else 0


def _shows(shown: HasMetadata, written: _Written[T]) -> bool:
    replaced = written.obj is None and shown.metadata.uid != written.uid
    return replaced or version_of(shown.metadata) >= written.version
