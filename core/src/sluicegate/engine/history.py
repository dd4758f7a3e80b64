"""Which old ReplicaSets are past the history limit."""

from sluicegate.api.foreign import ReplicaSet
from sluicegate.engine.decision import DeleteReplicaSet
from sluicegate.engine.view import View, created, size


def history_cleanup(view: View) -> tuple[DeleteReplicaSet, ...]:
    """Delete the oldest ReplicaSets above `revisionHistoryLimit`; one with pods left is skipped, not substituted."""
    others = [rs for rs in view.others if rs.metadata.deletion_timestamp is None]
    excess = len(others) - view.rollout.spec.history_limit
    return tuple(DeleteReplicaSet(rs) for rs in others[: max(0, excess)] if _is_empty(rs))


def _is_empty(replica_set: ReplicaSet) -> bool:
    settled = replica_set.status.observed_generation >= replica_set.metadata.generation
    return settled and size(replica_set) == 0 and created(replica_set) == 0
