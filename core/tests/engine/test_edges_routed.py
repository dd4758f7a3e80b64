"""Edge cases of a canary with traffic routing, pinned by the incumbent's tests; the numbers are rows of rollout 10."""

from typing import Any

import pytest

from sluicegate.api import names
from sluicegate.engine.decision import PatchReplicaSet
from sluicegate.engine.traffic import Verified
from sluicegate.engine.view import View

from .builders import make_replica_set, make_service
from .routed import CANARY, Passed, one_pass, routed_view, updating
from .world import Route

HEADER_STEP = {
    "setHeaderRoute": {"name": "vip", "match": [{"headerName": "x-vip", "headerValue": {"exact": "1"}}]},
}
WITH_HEADERS: dict[str, Any] = {"trafficRouting": {"istio": {}, "managedRoutes": [{"name": "vip"}]}}
UPDATE = [{"setWeight": 50}, {"pause": {}}]


def resized(passed: Passed) -> dict[str, int]:
    """The new sizes that a pass gives, by hash."""
    patches = [action for action in passed.decision.actions if isinstance(action, PatchReplicaSet)]
    sizes = ((patch.replica_set.metadata.name, patch.patch.get("spec", {}).get("replicas")) for patch in patches)
    return {name: size for name, size in sizes if size is not None}


def interrupted(stable: int = 10, third: int = 0, **canary: Any) -> View:
    """V1 `s` is stable, V2 `b` has 5 pods and half of the traffic, V3 `c` wants 5 and has `third` available."""
    replica_sets = [
        make_replica_set("s", stable, stable, revision=1),
        make_replica_set("b", 5, 5, revision=2),
        make_replica_set("c", 5, third, new=True, revision=3),
    ]
    steps = [HEADER_STEP, *UPDATE]
    return routed_view(10, replica_sets, steps=steps, status={"currentStepIndex": 2}, recorded=("b", 50), **canary)


def test_20_a_version_that_the_weights_still_reference_is_not_scaled_down() -> None:
    assert "b" not in resized(one_pass(interrupted()))


def test_21_the_weight_is_set_to_0_before_the_hashes_are_updated_and_managed_routes_are_removed() -> None:
    passed = one_pass(interrupted(**WITH_HEADERS))
    assert passed.handed_over == [("b", 0), ("c", 0)]
    assert not passed.keeps_routes


@pytest.mark.parametrize("managed", [{}, WITH_HEADERS])
def test_22_with_dynamic_stable_scale_and_stable_at_1_of_10_neither_weight_nor_hash_is_touched(
    managed: dict[str, Any],
) -> None:
    """Managed routes go all the same, with weight and hashes as they are."""
    passed = one_pass(interrupted(stable=1, dynamicStableScale=True, **managed))
    assert passed.handed_over == ([("b", 50)] if managed else [])
    assert not passed.keeps_routes
    assert passed.weights is None
    assert "b" not in resized(passed)


@pytest.mark.parametrize(("ready", "weight"), [(1, 10), (2, 20)])
def test_23_below_the_desired_count_at_step_2_the_weight_stays_10(ready: int, weight: int) -> None:
    steps = [{"setWeight": 10}, {"pause": {}}, {"setWeight": 20}]
    replica_sets = [make_replica_set("s", 10, 10), make_replica_set("c", 2, ready, new=True, revision=2)]
    view = routed_view(10, replica_sets, steps=steps, status={"currentStepIndex": 2}, recorded=("c", 10))
    assert one_pass(view).handed_over == [("c", weight)]


@pytest.mark.parametrize(("dynamic", "weight"), [(True, 50), (False, 5)])
def test_24_a_full_promotion_with_5_of_10_available_and_recorded_weight_5(dynamic: bool, weight: int) -> None:
    replica_sets = [make_replica_set("s", 10, 10), make_replica_set("c", 10, 5, new=True, revision=2)]
    status = {"promoteFull": True, "currentStepIndex": 1}
    view = routed_view(10, replica_sets, steps=UPDATE, status=status, recorded=("c", 5), dynamicStableScale=dynamic)
    assert one_pass(view).handed_over == [("c", weight)]


def test_25_fully_promoted_means_weight_0_and_managed_routes_removed() -> None:
    steps = [HEADER_STEP]
    replica_sets = [make_replica_set("c", 10, 10, new=True, revision=2)]
    status = {"stableRS": "c", "currentStepIndex": 1}
    view = routed_view(10, replica_sets, steps=steps, status=status, recorded=("c", 100), **WITH_HEADERS)
    passed = one_pass(view)
    assert passed.handed_over == [("c", 0)]
    assert not passed.keeps_routes


