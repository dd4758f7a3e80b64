"""What serves in blue-green: the ReplicaSet that the active Service selects now, and whether a ReplicaSet is whole.

The live selector counts, not the one in the status: that is where traffic goes, also after an edit by hand.
"""

from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.rollout import BlueGreenStrategy
from sluicegate.engine.view import View, available, hash_of, size


def strategy_of(view: View) -> BlueGreenStrategy:
    """The strategy of a blue-green Rollout; one that names no Service for a canary."""
    return view.blue_green or BlueGreenStrategy()


def active_hash(view: View) -> str:
    """The pod template hash that the active Service selects; empty while it selects none."""
    return view.surroundings.service_hash(strategy_of(view).active_service)


def preview_hash(view: View) -> str:
    """The pod template hash that the preview Service selects; empty without one."""
    return view.surroundings.service_hash(strategy_of(view).preview_service)


def active_rs(view: View) -> ReplicaSet | None:
    """The ReplicaSet that the active Service selects."""
    return with_hash(view, active_hash(view))


def with_hash(view: View, wanted: str) -> ReplicaSet | None:
    """The owned ReplicaSet of that hash."""
    return next((rs for rs in view.replica_sets if wanted and hash_of(rs) == wanted), None)


def is_active(view: View, replica_set: ReplicaSet | None) -> bool:
    """Whether all traffic goes to this ReplicaSet."""
    return replica_set is not None and replica_set is active_rs(view)


def is_saturated(view: View, replica_set: ReplicaSet | None) -> bool:
    """Whether it has all the pods of the Rollout, available, and was sized for just so many (rollout 2.2)."""
    if replica_set is None or view.desired_annotation(replica_set) != str(view.replicas):
        return False
    return size(replica_set) == available(replica_set) == view.replicas
