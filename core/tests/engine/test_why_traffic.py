"""What a person is told of a canary with traffic routing: routers, Services, and pods that are kept."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from sluicegate.api.foreign import ReplicaSetCondition
from sluicegate.engine.traffic import Verified
from sluicegate.engine.why import Warned

from .builders import DAWN, make_replica_set
from .explained import (
    RETRY,
    UNDO,
    explained,
    explained_view,
    facts_of,
    told,
)
from .manifests import canary_manifest
from .routed import ROUTED, routed_view
from .world import World

STEPS = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 40}, {"pause": {"duration": "5m"}}, {"setWeight": 60}]


def routed(**canary: Any) -> World:
    """A world with traffic routing whose v1 serves."""
    steps = canary.pop("steps", [*STEPS[:2], {"setWeight": 60}])
    manifest = canary_manifest(steps=steps, **{**ROUTED, **canary})
    return World.healthy(manifest, services=("shop-canary", "shop-stable"))


def updating(world: World, tag: str = "v2") -> World:
    """The world at rest in the update to another version."""
    world.set_image(tag)
    world.settle()
    return world


def test_an_abort_by_the_deadline_and_when_the_pods_go() -> None:
    world = routed()
    world.patch({"spec": {"progressDeadlineAbort": True}})
    updating(world, "v2-error")
    world.pass_time(700)
    world.settle()

    assert told(world) == [
        (
            "The update to revision 2 was aborted: it made no progress for 10 minutes, the limit of the manifest. "
            "Revision 1 serves all requests."
        ),
        "waits: A person: it stays like this until somebody acts.",
        "since: 03:15:47",
        "next: The pod of revision 2 goes at 03:16:17 UTC, in 30 seconds.",
        UNDO,
        RETRY,
    ]


def test_a_service_moves_when_a_pod_is_available() -> None:
    found = explained(updating(routed(), "v2-error")).findings[0]

    assert found.waiting_for == (
        "0 of 1 pods of revision 2 are available. Service shop-canary moves to revision 2 when a pod is available."
    )


def test_a_service_that_is_not_taken_over_yet_needs_all_pods() -> None:
    world = updating(routed(), "v2-error")
    world.patch_service("shop-canary", {"metadata": {"annotations": None}})

    found = explained(world).findings[0]

    assert found.waiting_for.endswith("Service shop-canary moves to revision 2 when all of its pods are available.")


def test_a_weight_that_the_router_has_not_confirmed() -> None:
    world = routed()
    world.verified = Verified(False)
    updating(world)
    warned = Warned("WeightVerifyError", "Failed to verify weight: the load balancer has 0", world.now)

    assert told(world, warnings=(warned,))[:2] == [
        "The update to revision 2 is under way, at step 1 of 3 (20 % of the traffic to the new version).",
        (
            "waits: The traffic router has not confirmed yet that 20 % of the traffic goes to revision 2. "
            "It says: the load balancer has 0."
        ),
    ]
    assert "Traffic: 20 % revision 2, 80 % revision 1, not confirmed by the router yet" in facts_of(world)


@pytest.mark.parametrize(("age", "is_told"), [(timedelta(minutes=1), True), (timedelta(minutes=6), False)])
def test_a_router_that_fails_is_told_of_while_that_is_news(age: timedelta, is_told: bool) -> None:
    world = updating(routed(), "v2-error")
    warned = Warned("TrafficRoutingError", "ingress shop not found", world.now - age)

    waits = explained(world, warnings=(warned,)).findings[0].waiting_for

    text = "The traffic router has to take the weights; it failed last at 03:03:07 UTC: ingress shop not found."
    assert waits.startswith(text) is is_told


def test_stable_has_not_the_pods_for_the_share_that_is_left_to_it() -> None:
    new, stable = make_replica_set("c", 1, 1, new=True, revision=2), make_replica_set("s", 5, 2)
    status = {"observedGeneration": "0"}
    view = routed_view(5, [new, stable], steps=[{"setWeight": 20}], recorded=("c", 0), status=status)

    assert explained_view(view, DAWN).findings[0].waiting_for == (
        "2 of 5 pods of revision 1 are available. "
        "Revision 1 needs 4 pods for 80 % of the traffic and has 2; until then the traffic is left as it is."
    )


def test_traffic_that_is_held_back_is_told_of() -> None:
    world = updating(routed(steps=[{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]))
    world.pods.break_down(world.named("v1"), 4)
    world.sync()
    world.promote()
    world.settle()

    assert told(world)[:2] == [
        "The update to revision 2 is under way, at step 3 of 4 (60 % of the traffic to the new version).",
        (
            "waits: 1 of 5 pods of revision 1 are available. "
            "Revision 1 needs 2 pods for 40 % of the traffic and has 1; until then the traffic is left as it is."
        ),
    ]


def test_a_weight_of_another_total_is_told_in_percent() -> None:
    new, stable = make_replica_set("c", 1, 0, new=True, revision=2), make_replica_set("s", 5, 5)
    routing = {"nginx": {}, "maxTrafficWeight": 1000}
    status = {"observedGeneration": "0"}
    view = routed_view(5, [new, stable], steps=[{"setWeight": 25}], status=status, trafficRouting=routing)

    assert "(2.5 % of the traffic to the new version)" in explained_view(view, DAWN).headline


def test_kubernetes_refuses_pods() -> None:
    new, stable = make_replica_set("c", 1, 0, new=True, revision=2, created=0), make_replica_set("s", 4, 4)
    quota = ReplicaSetCondition(type="ReplicaFailure", status="True", message="exceeded quota: small")
    new = replace(new, status=replace(new.status, conditions=(quota,)))
    view = routed_view(5, [new, stable], steps=[{"setWeight": 20}], status={"observedGeneration": "0"})

    waits = explained_view(view, DAWN).findings[0].waiting_for

    assert waits.startswith("Kubernetes has to allow pods of revision 2: exceeded quota: small.")


def test_old_pods_stay_for_their_delay_after_the_update() -> None:
    world = updating(routed())
    world.promote()
    world.settle()

    assert told(world) == [
        "Rollout shop is healthy: all 5 pods run revision 2 and are available. Nothing is to be done.",
        "5 pods of revision 1 are kept for a while, so that going back is quick.",
        "next: They go at 03:04:43 UTC, in 30 seconds.",
        "can: To go back to revision 1: sluicegate undo shop --to-revision=1 -n demo",
    ]
