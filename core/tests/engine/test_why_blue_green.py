"""What a person is told of a blue-green Rollout."""

from typing import Any

import pytest

from .blue_green_world import ANALYSIS, BlueGreenWorld
from .explained import ABORT, PROMOTE, RETRY, UNDO, explained, facts_of, told


def test_before_the_switch_it_waits_for_pods() -> None:
    assert told(BlueGreenWorld.updating("v2-error")) == [
        "The update to revision 2 is being prepared; all requests still go to revision 1.",
        "waits: 0 of 3 pods of revision 2 are available.",
        "since: 03:04:07",
        (
            "next: Then Service active sends all requests to revision 2. "
            "Without progress until 03:14:07 UTC it counts as failed."
        ),
        ABORT,
    ]


@pytest.mark.parametrize(
    ("strategy", "then"),
    [
        ({"autoPromotionEnabled": False}, "Then the update pauses until a person lets it go on; after that "),
        ({"autoPromotionSeconds": 90}, "Then the update pauses for 1 minute 30 seconds; after that "),
    ],
)
def test_before_the_switch_it_says_which_pause_is_to_come(strategy: dict[str, Any], then: str) -> None:
    found = explained(BlueGreenWorld.updating("v2-error", **strategy)).findings[0]

    assert found.next.startswith(f"{then}Service active sends all requests to revision 2.")


def test_the_pause_before_the_switch_waits_for_a_person() -> None:
    world = BlueGreenWorld.updating(autoPromotionEnabled=False)

    assert told(world) == [
        "Revision 2 is ready, and the update is paused until a person lets it go on.",
        "waits: A person: the pause has no time limit.",
        "since: 03:04:09",
        "next: Then Service active sends all requests to revision 2. Service preview shows it already.",
        PROMOTE,
        ABORT,
    ]
    assert facts_of(world)[1:3] == [
        "Traffic: Service active selects revision 1",
        "Preview: Service preview selects revision 2",
    ]


def test_a_pause_before_the_switch_that_ends_by_itself() -> None:
    world = BlueGreenWorld.updating(autoPromotionSeconds=90)
    world.pass_time(60)

    assert told(world)[:2] == [
        "Revision 2 is ready, and the update is paused until 03:05:39 UTC.",
        "waits: Time: the pause has 30 seconds left.",
    ]


def test_an_analysis_before_the_switch() -> None:
    world = BlueGreenWorld.updating(prePromotionAnalysis=ANALYSIS)
    assert told(world)[1] == "waits: The AnalysisRun before the switch is not there yet."

    name = world.run("pre", "Running", "1 of 3 measured")

    assert told(world)[1] == f"waits: AnalysisRun {name} has to succeed; it is Running now. It says: 1 of 3 measured."


def test_an_analysis_without_a_verdict_leaves_it_to_a_person() -> None:
    world = BlueGreenWorld.updating(prePromotionAnalysis=ANALYSIS)
    name = world.run("pre", "Inconclusive", "too few requests")

    assert told(world) == [
        (
            "The check of revision 2 came to no verdict, so a person has to decide. "
            f"AnalysisRun {name} says: too few requests."
        ),
        "waits: A person: the new version is good, or it is not.",
        "since: 03:04:09",
        "next: Until then no step completes and no new version takes over. Traffic stays as it is.",
        "can: If it is good: sluicegate promote shop -n demo",
        "can: If it is not: sluicegate abort shop -n demo",
        f"can: To see what it measured: kubectl get analysisrun {name} -o yaml -n demo",
    ]


def test_an_analysis_that_failed_is_why_the_update_was_aborted() -> None:
    world = BlueGreenWorld.updating(prePromotionAnalysis=ANALYSIS)
    world.run("pre", "Failed", "error rate 7 %")

    assert told(world) == [
        (
            "The update to revision 2 was aborted: the analysis before the switch failed: error rate 7 %. "
            "Revision 1 serves all requests."
        ),
        "waits: A person: it stays like this until somebody acts.",
        "since: 03:04:09",
        "next: The 3 pods of revision 2 go at 03:04:39 UTC, in 30 seconds.",
        UNDO,
        RETRY,
    ]


def test_an_aborted_version_that_is_kept_for_ever() -> None:
    world = BlueGreenWorld.updating(autoPromotionEnabled=False, abortScaleDownDelaySeconds=0)
    world.abort()
    world.settle()

    kept = "next: The 3 pods of revision 2 stay until somebody acts, as abortScaleDownDelaySeconds is 0."
    assert kept in told(world)


def test_after_the_switch_it_waits_for_its_analysis() -> None:
    world = BlueGreenWorld.updating(postPromotionAnalysis=ANALYSIS)
    name = world.run("post", "Running")

    assert told(world) == [
        "All requests go to revision 2 now; revision 1 is kept to go back to.",
        f"waits: AnalysisRun {name} has to succeed; it is Running now.",
        "since: 03:04:09",
        "next: Then revision 2 is the stable version.",
        f"can: To see what it measured: kubectl get analysisrun {name} -o yaml -n demo",
        ABORT,
    ]


def test_after_the_update_the_old_pods_are_kept_for_a_while() -> None:
    assert told(BlueGreenWorld.updating()) == [
        "Rollout shop is healthy: all 3 pods run revision 2 and are available. Nothing is to be done.",
        "3 pods of revision 1 are kept for a while, so that going back is quick.",
        "next: They go at 03:04:39 UTC, in 30 seconds.",
        "can: To go back to revision 1: sluicegate undo shop --to-revision=1 -n demo",
    ]
