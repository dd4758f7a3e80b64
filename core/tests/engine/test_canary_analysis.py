"""Analysis and experiment steps: a canary waits for the object of the step, and does what its outcome says."""

from dataclasses import dataclass
from typing import Any, Literal

import pytest

from sluicegate.api import names
from sluicegate.api.foreign import ObjectMeta
from sluicegate.engine.surroundings import Run

from .manifests import canary_manifest
from .world import World

ANALYSIS: dict[str, Any] = {"analysis": {"templates": [{"templateName": "check"}]}}
BACKGROUND: dict[str, Any] = {"templates": [{"templateName": "check"}]}
PAUSE: dict[str, Any] = {"pause": {}}
EXPERIMENT: dict[str, Any] = {"experiment": {"templates": [{"name": "a", "specRef": "canary"}]}}

Kind = Literal["AnalysisRun", "Experiment"]


@dataclass
class RunsWorld(World):
    """A `World` with AnalysisRuns and Experiments that say what a test wants."""

    @classmethod
    def waiting(cls, step: dict[str, Any]) -> "RunsWorld":
        """A world at rest in the update to v2, at that step, which is its second."""
        world = cls(canary_manifest(steps=[{"setWeight": 20}, step, {"pause": {}}]))
        world.settle()
        world.set_image("v2")
        world.settle()
        world.forget()
        return world

    def run(self, kind: Kind, name: str, phase: str, message: str = "") -> None:
        """Let a run be in a phase."""
        found = self.runs if kind == "AnalysisRun" else self.experiments
        found[name] = Run(ObjectMeta(name=name), phase, message)
        self._version += 1
        self.settle()

    @property
    def index(self) -> int:
        return int(self.status["currentStepIndex"])

    @property
    def awaited(self) -> str:
        """The name of the run of the second step."""
        return f"shop-{self.status['currentPodHash']}-2-1"


@pytest.mark.parametrize(("kind", "step"), [("AnalysisRun", ANALYSIS), ("Experiment", EXPERIMENT)])
def test_a_step_waits_for_its_object_and_goes_on_when_that_has_succeeded(kind: Kind, step: dict[str, Any]) -> None:
    world = RunsWorld.waiting(step)
    assert (world.index, world.sizes) == (1, {"v1": 4, "v2": 1})
    world.run(kind, world.awaited, "Running")
    assert (world.index, world.status["phase"]) == (1, "Progressing")
    world.run(kind, world.awaited, "Successful")
    assert (world.index, world.status["message"]) == (2, "CanaryPauseStep")
    assert "currentStepAnalysisRunStatus" not in world.status.get("canary", {})


@pytest.mark.parametrize(
    ("kind", "step", "text"),
    [
        ("AnalysisRun", ANALYSIS, "Step-based analysis phase error/failed: too slow"),
        ("Experiment", EXPERIMENT, "Experiment analysis phase is error/failed: too slow"),
    ],
)
def test_a_failure_aborts_and_stable_takes_everything_back(kind: Kind, step: dict[str, Any], text: str) -> None:
    world = RunsWorld.waiting(step)
    world.run(kind, world.awaited, "Running")
    world.run(kind, world.awaited, "Failed", "too slow")
    message = f"Rollout aborted update to revision 2: {text}"
    assert world.condition("Progressing") == ("False", "RolloutAborted", message)
    assert (world.index, world.sizes) == (0, {"v1": 5})


def test_the_status_mirrors_the_run_and_events_tell_of_its_phases() -> None:
    world = RunsWorld.waiting(ANALYSIS)
    world.run("AnalysisRun", world.awaited, "Running", "measuring")
    slot = world.status["canary"]["currentStepAnalysisRunStatus"]
    assert slot == {"name": world.awaited, "status": "Running", "message": "measuring"}
    text = f"Step Analysis Run '{world.awaited}' Status New: 'Running' Previous: ''"
    assert [event.message for event in world.events if event.reason == "AnalysisRunRunning"] == [text]


