"""What a pass decides: writes in the order in which they are to be made, the new status, events, when to look again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sluicegate.api.foreign import ReplicaSet


@dataclass(frozen=True, slots=True)
class Event:
    """A Kubernetes Event on the Rollout; `type` is `Normal` or `Warning`."""

    reason: str
    message: str
    type: Literal["Normal", "Warning"] = "Normal"


@dataclass(frozen=True, slots=True)
class CreateReplicaSet:
    """Create the ReplicaSet of a new revision; a name that is taken leads to `revisions.name_taken`."""

    manifest: Mapping[str, Any]
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimReplicaSet:
    """Adopt or release a ReplicaSet by a merge patch; adoption asks the API first whether the Rollout still lives."""

    replica_set: ReplicaSet
    patch: Mapping[str, Any]
    adopts: bool


@dataclass(frozen=True, slots=True)
class PatchReplicaSet:
    """Merge-patch a ReplicaSet at the version it was read; a conflict means to decide again."""

    replica_set: ReplicaSet
    patch: Mapping[str, Any]
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteReplicaSet:
    """Delete a ReplicaSet that is past the history limit, at the version it was read."""

    replica_set: ReplicaSet


@dataclass(frozen=True, slots=True)
class PatchRollout:
    """Merge-patch the Rollout itself (not its status) at the version it was read."""

    patch: Mapping[str, Any]
    events: tuple[Event, ...] = ()


Action = CreateReplicaSet | ClaimReplicaSet | PatchReplicaSet | DeleteReplicaSet | PatchRollout


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of a pass.

    `actions` come first, in order, each followed by its events; then `status`, a merge patch of `.status` (None or
    empty: no write), followed by `events`. `requeue_after` is in seconds. `error` makes the pass count as failed, so
    that it is tried again with the backoff of failures.
    """

    actions: tuple[Action, ...] = ()
    status: Mapping[str, Any] | None = None
    events: tuple[Event, ...] = ()
    requeue_after: float | None = None
    error: str | None = None
