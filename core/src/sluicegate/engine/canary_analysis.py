"""What a canary waits for beside pods: the run or Experiment of its step, and the run that watches from behind."""

from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sluicegate.api import names
from sluicegate.api.analysis_refs import BackgroundAnalysis, RolloutAnalysis
from sluicegate.api.status import RunStatus
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

_STEP: Final = "Step"
_BACKGROUND: Final = "Background"


@dataclass(frozen=True, slots=True)
class StepRuns:
    """The run and the Experiment of the current step, and the run in the background.

    All empty where there is none, or nothing is analysed any more. `unwatched`: the background run is still to come.
    """

    analysis: Slot
    experiment: Run | None = None
    background: Slot = field(default_factory=partial(Slot, _BACKGROUND))

    @property
    def unwatched(self) -> bool:
        """Whether the run that is to watch the update is not there: no step is completed without it."""
        return bool(self.background.awaited)

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
        return self.analysis.failure("Step-based analysis") or self.background.failure("Background analysis")

    @property
    def pause(self) -> str:
        """The reason of the pause that a run asks for as it could not decide; empty without one."""
        if INCONCLUSIVE in (self.analysis.phase, self.background.phase):
            return names.INCONCLUSIVE_ANALYSIS_RUN
        inconclusive = self.experiment is not None and self.experiment.phase == INCONCLUSIVE
        return names.INCONCLUSIVE_EXPERIMENT if inconclusive else ""

    @property
    def current_experiment(self) -> str:
        """What the status shows of an Experiment that goes on."""
        going_on = self.experiment is not None and not completes_run(self.experiment.phase)
        return self.experiment.metadata.name if going_on and self.experiment else ""

    def events(self) -> tuple[Event, ...]:
        """Tell of the runs' new phases."""
        return (*self.analysis.events(), *self.background.events())


def find_step_runs(view: View) -> StepRuns:
    """The runs that the current step waits for."""
    if _skipped(view):
        return StepRuns(Slot(_STEP))
    base = f"{view.name}-{view.pod_hash}-{current_revision(view)}"
    stored, step, experiment = view.status.canary, view.current_step, None
    analysis = background = None
    if step is not None and step.analysis is not None:
        run = stored.current_step_analysis_run_status
        analysis = _slot(view, _STEP, f"{base}-{view.step_index}", step.analysis, run)
    if step is not None and step.experiment is not None:
        experiment = _experiment(view, f"{base}-{view.step_index}")
    if view.canary.analysis is not None and _has_begun(view, view.canary.analysis):
        run = stored.current_background_analysis_run_status
        background = _slot(view, _BACKGROUND, base, view.canary.analysis, run)
    return StepRuns(analysis or Slot(_STEP), experiment, background or Slot(_BACKGROUND))


def _slot(view: View, kind: str, base: str, analysis: RolloutAnalysis, stored: RunStatus | None) -> Slot:
    if not analysis.templates:
        return Slot(kind)
    slot = fresh_slot(kind, base, view.surroundings.analysis_runs, stored)
    return renewed(slot, base) if is_superseded(view, slot) else slot


def _has_begun(view: View, analysis: BackgroundAnalysis) -> bool:
    """Whether the step is reached from which the background analysis runs; without steps it always does."""
    return not view.steps or view.step_index >= (analysis.starting_step or 0)


def ended_runs(view: View, runs: StepRuns) -> tuple[TerminateRun, ...]:
    """Ask all that the current step does not wait for to end."""
    ends = terminations(view.surroundings.analysis_runs, (runs.analysis.run, runs.background.run))
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
