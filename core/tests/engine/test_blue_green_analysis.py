"""Analyses around the switch: which AnalysisRun counts, what its phase does, and which runs are asked to end."""

from dataclasses import replace
from typing import Any

import pytest

from sluicegate.api import names
from sluicegate.api.foreign import ObjectMeta
from sluicegate.engine.blue_green_analysis import ended_runs, find_analyses
from sluicegate.engine.surroundings import Run, Surroundings
from sluicegate.engine.view import View

from .blue_green_world import ANALYSIS, BlueGreenWorld
from .builders import make_replica_set, make_view

MANUAL: dict[str, Any] = {"autoPromotionEnabled": False}
PRE: dict[str, Any] = {"prePromotionAnalysis": ANALYSIS}
POST: dict[str, Any] = {"postPromotionAnalysis": ANALYSIS}


def test_the_pause_begins_when_the_pre_promotion_analysis_is_successful() -> None:
    world = BlueGreenWorld.updating(**MANUAL, **PRE)
    name = world.run("pre", "")
    assert world.blue_green["prePromotionAnalysisRunStatus"] == {"name": name, "status": ""}
    world.run("pre", "Running")
    assert world.phase()[0] == "Progressing"
    world.run("pre", "Successful")
    assert world.phase() == ("Paused", "BlueGreenPause")
    told = [event for event in world.events if event.reason.startswith("AnalysisRun")]
    assert [(event.reason, event.type) for event in told] == [
        ("AnalysisRunRunning", "Normal"),
        ("AnalysisRunSuccessful", "Normal"),
    ]
    assert told[0].message == f"PrePromotion Analysis Run '{name}' Status New: 'Running' Previous: ''"


def test_the_switch_waits_for_the_pre_promotion_analysis() -> None:
    world = BlueGreenWorld.updating(**PRE)
    world.run("pre", "Running")
    assert world.active == "v1"
    world.run("pre", "Successful")
    assert (world.active, world.stable) == ("v2", "v2")


@pytest.mark.parametrize(("phase", "message", "tail"), [("Failed", "why", ": why"), ("Error", "", "")])
def test_a_failed_pre_promotion_analysis_aborts(phase: str, message: str, tail: str) -> None:
    world = BlueGreenWorld.updating(**PRE)
    name = world.run("pre", phase, message)
    text = f"Rollout aborted update to revision 2: Blue/green pre-promotion analysis phase error/failed{tail}"
    assert world.phase() == ("Degraded", f"RolloutAborted: {text}")
    assert world.blue_green["prePromotionAnalysisRunStatus"]["name"] == name
    assert [(event.reason, event.type) for event in world.events[:2]] == [
        (f"AnalysisRun{phase}", "Warning"),
        ("RolloutAborted", "Warning"),
    ]
    assert (world.active, world.stable) == ("v1", "v1")


def test_a_failed_post_promotion_analysis_moves_traffic_back() -> None:
    world = BlueGreenWorld.updating(**POST)
    assert world.active == "v2"
    world.run("post", "Failed", "why")
    text = "Rollout aborted update to revision 2: Blue/green post-promotion analysis phase error/failed: why"
    assert world.phase() == ("Degraded", f"RolloutAborted: {text}")
    assert (world.active, world.stable) == ("v1", "v1")


@pytest.mark.parametrize(("slots", "suffix"), [(PRE, "pre"), (POST, "post")])
def test_a_retry_after_a_failure_waits_for_another_run(slots: dict[str, Any], suffix: str) -> None:
    world = BlueGreenWorld.updating(**slots)
    failed = world.run(suffix, "Failed")
    world.retry()
    world.settle()
    assert world.phase()[0] == "Progressing"
    assert world.blue_green[f"{suffix}PromotionAnalysisRunStatus"] == {"name": f"{failed}.1", "status": ""}
    world.run(f"{suffix}.1", "Successful")
    assert (world.active, world.stable, world.phase()) == ("v2", "v2", ("Healthy", ""))


