"""Finds plugins and loads each in isolation: one that is broken becomes a record with its reason, the others run.

Every plugin gets a plugin manager of its own. pluggy stops at the first implementation that raises; with one manager
for all, a broken plugin would silence the rest.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from inspect import isabstract
from itertools import chain
from typing import TYPE_CHECKING, Any

import pluggy

from sluicegate.errors import ConfigError, PluginLoadError
from sluicegate.plugins import hookspecs
from sluicegate.plugins.config import Config
from sluicegate.plugins.registry import AnyRouter, AnyStepPlugin, LoadedPlugin, PluginRecord, Registry
from sluicegate.plugins.routers import Capability, PodCountRouter, TrafficRouter
from sluicegate.plugins.step_plugins import StepPlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class _Source:
    record: PluginRecord
    load: Callable[[], object]


def load_plugins(plugin_dir: Path | None = None) -> Registry:
    """Load every installed plugin, and every `.py` file of `plugin_dir` whose name has no leading underscore.

    Raises ConfigError if `plugin_dir` is no folder; what is wrong with a plugin is in its record instead.
    """
    sources = [*_installed(), *_in_folder(plugin_dir)] if plugin_dir else [*_installed()]
    return Registry(_load(source) for source in sources)


def _installed() -> Iterator[_Source]:
    for entry_point in metadata.entry_points(group=hookspecs.PROJECT):
        distribution = entry_point.dist
        record = PluginRecord(
            name=entry_point.name,
            distribution=distribution.name if distribution else "",
            version=distribution.version if distribution else "",
        )
        yield _Source(record, entry_point.load)


def _in_folder(folder: Path) -> Iterator[_Source]:
    if not folder.is_dir():
        raise ConfigError(f"--plugin-dir: {folder} is no folder")
    for file in sorted(folder.glob("[!_]*.py")):
        record = PluginRecord(name=file.stem, distribution=str(file), version="")
        yield _Source(record, partial(_import_file, file))


def _import_file(file: Path) -> object:
    name = f"sluicegate_plugin_dir_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pydantic look a class's module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _load(source: _Source) -> LoadedPlugin:
    try:
        return _register(source.record, source.load())
    # SystemExit too: a script without a main guard must not end the process.
    except (Exception, SystemExit) as error:
        return LoadedPlugin(replace(source.record, error=_reason(error), traceback=traceback.format_exc()))


def _register(record: PluginRecord, plugin: object) -> LoadedPlugin:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin, record.name)
    manager.check_pending()
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        raise _refusal(record, "it implements no hook; mark its functions with @sluicegate.plugins.hookimpl")
    routers = tuple(_routers(record, manager.hook.register_traffic_routers()))
    step_plugins = tuple(_step_plugins(record, manager.hook.register_step_plugins()))
    names = [*(router.name for router in routers), *(step.name for step in step_plugins)]
    capabilities = {capability for router in routers for capability in router.capabilities}
    complete = replace(
        record,
        hooks=tuple(sorted(caller.name for caller in callers)),
        provides=tuple(sorted(names)),
        capabilities=tuple(sorted(capabilities)),
    )
    return LoadedPlugin(complete, routers, step_plugins)


def _routers(record: PluginRecord, answers: Iterable[Iterable[object]]) -> Iterator[AnyRouter]:
    for item in chain.from_iterable(answers):
        if not (isinstance(item, type) and issubclass(item, TrafficRouter)):
            raise _refusal(record, f"register_traffic_routers returned {item!r}, must be a subclass of TrafficRouter")
        _refuse_faulty(record, item, _class_fault(item) or _capability_fault(item))
        yield item()


def _step_plugins(record: PluginRecord, answers: Iterable[Iterable[object]]) -> Iterator[AnyStepPlugin]:
    for item in chain.from_iterable(answers):
        if not (isinstance(item, type) and issubclass(item, StepPlugin)):
            raise _refusal(record, f"register_step_plugins returned {item!r}, must be a subclass of StepPlugin")
        _refuse_faulty(record, item, _class_fault(item))
        yield item()


def _refuse_faulty(record: PluginRecord, item: type, fault: str) -> None:
    if fault:
        raise _refusal(record, f"class {item.__qualname__} {fault}")


def _class_fault(item: type[AnyRouter | AnyStepPlugin]) -> str:
    """What the class lacks, in words that follow its name; empty if it is sound."""
    if isabstract(item):
        return f"does not implement {', '.join(sorted(item.__abstractmethods__))}"
    name: Any = getattr(item, "name", None)
    if not (isinstance(name, str) and name):
        return f"has name {name!r}, must be a text that is not empty"
    if not (isinstance(item.config, type) and issubclass(item.config, Config)):
        return f"has config {item.config!r}, must be a subclass of Config"
    return ""


def _capability_fault(router: type[AnyRouter]) -> str:
    capabilities: Any = getattr(router, "capabilities", None)
    if not _are_capabilities(capabilities):
        return f"has capabilities {capabilities!r}, must be a set of sluicegate.plugins.Capability"
    if (Capability.POD_COUNT in capabilities) != issubclass(router, PodCountRouter):
        return f"must be a PodCountRouter if, and only if, it has capability {Capability.POD_COUNT}"
    return ""


def _are_capabilities(found: object) -> bool:
    return isinstance(found, set | frozenset) and all(isinstance(item, Capability) for item in found)


def _refusal(record: PluginRecord, text: str) -> PluginLoadError:
    return PluginLoadError(text, plugin=record.name, operation="register")


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, PluginLoadError) else f"{type(error).__name__}: {error}"
