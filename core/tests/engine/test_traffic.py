"""The contract between a routed canary and its routers; the numbers are the rows of traffic 5, "Contract"."""

from typing import Any

import pytest

from sluicegate.api.merge import apply_merge_patch
from sluicegate.api.validation import parse_rollout, validate_rollout
from sluicegate.engine.prepare import refuse
from sluicegate.engine.traffic import Verified
from sluicegate.engine.view import View

from .builders import DAWN, make_replica_set
from .routed import CANARY, STABLE, Passed, one_pass, routed_manifest, routed_view, routed_world, updating, weights_of
from .test_edges_routed import HEADER_STEP, WITH_HEADERS, aborted, interrupted, resized
from .world import World

STEPS = [{"setWeight": 10}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]


def at_step(index: int, size: int, available: int, *, recorded: int | None = None, **canary: Any) -> View:
    """An update of ten pods at this step, whose canary has so many."""
    replica_sets = [make_replica_set("s", 10, 10), make_replica_set("c", size, available, new=True, revision=2)]
    weight = None if recorded is None else ("c", recorded)
    given = {"steps": STEPS, **canary}
    return routed_view(10, replica_sets, status={"currentStepIndex": index}, recorded=weight, **given)


def failing_after(world: World) -> World:
    """The world with a router that fails from now on, in an update that has just begun to have pods."""
    world.set_image("v2")
    for _ in range(4):
        world.step()
    world.pass_time(5)
    world.sync()
    world.forget()
    world.router_error = "no luck"
    return world


def test_01_set_weight_raises_event_trafficroutingerror_pass_fails_no_status_write() -> None:
    world = failing_after(routed_world(steps=STEPS))
    status = dict(world.status)
    decision = world.reconcile()
    assert decision.error == "no luck"
    assert [(event.type, event.reason) for event in world.events] == [
        ("Normal", "SwitchService"),
        ("Warning", "TrafficRoutingError"),
    ]
    assert not world.resizes
    assert world.status == status


def test_02_verify_raises_pass_continues_status_patched_event_weightverifyerror() -> None:
    passed = one_pass(at_step(0, 1, 1), Verified(False, ("no answer",)))
    assert passed.decision.error is None
    assert passed.warnings == [("WeightVerifyError", "Failed to verify weight: no answer")]
    assert passed.weights["canary"]["weight"] == 10


def test_03_verify_is_false_mid_steps_requeue_at_10_s_and_step_index_unchanged() -> None:
    passed = one_pass(at_step(0, 1, 1), Verified(False))
    assert passed.decision.requeue_after == 10
    assert "currentStepIndex" not in (passed.decision.status or {})
    assert passed.weights["verified"] is False


def test_04_verify_is_false_at_weight_mtw_with_index_step_count_error_and_no_scaling_or_promotion() -> None:
    passed = one_pass(at_step(4, 10, 10, recorded=50), Verified(False))
    assert passed.decision.error == "end of rollout, desired weight 100 not yet verified"
    assert passed.decision.actions == ()
    assert set(passed.decision.status or {}) == {"canary"}


def test_05_verify_is_null_at_a_setweight_step_with_sizes_reached_it_completes_and_verified_is_absent() -> None:
    passed = one_pass(at_step(0, 1, 1), Verified(None))
    assert (passed.decision.status or {})["currentStepIndex"] == 1
    assert "verified" not in passed.weights


@pytest.mark.parametrize(
    ("index", "size", "available", "weight"), [(0, 1, 0, 0), (0, 1, 1, 10), (2, 5, 4, 10), (2, 5, 5, 50)]
)
def test_06_canary_pods_not_ready_at_index_0_weight_0_at_a_later_setweight_50_not_ready_then_10(
    index: int, size: int, available: int, weight: int
) -> None:
    assert one_pass(at_step(index, size, available)).handed_over == [("c", weight)]


def test_07_all_steps_done_and_canary_full_set_weight_100_precedes_promotion() -> None:
    """Also where the router answers that it does not have the weight yet, and after a pass that had to wait for it."""
    waits = one_pass(at_step(4, 10, 10, recorded=50), Verified(False))
    goes_on = one_pass(at_step(4, 10, 10, recorded=50), Verified(True))
    assert waits.handed_over == goes_on.handed_over == [("c", 100)]
    assert "stableRS" not in (waits.decision.status or {})
    assert (goes_on.decision.status or {})["stableRS"] == "c"
    assert "s" not in resized(goes_on)


