"""What a person is told of a canary: what it waits for, since when, what comes next, what one can do."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from sluicegate.api.foreign import ObjectMeta, ReplicaSetCondition
from sluicegate.engine.surroundings import Run
from sluicegate.engine.traffic import Verified
from sluicegate.engine.why import Trouble, Warned

from .blue_green_world import ANALYSIS
from .builders import DAWN, make_replica_set
from .explained import (
    ABORT,
    PROMOTE,
    RETRY,
    SKIP,
    UNDO,
    explained,
    explained_view,
    facts_of,
    no_image,
    told,
)
from .manifests import canary_manifest
from .routed import ROUTED, routed_view
from .world import World

STEPS = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 40}, {"pause": {"duration": "5m"}}, {"setWeight": 60}]
UNPAUSE = """kubectl patch rollout shop --type=merge -p '{"spec":{"paused":false}}' -n demo"""
RESUME_ONLY = f"can: To take only this pause away: {UNPAUSE}"
HELD = "next: Until then no pods are added or taken away, no step completes and no new version takes over."


def healthy(**canary: Any) -> World:
    """A world whose v1 serves."""
    steps = canary.pop("steps", STEPS)
    return World.healthy(canary_manifest(steps=steps, **canary))


def routed(**canary: Any) -> World:
    """The same with traffic routing."""
    steps = [*STEPS[:2], {"setWeight": 60}]
    manifest = canary_manifest(steps=steps, **{**ROUTED, **canary})
    return World.healthy(manifest, services=("shop-canary", "shop-stable"))


def updating(tag: str = "v2", world: World | None = None) -> World:
    """A world at rest in the update to another version."""
    world = world or healthy()
    world.set_image(tag)
    world.settle()
    return world


def test_a_healthy_rollout_needs_nothing() -> None:
    assert told(healthy()) == [
        "Rollout shop is healthy: all 5 pods run revision 1 and are available. Nothing is to be done."
    ]


def test_a_rollout_scaled_to_0() -> None:
    world = healthy()
    world.scale(0)
    world.settle()

    assert told(world) == ["Rollout shop is scaled to 0: no pod is wanted."]


def test_the_first_start() -> None:
    world = World(canary_manifest())
    for _ in range(3):
        world.step()

    assert told(world) == [
        "Rollout shop starts for the first time; 0 of 5 pods serve so far.",
        "waits: 0 of 5 pods of revision 1 are available.",
        "since: 03:04:05",
        "next: Without progress until 03:14:05 UTC it counts as failed.",
    ]


def test_a_pause_without_duration_waits_for_a_person() -> None:
    assert told(updating()) == [
        "The update to revision 2 is paused at step 2 of 5 until a person lets it go on.",
        "waits: A person: the pause has no time limit.",
        "since: 03:04:09",
        "next: Then step 3 of 5: 40 % of the pods run the new version.",
        PROMOTE,
        ABORT,
    ]


def test_a_timed_pause_says_how_long_is_left() -> None:
    world = updating()
    world.promote()
    world.settle()
    world.pass_time(75)

    assert told(world) == [
        "The update to revision 2 is paused at step 4 of 5 until 03:09:11 UTC.",
        "waits: Time: the pause has 3 minutes 45 seconds left.",
        "since: 03:04:11",
        "next: Then step 5 of 5: 60 % of the pods run the new version.",
        PROMOTE,
        ABORT,
    ]


def test_the_facts_name_versions_by_image_and_count_their_pods() -> None:
    assert facts_of(updating()) == [
        "Version: revision 1 (demo/shop:v1) → revision 2 (demo/shop:v2)",
        "Pods: revision 2 (new): 1 of 1 available",
        "Pods: revision 1 (stable): 4 of 4 available",
    ]


def test_paused_by_hand_in_the_middle_of_a_step_warns_that_promote_skips_it() -> None:
    world = healthy()
    world.set_image("v2-error")
    world.settle()
    world.pause()
    world.settle()

    assert told(world) == [
        "Somebody has paused Rollout shop by hand.",
        "waits: A person: it has to be let go on.",
        "since: 03:04:07",
        f"{HELD} Traffic stays as it is.",
        RESUME_ONLY,
        "can: To go on and skip step 1 of 5: sluicegate promote shop -n demo",
        ABORT,
    ]


def test_paused_by_hand_on_top_of_a_pause_step() -> None:
    world = updating()
    world.pause()
    world.settle()

    assert told(world) == [
        "Somebody has paused Rollout shop by hand. The pause of step 2 of 5 is on as well.",
        "waits: A person: it has to be let go on.",
        f"{HELD} Traffic stays as it is.",
        RESUME_ONLY,
        "can: To end both pauses: sluicegate promote shop -n demo",
        ABORT,
    ]


def test_pods_that_cannot_start_are_the_first_thing_told() -> None:
    world = updating("v2-error")

    assert told(world, troubles=no_image(world, 1)) == [
        (
            "The update to revision 2 is stuck at step 1 of 5 (20 % of the pods run the new version): "
            "1 pod cannot pull the image demo/shop:v2 (ImagePullBackOff)."
        ),
        "waits: 0 of 1 pods of revision 2 are available.",
        "since: 03:04:07",
        (
            "next: Then step 2 of 5: a pause until a person lets it go on. "
            "Without progress until 03:14:07 UTC it counts as failed."
        ),
        "can: To see more of pod shop-1: kubectl describe pod shop-1 -n demo",
        SKIP,
        ABORT,
    ]


def test_pods_in_different_trouble_are_counted_apart_and_one_of_each_can_be_looked_at() -> None:
    world = updating("v2-error", healthy(replicas=20))
    pod_hash = world.status["currentPodHash"]
    crash = Trouble("shop-9", pod_hash, "stay up: container app ended with exit code 1", "logs shop-9", restarts=14)

    found = explained(world, troubles=(*no_image(world, 3), crash)).findings[0]

    assert found.what.endswith(
        ": 3 pods cannot pull the image demo/shop:v2 (ImagePullBackOff) "
        "and 1 pod cannot stay up: container app ended with exit code 1, after 14 restarts."
    )
    assert found.actions[:2] == (
        "To see more of pod shop-1: kubectl describe pod shop-1 -n demo",
        "To see more of pod shop-9: kubectl logs shop-9 -n demo",
    )


def test_no_progress_within_the_deadline() -> None:
    world = updating("v2-error")
    world.pass_time(700)
    world.settle()

    assert told(world, troubles=no_image(world, 1)) == [
        (
            "The update to revision 2 has made no progress for more than 10 minutes: "
            "1 pod cannot pull the image demo/shop:v2 (ImagePullBackOff)."
        ),
        "waits: 0 of 1 pods of revision 2 are available.",
        "since: 03:15:47",
        "next: It counts as failed, but nothing is turned back; it goes on by itself as soon as there is progress.",
        "can: To see more of pod shop-1: kubectl describe pod shop-1 -n demo",
        ABORT,
    ]


def test_an_abort_that_the_controller_has_not_seen_yet() -> None:
    world = updating()
    world.abort()

    assert told(world) == [
        "Somebody has just asked to abort the update to revision 2.",
        "waits: The controller: that takes a second or so.",
        "next: All traffic goes back to revision 1.",
    ]


def test_an_abort_while_stable_takes_its_pods_back() -> None:
    world = updating()
    world.abort()
    world.step()

    assert told(world) == [
        "The update to revision 2 was aborted by hand. Revision 1 takes the traffic back as its pods become available.",
        "waits: 4 of 5 pods of revision 1 are available.",
        "since: 03:04:09",
        "next: The pod of revision 2 goes as revision 1 gets its own.",
        UNDO,
        RETRY,
    ]


def test_an_abort_that_is_done_stays_until_somebody_acts() -> None:
    world = updating()
    world.abort()
    world.settle()

    assert told(world) == [
        "The update to revision 2 was aborted by hand. Revision 1 serves all requests.",
        "waits: A person: it stays like this until somebody acts.",
        "since: 03:04:09",
        UNDO,
        RETRY,
    ]


def test_an_abort_by_the_deadline_and_when_the_pods_go() -> None:
    world = routed()
    world.patch({"spec": {"progressDeadlineAbort": True}})
    updating("v2-error", world)
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
    found = explained(updating("v2-error", routed())).findings[0]

    assert found.waiting_for == (
        "0 of 1 pods of revision 2 are available. Service shop-canary moves to revision 2 when a pod is available."
    )


def test_a_service_that_is_not_taken_over_yet_needs_all_pods() -> None:
    world = updating("v2-error", routed())
    world.patch_service("shop-canary", {"metadata": {"annotations": None}})

    found = explained(world).findings[0]

    assert found.waiting_for.endswith("Service shop-canary moves to revision 2 when all of its pods are available.")


def test_a_weight_that_the_router_has_not_confirmed() -> None:
    world = routed()
    world.verified = Verified(False)
    updating(world=world)
    warned = Warned("WeightVerifyError", "Failed to verify weight: the load balancer has 0", world.now)

    assert told(world, warnings=(warned,))[:2] == [
        "The update to revision 2 is under way, at step 1 of 3 (20 % of the traffic goes to the new version).",
        (
            "waits: The traffic router has not confirmed yet that 20 % of the traffic goes to revision 2. "
            "It says: the load balancer has 0."
        ),
    ]
    assert "Traffic: 20 % revision 2, 80 % revision 1, not confirmed by the router yet" in facts_of(world)


@pytest.mark.parametrize(("age", "is_told"), [(timedelta(minutes=1), True), (timedelta(minutes=6), False)])
def test_a_router_that_fails_is_told_of_while_that_is_news(age: timedelta, is_told: bool) -> None:
    world = updating("v2-error", routed())
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


def test_a_weight_of_another_total_is_told_in_percent() -> None:
    new, stable = make_replica_set("c", 1, 0, new=True, revision=2), make_replica_set("s", 5, 5)
    routing = {"nginx": {}, "maxTrafficWeight": 1000}
    status = {"observedGeneration": "0"}
    view = routed_view(5, [new, stable], steps=[{"setWeight": 25}], status=status, trafficRouting=routing)

    assert "(2.5 % of the traffic goes to the new version)" in explained_view(view, DAWN).headline


def test_kubernetes_refuses_pods() -> None:
    new, stable = make_replica_set("c", 1, 0, new=True, revision=2, created=0), make_replica_set("s", 4, 4)
    quota = ReplicaSetCondition(type="ReplicaFailure", status="True", message="exceeded quota: small")
    new = replace(new, status=replace(new.status, conditions=(quota,)))
    view = routed_view(5, [new, stable], steps=[{"setWeight": 20}], status={"observedGeneration": "0"})

    waits = explained_view(view, DAWN).findings[0].waiting_for

    assert waits.startswith("Kubernetes has to allow pods of revision 2: exceeded quota: small.")


def test_old_pods_stay_for_their_delay_after_the_update() -> None:
    world = updating(world=routed())
    world.promote()
    world.settle()

    assert told(world) == [
        "Rollout shop is healthy: all 5 pods run revision 2 and are available. Nothing is to be done.",
        "5 pods of revision 1 are kept for a while, so that going back is quick.",
        "next: They go at 03:04:43 UTC, in 30 seconds.",
        "can: To go back to revision 1: sluicegate undo shop --to-revision=1 -n demo",
    ]


def test_a_full_promotion() -> None:
    world = updating()
    world.promote_full()
    world.step()

    assert told(world) == [
        "Somebody asked for a full promotion of revision 2: steps, pauses and analyses are skipped.",
        "waits: 1 of 5 pods of revision 2 are available.",
        "since: 03:04:09",
        "next: Then revision 2 is the stable version.",
        ABORT,
    ]


def test_a_rollback_within_the_window() -> None:
    world = updating()
    world.promote_full()
    world.settle()
    world.patch({"spec": {"rollbackWindow": {"revisions": 1}}})
    world.undo("v1")
    for _ in range(3):
        world.step()

    assert told(world)[:2] == [
        "The rollback to revision 3 is under way; it is within the rollback window, so its steps are skipped.",
        "waits: 0 of 5 pods of revision 3 are available.",
    ]


def test_a_pod_that_is_lost_later() -> None:
    world = healthy()
    world.pods.break_down(world.named("v1"), 1)
    world.sync()
    world.settle()

    assert told(world)[:2] == [
        "Revision 1 is rolled out; 4 of 5 pods serve, the others are to follow.",
        "waits: 4 of 5 pods of revision 1 are available.",
    ]


def test_an_analysis_step_waits_for_its_run_to_be_made_and_then_to_end() -> None:
    world = updating(world=healthy(steps=[{"setWeight": 20}, {"analysis": ANALYSIS}, {"setWeight": 60}]))

    assert told(world)[:2] == [
        "The update to revision 2 is under way, at step 2 of 3 (an analysis of the new version).",
        "waits: The AnalysisRun of this step is not there yet.",
    ]

    name = f"shop-{world.status['currentPodHash']}-2-1"
    world.runs[name] = Run(ObjectMeta(name=name), "Running", "2 of 5 measured")
    found = explained(world).findings[0]

    assert found.waiting_for == f"AnalysisRun {name} has to succeed; it is Running now. It says: 2 of 5 measured."
    assert f"To see what it measured: kubectl get analysisrun {name} -o yaml -n demo" in found.actions


def test_an_experiment_step_waits_for_its_experiment() -> None:
    world = updating(world=healthy(steps=[{"experiment": {"templates": []}}]))

    assert told(world)[1] == "waits: The Experiment of this step is not there yet."
