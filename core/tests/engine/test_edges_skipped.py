"""Weight rises only onto pods that are available, also when a person skips what it would have waited for."""

from .builders import make_replica_set
from .routed import one_pass, routed_view

STEPS = [{"setWeight": 10}, {"setWeight": 90}, {"pause": {}}]


def test_a_setweight_that_a_person_skips_is_not_given_to_fewer_pods_than_it_needs() -> None:
    """docs/differences.md: Argo Rollouts sets the weight of a skipped step at once, here 90 % onto 1 pod of 10."""
    replica_sets = [make_replica_set("s", 10, 10), make_replica_set("c", 9, 1, new=True, revision=2)]
    view = routed_view(10, replica_sets, steps=STEPS, status={"currentStepIndex": 2}, recorded=("c", 10))
    assert one_pass(view).handed_over == [("c", 10)]


def test_a_full_promotion_does_not_hand_the_weight_of_another_version_to_pods_that_are_not_there() -> None:
    """docs/differences.md: Argo Rollouts gives the new version what is recorded for the one before it."""
    replica_sets = [
        make_replica_set("s", 10, 10, revision=1),
        make_replica_set("b", 5, 5, revision=2),
        make_replica_set("c", 10, 1, new=True, revision=3),
    ]
    view = routed_view(10, replica_sets, steps=STEPS, status={"promoteFull": True}, recorded=("b", 50))
    assert one_pass(view).handed_over[-1] == ("c", 10)