@pytest.mark.parametrize(("recorded", "handed_over"), [(10, []), (90, [("b", 90)])])
def test_26_dynamic_rollback_to_stable_with_stable_at_1_of_10_and_the_previous_canary_at_9(
    recorded: int, handed_over: list[tuple[str, int]]
) -> None:
    """The weight is unchanged, with the hashes of previous canary and stable; a weight that asks more of stable than it
    has is not even handed over again (the gate). Stable is scaled to 10, and the canary Service is not switched."""
    replica_sets = [make_replica_set("c", 1, 1, new=True, revision=3), make_replica_set("b", 9, 9, revision=2)]
    passed = one_pass(
        routed_view(
            10,
            replica_sets,
            steps=UPDATE,
            status={"stableRS": "c", "currentStepIndex": 2},
            recorded=("b", recorded),
            services=[make_service(CANARY, "b")],
            dynamicStableScale=True,
        )
    )
    assert passed.handed_over == handed_over
    assert passed.weights is None
    assert resized(passed) == {"c": 10}
    assert passed.switched(CANARY) == "b"


def aborted(replicas: int, stable: int, weight: int | None, **members: Any) -> View:
    """An aborted dynamic canary whose stable version has so many pods available; the canary Service selects canary."""
    replica_sets = [
        make_replica_set("s", replicas, stable),
        make_replica_set("c", members.pop("pods", 0), 0, new=True, revision=2),
    ]
    recorded = None if weight is None else ("c", weight)
    services = [make_service(CANARY, "c")]
    given = {"dynamicStableScale": True, **members}
    return routed_view(
        replicas, replica_sets, steps=UPDATE, status={"abort": True}, recorded=recorded, services=services, **given
    )


def test_27_stable_flaps_from_5_to_4_at_weight_0_in_a_dynamic_abort_and_the_weight_stays_0() -> None:
    passed = one_pass(aborted(replicas=5, stable=4, weight=0))
    assert [weight for _, weight in passed.handed_over] in ([], [0])
    assert passed.weights is None


def test_28_dynamic_abort_with_r_0_weight_0_canary_service_to_stable_no_division_by_zero() -> None:
    passed = one_pass(aborted(replicas=0, stable=0, weight=20))
    assert passed.handed_over == [("c", 0)]
    assert passed.switched(CANARY) == "s"


def test_29_explicit_abort_delay_with_dynamic_stable_scale_steps_down_by_stable_availability_alone() -> None:
    """No deadlock: the deadline is added once stable is whole again, and the canary goes when it is over."""
    steps = [{"setWeight": weight} for weight in (20, 40, 60)]
    world = updating(steps=[*steps, {"pause": {}}], dynamicStableScale=True, abortScaleDownDelaySeconds=30)
    assert world.sizes == {"v1": 4, "v2": 6}
    world.abort()
    for _ in range(40):
        world.step()
        annotated = names.SCALE_DOWN_DEADLINE in world.replica_set("v2")["metadata"]["annotations"]
        serving = world.pods.serving(world.named("v1"), world.min_ready, world.now)
        assert not annotated or serving == 10
        assert world.sizes["v2"] == 6
        world.pass_time(0.5)
    falling = [routes.canary.weight for routes in world.routes]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] == 0
    assert names.SCALE_DOWN_DEADLINE in world.replica_set("v2")["metadata"]["annotations"]
    world.pass_time(31)
    world.settle()
    assert world.sizes == {"v1": 10}


def test_30_a_changed_count_while_the_abort_delay_runs_updates_only_the_annotation_of_the_new_version() -> None:
    """So the next pass is no scaling event, and traffic keeps being reconciled."""
    world = updating(steps=UPDATE)
    world.abort()
    world.settle()
    assert world.sizes == {"v1": 10, "v2": 5}
    before = world.replica_set("v2")
    world.scale(12)
    world.settle()
    after = world.replica_set("v2")
    assert after["metadata"]["annotations"] == {**before["metadata"]["annotations"], names.DESIRED_REPLICAS: "12"}
    assert world.sizes == {"v1": 12, "v2": 5}
    assert any(isinstance(action, Route) for action in world.reconcile().actions)


def at_the_end() -> View:
    replica_sets = [make_replica_set("s", 10, 10), make_replica_set("c", 10, 10, new=True, revision=2)]
    return routed_view(10, replica_sets, steps=UPDATE, status={"currentStepIndex": 2}, recorded=("c", 50))


def test_31_weight_unverified_at_the_end_of_steps_is_an_error_and_nothing_is_scaled_down() -> None:
    passed = one_pass(at_the_end(), Verified(False))
    assert passed.handed_over == [("c", 100)]
    assert passed.decision.error == "end of rollout, desired weight 100 not yet verified"
    assert passed.decision.actions == ()
    assert "stableRS" not in (passed.decision.status or {})


def test_32_a_weight_verification_error_is_a_warning_event_and_the_pass_goes_on() -> None:
    replica_sets = [make_replica_set("s", 10, 10), make_replica_set("c", 2, 2, new=True, revision=2)]
    passed = one_pass(routed_view(10, replica_sets, steps=UPDATE), Verified(False, ("no answer",)))
    assert passed.warnings == [("WeightVerifyError", "Failed to verify weight: no answer")]
    assert passed.decision.error is None
    assert resized(passed) == {"c": 5}
