"""`docs/reference/plugins.md` and the plugin API tell the same, and its examples run."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sluicegate import plugins
from sluicegate.plugins import (
    Capability,
    Lifecycle,
    ManifestRouter,
    PodCountRouter,
    StepPhase,
    StepPlugin,
    TrafficRouter,
    hookspecs,
)
from sluicegate.plugins.configured import Configured
from sluicegate.testing.conformance import ManifestRouterContract, StepPluginContract

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[3] / "docs/reference/plugins.md").read_text()
HEADINGS = set(re.findall(r"^### (.+\))$", PAGE, re.MULTILINE))
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def signature(prefix: str, function: Callable[..., Any]) -> str:
    arguments = [name for name in inspect.signature(function).parameters if name != "self"]
    return f"{prefix}{function.__name__}({', '.join(arguments)})"


def public_methods(plugin: type) -> list[str]:
    return [
        signature(f"{plugin.__name__}.", value)
        for name, value in vars(plugin).items()
        if inspect.isfunction(value) and not name.startswith("_")
    ]


def hooks() -> list[str]:
    return [signature("", value) for value in vars(hookspecs).values() if hasattr(value, "sluicegate_spec")]


def test_every_hook_and_method_has_a_heading_with_its_arguments_and_none_is_made_up() -> None:
    kinds = (Configured, TrafficRouter, ManifestRouter, PodCountRouter, StepPlugin)
    methods = [name for kind in kinds for name in public_methods(kind)]
    assert hooks()
    assert {*hooks(), *methods} == HEADINGS


def test_every_exported_name_is_explained() -> None:
    missing = [name for name in plugins.__all__ if not re.search(rf"(`@?|^## ){name}\b", PAGE, re.MULTILINE)]
    assert missing == []


def test_every_capability_lifecycle_and_phase_is_in_its_table() -> None:
    assert all(f"| `{phase.name}` | `{phase}` |" in PAGE for phase in StepPhase)
    assert all(f"| `{capability.name}` | `{capability}` |" in PAGE for capability in Capability)
    assert all(f"| `{lifecycle.name}`" in PAGE for lifecycle in Lifecycle)


def test_the_example_is_a_working_plugin_of_under_40_lines(tmp_path: Path) -> None:
    (tmp_path / "edge.py").write_text(EXAMPLES[0])
    registry = plugins.load_plugins(tmp_path)
    assert registry.traffic_router("acme/edge").capabilities == {Capability.WEIGHTS}
    assert len(EXAMPLES[0].splitlines()) < 40


def test_the_example_of_a_step_is_a_working_plugin(tmp_path: Path) -> None:
    [example] = [example for example in EXAMPLES if "register_step_plugins" in example]
    (tmp_path / "smoke.py").write_text(example)
    assert list(plugins.load_plugins(tmp_path).step_plugins) == ["acme/smoke"]


@pytest.mark.parametrize(
    ("name", "kind"), [("TestEdgeRouter", ManifestRouterContract), ("TestSmokeStep", StepPluginContract)]
)
def test_the_examples_contracts_pass(name: str, kind: type) -> None:
    names: dict[str, Any] = {"__name__": __name__}
    for example in EXAMPLES:
        exec(example, names)
    contract = names[name]()
    assert isinstance(contract, kind)
    for promise in dir(contract):
        if promise.startswith("test_"):
            getattr(contract, promise)()