@pytest.mark.parametrize(("slots", "suffix", "serves"), [(PRE, "pre", "v1"), (POST, "post", "v2")])
def test_an_inconclusive_analysis_pauses_until_a_person_resumes(
    slots: dict[str, Any], suffix: str, serves: str
) -> None:
    world = BlueGreenWorld.updating(**slots, scaleDownDelaySeconds=0)
    world.run(suffix, "Inconclusive")
    assert world.phase() == ("Paused", "InconclusiveAnalysisRun")
    world.run_out()
    assert (world.active, world.sizes) == (serves, {"v1": 3, "v2": 3})
    world.resume()
    assert world.phase()[0] == "Progressing"
    world.run(f"{suffix}.1", "Successful")
    assert (world.active, world.stable) == ("v2", "v2")


def test_resuming_after_an_inconclusive_run_is_no_promotion() -> None:
    world = BlueGreenWorld.updating(**MANUAL, **PRE)
    world.run("pre", "Inconclusive")
    world.lose("v2")
    world.resume()
    world.run("pre.1", "Successful")
    world.pods.heal()
    world.sync()
    world.settle()
    assert (world.active, world.phase()) == ("v1", ("Paused", "BlueGreenPause"))


@pytest.mark.parametrize(
    ("delay", "left"), [({}, {"v1": 3, "v2": 3}), ({"scaleDownDelaySeconds": 1}, {"v1": 3, "v2": 3})]
)
def test_the_old_version_stays_whole_while_the_post_promotion_analysis_runs(
    delay: dict[str, Any], left: dict[str, int]
) -> None:
    world = BlueGreenWorld.updating(**POST, **delay)
    world.run("post", "Running")
    world.run_out()
    assert world.sizes == left


def test_runs_end_with_the_update_and_its_abort() -> None:
    world = BlueGreenWorld.updating(**PRE)
    first = world.run("pre", "Running")
    world.update("v3")
    assert world.runs[first].terminating
    second = world.run("pre", "Running")
    assert not world.runs[second].terminating
    world.abort()
    world.settle()
    assert world.runs[second].terminating
    assert world.blue_green["prePromotionAnalysisRunStatus"] == {"name": second, "status": "Running"}


def test_a_run_is_not_asked_twice_to_end_and_not_when_it_is_over() -> None:
    world = BlueGreenWorld.updating(**PRE)
    world.run("pre", "Running")
    world.abort()
    world.settle()
    world.run_out()
    world.forget()
    world.run_out()
    assert world.writes == []


def test_an_analysis_without_templates_is_none() -> None:
    world = BlueGreenWorld.updating(prePromotionAnalysis={"templates": []}, postPromotionAnalysis={"templates": []})
    assert (world.active, world.stable) == ("v2", "v2")


# One pass, run by run: `c` is the new version, revision 4, `s` the stable one.


def analysed(*runs: Run, active: str = "s", stored: str | None = None, **status: Any) -> View:
    """A view with these runs; `stored` is the phase of the pre-promotion run that the status shows."""
    found: dict[str, Any] = {"activeSelector": active}
    if stored is not None:
        found["prePromotionAnalysisRunStatus"] = {"name": "a-c-4-pre", "status": stored}
    strategy = {"blueGreen": {"activeService": "active", **PRE, **POST}}
    rollout = {
        "spec": {"replicas": 2, "strategy": strategy},
        "status": {"stableRS": "s", "currentPodHash": "c", "blueGreen": found, **status},
    }
    replica_sets = [
        make_replica_set("s", 2, 2, revision=1, desired=2),
        make_replica_set("c", 2, 2, new=True, revision=4, desired=2),
    ]
    return make_view(rollout, replica_sets).seeing(Surroundings(analysis_runs=runs))


def run(name: str, phase: str = "Running", message: str = "") -> Run:
    return Run(ObjectMeta(name=name), phase, message)


def ended(view: View) -> list[str]:
    return [action.name for action in ended_runs(view, find_analyses(view, back=False))]


