"""The plugin steps of a canary: which calls a pass makes, and what their answers do to the status (rollout 6.9).

The controller makes the calls in between. One whose answer never reached the status is made again by a later pass.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sluicegate.api.durations import parse_duration
from sluicegate.api.status import StepPluginStatus
from sluicegate.engine import phase
from sluicegate.engine.decision import Event
from sluicegate.engine.view import View

RUNNING: Final = "Running"
SUCCESSFUL: Final = "Successful"
FAILED: Final = "Failed"
ERROR: Final = "Error"

_PHASES: Final = frozenset({RUNNING, SUCCESSFUL, FAILED, ERROR})
_SHORTEST_BACKOFF: Final = 10.0
_BACKOFF: Final = 30.0
_AFTER_BACKOFF: Final = timedelta(seconds=5)
_FAULT_SECONDS: Final = 30.0


class Operation(StrEnum):
    """What a step plugin is asked to do with a step."""

    RUN = "Run"
    TERMINATE = "Terminate"
    ABORT = "Abort"


@dataclass(frozen=True, slots=True)
class StepCall:
    """One call of a step plugin; `status` is what its run of this step answered last."""

    operation: Operation
    index: int
    name: str
    config: Mapping[str, Any] | None
    status: Any


@dataclass(frozen=True, slots=True)
class Answered:
    """The plugin answered; `requeue_after` is in seconds."""

    call: StepCall
    phase: str
    message: str = ""
    requeue_after: float = 0.0
    status: Any = None


@dataclass(frozen=True, slots=True)
class CallFailed:
    """The plugin was called, and raised, or did not answer in time, or answered what is no answer."""

    call: StepCall
    error: str


@dataclass(frozen=True, slots=True)
class NotCalled:
    """The plugin could not be called: it is not installed, or its settings are not sound."""

    call: StepCall
    error: str


@dataclass(frozen=True, slots=True)
class PluginDisabled:
    """The plugin is switched off: its steps count as done."""

    call: StepCall


StepAnswer = Answered | CallFailed | NotCalled | PluginDisabled


@dataclass(frozen=True, slots=True)
class StepPluginOutcome:
    """What the calls of a pass came to.

    `statuses`: all that the Rollout's status is to hold of step plugins. `abort`: why the update is to be aborted.
    `completes`: the plugin of the current step is done with it. `requeue_after` is in seconds.
    """

    statuses: tuple[StepPluginStatus, ...] = ()
    events: tuple[Event, ...] = ()
    abort: str | None = None
    completes: bool = False
    requeue_after: float | None = None


def calls(view: View, *, resized: bool, now: datetime) -> tuple[StepCall, ...]:
    """The calls of this pass, in order; none if it `resized` something, or ended before the step plugins' turn.

    Unlike in Argo Rollouts an abort reaches the plugins also if the first step is a pause.
    """
    if resized:
        return ()
    statuses = _kept(view)
    if view.aborting:
        return tuple(_aborts(view, statuses))
    if view.full_promotion or view.promoted:
        return tuple(_terminations(view, statuses))
    return tuple(_runs(view, statuses, now))


def after(view: View, answers: Sequence[StepAnswer], *, resized: bool, now: datetime) -> StepPluginOutcome:
    """What becomes of the answers to `calls`, which are given in order; `resized` as there."""
    if resized:
        return StepPluginOutcome(tuple(view.status.canary.step_plugin_statuses))
    now = now.replace(microsecond=0)
    taken = _Taken(_kept(view))
    for answer in answers:
        taken.take(answer, now)
    taken.faults.extend(_backoff_faults(view, taken.statuses))
    return StepPluginOutcome(
        tuple(taken.statuses),
        (*taken.events, *(Event("ReconciliationError", fault, "Warning") for fault in taken.faults)),
        abort=next((_abort_text(answer) for answer in answers if _is_failed_run(answer)), None),
        completes=not taken.faults and _is_plugin_step(view) and _is_complete(taken.statuses, view.step_index),
        requeue_after=_FAULT_SECONDS if taken.faults else _run_due(view, taken.statuses, now),
    )


def find(statuses: Sequence[StepPluginStatus], index: int, operation: str) -> StepPluginStatus | None:
    """What is stored of an operation on a step."""
    return next((entry for entry in statuses if (entry.index, entry.operation) == (index, operation)), None)


# What is stored.


def _kept(view: View) -> tuple[StepPluginStatus, ...]:
    """The stored statuses, unless they are of an attempt that a retry has left behind.

    At the first step nothing is stored of later ones, nor that the first is done: it would not be the current one.
    Argo Rollouts looks at the first step alone, and skips a later one by its old success.
    """
    stored, step = tuple(view.status.canary.step_plugin_statuses), view.current_step
    if view.aborting or step is None or view.step_index > 0:
        return stored
    stale = step.plugin is None or _is_complete(stored, 0) or any(entry.index > 0 for entry in stored)
    return () if stale else stored


def _is_complete(statuses: Sequence[StepPluginStatus], index: int) -> bool:
    run = find(statuses, index, Operation.RUN)
    if run is None or run.phase != RUNNING:
        return run is not None and (run.disabled or run.phase in (SUCCESSFUL, FAILED))
    ended = (find(statuses, index, operation) for operation in (Operation.TERMINATE, Operation.ABORT))
    return run.disabled or any(ended)


def _backoff(run: StepPluginStatus) -> timedelta | None:
    """How long a run is to rest; None if what is stored is no duration."""
    nanoseconds = parse_duration(run.backoff) if run.backoff else 0
    return None if nanoseconds is None else timedelta(microseconds=nanoseconds // 1000)


# What is called.


def _aborts(view: View, statuses: Sequence[StepPluginStatus]) -> Iterator[StepCall]:
    for run in reversed(statuses):
        undoes = run.operation == Operation.RUN and run.phase in (RUNNING, SUCCESSFUL) and not run.disabled
        if undoes and find(statuses, run.index, Operation.ABORT) is None:
            yield from _call(view, Operation.ABORT, run)


def _terminations(view: View, statuses: Sequence[StepPluginStatus]) -> Iterator[StepCall]:
    for entry in reversed(statuses):
        if (entry.operation, entry.phase) == (Operation.TERMINATE, SUCCESSFUL):
            return
        if (entry.operation, entry.phase) == (Operation.RUN, RUNNING):
            if find(statuses, entry.index, Operation.TERMINATE) is None:
                yield from _call(view, Operation.TERMINATE, entry)
            return


def _runs(view: View, statuses: Sequence[StepPluginStatus], now: datetime) -> Iterator[StepCall]:
    if not _is_run_turn(view):
        return
    run = find(statuses, view.step_index, Operation.RUN) or StepPluginStatus(index=view.step_index)
    if run.phase not in (SUCCESSFUL, FAILED) and not _rests(run, now):
        yield from _call(view, Operation.RUN, run)


def _rests(run: StepPluginStatus, now: datetime) -> bool:
    """Whether a run is not to be called yet, or never as nobody can tell when."""
    if run.updated_at is None:
        return False
    backoff = _backoff(run)
    return backoff is None or run.updated_at + backoff > now


def _call(view: View, operation: Operation, run: StepPluginStatus) -> Iterator[StepCall]:
    """The call for the step of a run; none if there is no such plugin step any more."""
    step = view.steps[run.index] if run.index in range(len(view.steps)) else None
    if step is not None and step.plugin is not None:
        yield StepCall(operation, run.index, step.plugin.name, step.plugin.config, run.status)


def _is_plugin_step(view: View) -> bool:
    return view.current_step is not None and view.current_step.plugin is not None


def _is_run_turn(view: View) -> bool:
    ends = view.aborting or view.full_promotion or view.promoted
    return _is_plugin_step(view) and not ends and view.status.phase == phase.PROGRESSING


# What is answered.


@dataclass(slots=True)
class _Taken:
    """The answers of a pass taken one by one: statuses with their old order, events, and errors outside the calls."""

    statuses: Sequence[StepPluginStatus]
    events: list[Event] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def take(self, answer: StepAnswer, now: datetime) -> None:
        """Make an answer part of the statuses."""
        if isinstance(answer, NotCalled):
            return self._fault(answer.error)
        if isinstance(answer, Answered) and answer.phase not in _PHASES:
            text = f"could not validate rpc phase: phase '{answer.phase}' is not valid"
            return self._fault(f"failed to {answer.call.operation.lower()} plugin: {text}")
        old = find(self.statuses, answer.call.index, answer.call.operation)
        entry = _ran(old, answer, now) if answer.call.operation == Operation.RUN else _ended(answer, now)
        if entry is not None:
            self._store(old, entry)
        return None

    def _fault(self, text: str) -> None:
        self.faults.append(f"Reconciliation failed with error: {text}")

    def _store(self, old: StepPluginStatus | None, entry: StepPluginStatus) -> None:
        kept = list(self.statuses)
        if old is None:
            kept.append(entry)
        else:
            kept[kept.index(old)] = entry
        self.statuses = kept
        if old is None or old.phase != entry.phase:
            self.events.extend(_transition(entry))


def _ran(old: StepPluginStatus | None, answer: StepAnswer, now: datetime) -> StepPluginStatus:
    """The entry of a run after one more call; what the plugin keeps there outlives an error."""
    call = answer.call
    new = StepPluginStatus(index=call.index, name=call.name, operation=Operation.RUN)
    if isinstance(answer, PluginDisabled):
        return new.model_copy(update={"phase": SUCCESSFUL, "disabled": True})
    run = old or new.model_copy(update={"started_at": now})
    run = run.model_copy(update={"updated_at": now, "executions": run.executions + 1, "backoff": ""})
    if not isinstance(answer, Answered):
        return run.model_copy(update={"phase": ERROR, "message": answer.error, "backoff": duration_text(_BACKOFF)})
    found: dict[str, Any] = {"phase": answer.phase, "message": answer.message}
    if answer.phase in (SUCCESSFUL, FAILED):
        found["finished_at"] = now
    if answer.phase in (RUNNING, ERROR):
        ...
    return run.model_copy(update=found)
