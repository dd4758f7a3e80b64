"""Plugin steps: which calls a pass makes, and what becomes of their answers, row by row of rollout 6.9."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluicegate.engine.decision import Event
from sluicegate.engine.step_entries import Answered, CallFailed, NotCalled, Operation, PluginDisabled, StepCall
from sluicegate.engine.step_plugins import StepPluginOutcome, after, calls
from sluicegate.engine.view import View

from .builders import canary_view, make_replica_set

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SMOKE = {"plugin": {"name": "acme/smoke", "config": {"url": "/"}}}
LOAD = {"plugin": {"name": "acme/load"}}
WEIGHT = {"setWeight": 20}
STEPS = (WEIGHT, SMOKE, LOAD, WEIGHT)


def entry(index: int, operation: str = "Run", phase: str = "Successful", **members: Any) -> dict[str, Any]:
    """What is stored of a call."""
    name = {1: "acme/smoke", 2: "acme/load"}.get(index, "acme/smoke")
    return {"index": index, "name": name, "operation": operation, "phase": phase, **members}


def running(index: int = 1, *, ago: float = 60, backoff: str = "30s", **members: Any) -> dict[str, Any]:
    """A run that was called so many seconds ago."""
    times = {"updatedAt": stamp(-ago), "startedAt": stamp(-600), "backoff": backoff, "executions": 3}
    return entry(index, **{"phase": "Running", **times, **members})


def stamp(seconds: float) -> str:
    return (NOON + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def view(
    *entries: dict[str, Any],
    index: int = 1,
    steps: Sequence[object] = STEPS,
    phase: str = "Progressing",
    **status: Any,
) -> View:
    """A canary at a step, with these entries."""
    replica_sets = [make_replica_set("s", 4, 4), make_replica_set("c", 1, 1, new=True, revision=2)]
    found = {"currentStepIndex": index, "phase": phase, "canary": {"stepPluginStatuses": list(entries)}, **status}
    return canary_view(5, replica_sets, steps=steps, status=found)


def called(seen: View, *, resized: bool = False) -> list[tuple[str, int]]:
    return [(call.operation.value, call.index) for call in calls(seen, resized=resized, now=NOON)]


def end(seen: View, *answers: Any, resized: bool = False) -> StepPluginOutcome:
    return after(seen, answers, resized=resized, now=NOON)


def only_call(seen: View) -> StepCall:
    [call] = calls(seen, resized=False, now=NOON)
    return call


def answered(seen: View, phase: str, message: str = "", **members: Any) -> StepPluginOutcome:
    """The outcome of a pass with one call and this answer."""
    return end(seen, Answered(only_call(seen), phase, message, **members))


def shown(outcome: StepPluginOutcome) -> list[tuple[int, str, str]]:
    return [(entry.index, entry.operation, entry.phase) for entry in outcome.statuses]


# Which calls.


def test_the_current_step_is_run_with_its_settings_and_no_status_at_first() -> None:
    assert calls(view(), resized=False, now=NOON) == (StepCall(Operation.RUN, 1, "acme/smoke", {"url": "/"}, None),)


def test_a_later_run_and_the_ends_get_what_the_run_answered_last() -> None:
    kept = {"offset": 0, "seen": [False, ""]}
    assert only_call(view(running(status=kept))).status == kept
    assert only_call(view(running(status=kept), abort=True)).status == kept
    assert only_call(view(running(status=kept), promoteFull=True)).status == kept


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(view(index=0), [], id="another kind of step"),
        pytest.param(view(index=4), [], id="past the last step"),
        pytest.param(view(phase="Paused"), [], id="paused"),
        pytest.param(view(phase="Degraded"), [], id="degraded"),
        pytest.param(view(phase="Healthy"), [], id="healthy"),
        pytest.param(view(entry(1)), [], id="done already"),
        pytest.param(view(entry(1, phase="Failed")), [], id="failed already"),
        pytest.param(view(entry(1, phase="", disabled=True)), [], id="disabled"),
        pytest.param(view(running(ago=29)), [], id="running, within its backoff"),
        pytest.param(view(running(ago=30)), [("Run", 1)], id="running, backoff over"),
        pytest.param(view(running(ago=100, backoff="1m30s")), [("Run", 1)], id="running, longer backoff over"),
        pytest.param(view(running(ago=60, backoff="1m30s")), [], id="running, within a longer backoff"),
        pytest.param(view(running(phase="Error", ago=29)), [], id="error, within its backoff"),
        pytest.param(view(running(phase="Error", ago=30)), [("Run", 1)], id="error, backoff over"),
        pytest.param(view(running(phase="Error", backoff="")), [("Run", 1)], id="error answered, as Argo stores it"),
        pytest.param(view(running(backoff="soon")), [], id="backoff that is none"),
        pytest.param(view(entry(1), entry(2, phase="Running"), index=2), [("Run", 2)], id="each step has its own"),
    ],
)
def test_a_run_is_called_while_progressing_and_not_at_rest(seen: View, expected: list[tuple[str, int]]) -> None:
    assert called(seen) == expected


TWO_DONE = (entry(1), entry(2, phase="Running"))


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param((), [], id="nothing ran"),
        pytest.param(TWO_DONE, [("Abort", 2), ("Abort", 1)], id="from last to first"),
        pytest.param((entry(1), entry(2, phase="Failed")), [("Abort", 1)], id="a failed run is not undone"),
        pytest.param((entry(1), entry(2, phase="Error")), [("Abort", 1)], id="nor one in error"),
        pytest.param((*TWO_DONE, entry(2, "Abort")), [("Abort", 1)], id="once"),
        pytest.param((*TWO_DONE, entry(2, "Abort", "Error")), [("Abort", 1)], id="once, also if it went wrong"),
        pytest.param((entry(1, phase="", disabled=True),), [], id="what was disabled did nothing"),
        pytest.param((entry(0), entry(7), entry(1)), [("Abort", 1)], id="steps that are no plugin's"),
    ],
)
@pytest.mark.parametrize("phase", ["Progressing", "Degraded"])
def test_when_aborted_every_run_is_aborted(
    entries: Sequence[dict[str, Any]], expected: list[tuple[str, int]], phase: str
) -> None:
    assert called(view(*entries, index=0, phase=phase, abort=True)) == expected


def test_an_abort_that_this_pass_raises_counts() -> None:
    assert called(view(*TWO_DONE, index=2).raising_abort("too slow")) == [("Abort", 2), ("Abort", 1)]


def test_an_abort_reaches_plugins_also_where_the_first_step_is_a_pause() -> None:
    steps: tuple[object, ...] = ({"pause": {}}, *STEPS[1:])
    assert called(view(*TWO_DONE, index=0, steps=steps, abort=True)) == [("Abort", 2), ("Abort", 1)]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param((), [], id="nothing ran"),
        pytest.param((entry(1), entry(2)), [], id="nothing runs"),
        pytest.param(TWO_DONE, [("Terminate", 2)], id="the running one"),
        pytest.param((running(1), running(2)), [("Terminate", 2)], id="the last running one only"),
        pytest.param((running(1), running(2), entry(2, "Terminate")), [], id="already terminated"),
        pytest.param((running(1), entry(1, "Terminate", "Error")), [], id="once, also if it went wrong"),
    ],
)
def test_a_full_or_finished_promotion_terminates_what_still_runs(
    entries: Sequence[dict[str, Any]], expected: list[tuple[str, int]]
) -> None:
    assert called(view(*entries, index=2, promoteFull=True)) == expected
    assert called(view(*entries, index=4, phase="Healthy", stableRS="c")) == expected


@pytest.mark.parametrize("status", [{}, {"abort": True}, {"promoteFull": True}], ids=["run", "abort", "promote"])
def test_a_pass_that_resized_something_calls_nothing_and_changes_nothing(status: dict[str, Any]) -> None:
    seen = view(running(backoff="soon"), **status)
    assert called(seen, resized=True) == []
    assert end(seen, resized=True) == StepPluginOutcome(tuple(seen.status.canary.step_plugin_statuses))


# What becomes of a run.


def test_a_first_run_is_recorded_whole() -> None:
    outcome = answered(view(), "Running", "12 of 50 requests", requeue_after=90, status={"sent": 12, "failed": 0})
    [stored] = outcome.statuses
    assert stored.model_dump(mode="json", by_alias=True) == {
        "index": 1,
        "name": "acme/smoke",
        "operation": "Run",
        "phase": "Running",
        "message": "12 of 50 requests",
        "startedAt": stamp(0),
        "updatedAt": stamp(0),
        "finishedAt": None,
        "backoff": "1m30s",
        "executions": 1,
        "disabled": False,
        "status": {"sent": 12, "failed": 0},
    }
    assert outcome.events == (Event("StepPluginTransition", "Step plugin acme/smoke (step 2) transitioned to Running"),)
    assert (outcome.abort, outcome.completes) == (None, False)


@pytest.mark.parametrize(
    ("requeue_after", "backoff", "due"),
    [
        (0, "30s", 35),
        (10, "30s", 35),
        (10.5, "10.5s", 15.5),
        (15, "15s", 20),
        (90, "1m30s", 95),
        (3600, "1h0m0s", 3605),
    ],
)
def test_a_running_step_rests_as_long_as_it_asks_for_if_more_than_10_seconds_else_30(
    requeue_after: float, backoff: str, due: float
) -> None:
    outcome = answered(view(), "Running", requeue_after=requeue_after)
    assert (outcome.statuses[0].backoff, outcome.requeue_after) == (backoff, due)
    assert end(view(outcome.statuses[0].model_dump(mode="json", by_alias=True))).requeue_after == due


@pytest.mark.parametrize(("ago", "due"), [(0, 35), (20, 15), (29, 6)])
def test_the_pass_is_due_5_seconds_after_the_backoff(ago: float, due: float) -> None:
    assert end(view(running(ago=ago))).requeue_after == due


def test_success_completes_the_step_in_the_same_pass_without_an_event_of_its_own() -> None:
    outcome = answered(view(running(message="on it")), "Successful", "all 50 answered", status={"sent": 50})
    [stored] = outcome.statuses
    assert (stored.phase, stored.message, stored.status) == ("Successful", "all 50 answered", {"sent": 50})
    assert (stored.executions, stored.backoff) == (4, "")
    assert (stored.started_at, stored.updated_at, stored.finished_at) == (NOON - timedelta(seconds=600), NOON, NOON)
    assert outcome == StepPluginOutcome(outcome.statuses, completes=True)


def test_failure_aborts_the_update() -> None:
    outcome = answered(view(running()), "Failed", "3 of 50 requests failed")
    assert outcome.abort == "Step Plugin 2 (acme/smoke) failed: 3 of 50 requests failed"
    assert outcome.statuses[0].finished_at == NOON
    assert outcome.events == (
        Event("StepPluginTransition", "Step plugin acme/smoke (step 2) transitioned to Failed", "Warning"),
    )
    assert outcome.requeue_after is None


def test_a_failure_that_is_stored_aborts_no_more() -> None:
    outcome = end(view(entry(1, phase="Failed")))
    assert (outcome.abort, outcome.events, outcome.completes) == (None, (), True)


@pytest.mark.parametrize("answers", ["raises", "says so"])
def test_an_error_of_the_call_is_tried_again_in_30_seconds_with_the_status_as_it_was(answers: str) -> None:
    seen = view(running(status={"sent": 12}))
    if answers == "raises":
        outcome = end(seen, CallFailed(only_call(seen), "plugin `acme/smoke`, run: OSError: no route"))
    else:
        text = "plugin `acme/smoke`, run: OSError: no route"
        outcome = answered(seen, "Error", text, requeue_after=600, status="not to be stored")
    [stored] = outcome.statuses
    assert (stored.phase, stored.message) == ("Error", "plugin `acme/smoke`, run: OSError: no route")
    assert (stored.backoff, stored.status, stored.finished_at) == ("30s", {"sent": 12}, None)
    assert (outcome.abort, outcome.completes, outcome.requeue_after) == (None, False, 35)
    assert outcome.events == (
        Event("StepPluginTransition", "Step plugin acme/smoke (step 2) transitioned to Error", "Warning"),
    )


def test_the_same_phase_again_is_no_transition() -> None:
    assert answered(view(running()), "Running").events == ()


# What becomes of terminations and aborts.


@pytest.mark.parametrize(
    ("status", "operation", "text"),
    [
        ({"abort": True}, "Abort", "Step plugin acme/smoke (step 2) aborted ({})"),
        ({"promoteFull": True}, "Terminate", "Step plugin acme/smoke (step 2) terminated ({})"),
    ],
    ids=["abort", "terminate"],
)
@pytest.mark.parametrize(
    ("answer", "phase", "kind"),
    [
        ("Successful", "Successful", "Normal"),
        ("Failed", "Failed", "Warning"),
        ("Error", "Error", "Warning"),
        ("Running", "Failed", "Warning"),
        (None, "Error", "Warning"),
    ],
    ids=["done", "failed", "error", "running counts as failed, as it may not be asynchronous", "raises"],
)
def test_an_end_is_recorded_beside_the_run(
    status: dict[str, Any], operation: str, text: str, answer: str | None, phase: str, kind: Any
) -> None:
    seen = view(running(), **status)
    call = only_call(seen)
    given = CallFailed(call, "no luck") if answer is None else Answered(call, answer, "no luck")
    outcome = end(seen, given)
    run, ended = outcome.statuses
    assert run == seen.status.canary.step_plugin_statuses[0]
    assert (ended.index, ended.name, ended.operation) == (1, "acme/smoke", operation)
    assert (ended.phase, ended.message) == (phase, "no luck")
    assert (ended.started_at, ended.finished_at) == (NOON, NOON)
    assert outcome.events == (Event("StepPluginTransition", text.format(phase), kind),)
    assert (outcome.abort, outcome.requeue_after) == (None, None)
    again = view(*(entry.model_dump(mode="json", by_alias=True) for entry in outcome.statuses), **status)
    assert called(again) == []


def test_a_step_that_ran_and_was_ended_is_complete() -> None:
    assert answered(view(running(), promoteFull=True), "Failed").completes
    assert end(view(running(), entry(1, "Abort"))).completes


def test_all_aborts_of_a_pass_are_recorded_in_the_order_of_their_calls() -> None:
    seen = view(*TWO_DONE, index=0, abort=True)
    outcome = end(seen, *(Answered(call, "Successful") for call in calls(seen, resized=False, now=NOON)))
    assert shown(outcome)[2:] == [(2, "Abort", "Successful"), (1, "Abort", "Successful")]


# Errors outside the call.


def test_a_plugin_that_cannot_be_called_is_told_of_and_tried_again_in_30_seconds() -> None:
    seen = view()
    outcome = end(seen, NotCalled(only_call(seen), "step plugin `acme/smoke` is not installed"))
    text = "Reconciliation failed with error: step plugin `acme/smoke` is not installed"
    assert outcome == StepPluginOutcome(
        events=(Event("ReconciliationError", text, "Warning"),), completes=False, requeue_after=30
    )


@pytest.mark.parametrize(
    ("status", "verb"), [({}, "run"), ({"abort": True}, "abort"), ({"promoteFull": True}, "terminate")]
)
def test_a_phase_that_is_none_changes_nothing(status: dict[str, Any], verb: str) -> None:
    seen = view(running(), **status)
    outcome = answered(seen, "Done")
    assert outcome.statuses == tuple(seen.status.canary.step_plugin_statuses)
    [event] = outcome.events
    assert event.message == (
        f"Reconciliation failed with error: failed to {verb} plugin: "
        "could not validate rpc phase: phase 'Done' is not valid"
    )
    assert (outcome.completes, outcome.requeue_after) == (False, 30)


def test_a_stored_backoff_that_is_no_duration_is_told_of() -> None:
    seen = view(running(backoff="soon"))
    outcome = end(seen)
    assert outcome.events == (
        Event(
            "ReconciliationError",
            "Reconciliation failed with error: failed to run plugin: could not parse backoff duration: "
            'time: invalid duration "soon"',
            "Warning",
        ),
    )
    assert (outcome.statuses, outcome.requeue_after) == (tuple(seen.status.canary.step_plugin_statuses), 30)


def test_one_abort_that_cannot_be_called_keeps_no_other_from_being_recorded() -> None:
    seen = view(*TWO_DONE, index=0, abort=True)
    last, first = calls(seen, resized=False, now=NOON)
    outcome = end(seen, NotCalled(last, "not installed"), Answered(first, "Successful"))
    assert shown(outcome)[2:] == [(1, "Abort", "Successful")]
    assert [event.reason for event in outcome.events] == ["StepPluginTransition", "ReconciliationError"]
    assert outcome.requeue_after == 30


# Disabled plugins.


@pytest.mark.parametrize("before", [(), (running(),)], ids=["never called", "running"])
def test_a_disabled_plugins_step_is_complete_without_an_event(before: tuple[dict[str, Any], ...]) -> None:
    seen = view(*before)
    outcome = end(seen, PluginDisabled(only_call(seen)))
    [stored] = outcome.statuses
    assert (stored.phase, stored.disabled, stored.operation) == ("", True, "Run")
    assert outcome == StepPluginOutcome(outcome.statuses, completes=True)


@pytest.mark.parametrize("status", [{"abort": True}, {"promoteFull": True}], ids=["abort", "terminate"])
def test_of_a_plugin_disabled_meanwhile_no_end_is_recorded(status: dict[str, Any]) -> None:
    seen = view(running(), **status)
    outcome = end(seen, PluginDisabled(only_call(seen)))
    assert outcome.statuses == tuple(seen.status.canary.step_plugin_statuses)
    assert (outcome.events, outcome.requeue_after) == ((), None)


# Completion, retry.


@pytest.mark.parametrize(
    ("entries", "completes"),
    [
        ((), False),
        ((entry(1),), True),
        ((entry(1, phase="Failed"),), True),
        ((running(ago=1),), False),
        ((running(phase="Error", ago=1),), False),
        ((running(ago=1), entry(1, "Terminate")), True),
        ((running(ago=1), entry(1, "Abort", "Failed")), True),
        ((running(phase="Error", ago=1), entry(1, "Abort")), False),
        ((entry(1, phase="", disabled=True),), True),
        ((entry(2),), False),
    ],
)
def test_a_step_is_complete_by_what_is_stored_of_it(entries: Sequence[dict[str, Any]], completes: bool) -> None:
    assert end(view(*entries)).completes is completes


FIRST = (SMOKE, LOAD, WEIGHT)


@pytest.mark.parametrize(
    ("entries", "steps"),
    [
        pytest.param((entry(1), entry(1, "Abort")), STEPS, id="the first step is no plugin's"),
        pytest.param((entry(0), entry(0, "Abort")), FIRST, id="the first step is done"),
        pytest.param((running(0), entry(0, "Abort")), FIRST, id="the first step ran and was aborted"),
        pytest.param((entry(0, phase="Failed"),), FIRST, id="the first step failed"),
        pytest.param((running(0, phase="Error"), entry(1)), FIRST, id="a later step was reached"),
    ],
)
def test_a_retry_wipes_what_is_left_of_the_attempt_before(
    entries: Sequence[dict[str, Any]], steps: Sequence[object]
) -> None:
    seen = view(*entries, index=0, steps=steps)
    made = calls(seen, resized=False, now=NOON)
    assert [(call.index, call.status) for call in made] == ([(0, None)] if steps is FIRST else [])
    assert end(seen).statuses == ()


@pytest.mark.parametrize("first", [running(0, ago=1), running(0, phase="Error", ago=1)], ids=["running", "error"])
def test_a_first_step_in_progress_is_not_wiped(first: dict[str, Any]) -> None:
    seen = view(first, index=0, steps=FIRST)
    assert end(seen).statuses == tuple(seen.status.canary.step_plugin_statuses)


def test_nothing_is_wiped_while_the_abort_is_in_force() -> None:
    seen = view(entry(1), entry(1, "Abort"), index=0, abort=True)
    assert len(end(seen).statuses) == 2


def test_statuses_of_steps_done_stay_as_they_are() -> None:
    seen = view(entry(1, status={"sent": 50}), index=3)
    assert end(seen) == StepPluginOutcome(tuple(seen.status.canary.step_plugin_statuses))
