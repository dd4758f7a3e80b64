"""Analysis slots: the AnalysisRun that a Rollout waits for at one place, found by its name, and what its phase means.

A slot's status is its memory: while a new run is awaited it names that one, so that an earlier run, which led to an
abort or was inconclusive, does not count again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sluicegate.api import names
from sluicegate.api.status import RunStatus
from sluicegate.engine.decision import Event, TerminateRun
from sluicegate.engine.phase import completes_run
from sluicegate.engine.surroundings import Run
from sluicegate.engine.view import View

SUCCESSFUL: Final = "Successful"
INCONCLUSIVE: Final = "Inconclusive"
FAILURES: Final = frozenset({"Failed", "Error"})


@dataclass(frozen=True, slots=True)
class Slot:
    """The run of one place: `kind` is the word in events, `run` the current one, `before` the status stored so far.

    `awaited` is the name of a run that is to come, empty where any will do.
    """

    kind: str
    run: Run | None = None
    before: RunStatus | None = None
    awaited: str = ""

    @property
    def phase(self) -> str:
        """The phase of the current run; empty while there is none."""
        return self.run.phase if self.run else ""

    @property
    def status(self) -> RunStatus | None:
        """What the status of the Rollout shows of it."""
        if self.run is not None:
            return RunStatus(name=self.run.metadata.name, status=self.run.phase, message=self.run.message)
        return RunStatus(name=self.awaited) if self.awaited else None

    def failure(self, what: str) -> str | None:
        """Why the update is to be aborted, `what` having failed; None while it has not."""
        if self.run is None or self.run.phase not in FAILURES:
            return None
        text = f"{what} phase error/failed"
        return f"{text}: {self.run.message}" if self.run.message else text

    def events(self) -> tuple[Event, ...]:
        """Tell of a phase that differs from the stored one."""
        if self.run is None or not self.run.phase:
            return ()
        name, phase, previous = self.run.metadata.name, self.run.phase, "NoPreviousStatus"
        if self.before is not None:
            if self.before.name != name or self.before.status == phase:
                return ()
            previous = self.before.status
        text = f"{self.kind} Analysis Run '{name}' Status New: '{phase}' Previous: '{previous}'"
        return (Event(f"AnalysisRun{phase}", text, "Warning" if phase in FAILURES else "Normal"),)


def find_slot(kind: str, base: str, runs: Sequence[Run], before: RunStatus | None) -> Slot:
    """The slot of the runs named `base`, `base.1` and so on: the newest, unless that is older than the stored one."""
    least = _number(base, before.name) if before is not None else None
    numbered = [(number, run) for run in runs if (number := _number(base, run.metadata.name)) is not None]
    fitting = [(number, run) for number, run in numbered if number >= (least or 0)]
    if fitting:
        return Slot(kind, max(fitting, key=lambda item: item[0])[1], before)
    return Slot(kind, None, before, before.name if before is not None and least is not None else "")


def fresh_slot(kind: str, base: str, runs: Sequence[Run], before: RunStatus | None) -> Slot:
    """The slot of a place that is come to anew with each attempt: a run that had ended before then does not count."""
    if before is not None and _number(base, before.name) is not None:
        return find_slot(kind, base, runs, before)
    numbers = {number: run for run in runs if (number := _number(base, run.metadata.name)) is not None}
    last = max(numbers, default=-1)
    if last >= 0 and not completes_run(numbers[last].phase):
        return Slot(kind, numbers[last], before)
    return Slot(kind, None, before, f"{base}.{last + 1}" if last >= 0 else base)


def is_superseded(view: View, slot: Slot) -> bool:
    """Whether a person asked for another run: by resuming after an inconclusive one, or by a retry after an abort."""
    if view.has_pause(names.INCONCLUSIVE_ANALYSIS_RUN):
        return False
    waits = view.has_pause(names.BLUE_GREEN_PAUSE) or view.has_pause(names.CANARY_PAUSE_STEP)
    if view.status.controller_pause and not waits:
        return slot.phase == INCONCLUSIVE
    return view.status.aborted_at is not None


def renewed(slot: Slot, base: str) -> Slot:
    """The slot once its run no longer counts: the next one is awaited."""
    if slot.run is None:
        return slot
    return Slot(slot.kind, None, slot.before, f"{base}.{(_number(base, slot.run.metadata.name) or 0) + 1}")


def terminations(runs: Iterable[Run], kept: Iterable[Run | None]) -> tuple[TerminateRun, ...]:
    """Ask the runs that still go on to end, all but the kept ones."""
    staying = {run.metadata.name for run in kept if run is not None}
    going_on = (run for run in runs if not run.terminating and not completes_run(run.phase))
    return tuple(TerminateRun("AnalysisRun", run.metadata.name) for run in going_on if run.metadata.name not in staying)


def _number(base: str, name: str) -> int | None:
    """The collision count in a run's name, 0 without one; None where the name is of another slot."""
    if name == base:
        return 0
    suffix = name.removeprefix(f"{base}.")
    return int(suffix) if suffix != name and suffix.isdecimal() and len(suffix) < 10 else None