def test_the_newest_run_of_the_current_revision_counts() -> None:
    pre = find_analyses(analysed(run("a-c-4-pre", "Failed"), run("a-c-4-pre.2"), run("a-c-4-pre.1")), back=False).pre
    assert pre.run is not None
    assert pre.run.metadata.name == "a-c-4-pre.2"


@pytest.mark.parametrize("other", ["a-c-3-pre", "a-s-4-pre", "a-c-4-post", "a-c-4-pre.x", "a-c-4-prex", "b-c-4-pre"])
def test_runs_of_other_names_do_not_count_and_end(other: str) -> None:
    view = analysed(run(other), run("a-c-4-pre"))
    analyses = find_analyses(view, back=False)
    assert analyses.pre.run is not None
    assert analyses.pre.run.metadata.name == "a-c-4-pre"
    assert ended(view) == [other]


def test_after_the_switch_the_run_before_it_ends_but_is_still_shown() -> None:
    view = analysed(run("a-c-4-pre"), run("a-c-4-post"), active="c", stored="Running")
    analyses = find_analyses(view, back=False)
    assert analyses.pre.status is not None
    assert (analyses.pre.status.name, analyses.pre.status.status) == ("a-c-4-pre", "Running")
    assert ended(view) == ["a-c-4-pre"]


def test_a_failed_run_still_aborts_after_the_switch() -> None:
    view = analysed(run("a-c-4-pre", "Failed"), active="c", stored="Running")
    assert find_analyses(view, back=False).failure == "Blue/green pre-promotion analysis phase error/failed"


@pytest.mark.parametrize(
    "status", [{"promoteFull": True}, {"abort": True}, {"stableRS": "c"}, {"stableRS": ""}], ids=str
)
def test_what_is_not_analysed_any_more_is_ended_and_means_nothing(status: dict[str, Any]) -> None:
    view = analysed(run("a-c-4-pre", "Failed"), run("a-c-4-post"), **status)
    analyses = find_analyses(view, back=False)
    assert (analyses.failure, analyses.inconclusive) == (None, False)
    assert ended(view) == ["a-c-4-post"]


def test_a_fast_rollback_is_not_analysed() -> None:
    analyses = find_analyses(analysed(run("a-c-4-pre", "Failed")), back=True)
    assert analyses.skipped
    assert analyses.failure is None


def test_a_run_that_is_gone_is_awaited_under_its_name() -> None:
    pre = find_analyses(analysed(stored="Successful"), back=False).pre
    assert pre.status is not None
    assert (pre.status.name, pre.status.status) == ("a-c-4-pre", "")


@pytest.mark.parametrize(("stored", "previous"), [(None, "NoPreviousStatus"), ("", ""), ("Pending", "Pending")])
def test_the_first_phase_that_is_seen_is_told_with_the_one_before(stored: str | None, previous: str) -> None:
    (event,) = find_analyses(analysed(run("a-c-4-pre"), stored=stored), back=False).events()
    assert event.message == f"PrePromotion Analysis Run 'a-c-4-pre' Status New: 'Running' Previous: '{previous}'"


@pytest.mark.parametrize(("phase", "stored"), [("Running", "Running"), ("", None)])
def test_nothing_is_told_where_nothing_changed(phase: str, stored: str | None) -> None:
    assert find_analyses(analysed(run("a-c-4-pre", phase), stored=stored), back=False).events() == ()


def test_an_inconclusive_run_counts_while_its_pause_lasts() -> None:
    pause: dict[str, Any] = {"pauseConditions": [{"reason": names.INCONCLUSIVE_ANALYSIS_RUN}], "controllerPause": True}
    view = analysed(run("a-c-4-pre", "Inconclusive"), **pause)
    assert find_analyses(view, back=False).inconclusive
    resumed = view.rollout.status.model_copy(update={"pause_conditions": []})
    view = replace(view, rollout=view.rollout.model_copy(update={"status": resumed}))
    assert not find_analyses(view, back=False).inconclusive
