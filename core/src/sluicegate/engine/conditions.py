"""Status conditions: the update rule, and the texts of each reason (wire contract of Argo Rollouts)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from sluicegate.api.status import Condition

AVAILABLE: Final = "Available"
COMPLETED: Final = "Completed"
HEALTHY: Final = "Healthy"
INVALID_SPEC: Final = "InvalidSpec"
PAUSED: Final = "Paused"
PROGRESSING: Final = "Progressing"
REPLICA_FAILURE: Final = "ReplicaFailure"

TRUE: Final = "True"
FALSE: Final = "False"
UNKNOWN: Final = "Unknown"

ABORTED: Final = "RolloutAborted"
CREATE_ERROR: Final = "ReplicaSetCreateError"
NEW_RS_AVAILABLE: Final = "NewReplicaSetAvailable"
NEW_RS_CREATED: Final = "NewReplicaSetCreated"
NOT_AVAILABLE: Final = "ReplicaSetNotAvailable"
ROLLOUT_PAUSED: Final = "RolloutPaused"
RESUMED: Final = "RolloutResumed"
RETRY: Final = "RolloutRetry"
RS_UPDATED: Final = "ReplicaSetUpdated"
TIMED_OUT: Final = "ProgressDeadlineExceeded"

MINIMUM_AVAILABILITY: Final = "Rollout has minimum availability"
NO_MINIMUM_AVAILABILITY: Final = "Rollout does not have minimum availability"


@dataclass(frozen=True, slots=True)
class Conditions:
    """The list of conditions; a rewritten one moves to its end."""

    items: tuple[Condition, ...]

    @classmethod
    def stored(cls, conditions: Iterable[Condition]) -> Self:
        """From the status as read."""
        return cls(tuple(conditions))

    def get(self, type_: str) -> Condition | None:
        return next((condition for condition in self.items if condition.type == type_), None)

    def has(self, type_: str, reason: str) -> bool:
        """Whether the condition of this type has this reason."""
        condition = self.get(type_)
        return condition is not None and condition.reason == reason

    def is_true(self, type_: str) -> bool:
        condition = self.get(type_)
        return condition is not None and condition.status == TRUE

    def without(self, type_: str) -> "Conditions":
        return Conditions(tuple(condition for condition in self.items if condition.type != type_))

    def put(self, type_: str, status: str, reason: str, message: str, now: datetime) -> "Conditions":
        """Set a condition; the same status and reason as before leave it, times and message included, as it is."""
        old = self.get(type_)
        if old and (old.status, old.reason) == (status, reason):
            return self
        return self.renew(type_, status, reason, message, now)

    def renew(self, type_: str, status: str, reason: str, message: str, now: datetime) -> "Conditions":
        """Set a condition with a fresh update time; the transition time stays while the status does."""
        old = self.get(type_)
        condition = Condition(
            type=type_,
            status=status,
            reason=reason,
            message=message,
            last_update_time=now,
            last_transition_time=old.last_transition_time if old and old.status == status else now,
        )
        return Conditions((*self.without(type_).items, condition))
