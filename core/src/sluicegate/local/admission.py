"""The registry of what happens to an object of a built-in kind between the request and the store.

Defaulting, allocation (cluster IPs, node ports) and the checks of a kind are functions registered here; the API layer
runs them on every create and update, before the schema's own validation has the last word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

from sluicegate.local.objects import Kind, Object

if TYPE_CHECKING:
    from sluicegate.local.store import ObjectStore

Admission = Callable[[Object, Object | None, "ObjectStore"], Object]
"""Given the new object (private, may be changed), the stored one (None on create; never change it) and the store,
return the object to store, or raise an `ApiError` to refuse it."""


class Admissions:
    """The admission functions of each kind, in the order they were registered."""

    def __init__(self) -> None:
        self._by_kind: defaultdict[Kind, list[Admission]] = defaultdict(list)

    def register(self, group: str, plural: str, admission: Admission) -> None:
        """Run `admission` on every object of this kind that is created or updated from now on."""
        self._by_kind[group, plural].append(admission)

    def admit(self, kind: Kind, new: Object, old: Object | None, store: ObjectStore) -> Object:
        """Pass an object through all functions of its kind."""
        for admission in self._by_kind.get(kind, ()):
            new = admission(new, old, store)
        return new
