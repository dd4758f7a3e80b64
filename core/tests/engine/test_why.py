"""What a person is told of a canary: what it waits for, since when, what comes next, what one can do."""

from typing import Any

from sluicegate.api.foreign import ObjectMeta
from sluicegate.engine.surroundings import Run
from sluicegate.engine.why import Trouble

from .blue_green_world import ANALYSIS
from .explained import (
    ABORT,
    PROMOTE,
    RETRY,
    SKIP,
    UNDO,
    explained,
    facts_of,
    no_image,
    told,
)
from .manifests import canary_manifest
from .world import World

STEPS = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 40}, {"pause": {"duration": "5m"}}, {"setWeight": 60}]
UNPAUSE = """kubectl patch rollout shop --type=merge -p '{"spec":{"paused":false}}' -n demo"""
RESUME_ONLY = f"can: To take only this pause away: {UNPAUSE}"
HELD = "next: Until then no pods are added or taken away, no step completes and no new version takes over."


def healthy(**canary: Any) -> World:
    """A world whose v1 serves."""
    steps = canary.pop("steps", STEPS)
    return World.healthy(canary_manifest(steps=steps, **canary))


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


def test_an_aborted_update_that_is_paused_by_hand_as_well() -> None:
    world = updating()
    world.abort()
    world.settle()
    world.pause()
    world.settle()

    lines = told(world)

    assert lines[0] == "The update to revision 2 was aborted by hand. Revision 1 serves all requests."
    assert lines[-5:] == [
        "Somebody has paused Rollout shop by hand.",
        "waits: A person: it has to be let go on.",
        "since: 03:04:09",
        f"{HELD} Traffic stays as it is.",
        RESUME_ONLY,
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


def test_an_update_that_nobody_watches_yet() -> None:
    world = healthy(steps=[{"setWeight": 20}], analysis={"templates": [{"templateName": "errors"}]})
    world.set_image("v2")
    world.settle()

    name = f"shop-{world.status['currentPodHash']}-2"
    waits = next(line for line in told(world) if line.startswith("waits: "))
    assert f"AnalysisRun {name}, which is to watch the update from the background, is not there yet." in waits
