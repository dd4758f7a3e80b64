"""`docs/reference/plugins.md` and the plugin API tell the same, and its examples run."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluicegate import plugins
from sluicegate.plugins import Capability, Lifecycle, ManifestRouter, PodCountRouter, TrafficRouter, hookspecs
from sluicegate.testing.conformance import ManifestRouterContract

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[3] / "docs/reference/plugins.md").read_text()
HEADINGS = set(re.findall(r"^### (.+\))$", PAGE, re.MULTILINE))
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def signature(prefix: str, function: Callable[..., Any]) -> str:
    arguments = [name for name in inspect.signature(function).parameters if name != "self"]
    return f"{prefix}{function.__name__}({', '.join(arguments)})"


def public_methods(router: type) -> list[str]:
    return [
        signature(f"{router.__name__}.", value)
        for name, value in vars(router).items()
        if inspect.isfunction(value) and not name.startswith("_")
    ]


def hooks() -> list[str]:
    return [signature("", value) for value in vars(hookspecs).values() if hasattr(value, "sluicegate_spec")]


def test_every_hook_and_router_method_has_a_heading_with_its_arguments_and_none_is_made_up() -> None:
    methods = [name for router in (TrafficRouter, ManifestRouter, PodCountRouter) for name in public_methods(router)]
    assert hooks()
    assert {*hooks(), *methods} == HEADINGS


def test_every_exported_name_is_explained() -> None:
    missing = [name for name in plugins.__all__ if not re.search(rf"(`@?|^## ){name}\b", PAGE, re.MULTILINE)]
    assert missing == []


def test_every_capability_and_lifecycle_is_in_its_table() -> None:
    assert all(f"| `{capability.name}` | `{capability}` |" in PAGE for capability in Capability)
    assert all(f"| `{lifecycle.name}`" in PAGE for lifecycle in Lifecycle)


def test_the_example_is_a_working_plugin_of_under_40_lines(tmp_path: Path) -> None:
    (tmp_path / "edge.py").write_text(EXAMPLES[0])
    registry = plugins.load_plugins(tmp_path)
    assert registry.traffic_router("acme/edge").capabilities == {Capability.WEIGHTS}
    assert len(EXAMPLES[0].splitlines()) < 40


def test_the_examples_contract_passes() -> None:
    names: dict[str, Any] = {"__name__": __name__}
    for example in EXAMPLES:
        exec(example, names)
    contract = names["TestEdgeRouter"]()
    assert isinstance(contract, ManifestRouterContract)
    for name in dir(contract):
        if name.startswith("test_"):
            getattr(contract, name)()
