"""Which Rollout has read what, so that a change reaches those who depend on it and nobody else.

Kept are the reads of a Rollout's last two passes: one that ended early, before it had read all, loses nothing.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from sluicegate.api.foreign import ObjectMeta
from sluicegate.api.selector_text import parse_selector
from sluicegate.api.selectors import anchor, matches
from sluicegate.controller.caches import Key


class HasMetadata(Protocol):
    """An object of any kind, slim or whole."""

    @property
    def metadata(self) -> ObjectMeta: ...


class ByName(NamedTuple):
    """One object was read, whether it was there or not."""

    kind: Hashable
    namespace: str
    name: str


class ByLabels(NamedTuple):
    """All objects of a namespace that a selector matches were read."""

    kind: Hashable
    namespace: str
    selector: str


Read = ByName | ByLabels
_Place = tuple[Hashable, str, tuple[str, str] | None]


class Interests:
    """Reads by reader and readers by read. What a change costs does not depend on how many Rollouts there are."""

    def __init__(self) -> None:
        self._current: defaultdict[Key, set[Read]] = defaultdict(set)
        self._previous: dict[Key, set[Read]] = {}
        self._readers: defaultdict[Read, set[Key]] = defaultdict(set)
        self._lists: defaultdict[_Place, set[ByLabels]] = defaultdict(set)

    def begin(self, reader: Key) -> None:
        """Start a pass: what neither it nor the one before it reads is dropped when the next one starts."""
        outdated = self._previous.pop(reader, set()) - self._current[reader]
        self._previous[reader] = self._current.pop(reader)
        self._drop(reader, outdated)

    def add(self, reader: Key, read: Read) -> None:
        """Remember a read; to be called before it, so that no change is missed. Raises BadRequest for a selector."""
        if isinstance(read, ByLabels):
            self._lists[_place(read)].add(read)
        self._current[reader].add(read)
        self._readers[read].add(reader)

    def forget(self, reader: Key) -> None:
        """Drop all that a reader has read."""
        self._drop(reader, self._previous.pop(reader, set()) | self._current.pop(reader, set()))

    def readers(self, kind: Hashable, old: HasMetadata | None, new: HasMetadata | None) -> set[Key]:
        """Who has read the object by name, or a list that it is in now or was in before."""
        return {reader for read in self._reads(kind, old, new) for reader in self._readers.get(read, ())}

    def _reads(self, kind: Hashable, old: HasMetadata | None, new: HasMetadata | None) -> Iterator[Read]:
        for obj in filter(None, (old, new)):
            metadata = obj.metadata
            yield ByName(kind, metadata.namespace, metadata.name)
            yield from self._lists_with(kind, metadata.namespace, metadata.labels)

    def _lists_with(self, kind: Hashable, namespace: str, labels: Mapping[str, str]) -> Iterator[ByLabels]:
        for label in (None, *labels.items()):
            for read in self._lists.get((kind, namespace, label), ()):
                if matches(parse_selector(read.selector), labels):
                    yield read

    def _drop(self, reader: Key, reads: set[Any]) -> None:
        for read in reads:
            readers = self._readers[read]
            readers.discard(reader)
            if not readers:
                self._drop_read(read)

    def _drop_read(self, read: Read) -> None:
        del self._readers[read]
        if isinstance(read, ByLabels):
            lists = self._lists[_place(read)]
            lists.discard(read)
            if not lists:
                del self._lists[_place(read)]


def _place(read: ByLabels) -> _Place:
    return read.kind, read.namespace, anchor(parse_selector(read.selector))
