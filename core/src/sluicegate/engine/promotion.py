"""When the new ReplicaSet becomes the stable one, and what counts as a rollback."""

from sluicegate.api import names
from sluicegate.engine.steps import threshold_met
from sluicegate.engine.view import View, available, born


def promotion_reason(view: View) -> str | None:
    """Why the new ReplicaSet is to be marked stable now; None while it is not.

    The very first ReplicaSet is stable at once, before a pod of it is available; so is the new one when the stable one
    was deleted by hand, unless the update was aborted.
    """
    if view.stable_rs is None and not (view.status.stable_rs and view.aborted and not view.full_promotion):
        return "Initial deploy"
    if view.aborted and not skips_steps(view):
        return None
    if not (available(view.new_rs) >= view.replicas and view.new_rs) and not threshold_met(
        view, view.new_rs, view.replicas
    ):
        return None
    if view.full_promotion:
        return "Full promotion requested"
    if is_fast_rollback(view):
        return "Rollback within window" if within_window(view) else "Fast rollback"
    if view.step_index >= len(view.steps):
        return f"Completed all {len(view.steps)} canary steps"
    return None


def skips_steps(view: View) -> bool:
    """Whether steps and pauses no longer count: a full promotion, also of an aborted update, or a rollback's window."""
    return view.full_promotion or (within_window(view) and not view.status.abort)


def is_rollback(view: View) -> bool:
    """Whether the new ReplicaSet is the stable one, or older than it."""
    if view.new_rs is None or view.stable_rs is None:
        return False
    return view.new_rs is view.stable_rs or born(view.new_rs) < born(view.stable_rs)


def is_fast_rollback(view: View) -> bool:
    """A rollback that skips the steps."""
    return is_rollback(view) and (view.new_rs is view.stable_rs or within_window(view))


def within_window(view: View) -> bool:
    """Whether `rollbackWindow` lets an older ReplicaSet come back without steps: by those created in between."""
    window = view.rollout.spec.rollback_window
    new, stable = view.new_rs, view.stable_rs
    if window is None or window.revisions <= 0 or new is None or stable is None or born(new) >= born(stable):
        return False
    between = [
        rs
        for rs in view.replica_sets
        if born(new) < born(rs) < born(stable) and names.EXPERIMENT_NAME not in rs.metadata.annotations
    ]
    return len(between) < window.revisions
