"""One entry of `stepPluginStatuses`: what a call and its answer make of it, how long it rests, when a step is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sluicegate.api.durations import parse_duration
from sluicegate.api.status import StepPluginStatus
from sluicegate.engine.decision import Event

RUNNING: Final = "Running"
SUCCESSFUL: Final = "Successful"
FAILED: Final = "Failed"
ERROR: Final = "Error"

_PHASES: Final = frozenset({RUNNING, SUCCESSFUL, FAILED, ERROR})
_SHORTEST_BACKOFF: Final = 10.0
_BACKOFF: Final = 30.0
_VERBS: Final = {"Run": "transitioned to {}", "Terminate": "terminated ({})", "Abort": "aborted ({})"}


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
    config: Mapping[str, Any] | None = None
    status: Any = None


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


def find(entries: Sequence[StepPluginStatus], index: int, operation: Operation) -> StepPluginStatus | None:
    """What is stored of an operation on a step."""
    return next((entry for entry in entries if (entry.index, entry.operation) == (index, operation)), None)


def is_complete(entries: Sequence[StepPluginStatus], index: int) -> bool:
    """Whether the plugin is done with a step: it has ended, was ended, or is disabled."""
    run = find(entries, index, Operation.RUN)
    if run is None:
        return False
    if run.disabled or run.phase in (SUCCESSFUL, FAILED):
        return True
    ended = (find(entries, index, operation) for operation in (Operation.TERMINATE, Operation.ABORT))
    return run.phase == RUNNING and any(ended)


def backoff(run: StepPluginStatus) -> timedelta | None:
    """How long a run rests; None if what is stored is no duration."""
    nanoseconds = parse_duration(run.backoff) if run.backoff else 0
    return None if nanoseconds is None else timedelta(microseconds=nanoseconds // 1000)


def fault(answer: StepAnswer) -> str:
    """What went wrong outside the call, so that the entry stays as it is; empty if nothing did."""
    if isinstance(answer, NotCalled):
        return answer.error
    if isinstance(answer, Answered) and answer.phase not in _PHASES:
        text = f"could not validate rpc phase: phase '{answer.phase}' is not valid"
        return f"failed to {answer.call.operation.lower()} plugin: {text}"
    return ""


def renewed(old: StepPluginStatus | None, answer: StepAnswer, now: datetime) -> StepPluginStatus | None:
    """The entry after an answer without a fault; None where a disabled plugin leaves none."""
    if answer.call.operation == Operation.RUN:
        return _disabled(answer) if isinstance(answer, PluginDisabled) else _ran(old, answer, now)
    return None if isinstance(answer, PluginDisabled) else _ended(answer, now)


def transition(entry: StepPluginStatus) -> tuple[Event, ...]:
    """Tell of a new phase; of a run's success the event of the completed step tells."""
    if entry.disabled or (entry.operation, entry.phase) == (Operation.RUN, SUCCESSFUL):
        return ()
    text = f"Step plugin {entry.name} (step {entry.index + 1}) {_VERBS[entry.operation].format(entry.phase)}"
    return (Event("StepPluginTransition", text, "Warning" if entry.phase in (FAILED, ERROR) else "Normal"),)


def _entry(call: StepCall) -> StepPluginStatus:
    return StepPluginStatus(index=call.index, name=call.name, operation=call.operation)


def _disabled(answer: PluginDisabled) -> StepPluginStatus:
    return _entry(answer.call).model_copy(update={"disabled": True})


def _ran(old: StepPluginStatus | None, answer: StepAnswer, now: datetime) -> StepPluginStatus:
    """The entry after one more run; what the plugin keeps there outlives an error."""
    run = old or _entry(answer.call).model_copy(update={"started_at": now})
    phase, message = _outcome(answer)
    found: dict[str, Any] = {"phase": phase, "message": message, "updated_at": now, "executions": run.executions + 1}
    if isinstance(answer, Answered) and phase != ERROR:
        found["status"] = answer.status
    if phase in (SUCCESSFUL, FAILED):
        found["finished_at"] = now
    return run.model_copy(update={**found, "backoff": _next_backoff(answer, phase)})


def _ended(answer: StepAnswer, now: datetime) -> StepPluginStatus:
    """The entry of a termination or an abort, which has one answer and no second."""
    phase, message = _outcome(answer)
    found = {"message": message, "started_at": now, "finished_at": now}
    return _entry(answer.call).model_copy(update={**found, "phase": FAILED if phase == RUNNING else phase})


def _outcome(answer: StepAnswer) -> tuple[str, str]:
    if isinstance(answer, Answered):
        return answer.phase, answer.message
    return ERROR, answer.error if isinstance(answer, CallFailed) else ""


def _next_backoff(answer: StepAnswer, phase: str) -> str:
    """How long to rest now. Of an answered error Argo Rollouts stores none, and then can never go on."""
    if phase not in (RUNNING, ERROR):
        return ""
    asked = answer.requeue_after if phase == RUNNING and isinstance(answer, Answered) else 0.0
    return _duration_text(asked if asked > _SHORTEST_BACKOFF else _BACKOFF)


def _duration_text(seconds: float) -> str:
    """Seconds as Go writes a duration of a second or more."""
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    rest = f"{milliseconds / 1000:g}s"
    if hours:
        return f"{hours}h{minutes}m{rest}"
    return f"{minutes}m{rest}" if minutes else rest