def test_an_inconclusive_run_pauses_and_after_a_resumption_another_one_is_awaited() -> None:
    world = RunsWorld.waiting(ANALYSIS)
    world.run("AnalysisRun", world.awaited, "Running")
    world.run("AnalysisRun", world.awaited, "Inconclusive")
    assert world.status["message"] == names.INCONCLUSIVE_ANALYSIS_RUN
    world.patch_status({"pauseConditions": None})
    world.settle()
    assert world.status["canary"]["currentStepAnalysisRunStatus"]["name"] == f"{world.awaited}.1"
    world.run("AnalysisRun", f"{world.awaited}.1", "Successful")
    assert world.index == 2


def test_after_a_retry_the_run_that_failed_does_not_abort_again() -> None:
    world = RunsWorld.waiting(ANALYSIS)
    world.run("AnalysisRun", world.awaited, "Running")
    world.run("AnalysisRun", world.awaited, "Failed")
    world.patch_status({"abort": False})
    world.settle()
    assert (world.index, world.status["phase"]) == (1, "Progressing")
    world.run("AnalysisRun", f"{world.awaited}.1", "Successful")
    assert world.index == 2


@pytest.mark.parametrize(("kind", "step"), [("AnalysisRun", ANALYSIS), ("Experiment", EXPERIMENT)])
def test_an_abort_by_hand_ends_the_run(kind: Kind, step: dict[str, Any]) -> None:
    world = RunsWorld.waiting(step)
    world.run(kind, world.awaited, "Running")
    world.patch_status({"abort": True})
    world.settle()
    found = world.runs if kind == "AnalysisRun" else world.experiments
    assert found[world.awaited].terminating


def test_a_step_without_templates_has_no_run_and_waits_until_a_person_goes_on() -> None:
    world = RunsWorld.waiting({"analysis": {"templates": []}})
    assert (world.index, world.status["phase"]) == (1, "Progressing")
    assert "currentStepAnalysisRunStatus" not in world.status.get("canary", {})
    world.patch_status({"currentStepIndex": 2})
    world.settle()
    assert world.status["message"] == "CanaryPauseStep"


def background_world(**analysis: Any) -> RunsWorld:
    """A world whose update to v2 has begun, with a run in the background."""
    manifest = canary_manifest(
        steps=[{"setWeight": 20}, PAUSE, {"setWeight": 60}, PAUSE], analysis=BACKGROUND | analysis
    )
    world = RunsWorld(manifest)
    world.settle()
    world.set_image("v2")
    world.settle()
    return world


def test_no_step_is_completed_before_the_background_run_is_there() -> None:
    """Argo Rollouts creates it; without it nothing would watch the update."""
    world = background_world()
    assert (world.index, world.sizes) == (0, {"v1": 4, "v2": 1})
    base = f"shop-{world.status['currentPodHash']}-2"
    assert world.status["canary"]["currentBackgroundAnalysisRunStatus"]["name"] == base
    world.run("AnalysisRun", base, "Running")
    assert (world.index, world.status["message"]) == (1, "CanaryPauseStep")
    assert world.status["canary"]["currentBackgroundAnalysisRunStatus"]["status"] == "Running"


def test_a_background_run_that_fails_aborts_at_any_step() -> None:
    world = background_world()
    base = f"shop-{world.status['currentPodHash']}-2"
    world.run("AnalysisRun", base, "Running")
    world.run("AnalysisRun", base, "Failed", "errors")
    text = "Rollout aborted update to revision 2: Background analysis phase error/failed: errors"
    assert world.condition("Progressing") == ("False", "RolloutAborted", text)
    assert world.sizes == {"v1": 5}


def test_the_background_run_is_awaited_from_its_starting_step_on() -> None:
    world = background_world(startingStep=2)
    assert world.status["message"] == "CanaryPauseStep"
    world.patch_status({"pauseConditions": None})
    world.settle()
    assert world.index == 2
    world.run("AnalysisRun", f"shop-{world.status['currentPodHash']}-2", "Running")
    assert world.index == 3


def test_the_background_run_ends_with_the_update() -> None:
    world = background_world()
    base = f"shop-{world.status['currentPodHash']}-2"
    world.run("AnalysisRun", base, "Running")
    world.patch_status({"promoteFull": True})
    world.settle()
    assert world.sizes == {"v2": 5}
    assert world.runs[base].terminating
    assert "currentBackgroundAnalysisRunStatus" not in world.status.get("canary", {})
