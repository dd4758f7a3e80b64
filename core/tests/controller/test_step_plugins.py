"""Step plugins are called as the engine asks, and whatever they do becomes an answer."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.api.resources import CONFIG_MAPS
from sluicegate.controller.step_plugins import StepPlugins
from sluicegate.engine.step_entries import Answered, CallFailed, NotCalled, Operation, PluginDisabled, StepCall
from sluicegate.plugins import Config, Guard, StepContext, StepPhase, StepPlugin, StepResult
from sluicegate.plugins.registry import LoadedPlugin, PluginRecord, Registry
from sluicegate.testing import ScriptedStep
from sluicegate.testing.builders import make_rollout

from .conftest import manifest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sluicegate.api.rollout import Rollout
    from sluicegate.controller.watches import Watches
    from sluicegate.kube.client import Client

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
KEY = ("default", "shop")


class SmokeConfig(Config):
    url: str


class Smoke(StepPlugin[SmokeConfig]):
    """Does what a test says; `given` has the context and status of each call."""

    name = "acme/smoke"

    def __init__(self, does: Callable[[Any], Awaitable[Any]]) -> None:
        self.given: list[tuple[StepContext[SmokeConfig], Any]] = []
        self._does = does

    async def run(self, context: StepContext[SmokeConfig], status: Any) -> Any:
        self.given.append((context, status))
        return await self._does(status)


def answering(result: Any) -> Smoke:
    async def answer(status: Any) -> Any:
        return result

    return Smoke(answer)


def raising(error: BaseException) -> Smoke:
    async def fail(status: Any) -> Any:
        raise error

    return Smoke(fail)


def registry_of(*plugins: StepPlugin[Any]) -> Registry:
    record = PluginRecord(name="test", distribution="test", version="1")
    return Registry([LoadedPlugin(record, step_plugins=plugins)])


@pytest.fixture
def serve(client: Client, watches: Watches) -> Callable[..., StepPlugins]:
    """A process with these step plugins."""

    def made(*plugins: StepPlugin[Any], guard: Guard | None = None, disabled: tuple[str, ...] = ()) -> StepPlugins:
        registry = registry_of(*plugins)
        return StepPlugins(client, watches, registry, guard or Guard(), lambda: NOON, disabled=disabled)

    return made


def call(name: str = "acme/smoke", operation: Operation = Operation.RUN, index: int = 1, **members: Any) -> StepCall:
    return StepCall(operation, index, name, **{"config": {"url": "/"}, **members})


async def answer(plugins: StepPlugins, asked: StepCall | None = None) -> Any:
    [given] = await plugins.answers(make_rollout(), [asked or call()])
    return given


async def test_an_answer_comes_back_whole(serve: Callable[..., StepPlugins]) -> None:
    smoke = answering(StepResult.running("12 sent", requeue_after=15, status={"sent": 12, "failed": 0}))
    given = await answer(serve(smoke))
    assert given == Answered(call(), "Running", "12 sent", 15.0, {"sent": 12, "failed": 0})


async def test_a_plugin_gets_its_settings_its_status_the_rollout_a_clock_and_a_logger(
    serve: Callable[..., StepPlugins], caplog: pytest.LogCaptureFixture
) -> None:
    smoke = answering(StepResult.successful())
    await answer(serve(smoke), call(status={"sent": 12}))
    [(context, status)] = smoke.given
    assert (context.config, status) == (SmokeConfig(url="/"), {"sent": 12})
    assert (context.rollout, context.now()) == (make_rollout(), NOON)
    with caplog.at_level(logging.INFO):
        context.logger.info("%d sent", 12)
    assert caplog.messages == ["default/shop: 12 sent"]


async def test_the_stored_status_is_not_a_plugins_to_change(serve: Callable[..., StepPlugins]) -> None:
    async def change(status: Any) -> Any:
        status["seen"].append(2)
        return StepResult.running(status=status)

    asked = call(status={"seen": [1]})
    given = await answer(serve(Smoke(change)), asked)
    assert (asked.status, given.status) == ({"seen": [1]}, {"seen": [1, 2]})


@pytest.mark.parametrize("operation", [Operation.TERMINATE, Operation.ABORT])
async def test_ending_a_step_succeeds_unless_the_plugin_has_something_to_do(
    serve: Callable[..., StepPlugins], operation: Operation
) -> None:
    asked = call(operation=operation)
    assert await answer(serve(answering(None)), asked) == Answered(asked, "Successful")


@pytest.mark.parametrize(
    ("smoke", "error"),
    [
        (raising(RuntimeError("no route")), "RuntimeError: no route"),
        (raising(SystemExit(1)), "SystemExit: 1"),
        (answering(None), "answered None, must be a StepResult with a text and at most a year of seconds"),
        (answering("Successful"), "answered 'Successful', must be a StepResult"),
        (answering(StepResult(StepPhase.RUNNING, requeue_after=float("nan"))), "must be a StepResult"),
        (answering(StepResult(StepPhase.RUNNING, requeue_after=-1)), "must be a StepResult"),
        (answering(StepResult(StepPhase.RUNNING, requeue_after=1e9)), "must be a StepResult"),
        (answering(StepResult(StepPhase.RUNNING, message=b"")), "must be a StepResult"),  # type: ignore[arg-type]
        (answering(StepResult.running(status={1, 2})), "TypeError: Object of type set is not JSON serializable"),
        (answering(StepResult.running(status=float("inf"))), "ValueError: Out of range float values"),
    ],
)
async def test_what_a_plugin_gets_wrong_is_an_error_of_the_call(
    serve: Callable[..., StepPlugins], smoke: Smoke, error: str
) -> None:
    given = await answer(serve(smoke))
    assert isinstance(given, CallFailed)
    assert given.error.startswith("plugin `acme/smoke`, run: ")
    assert error in given.error


async def test_a_phase_that_is_none_is_left_to_the_engine(serve: Callable[..., StepPlugins]) -> None:
    result = StepResult("Done")  # type: ignore[arg-type]
    assert await answer(serve(answering(result))) == Answered(call(), "Done")


async def test_a_plugin_that_does_not_answer_in_time_is_left(serve: Callable[..., StepPlugins]) -> None:
    async def hang(status: Any) -> Any:
        await asyncio.Event().wait()

    given = await answer(serve(Smoke(hang), guard=Guard(deadline=0.01)))
    assert given == CallFailed(call(), "plugin `acme/smoke`, run: no answer within 0.01 s")


async def test_of_a_plugin_that_is_not_installed_the_text_says_what_is(serve: Callable[..., StepPlugins]) -> None:
    asked = call("acme/load", index=2)
    assert await answer(serve(answering(None), ScriptedStep()), asked) == NotCalled(
        asked,
        "could not create step plugin at index 2 : failed to get step plugin acme/load: "
        "step plugin `acme/load` is not installed; installed: `acme/smoke`, `sluicegate/scripted`",
    )


async def test_settings_that_are_unsound_are_told_of_with_their_path(serve: Callable[..., StepPlugins]) -> None:
    given = await answer(serve(answering(None)), call(config=None))
    assert isinstance(given, NotCalled)
    assert given.error.endswith(": spec.strategy.canary.steps[1].plugin.config.url: Required value")


async def test_a_plugin_that_cannot_judge_its_settings_is_told_of(serve: Callable[..., StepPlugins]) -> None:
    class Broken(Smoke):
        def parse_config(self, raw: object, *, path: str) -> SmokeConfig:
            raise KeyError("url")

    async def never(status: Any) -> Any:
        raise AssertionError

    given = await answer(serve(Broken(never)))
    assert isinstance(given, NotCalled)
    assert given.error.endswith("plugin `acme/smoke`, parse_config: KeyError: 'url'")


@pytest.mark.parametrize("operation", list(Operation))
async def test_a_disabled_plugin_is_not_called_installed_or_not(
    serve: Callable[..., StepPlugins], operation: Operation
) -> None:
    smoke = answering(StepResult.successful())
    plugins = serve(smoke, disabled=("acme/smoke", "acme/load"))
    for asked in (call(operation=operation), call("acme/load", operation)):
        assert await answer(plugins, asked) == PluginDisabled(asked)
    assert smoke.given == []


async def test_one_call_that_fails_keeps_no_other_from_being_made(serve: Callable[..., StepPlugins]) -> None:
    smoke = answering(StepResult.successful())
    calls = [call("acme/load"), call(), call(config={}), call(index=3)]
    given = await serve(smoke).answers(make_rollout(), calls)
    assert [type(answer) for answer in given] == [NotCalled, Answered, NotCalled, Answered]


async def test_failures_at_three_steps_do_not_keep_a_fourth_from_being_called(
    serve: Callable[..., StepPlugins],
) -> None:
    smoke = raising(RuntimeError("no route"))
    await serve(smoke).answers(make_rollout(), [call(index=index) for index in range(4)])
    assert len(smoke.given) == 4


async def test_of_a_rollout_that_is_gone_no_failures_are_kept(serve: Callable[..., StepPlugins]) -> None:
    smoke = raising(RuntimeError("no route"))
    plugins = serve(smoke, guard=Guard(now=lambda: 0.0))
    for _ in range(4):
        await answer(plugins)
    assert len(smoke.given) == 3
    plugins.forget(KEY)
    await answer(plugins)
    assert len(smoke.given) == 4


def rollout(*steps: dict[str, Any]) -> Rollout:
    return make_rollout(spec={"strategy": {"canary": {"steps": list(steps)}}})


def test_faulty_settings_are_known_before_anything_moves(client: Client, watches: Watches) -> None:
    faulty = {"plugin": {"name": "acme/smoke", "config": {"uri": "/"}}}
    sound = {"plugin": {"name": "acme/smoke", "config": {"url": "/"}}}
    absent = {"plugin": {"name": "acme/load"}}
    registry = registry_of(answering(None))
    plugins = StepPlugins(client, watches, registry, Guard(), lambda: NOON)
    assert plugins.refusal(rollout({"setWeight": 20}, sound, absent)) is None
    assert plugins.refusal(make_rollout()) is None
    path = "spec.strategy.canary.steps[2].plugin.config"
    expected = f"{path}.url: Required value\n{path}.uri: unknown field"
    assert plugins.refusal(rollout(sound, absent, faulty)) == expected
    off = StepPlugins(client, watches, registry, Guard(), lambda: NOON, disabled=["acme/smoke"])
    assert off.refusal(rollout(faulty)) is None


async def test_the_scripted_plugin_answers_what_its_config_map_says_and_records_its_calls(
    client: Client, serve: Callable[..., StepPlugins]
) -> None:
    script = manifest("v1", "ConfigMap", "script", data={"run": "Running: on it", "abort": "raise: no luck"})
    await client.create(CONFIG_MAPS, "default", script)
    plugins = serve(ScriptedStep())
    settings = {"configMap": "script", "requeueAfter": 15}
    run = call(ScriptedStep.name, config=settings, status={"runs": 1})
    abort, terminate = (
        call(ScriptedStep.name, operation, config=settings) for operation in (Operation.ABORT, Operation.TERMINATE)
    )
    assert await plugins.answers(make_rollout(), [run, abort, terminate]) == (
        Answered(run, "Running", "on it", 15.0, {"runs": 2}),
        CallFailed(abort, f"plugin `{ScriptedStep.name}`, abort: RuntimeError: no luck"),
        Answered(terminate, "Successful"),
    )
    stored = await client.get(CONFIG_MAPS, "default", "script")
    assert stored["data"]["calls"] == "run abort terminate"
