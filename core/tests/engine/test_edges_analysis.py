"""Edge cases of analysis steps, pinned by the incumbent's tests; the numbers are rows of rollout 10.

Runs are made by whoever runs analyses; here it is who waits for which run, and which are asked to end.
"""

from typing import Any

from sluicegate.api.foreign import ObjectMeta
from sluicegate.engine.decision import TerminateRun
from sluicegate.engine.surroundings import Run

from .manifests import canary_manifest
from .world import World

ANALYSIS: dict[str, Any] = {"analysis": {"templates": [{"templateName": "check"}]}}
STEPS = [{"setWeight": 20}, ANALYSIS, ANALYSIS, {"pause": {}}]


def analysing(phase: str) -> World:
    """An update whose first analysis step has a run in this phase."""
    world = World.healthy(canary_manifest(steps=STEPS))
    world.set_image("v2")
    world.settle()
    assert world.status["currentStepIndex"] == 1
    arrive(world, run_of(world, 1), "Running")
    if phase != "Running":
        arrive(world, run_of(world, 1), phase)
    world.forget()
    return world


def run_of(world: World, step: int) -> str:
    return f"shop-{world.status['currentPodHash']}-2-{step}"


def arrive(world: World, name: str, phase: str) -> None:
    """Let a run come to a phase, and another pass see it."""
    world.runs[name] = Run(ObjectMeta(name=name), phase)
    world.patch({"metadata": {"annotations": {"seen": f"{name} {phase}"}}})
    world.settle()


def awaited(world: World) -> str:
    """The run that the status tells of."""
    return str(world.status.get("canary", {}).get("currentStepAnalysisRunStatus", {}).get("name", ""))


def test_54_of_two_consecutive_analysis_steps_the_user_promotes_the_first() -> None:
    """The old run is terminated and shown no more; the run for the new index comes in a later pass, and is awaited."""
    world = analysing("Running")
    first = run_of(world, 1)
    world.promote()
    decision = world.reconcile()
    assert [action for action in decision.actions if isinstance(action, TerminateRun)] == [
        TerminateRun("AnalysisRun", first)
    ]
    assert world.status["canary"]["currentStepAnalysisRunStatus"] == {"name": run_of(world, 2), "status": ""}
    world.settle()
    assert world.status["currentStepIndex"] == 2
    arrive(world, run_of(world, 2), "Running")
    assert awaited(world) == run_of(world, 2)


def test_55_step_analysis_inconclusive_and_status_paused_no_new_run_until_resumed() -> None:
    world = analysing("Inconclusive")
    assert world.status["message"] == "InconclusiveAnalysisRun"
    for _ in range(3):
        world.pass_time(30)
        world.settle()
    assert awaited(world) == run_of(world, 1)


def test_56_a_user_resumed_inconclusive_run_a_fresh_run_is_awaited() -> None:
    world = analysing("Inconclusive")
    world.patch_status({"pauseConditions": None})
    world.settle()
    assert awaited(world) == f"{run_of(world, 1)}.1"
    assert world.status["currentStepIndex"] == 1
    arrive(world, f"{run_of(world, 1)}.1", "Successful")
    assert world.status["currentStepIndex"] == 2


def test_57_analysis_with_empty_templates_list_no_run_and_a_running_one_is_terminated() -> None:
    world = analysing("Running")
    steps = [STEPS[0], {"analysis": {"templates": []}}, *STEPS[2:]]
    world.set_steps(steps)
    world.settle()
    assert world.status["currentStepIndex"] == 1
    assert world.runs[run_of(world, 1)].terminating
    assert awaited(world) == ""
