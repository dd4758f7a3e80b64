"""Edge cases of the delays before old versions go, pinned by the incumbent's tests; numbers are rows of rollout 10."""

from datetime import timedelta
from typing import Any

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.model import format_time
from sluicegate.engine.decision import PatchReplicaSet

from .builders import DAWN, make_replica_set
from .routed import one_pass, routed_view, routed_world, updating
from .world import World

FINISHED = {"stableRS": "c", "currentStepIndex": 1}
STEPS = [{"setWeight": 50}]
LATER = format_time(DAWN + timedelta(seconds=20))


def old_version(hash_: str, revision: int, deadline: str | None = LATER) -> ReplicaSet:
    return make_replica_set(hash_, 10, 10, revision=revision, deadline=deadline)


def stable(deadline: str | None = None) -> ReplicaSet:
    return make_replica_set("c", 10, 10, new=True, revision=9, deadline=deadline)


def patches(*replica_sets: ReplicaSet, **canary: Any) -> dict[str, object]:
    """What one pass over a finished update writes to each ReplicaSet."""
    decision = one_pass(routed_view(10, replica_sets, steps=STEPS, status=FINISHED, **canary)).decision
    written = [action for action in decision.actions if isinstance(action, PatchReplicaSet)]
    return {action.replica_set.metadata.name: action.patch for action in written}


EMPTIED = {
    "metadata": {"annotations": {names.DESIRED_REPLICAS: "10", names.SCALE_DOWN_DEADLINE: None}},
    "spec": {"replicas": 0},
}


def test_33_of_two_annotated_old_versions_over_the_revision_limit_the_older_goes_and_the_newer_keeps_its_deadline() -> (
    None
):
    assert patches(old_version("a", 1), old_version("b", 2), stable(), scaleDownDelayRevisionLimit=1) == {"a": EMPTIED}


def test_33_without_the_limit_both_wait() -> None:
    assert patches(old_version("a", 1), old_version("b", 2), stable()) == {}


def test_34_an_unparsable_scale_down_deadline_is_treated_as_expired_and_the_version_scaled_to_0() -> None:
    assert patches(old_version("a", 1, "tomorrow"), stable()) == {"a": EMPTIED}


def test_35_a_new_version_that_carries_a_deadline_loses_the_annotation() -> None:
    """As after a fast rollback; a merge patch here, unlike the incumbent's JSON patch, with the same outcome."""
    assert patches(stable(deadline=LATER)) == {"c": {"metadata": {"annotations": {names.SCALE_DOWN_DEADLINE: None}}}}


def test_35_a_fast_rollback_removes_the_deadline_that_the_update_before_it_wrote() -> None:
    world = updating(steps=[{"setWeight": 50}])
    world.settle()
    annotations = world.replica_set("v1")["metadata"]["annotations"]
    assert names.SCALE_DOWN_DEADLINE in annotations
    world.set_image("v1")
    world.settle()
    assert names.SCALE_DOWN_DEADLINE not in world.replica_set("v1")["metadata"]["annotations"]


def test_58_a_deadline_exceeded_while_another_version_waits_in_its_scale_down_delay_is_no_timeout() -> None:
    world = routed_world(steps=STEPS)
    world.patch({"spec": {"progressDeadlineSeconds": 20, "strategy": {"canary": {"scaleDownDelaySeconds": 60}}}})
    world.set_image("v2")
    world.settle()
    world.set_image("error")
    world.settle()
    world.pass_time(40)
    world.settle()
    assert names.SCALE_DOWN_DEADLINE in world.replica_set("v1")["metadata"]["annotations"]
    assert timed_out(world) is False
    for _ in range(2):
        world.pass_time(30)
        world.settle()
    assert world.sizes == {"v2": 10, "error": 5}
    assert timed_out(world) is True


def timed_out(world: World) -> bool:
    found = world.condition("Progressing")
    return found is not None and found[1] == "ProgressDeadlineExceeded"
