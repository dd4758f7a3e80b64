"""AnalysisRuns and Experiments that an update waits for."""

from sluicegate.engine.blue_green_analysis import find_analyses
from sluicegate.engine.canary_analysis import find_step_runs
from sluicegate.engine.slots import INCONCLUSIVE
from sluicegate.engine.surroundings import Run
from sluicegate.engine.view import View
from sluicegate.engine.why.situation import Situation
from sluicegate.engine.why.wording import sentence


def undecided(situation: Situation) -> Run | None:
    """The run that came to no verdict and leaves the matter to a person."""
    current = _current(situation.view)
    return next((run for run in current if run is not None and run.phase == INCONCLUSIVE), None)


def _current(view: View) -> tuple[Run | None, ...]:
    if view.blue_green is not None:
        analyses = find_analyses(view, back=False)
        return (analyses.pre.run, analyses.post.run)
    runs = find_step_runs(view)
    return (runs.analysis.run, runs.background.run, runs.experiment)


def unwatched(situation: Situation) -> tuple[str, ...]:
    """That no step is completed before the run in the background is there."""
    runs = find_step_runs(situation.view)
    awaited = runs.background.awaited
    return (
        (f"AnalysisRun {awaited}, which is to watch the update from the background, is not there yet.",)
        if awaited
        else ()
    )


def run_words(kind: str, run: Run | None, place: str) -> str:
    """What is awaited of a run: that it is made, or that it succeeds."""
    if run is None:
        return f"The {kind} {place} is not there yet."
    said = f" It says: {sentence(run.message)}" if run.message else ""
    state = f"it is {run.phase} now" if run.phase else "it has not begun"
    return f"{kind} {run.metadata.name} has to succeed; {state}.{said}"


def run_looks(situation: Situation, kind: str, run: Run | None) -> tuple[str, ...]:
    """How to see a run."""
    if run is None:
        return ()
    words = f"get {kind.lower()} {run.metadata.name} -o yaml"
    return (f"To see what it measured: {situation.commands.kube(words)}",)
