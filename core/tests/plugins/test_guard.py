"""Every call into a plugin passes the guard: whatever it does, the core gets an answer or a PluginError."""

import asyncio
from typing import Any

import pytest

from sluicegate.errors import NotFound, PluginError
from sluicegate.plugins import CallCount, Guard, Outcome

PLUGIN = "acme/edge"
KEEPS_FAILING = f"plugin `{PLUGIN}`, render: keeps failing and is called less often: ValueError: no such pool"


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def broken(error: BaseException | None = None) -> None:
    raise error or ValueError("no such pool")


async def broken_later() -> None:
    broken()


def broken_promise() -> Any:
    return None


async def answer(value: int) -> int:
    return value


def fail(guard: Guard, times: int = 1, scope: str = "") -> None:
    for _ in range(times):
        with pytest.raises(PluginError):
            guard.call_pure(PLUGIN, "render", broken, scope=scope)


def fail_text(guard: Guard) -> str:
    with pytest.raises(PluginError) as caught:
        guard.call_pure(PLUGIN, "render", broken)
    return str(caught.value)


def is_refused(guard: Guard, scope: str = "") -> bool:
    try:
        return guard.call_pure(PLUGIN, "render", lambda: False, scope=scope)
    except PluginError:
        return True


async def test_an_answer_comes_through_and_is_counted() -> None:
    guard = Guard()
    assert await guard.call(PLUGIN, "apply", answer, 7) == 7
    assert guard.call_pure(PLUGIN, "split", max, 1, 2) == 2
    assert guard.counts == {CallCount(PLUGIN, "apply", Outcome.OK): 1, CallCount(PLUGIN, "split", Outcome.OK): 1}


async def test_an_exception_becomes_a_plugin_error_that_names_plugin_and_operation() -> None:
    guard = Guard()
    with pytest.raises(PluginError) as caught:
        await guard.call(PLUGIN, "apply", broken_later)
    assert (caught.value.plugin, caught.value.operation) == (PLUGIN, "apply")
    assert str(caught.value) == "plugin `acme/edge`, apply: ValueError: no such pool"
    assert isinstance(caught.value.__cause__, ValueError)
    assert guard.counts == {CallCount(PLUGIN, "apply", Outcome.ERROR): 1}


def test_an_error_raised_on_purpose_is_told_in_its_own_words() -> None:
    error = NotFound("Ingress demo/shop does not exist", status=404)
    with pytest.raises(PluginError) as caught:
        Guard().call_pure(PLUGIN, "render", broken, error)
    assert str(caught.value) == "plugin `acme/edge`, render: Ingress demo/shop does not exist"
    assert caught.value.__cause__ is error


def test_a_plugin_cannot_end_the_process() -> None:
    with pytest.raises(PluginError, match="SystemExit: 3"):
        Guard().call_pure(PLUGIN, "render", broken, SystemExit(3))


async def test_a_plugin_that_hangs_is_cut_off_at_the_deadline() -> None:
    guard = Guard(deadline=0.01)
    with pytest.raises(PluginError, match=r"plugin `acme/edge`, verify: no answer within 0\.01 s"):
        await guard.call(PLUGIN, "verify", asyncio.Event().wait)
    assert guard.counts == {CallCount(PLUGIN, "verify", Outcome.DEADLINE): 1}


async def test_a_timeout_of_the_plugins_own_is_not_the_deadline() -> None:
    async def times_out() -> None:
        raise TimeoutError("the load balancer is slow")

    guard = Guard()
    with pytest.raises(PluginError, match="the load balancer is slow"):
        await guard.call(PLUGIN, "apply", times_out)
    assert guard.counts == {CallCount(PLUGIN, "apply", Outcome.ERROR): 1}


async def test_a_plugin_that_cancels_itself_does_not_cancel_its_caller() -> None:
    async def cancels() -> None:
        raise asyncio.CancelledError

    with pytest.raises(PluginError, match="cancelled from within"):
        await Guard().call(PLUGIN, "apply", cancels)


async def test_cancelling_the_caller_is_not_a_failure_of_the_plugin() -> None:
    guard, started = Guard(), asyncio.Event()

    async def waits() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(guard.call(PLUGIN, "apply", waits))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not guard.counts


async def test_a_method_that_forgot_async_is_reported() -> None:
    with pytest.raises(PluginError, match="TypeError"):
        await Guard().call(PLUGIN, "apply", broken_promise)


LONGEST_REST = 30.0


def fail_with_rests(guard: Guard, clock: Clock, times: int) -> None:
    """Fail so often in a row, each time after the last rest is over."""
    for _ in range(times):
        clock.seconds += LONGEST_REST
        fail(guard)


@pytest.mark.parametrize(("failures", "rest"), [(3, 1), (4, 2), (5, 4), (7, 16), (8, 30), (2000, 30)])
def test_what_keeps_failing_rests_for_longer_and_longer(failures: int, rest: float) -> None:
    clock = Clock()
    guard = Guard(now=clock)
    fail_with_rests(guard, clock, failures)
    clock.seconds += rest - 0.5
    assert is_refused(guard)
    clock.seconds += 0.5
    assert not is_refused(guard)


def test_two_failures_bring_no_rest_and_a_success_clears_them() -> None:
    guard = Guard(now=Clock())
    fail(guard, times=2)
    assert not is_refused(guard)
    fail(guard, times=2)
    assert not is_refused(guard)


def test_a_refused_call_says_why_and_is_counted() -> None:
    guard = Guard(now=Clock())
    fail(guard, times=3)
    assert fail_text(guard) == KEEPS_FAILING
    assert guard.counts[CallCount(PLUGIN, "render", Outcome.REFUSED)] == 1


def test_what_keeps_failing_has_one_text_however_often_and_whether_called_or_not() -> None:
    """It is stored in a status: each change would be a write, and each write another try."""
    clock = Clock()
    guard = Guard(now=clock)
    fail(guard, times=2)
    texts = set()
    for _ in range(400):
        texts.add(fail_text(guard))
        clock.seconds += 0.3
    assert texts == {KEEPS_FAILING}
    assert guard.counts[CallCount(PLUGIN, "render", Outcome.ERROR)] > 5
    assert guard.counts[CallCount(PLUGIN, "render", Outcome.REFUSED)] > 5


def test_failures_of_one_rollout_leave_the_others_alone() -> None:
    guard = Guard(now=Clock())
    fail(guard, times=3, scope="demo/broken")
    assert is_refused(guard, scope="demo/broken")
    assert not is_refused(guard, scope="demo/sound")


def test_a_rollout_that_is_gone_leaves_nothing_behind() -> None:
    guard = Guard(now=Clock())
    fail(guard, times=3, scope="demo/shop")
    guard.forget("demo/shop")
    assert not is_refused(guard, scope="demo/shop")
