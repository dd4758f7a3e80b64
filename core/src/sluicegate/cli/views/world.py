"""The objects of a namespace that a view is computed from, each found by its owner."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sluicegate.cli.views.fields import items, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluicegate.cli.views.fields import Object


class Owned:
    """Objects of one kind by the UIDs of all their owners; `controller: true` is not asked for (operations.md 1.3)."""

    def __init__(self, objects: Iterable[Object] = ()) -> None:
        self._by_owner: dict[str, list[Object]] = defaultdict(list)
        for one in objects:
            for uid in {text(owner, "uid") for owner in items(one, "metadata", "ownerReferences")}:
                self._by_owner[uid].append(one)

    def by(self, owner: Object) -> list[Object]:
        """The objects that name `owner` among their owners."""
        return self._by_owner.get(text(owner, "metadata", "uid"), [])


@dataclass(frozen=True, slots=True)
class World:
    """What belongs to Rollouts and Experiments in one namespace."""

    replica_sets: Owned = field(default_factory=Owned)
    pods: Owned = field(default_factory=Owned)
    experiments: Owned = field(default_factory=Owned)
    analysis_runs: Owned = field(default_factory=Owned)
