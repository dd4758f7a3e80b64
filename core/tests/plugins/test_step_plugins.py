"""Step plugins are found, refused and listed as routers are, and the contract tells sound ones from others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.api.resources import CONFIG_MAPS
from sluicegate.errors import ConfigError, NotFound, PluginError, PluginLoadError
from sluicegate.plugins import (
    Config,
    Manifest,
    ObjectReference,
    ObjectSelection,
    PluginRecord,
    Registry,
    StepContext,
    StepPhase,
    StepPlugin,
    StepResult,
    load_plugins,
)
from sluicegate.testing.conformance import StepPluginContract

if TYPE_CHECKING:
    from pathlib import Path

    from sluicegate.testing.objects import MemoryObjects

STEP = """
from sluicegate.plugins import Config, StepPlugin, StepResult, hookimpl

class SmokeConfig(Config):
    url: str

class Smoke(StepPlugin[SmokeConfig]):
    name = "{name}"
    async def run(self, context, status):
        return StepResult.successful()

@hookimpl
def register_step_plugins():
    return [Smoke]
"""
ROUTER_TOO = """
from sluicegate.plugins import Capability, TrafficRouter

class Router(TrafficRouter):
    name = "acme/edge"
    capabilities = {Capability.WEIGHTS}
    async def apply(self, context, routes): ...

@hookimpl
def register_traffic_routers():
    return [Router]
