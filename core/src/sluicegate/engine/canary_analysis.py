"""What an analysis or experiment step of a canary waits for: the run or Experiment of that step."""

from dataclasses import dataclass
from typing import Final

from sluicegate.api import names
from sluicegate.engine.decision import Event, TerminateRun
from sluicegate.engine.phase import completes_run
from sluicegate.engine.promotion import is_fast_rollback, skips_steps
from sluicegate.engine.revisions import current_revision
from sluicegate.engine.slots import (
    FAILURES,
    INCONCLUSIVE,
    SUCCESSFUL,
    Slot,
    fresh_slot,
    is_superseded,
    renewed,
    terminations,
)
from sluicegate.engine.surroundings import Run
from sluicegate.engine.view import View

_KIND: Final = "Step"


@dataclass(frozen=True, slots=True)
class StepRuns:
    """The run and the Experiment of the current step; both empty where it has none, or nothing is analysed any more."""

    analysis: Slot
    experiment: Run | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the step is done as far as runs go."""
        return SUCCESSFUL in (self.analysis.phase, self.experiment.phase if self.experiment else "")

    @property
    def failure(self) -> str | None:
        """Why the update is to be aborted; None while nothing has failed."""
        if self.experiment is not None and self.experiment.phase in FAILURES:
            text = "Experiment analysis phase is error/failed"
            return f"{text}: {self.experiment.message}" if self.experiment.message else text
        return self.analysis.failure("Step-based analysis")

    @property
    def pause(self) -> str:
        """The reason of the pause that a run asks for as it could not decide; empty without one."""
        if self.analysis.phase == INCONCLUSIVE:
            return names.INCONCLUSIVE_ANALYSIS_RUN
        inconclusive = self.experiment is not None and self.experiment.phase == INCONCLUSIVE
        return names.INCONCLUSIVE_EXPERIMENT if inconclusive else ""

    @property
    def current_experiment(self) -> str:
        """What the status shows of an Experiment that goes on."""
        going_on = self.experiment is not None and not completes_run(self.experiment.phase)
        return self.experiment.metadata.name if going_on and self.experiment else ""

    def events(self) -> tuple[Event, ...]:
        """Tell of the run's new phase."""
        return self.analysis.events()


def find_step_runs(view: View) -> StepRuns:
    """The runs that the current step waits for."""
    step = view.current_step
    if step is None or _skipped(view):
        return StepRuns(Slot(_KIND))
    base = f"{view.name}-{view.pod_hash}-{current_revision(view)}-{view.step_index}"
    slot = Slot(_KIND)
    if step.analysis is not None and step.analysis.templates:
        stored = view.status.canary.current_step_analysis_run_status
        slot = fresh_slot(_KIND, base, view.surroundings.analysis_runs, stored)
        slot = renewed(slot, base) if is_superseded(view, slot) else slot
    return StepRuns(slot, _experiment(view, base) if step.experiment is not None else None)


def ended_runs(view: View, runs: StepRuns) -> tuple[TerminateRun, ...]:
    """Ask all that the current step does not wait for to end."""
    ends = terminations(view.surroundings.analysis_runs, (runs.analysis.run,))
    others = (run for run in view.surroundings.experiments if run is not runs.experiment)
    experiments = (run for run in others if not run.terminating and not completes_run(run.phase))
    return (*ends, *(TerminateRun("Experiment", run.metadata.name) for run in experiments))


def _skipped(view: View) -> bool:
    return view.promoted or view.aborting or not view.status.stable_rs or skips_steps(view) or is_fast_rollback(view)


def _experiment(view: View, base: str) -> Run | None:
    """The one that the status names, else one of the step's name that goes on: an earlier attempt's has ended."""
    named = [run for run in view.surroundings.experiments if _is_named(base, run.metadata.name)]
    stored = view.status.canary.current_experiment
    current = next((run for run in named if run.metadata.name == stored), None)
    return current or next((run for run in named if not completes_run(run.phase)), None)


def _is_named(base: str, name: str) -> bool:
    suffix = name.removeprefix(f"{base}-")
    return name == base or (suffix != name and suffix.isdecimal())
