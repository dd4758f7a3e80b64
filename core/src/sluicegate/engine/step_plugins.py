"""The plugin steps of a canary: which calls a pass makes, and what comes of their answers (rollout 6.9).

The controller makes the calls in between. One whose answer never reached the status is made again by a later pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sluicegate.api.status import StepPluginStatus
from sluicegate.engine.decision import Event
from sluicegate.engine.phase import PROGRESSING
from sluicegate.engine.step_entries import (
    ERROR,
    FAILED,
    RUNNING,
    SUCCESSFUL,
    Answered,
    Operation,
    StepAnswer,
    StepCall,
    backoff,
    fault,
    find,
    is_complete,
    renewed,
    transition,
)
from sluicegate.engine.view import View

_AFTER_BACKOFF: Final = timedelta(seconds=5)
_FAULT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class StepPluginOutcome:
    """What the calls of a pass came to.

    `statuses`: all that the status is to hold of step plugins. `abort`: why the update is to be aborted. `completes`:
    the plugin of the current step is done with it. `requeue_after` is in seconds.
    """

    statuses: tuple[StepPluginStatus, ...] = ()
    events: tuple[Event, ...] = ()
    abort: str | None = None
    completes: bool = False
    requeue_after: float | None = None


def calls(view: View, *, resized: bool, now: datetime) -> tuple[StepCall, ...]:
    """The calls of this pass, in order; none if it `resized` something, or ended before the step plugins' turn.

    Unlike in Argo Rollouts an abort reaches the plugins also where the first step is a pause.
    """
    if resized:
        return ()
    entries = _kept(view)
    if view.aborting:
        return tuple(_aborts(view, entries))
    if view.full_promotion or view.promoted:
        return tuple(_terminations(view, entries))
    return tuple(_runs(view, entries, now))


def after(view: View, answers: Sequence[StepAnswer], *, resized: bool, now: datetime) -> StepPluginOutcome:
    """What comes of the answers to `calls`, all of them and in order; `resized` as there."""
    if resized:
        return StepPluginOutcome(tuple(view.status.canary.step_plugin_statuses))
    now = now.replace(microsecond=0)
    entries, transitions = _taken(_kept(view), answers, now)
    faults = (*filter(None, map(fault, answers)), *_backoff_faults(view, entries))
    return StepPluginOutcome(
        entries,
        (*transitions, *map(_reconciliation_error, faults)),
        abort=next(_failures(answers), None),
        completes=not faults and _on_plugin_step(view) and is_complete(entries, view.step_index),
        requeue_after=_FAULT_SECONDS if faults else _run_due(view, entries, now),
    )


def _kept(view: View) -> tuple[StepPluginStatus, ...]:
    """The stored entries, unless they are of an attempt that a retry has left behind.

    At the first step nothing can be stored of later ones, nor that the first is done: it would not be the current one.
    Argo Rollouts looks at the first step alone, and may then skip a later one by its old success.
    """
    stored, step = tuple(view.status.canary.step_plugin_statuses), view.current_step
    if view.aborting or step is None or view.step_index > 0:
        return stored
    is_stale = step.plugin is None or is_complete(stored, 0) or any(entry.index > 0 for entry in stored)
    return () if is_stale else stored


def _aborts(view: View, entries: Sequence[StepPluginStatus]) -> Iterator[StepCall]:
    for run in reversed(entries):
        undoes = run.operation == Operation.RUN and run.phase in (RUNNING, SUCCESSFUL)
        if undoes and find(entries, run.index, Operation.ABORT) is None:
            yield from _call(view, Operation.ABORT, run)


def _terminations(view: View, entries: Sequence[StepPluginStatus]) -> Iterator[StepCall]:
    for entry in reversed(entries):
        if (entry.operation, entry.phase) == (Operation.TERMINATE, SUCCESSFUL):
            return
        if (entry.operation, entry.phase) == (Operation.RUN, RUNNING):
            if find(entries, entry.index, Operation.TERMINATE) is None:
                yield from _call(view, Operation.TERMINATE, entry)
            return


def _runs(view: View, entries: Sequence[StepPluginStatus], now: datetime) -> Iterator[StepCall]:
    if not _is_turn_of_run(view):
        return
    run = find(entries, view.step_index, Operation.RUN) or StepPluginStatus(index=view.step_index)
    is_done = run.disabled or run.phase in (SUCCESSFUL, FAILED)
    if not is_done and not _rests(run, now):
        yield from _call(view, Operation.RUN, run)


def _call(view: View, operation: Operation, run: StepPluginStatus) -> Iterator[StepCall]:
    """The call for the step of an entry; none if there is no such plugin step."""
    step = view.steps[run.index] if run.index in range(len(view.steps)) else None
    if step is not None and step.plugin is not None:
        yield StepCall(operation, run.index, step.plugin.name, step.plugin.config, run.status)


def _rests(run: StepPluginStatus, now: datetime) -> bool:
    """Whether a run is not to be called yet, or not at all as nobody can tell when."""
    if run.updated_at is None:
        return False
    rest = backoff(run)
    return rest is None or run.updated_at + rest > now


def _on_plugin_step(view: View) -> bool:
    return view.current_step is not None and view.current_step.plugin is not None


def _is_turn_of_run(view: View) -> bool:
    is_over = view.aborting or view.full_promotion or view.promoted
    return _on_plugin_step(view) and not is_over and view.status.phase == PROGRESSING


def _taken(
    entries: tuple[StepPluginStatus, ...], answers: Sequence[StepAnswer], now: datetime
) -> tuple[tuple[StepPluginStatus, ...], tuple[Event, ...]]:
    """The entries after the answers, old ones in their place and new ones at the end, and the events of new phases."""
    events: tuple[Event, ...] = ()
    for answer in answers:
        old = find(entries, answer.call.index, answer.call.operation)
        new = None if fault(answer) else renewed(old, answer, now)
        if new is None:
            continue
        entries = tuple(new if entry is old else entry for entry in entries) if old else (*entries, new)
        if old is None or old.phase != new.phase:
            events = (*events, *transition(new))
    return entries, events


def _failures(answers: Sequence[StepAnswer]) -> Iterator[str]:
    for answer in answers:
        if isinstance(answer, Answered) and (answer.call.operation, answer.phase) == (Operation.RUN, FAILED):
            yield f"Step Plugin {answer.call.index + 1} ({answer.call.name}) failed: {answer.message}"


def _waiting_run(view: View, entries: Sequence[StepPluginStatus]) -> StepPluginStatus | None:
    """The run of the current step that is to be called again."""
    run = find(entries, view.step_index, Operation.RUN) if _is_turn_of_run(view) else None
    return run if run is not None and run.phase in (RUNNING, ERROR) else None


def _backoff_faults(view: View, entries: Sequence[StepPluginStatus]) -> Iterator[str]:
    run = _waiting_run(view, entries)
    if run is not None and backoff(run) is None:
        yield f'failed to run plugin: could not parse backoff duration: time: invalid duration "{run.backoff}"'


def _run_due(view: View, entries: Sequence[StepPluginStatus], now: datetime) -> float | None:
    """Seconds until the plugin is to be called again, and a little more, as Argo Rollouts has it."""
    run = _waiting_run(view, entries)
    rest = backoff(run) if run is not None else None
    if run is None or rest is None or run.updated_at is None:
        return None
    return max(0.0, (run.updated_at + rest + _AFTER_BACKOFF - now).total_seconds())


def _reconciliation_error(text: str) -> Event:
    return Event("ReconciliationError", f"Reconciliation failed with error: {text}", "Warning")