"""


def loaded(folder: Path, **sources: str) -> Registry:
    """What is in use with these files in the plugin folder."""
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    return load_plugins(folder)


def record_of(registry: Registry, name: str) -> PluginRecord:
    return next(record for record in registry.records if record.name == name and not record.version)


def test_a_step_plugin_serves_and_is_listed(tmp_path: Path) -> None:
    registry = loaded(tmp_path, smoke=STEP.format(name="acme/smoke"))
    assert registry.step_plugin("acme/smoke").name == "acme/smoke"
    assert list(registry.step_plugins) == ["acme/smoke"]
    record = record_of(registry, "smoke")
    assert (record.hooks, record.provides, record.error) == (("register_step_plugins",), ("acme/smoke",), "")
    assert record.capabilities == ()


def test_one_plugin_may_bring_a_router_and_a_step_of_one_name(tmp_path: Path) -> None:
    registry = loaded(tmp_path, edge=STEP.format(name="acme/edge") + ROUTER_TOO)
    assert registry.step_plugin("acme/edge").name == registry.traffic_router("acme/edge").name
    record = record_of(registry, "edge")
    assert (record.provides, record.error) == (("acme/edge", "acme/edge"), "")
    assert record.hooks == ("register_step_plugins", "register_traffic_routers")


def test_its_settings_are_of_the_class_it_names(tmp_path: Path) -> None:
    plugin = loaded(tmp_path, smoke=STEP.format(name="acme/smoke")).step_plugin("acme/smoke")
    assert plugin.parse_config({"url": "/"}, path="config").url == "/"
    with pytest.raises(ConfigError, match=r"steps\[0\]\.plugin\.config\.url: Required value"):
        plugin.parse_config({}, path="steps[0].plugin.config")


@pytest.mark.parametrize(
    ("wrong", "right", "reason"),
    [
        pytest.param("[Smoke]", "[Smoke()]", "must be a subclass of StepPlugin", id="no class"),
        pytest.param("[Smoke]", "[SmokeConfig]", "must be a subclass of StepPlugin", id="another class"),
        pytest.param("[Smoke]", "[1 / 0]", "ZeroDivisionError", id="registration raises"),
        pytest.param("def run", "def rum", "class Smoke does not implement run", id="abstract"),
        pytest.param('"acme/smoke"', '""', "class Smoke has name '', must be a text", id="no name"),
        pytest.param(
            "(StepPlugin[SmokeConfig]):",
            "(StepPlugin):\n    config = dict",
            "has config <class 'dict'>, must be a subclass of Config",
            id="config is no model",
        ),
    ],
)
def test_a_broken_step_plugin_is_listed_with_its_reason(tmp_path: Path, wrong: str, right: str, reason: str) -> None:
    source = STEP.format(name="acme/smoke").replace(wrong, right)
    registry = loaded(tmp_path, broken=source, sound=STEP.format(name="acme/sound"))
    assert reason in record_of(registry, "broken").error
    assert list(registry.step_plugins) == ["acme/sound"]


def test_a_rollout_that_needs_a_broken_step_plugin_is_told_why(tmp_path: Path) -> None:
    registry = loaded(tmp_path, smoke="import no_such_module_anywhere")
    with pytest.raises(
        PluginLoadError, match=r"step plugin `smoke` could not be loaded from plugin `smoke` of .*/smoke.py: M"
    ):
        registry.step_plugin("smoke")


def test_a_step_plugin_that_is_not_installed_is_told_with_those_that_are(tmp_path: Path) -> None:
    registry = loaded(tmp_path, edge=STEP.format(name="acme/smoke") + ROUTER_TOO)
    with pytest.raises(PluginError) as caught:
        registry.step_plugin("acme/edge")
    assert str(caught.value) == "step plugin `acme/edge` is not installed; installed: `acme/smoke`"
    assert not isinstance(caught.value, PluginLoadError)


def test_a_name_claimed_twice_serves_neither_and_names_both(tmp_path: Path) -> None:
    source = STEP.format(name="acme/smoke")
    registry = loaded(tmp_path, one=source, two=source, three=STEP.format(name="acme/load") + ROUTER_TOO)
    with pytest.raises(PluginLoadError) as caught:
        registry.step_plugin("acme/smoke")
    expected = (
        f"step plugin `acme/smoke` is claimed by plugins `one` of {tmp_path}/one.py and `two` of {tmp_path}/two.py: "
        "uninstall all but one"
    )
    assert str(caught.value) == expected
    assert record_of(registry, "one").error == record_of(registry, "two").error == expected
    assert (list(registry.step_plugins), record_of(registry, "three").error) == (["acme/load"], "")


def test_the_scripted_step_plugin_is_loaded_from_a_file_of_one_line(tmp_path: Path) -> None:
    registry = loaded(tmp_path, scripted="from sluicegate.testing.scripted import register_step_plugins\n")
    assert list(registry.step_plugins) == ["sluicegate/scripted"]


# The contract.


class BatchConfig(Config):
    """The ConfigMap that stands for a piece of work."""

    work: str


class Batch(StepPlugin[BatchConfig]):
    """Starts a piece of work, waits until it is done, and takes it away on abort."""

    name = "acme/batch"

    def reference(self, context: StepContext[BatchConfig]) -> ObjectReference:
        return ObjectReference(CONFIG_MAPS, context.config.work)

    async def found(self, context: StepContext[BatchConfig]) -> Manifest | None:
        try:
            return await context.objects.get(self.reference(context))
        except NotFound:
            return None

    async def run(self, context: StepContext[BatchConfig], status: Any) -> StepResult:
        work = await self.found(context)
        if work is None:
            made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": context.config.work}, "data": {}}
            await context.objects.create(self.reference(context), made)
        elif work["data"].get("done"):
            return StepResult.successful(status={"looks": (status or {}).get("looks", 0)})
        return StepResult.running(status={"looks": (status or {}).get("looks", 0) + 1})

    async def terminate(self, context: StepContext[BatchConfig], status: Any) -> StepResult:
        work = await self.found(context)
        if work is not None:
            await context.objects.delete(self.reference(context), work)
        return StepResult.successful()

    abort = terminate


def contract(tested: type[Batch]) -> StepPluginContract:
    class Contract(StepPluginContract):
        plugin = tested()
        config = BatchConfig(work="nightly")
        objects = ()

        def meanwhile(self, objects: MemoryObjects) -> None:
            for document in objects.documents():
                objects.put({**document, "data": {"done": "yes"}})

    return Contract()


def broken(contract: StepPluginContract) -> list[str]:
    """The promises that the contract finds broken."""
    found = []
    for name in (name for name in dir(contract) if name.startswith("test_")):
        try:
            getattr(contract, name)()
        except AssertionError:
            found.append(name)
    return found


def test_a_sound_step_plugin_keeps_the_contract() -> None:
    assert broken(contract(Batch)) == []


class NeverDone(Batch):
    async def run(self, context: StepContext[BatchConfig], status: Any) -> StepResult:
        return StepResult.running()


class StartsTwice(Batch):
    async def run(self, context: StepContext[BatchConfig], status: Any) -> StepResult:
        if status is None:
            work = {"apiVersion": "v1", "kind": "ConfigMap", "data": {}}
            name = f"nightly-{len(await self.started(context))}"
            await context.objects.create(ObjectReference(CONFIG_MAPS, name), {**work, "metadata": {"name": name}})
            return StepResult.running(status={})
        return StepResult.successful(status={})

    async def started(self, context: StepContext[BatchConfig]) -> list[Manifest]:
        return await context.objects.list(ObjectSelection(CONFIG_MAPS, ""))


class KeepsState(Batch):
    def __init__(self) -> None:
        self.runs = 0

    async def run(self, context: StepContext[BatchConfig], status: Any) -> StepResult:
        self.runs += 1
        return StepResult.successful() if self.runs > 1 else StepResult.running()


class ChangesItsStatus(Batch):
    async def run(self, context: StepContext[BatchConfig], status: Any) -> StepResult:
        status = {"looks": 0} if status is None else status
        status["looks"] += 1
        return StepResult(StepPhase.SUCCESSFUL if status["looks"] > 1 else StepPhase.RUNNING, status=status)


class KeepsATuple(Batch):
    async def run(self, context: StepContext[BatchConfig], status: Any) -> StepResult:
        return StepResult.successful(status=("a", "b"))


class EndsLater(Batch):
    async def terminate(self, context: StepContext[BatchConfig], status: Any) -> StepResult:
        return StepResult.running("soon")

    async def abort(self, context: StepContext[BatchConfig], status: Any) -> StepResult:
        return StepResult.running("soon")


class AbortsOnce(Batch):
    async def abort(self, context: StepContext[BatchConfig], status: Any) -> StepResult:
        if await self.found(context) is None:
            return StepResult.failed("there is nothing to take away")
        return await self.terminate(context, status)


class TakesAnything(Batch):
    def parse_config(self, raw: object, *, path: str) -> BatchConfig:
        return BatchConfig(work="nightly")


@pytest.mark.parametrize(
    ("plugin", "promise"),
    [
        (NeverDone, "test_the_step_comes_to_a_good_end"),
        (StartsTwice, "test_a_run_whose_answer_was_lost_is_made_again_without_harm"),
        (KeepsState, "test_an_instance_goes_on_where_another_left_off"),
        (ChangesItsStatus, "test_its_status_is_json_and_the_stored_one_stays_as_it_is"),
        (KeepsATuple, "test_its_status_is_json_and_the_stored_one_stays_as_it_is"),
        (EndsLater, "test_terminating_a_running_step_is_over_in_one_call"),
        (EndsLater, "test_aborting_a_running_step_is_over_in_one_call"),
        (AbortsOnce, "test_aborting_a_step_that_is_done_is_over_in_one_call"),
        (TakesAnything, "test_unknown_settings_are_refused_with_their_path"),
    ],
)
def test_a_step_plugin_that_breaks_a_promise_is_found(plugin: type[Batch], promise: str) -> None:
    assert promise in broken(contract(plugin))
