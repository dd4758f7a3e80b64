"""Plugins are found by entry point or in a folder, and a broken one takes nothing with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from sluicegate.errors import ConfigError, PluginError, PluginLoadError
from sluicegate.plugins import Capability, PluginRecord, Registry, load_plugins
from sluicegate.plugins.registry import LoadedPlugin

if TYPE_CHECKING:
    from pathlib import Path

ROUTER = """
from sluicegate.plugins import Capability, TrafficRouter, hookimpl

class Router(TrafficRouter):
    name = "{name}"
    capabilities = {{Capability.WEIGHTS, Capability.HEADERS}}
    async def apply(self, context, routes): ...

@hookimpl
def register_traffic_routers():
    return [Router]
"""
POD_ROUTER = """
from sluicegate.plugins import PodCountRouter, PodCounts, hookimpl

class Router(PodCountRouter):
    name = "{name}"
    def split(self, weight, max_weight, replicas, max_surge):
        return PodCounts(canary=0, stable=replicas)

@hookimpl
def register_traffic_routers():
    return [Router]
"""


class Install(Protocol):
    def __call__(self, distribution: str, source: str) -> None: ...


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a distribution with one module and its entry point `edge` where the interpreter finds it, as pip would."""
    site = tmp_path / "site"
    monkeypatch.syspath_prepend(str(site))

    def write(distribution: str, source: str) -> None:
        module = f"{tmp_path.name}_{distribution}".replace("-", "_")
        info = site / f"{module}-1.2.dist-info"
        info.mkdir(parents=True)
        (site / f"{module}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[sluicegate]\nedge = {module}\n")

    return write


def record_of(registry: Registry, distribution: str) -> PluginRecord:
    [record] = [record for record in registry.records if record.distribution == distribution]
    return record


def test_the_built_in_router_is_found_like_a_strangers() -> None:
    record = record_of(load_plugins(), "sluicegate-replicaset")
    assert (record.name, record.hooks, record.provides) == (
        "replicaset",
        ("register_traffic_routers",),
        ("replicaset",),
    )
    assert record.capabilities == (Capability.POD_COUNT,)
    assert not record.error


def test_an_installed_plugin_serves_and_is_listed(install: Install) -> None:
    install("acme-edge", ROUTER.format(name="acme/edge"))
    registry = load_plugins()
    assert registry.traffic_router("acme/edge").name == "acme/edge"
    assert record_of(registry, "acme-edge") == PluginRecord(
        name="edge",
        distribution="acme-edge",
        version="1.2",
        hooks=("register_traffic_routers",),
        provides=("acme/edge",),
        capabilities=(Capability.HEADERS, Capability.WEIGHTS),
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param("import no_such_module_anywhere", "ModuleNotFoundError: No module named", id="import fails"),
        pytest.param("raise SystemExit(1)", "SystemExit: 1", id="ends the process"),
        pytest.param("def broken(:", "SyntaxError", id="no Python"),
        pytest.param("", "implements no hook; mark its functions with @sluicegate.plugins.hookimpl", id="no hook"),
        pytest.param(
            ROUTER.format(name="x").replace("def register_traffic_routers", "def register_router"),
            "unknown hook 'register_router'",
            id="misspelt hook",
        ),
        pytest.param(
            ROUTER.format(name="x").replace("routers():", "routers(register):"),
            "PluginValidationError",
            id="wrong arguments",
        ),
        pytest.param(
            ROUTER.format(name="x").replace("[Router]", "[1 / 0]"), "ZeroDivisionError", id="registration raises"
        ),
        pytest.param(ROUTER.format(name="x").replace("[Router]", "Router"), "TypeError", id="no list"),
        pytest.param(
            ROUTER.format(name="x").replace("[Router]", "[Router()]"),
            "must be a subclass of TrafficRouter",
            id="no class",
        ),
        pytest.param(ROUTER.format(name=""), "class Router has name '', must be a text", id="no name"),
        pytest.param(
            ROUTER.format(name="x").replace("async def apply", "async def aply"),
            "class Router does not implement apply",
            id="abstract",
        ),
        pytest.param(
            ROUTER.format(name="x").replace("{Capability.WEIGHTS, Capability.HEADERS}", '{"weights"}'),
            "has capabilities {'weights'}, must be a set of sluicegate.plugins.Capability",
            id="capabilities as text",
        ),
        pytest.param(
            ROUTER.format(name="x").replace("Capability.HEADERS", "Capability.POD_COUNT"),
            "must be a PodCountRouter if, and only if, it has capability pod_count",
            id="pod count without split",
        ),
        pytest.param(
            ROUTER.format(name="x").replace("async def", "config = dict\n    async def"),
            "has config <class 'dict'>, must be a subclass of Config",
            id="config is no model",
        ),
    ],
)
def test_a_broken_plugin_is_listed_with_its_reason_and_the_rest_works(
    install: Install, source: str, reason: str
) -> None:
    install("acme-broken", source)
    registry = load_plugins()
    record = record_of(registry, "acme-broken")
    assert reason in record.error
    assert record.traceback.startswith("Traceback")
    assert registry.traffic_router("replicaset") is registry.pod_count_router()