def test_08_fully_promoted_remove_managed_routes_then_set_weight_0_with_equal_hashes() -> None:
    replica_sets = [make_replica_set("c", 10, 10, new=True, revision=2)]
    status = {"stableRS": "c", "currentStepIndex": 1}
    passed = one_pass(routed_view(10, replica_sets, steps=[HEADER_STEP], status=status, **WITH_HEADERS))
    assert passed.routing is not None
    [routes] = passed.routing.stages
    assert (routes.canary.pod_template_hash, routes.stable.pod_template_hash) == ("c", "c")
    assert (routes.canary.weight, routes.stable.weight) == (0, 100)
    assert (routes.header_routes, routes.managed_routes) == ((), ("vip",))


@pytest.mark.parametrize(("stable", "available"), [("", 0), ("", 10), ("c", 0), ("c", 9)])
def test_09_first_deploy_with_stable_rs_unset_or_not_fully_available_neither_set_weight_nor_update_hash(
    stable: str, available: int
) -> None:
    first = make_replica_set("c", 10, available, new=True)
    passed = one_pass(routed_view(10, [first], steps=STEPS, status={"stableRS": stable, "currentStepIndex": 4}))
    assert passed.handed_over == []
    assert passed.weights is None


@pytest.mark.parametrize(
    ("threshold", "handed_over"), [(None, []), ({"type": "Percent", "value": 90}, [("c", 0)])], ids=["none", "90 %"]
)
def test_10_stable_9_of_10_available_and_weight_0_wanted_without_threshold_no_router_write_and_no_error(
    threshold: dict[str, Any] | None, handed_over: list[tuple[str, int]]
) -> None:
    replica_sets = [make_replica_set("s", 10, 9), make_replica_set("c", 1, 0, new=True, revision=2)]
    members: dict[str, Any] = {} if threshold is None else {"replicaProgressThreshold": threshold}
    passed = one_pass(routed_view(10, replica_sets, steps=STEPS, **members))
    assert passed.handed_over == handed_over
    assert passed.decision.error is None


def test_11_a_new_third_version_with_0_pods_and_recorded_weight_5_set_weight_0_before_update_hash_h3() -> None:
    replica_sets = [
        make_replica_set("s", 10, 10, revision=1),
        make_replica_set("b", 1, 1, revision=2),
        make_replica_set("c", 0, 0, new=True, revision=3),
    ]
    passed = one_pass(routed_view(10, replica_sets, steps=STEPS, recorded=("b", 5)))
    assert passed.handed_over == [("b", 0), ("c", 0)]


def test_12_the_same_with_dynamicstablescale_and_stable_1_of_10_no_set_weight_and_no_update_hash() -> None:
    passed = one_pass(interrupted(stable=1, dynamicStableScale=True))
    assert passed.handed_over == []
    assert passed.weights is None


def test_13_dynamic_rollback_to_stable_with_recorded_weight_10_at_1_of_10_keeps_the_old_canary_hash_and_weight() -> (
    None
):
    """Left as it is rather than set again: stable cannot carry 90 % (the gate); set again as soon as it can."""
    assert rolled_back(stable=1).handed_over == []
    assert rolled_back(stable=9).handed_over == [("b", 10)]


def rolled_back(stable: int) -> Passed:
    replica_sets = [make_replica_set("c", 10, stable, new=True, revision=3), make_replica_set("b", 9, 9, revision=2)]
    status = {"stableRS": "c", "currentStepIndex": 4}
    return one_pass(
        routed_view(10, replica_sets, steps=STEPS, status=status, recorded=("b", 10), dynamicStableScale=True)
    )


def test_14_abort_with_dynamic_scale_and_weight_20_when_stable_becomes_fully_available() -> None:
    """set_weight(0) and canary service to stable hash in that pass."""
    short, whole = one_pass(aborted(10, 8, 20, pods=2)), one_pass(aborted(10, 10, 20, pods=2))
    assert [weight for _, weight in short.handed_over] == [20]
    assert short.switched(CANARY) == "c"
    assert whole.handed_over == [("c", 0)]
    assert whole.switched(CANARY) == "s"


