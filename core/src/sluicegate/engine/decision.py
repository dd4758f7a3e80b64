"""What a pass decides: writes in the order in which they are to be made, the new status, events, when to look again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sluicegate.api.foreign import Pod, ReplicaSet, Service


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


@dataclass(frozen=True, slots=True)
class PatchService:
    """Merge-patch a Service at the version it was read; a conflict means to decide again."""

    service: Service
    patch: Mapping[str, Any]
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class PatchPod:
    """Merge-patch a pod, whatever its version; one that is gone is no failure."""

    pod: Pod
    patch: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EvictPod:
    """Evict a pod by the policy API; one that a disruption budget keeps stays, and the decision learns of it later."""

    pod: Pod


@dataclass(frozen=True, slots=True)
class ScaleDeployment:
    """Set the size of the Deployment that lends its template.

    A failure ends the pass if it is `required`, else it is logged and tried again by a later pass.
    """

    name: str
    replicas: int
    required: bool


@dataclass(frozen=True, slots=True)
class TerminateRun:
    """Ask an AnalysisRun or an Experiment to end."""

    kind: Literal["AnalysisRun", "Experiment"]
    name: str


Action = (
    CreateReplicaSet
    | ClaimReplicaSet
    | PatchReplicaSet
    | DeleteReplicaSet
    | PatchRollout
    | PatchService
    | PatchPod
    | EvictPod
    | ScaleDeployment
    | TerminateRun
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of a pass.

    `opening` tells of what was done before it, in the same pass. `actions` come first, in order, each followed by its
    events; then `status`, a merge patch of `.status` (None or empty: no write), followed by `events`. `requeue_after`
    is in seconds. `error` makes the pass count as failed, so that it is tried again with the backoff of failures. With
    `after_evictions` the status is only written if no eviction was refused.
    """

    actions: tuple[Action, ...] = ()
    status: Mapping[str, Any] | None = None
    events: tuple[Event, ...] = ()
    requeue_after: float | None = None
    error: str | None = None
    after_evictions: bool = False
    opening: tuple[Event, ...] = ()
