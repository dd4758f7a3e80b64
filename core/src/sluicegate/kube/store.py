"""A cache of objects by namespace and name, with indexes: what the Reflector writes and everyone else only reads.

Objects are taken as immutable: an index function must give the same values for the same object for ever.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterable

T = TypeVar("T")

ObjectKey = tuple[str, str]


class _Index(Generic[T]):
    """Objects by each of the values that a function gives for them."""

    def __init__(self, values: Callable[[T], Iterable[str]]) -> None:
        self._values = values
        self._objects: defaultdict[str, dict[ObjectKey, T]] = defaultdict(dict)

    def put(self, key: ObjectKey, obj: T) -> None:
        for value in self._values(obj):
            self._objects[value][key] = obj

    def remove(self, key: ObjectKey, obj: T) -> None:
        for value in self._values(obj):
            self._objects[value].pop(key, None)
            if not self._objects[value]:
                del self._objects[value]

    def find(self, value: str) -> list[T]:
        return list(self._objects[value].values()) if value in self._objects else []


class Store(Generic[T]):
    """Objects of one kind, by namespace (`""` for cluster-scoped kinds) and name."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, T]] = {}
        self._indexes: dict[str, _Index[T]] = {}
        self._synced = False

    @property
    def has_synced(self) -> bool:
        """Whether the first full list has been taken in; before that, absence means nothing."""
        return self._synced

    def get(self, namespace: str, name: str) -> T | None:
        """The object of that name, or None."""
        return self._objects.get(namespace, {}).get(name)

    def list(self, namespace: str | None = None) -> builtins.list[T]:
        """All objects of a namespace, or of all namespaces."""
        if namespace is not None:
            return [*self._objects.get(namespace, {}).values()]
        return [obj for objects in self._objects.values() for obj in objects.values()]

    def by_index(self, index_name: str, value: str) -> builtins.list[T]:
        """The objects for which the index function gave this value.

        Raises KeyError for an index that was never added.
        """
        return self._indexes[index_name].find(value)

    def add_index(self, name: str, values: Callable[[T], Iterable[str]]) -> None:
        """Index all objects, those present too, by the values the function gives for each."""
        index = _Index(values)
        for namespace, objects in self._objects.items():
            for object_name, obj in objects.items():
                index.put((namespace, object_name), obj)
        self._indexes[name] = index

    def put(self, namespace: str, name: str, obj: T) -> None:
        """Insert an object, or put it in the place of the one of that name."""
        self.remove(namespace, name)
        self._objects.setdefault(namespace, {})[name] = obj
        for index in self._indexes.values():
            index.put((namespace, name), obj)

    def remove(self, namespace: str, name: str) -> None:
        """Forget the object of that name, if there is one."""
        obj = self._objects.get(namespace, {}).pop(name, None)
        if obj is None:
            return
        for index in self._indexes.values():
            index.remove((namespace, name), obj)
        if not self._objects[namespace]:
            del self._objects[namespace]

    def names(self) -> builtins.list[ObjectKey]:
        """Namespace and name of every object."""
        return [(namespace, name) for namespace, objects in self._objects.items() for name in objects]

    def mark_synced(self) -> None:
        """Say that a full list has been taken in."""
        self._synced = True