def test_a_rollout_that_needs_a_broken_plugin_is_told_why(install: Install) -> None:
    install("acme-edge", "import no_such_module_anywhere")
    with pytest.raises(PluginLoadError) as caught:
        load_plugins().traffic_router("edge")
    assert str(caught.value).startswith(
        "traffic router `edge` could not be loaded from plugin `edge` of acme-edge 1.2: ModuleNotFoundError"
    )


def test_a_router_that_is_not_installed_is_told_with_those_that_are() -> None:
    with pytest.raises(
        PluginError, match=r"traffic router `nginx` is not installed; installed: .*`replicaset`"
    ) as caught:
        load_plugins().traffic_router("nginx")
    assert not isinstance(caught.value, PluginLoadError)


def test_a_name_claimed_twice_serves_neither_and_names_both(install: Install) -> None:
    install("acme-edge", ROUTER.format(name="acme/edge"))
    install("zeta-edge", ROUTER.format(name="acme/edge"))
    registry = load_plugins()
    expected = (
        "traffic router `acme/edge` is claimed by plugins `edge` of acme-edge 1.2 and `edge` of zeta-edge 1.2: "
        "uninstall all but one"
    )
    with pytest.raises(PluginLoadError) as caught:
        registry.traffic_router("acme/edge")
    assert str(caught.value) == expected
    assert record_of(registry, "acme-edge").error == record_of(registry, "zeta-edge").error == expected
    assert "acme/edge" not in registry.traffic_routers


def test_pods_are_split_by_exactly_one_plugin(install: Install) -> None:
    install("acme-pods", POD_ROUTER.format(name="acme/pods"))
    with pytest.raises(PluginError, match=r"exactly one plugin .* found `acme/pods`, `replicaset`"):
        load_plugins().pod_count_router()


def test_without_a_plugin_that_splits_pods_the_broken_ones_are_named() -> None:
    broken = PluginRecord(name="replicaset", distribution="sluicegate-replicaset", version="0.1", error="no luck")
    with pytest.raises(PluginError, match=r"found none; plugin `replicaset` of sluicegate-replicaset 0\.1: no luck"):
        Registry([LoadedPlugin(broken)]).pod_count_router()


def test_records_are_sorted_by_name_and_distribution(install: Install) -> None:
    install("zeta-edge", ROUTER.format(name="z"))
    install("acme-edge", ROUTER.format(name="a"))
    found = [(record.name, record.distribution) for record in load_plugins().records]
    assert found == sorted(found)
    assert ("edge", "acme-edge") in found and ("edge", "zeta-edge") in found


def test_a_single_file_in_a_folder_is_a_plugin(tmp_path: Path) -> None:
    (tmp_path / "my_edge.py").write_text(ROUTER.format(name="acme/edge"))
    (tmp_path / "_draft.py").write_text("raise ValueError")
    (tmp_path / "broken.py").write_text("raise ValueError('no luck')")
    registry = load_plugins(tmp_path)
    assert registry.traffic_router("acme/edge").capabilities == {Capability.WEIGHTS, Capability.HEADERS}
    files = [record for record in registry.records if not record.version]
    assert [(record.name, record.distribution, record.error) for record in files] == [
        ("broken", str(tmp_path / "broken.py"), "ValueError: no luck"),
        ("my_edge", str(tmp_path / "my_edge.py"), ""),
    ]


def test_a_plugin_folder_that_is_none_is_refused_with_the_option(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--plugin-dir: .*/missing is no folder"):
        load_plugins(tmp_path / "missing")
