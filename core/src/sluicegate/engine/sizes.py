"""What a scaling decision is made of: wanted sizes, the writes that lead there, and when to look again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sluicegate.api.foreign import ReplicaSet
from sluicegate.engine.view import size


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of the new and of the stable ReplicaSet; of one that is both, only `new` counts."""

    new: int
    stable: int


@dataclass(frozen=True, slots=True)
class Resize:
    """One write on a ReplicaSet: its size (maybe the one it has), and annotations to set or, with None, to remove."""

    replica_set: ReplicaSet
    replicas: int
    annotations: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def changes_size(self) -> bool:
        """Whether pods come or go; a mere refresh of annotations does not end the scaling phase."""
        return size(self.replica_set) != self.replicas


@dataclass(frozen=True, slots=True)
class Scaling:
    """The resizes of one pass, and whether they end it: the next pass then sees the sizes as they became.

    `requeues` are seconds after which a delay is to be looked at again.
    """

    resizes: tuple[Resize, ...]
    ended: bool
    requeues: tuple[float, ...] = ()