@pytest.mark.parametrize("stable", range(11))
def test_15_abort_with_dynamic_scale_when_stable_availability_dips_weight_never_above_the_recorded_one(
    stable: int,
) -> None:
    assert all(weight <= 20 for _, weight in one_pass(aborted(10, stable, 20, pods=2)).handed_over)


def test_16_abort_and_replicas_0_weight_0_without_division_error() -> None:
    assert one_pass(aborted(0, 0, 20)).handed_over == [("c", 0)]


@pytest.mark.parametrize(("dynamic", "weight"), [(True, 50), (False, 10)])
def test_17_promotefull_with_dynamic_scale_and_5_of_10_pods_weight_50_without_dynamic_recorded_weight(
    dynamic: bool, weight: int
) -> None:
    replica_sets = [make_replica_set("s", 10, 10), make_replica_set("c", 10, 5, new=True, revision=2)]
    members: dict[str, Any] = {"steps": STEPS, "status": {"promoteFull": True}, "dynamicStableScale": dynamic}
    assert one_pass(routed_view(10, replica_sets, recorded=("c", 10), **members)).handed_over == [("c", weight)]


@pytest.mark.parametrize(("revision", "routes"), [(1, 0), (2, 1)])
def test_18_revision_1_and_step_0_is_setheaderroute_when_first_installed_no_header_route_is_made(
    revision: int, routes: int
) -> None:
    replica_sets = [
        make_replica_set("s", 10, 10, revision=revision - 1),
        make_replica_set("c", 1, 1, new=True, revision=revision),
    ]
    metadata = {"annotations": {"rollout.argoproj.io/revision": str(revision)}}
    passed = one_pass(routed_view(10, replica_sets, steps=[HEADER_STEP], metadata=metadata, **WITH_HEADERS))
    assert passed.routing is not None
    assert len(passed.routing.stages[-1].header_routes) == routes


def test_18_no_header_route_is_ever_made_by_the_first_roll_out() -> None:
    world = World(routed_manifest(steps=[HEADER_STEP], **WITH_HEADERS))
    for service in (CANARY, STABLE):
        world.add_service(service)
    world.settle()
    assert world.status["phase"] == "Healthy"
    assert not any(routes.header_routes for routes in world.routes)


def test_20_an_empty_trafficrouting_weights_status_is_null_and_stable_stays_at_full_size() -> None:
    world = updating(steps=STEPS, trafficRouting={})
    assert world.status["message"] == "CanaryPauseStep"
    assert "weights" not in world.status.get("canary", {})
    assert world.routes == []
    assert world.sizes == {"v1": 10, "v2": 1}


def test_20_recorded_weights_go_with_the_last_router() -> None:
    passed = one_pass(at_step(1, 1, 1, recorded=10, trafficRouting={}))
    assert apply_merge_patch({"canary": {"weights": {}}}, passed.decision.status or {}).get("canary", {}) == {}


def test_23_mtw_1000_and_setweight_150_stable_status_850() -> None:
    """How nginx writes the total is its router's."""
    routing = {"nginx": {}, "maxTrafficWeight": 1000}
    passed = one_pass(at_step(0, 2, 2, steps=[{"setWeight": 150}], trafficRouting=routing))
    assert passed.handed_over == [("c", 150)]
    assert passed.routing is not None
    assert passed.routing.stages[-1].max_weight == 1000
    assert passed.weights == weights_of("c", 150, total=1000)


@pytest.mark.parametrize(
    ("canary", "error"),
    [
        (
            {"steps": [{"setWeight": 101}]},
            "spec.strategy.steps[0].setWeight: Invalid value: 101: SetWeight needs to be between 0 and 100",
        ),
        (
            {"trafficRouting": {"istio": {"virtualService": {"name": "vs"}}, "maxTrafficWeight": 1000}},
            (
                "spec.strategy.trafficRouting.maxTrafficWeight: Invalid value: 1000: Canary maxTrafficWeight in "
                "traffic routing only supported in Nginx and Plugins"
            ),
        ),
    ],
)
def test_24_setweight_101_with_mtw_100_and_mtw_with_only_istio_are_invalidspec(
    canary: dict[str, Any], error: str
) -> None:
    manifest = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", **routed_manifest(**canary)}
    rollout = parse_rollout(manifest)
    first = next(iter(map(str, validate_rollout(rollout))))
    assert first == error
    assert refuse(rollout, first, DAWN).error == f'The Rollout "shop" is invalid: {error}'
