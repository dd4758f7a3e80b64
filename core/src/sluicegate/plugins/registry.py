"""What is installed: a record of each plugin, loaded or not, and what they bring by name."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar

from sluicegate.errors import PluginError, PluginLoadError
from sluicegate.plugins.routers import Capability, PodCountRouter, TrafficRouter
from sluicegate.plugins.step_plugins import StepPlugin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

AnyRouter: TypeAlias = TrafficRouter[Any]
AnyStepPlugin: TypeAlias = StepPlugin[Any]


class _Named(Protocol):
    @property
    def name(self) -> str: ...


NamedT = TypeVar("NamedT", bound=_Named)


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRecord:
    """One plugin as found.

    Attributes: `name` (of the entry point, or of the file), `distribution` and `version` (for a file: its path, and
    empty), `hooks` (it implements), `provides` (names of its routers and step plugins), `capabilities` (of all its
    routers, sorted), `error` (why it, or a part of it, is not in use; empty if all is well), `traceback` (of that
    error, for logs).
    """

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    capabilities: tuple[Capability, ...] = ()
    error: str = ""
    traceback: str = ""

    @property
    def origin(self) -> str:
        """Where it comes from, for messages: plugin, distribution and version."""
        return f"`{self.name}` of {' '.join(filter(None, (self.distribution, self.version)))}"


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin's record with the routers and step plugins it brings."""

    record: PluginRecord
    routers: tuple[AnyRouter, ...] = ()
    step_plugins: tuple[AnyStepPlugin, ...] = ()


class Registry:
    """The plugins of this process, fixed at start.

    A router name that two plugins claim is refused to both, and their records say so: what serves a name never depends
    on the order of loading. So it is with step plugins, whose names are apart from those of routers. `records` is
    sorted by name and distribution.
    """

    def __init__(self, plugins: Iterable[LoadedPlugin]) -> None:
        found = sorted(plugins, key=lambda plugin: (plugin.record.name, plugin.record.distribution))
        self._routers = _Catalogue("traffic router", [(plugin.record, plugin.routers) for plugin in found])
        self._step_plugins = _Catalogue("step plugin", [(plugin.record, plugin.step_plugins) for plugin in found])
        self.records = tuple(
            _with_errors(
                plugin.record,
                self._routers.refusals(plugin.routers) + self._step_plugins.refusals(plugin.step_plugins),
            )
            for plugin in found
        )

    @property
    def traffic_routers(self) -> Mapping[str, AnyRouter]:
        """All routers in use, by name, sorted."""
        return self._routers.served

    @property
    def step_plugins(self) -> Mapping[str, AnyStepPlugin]:
        """All step plugins in use, by name, sorted."""
        return self._step_plugins.served

    def traffic_router(self, name: str) -> AnyRouter:
        """The router of a name; raises PluginLoadError if its plugin is broken, PluginError if none is installed."""
        return self._routers.find(name, self.records)

    def step_plugin(self, name: str) -> AnyStepPlugin:
        """The step plugin of a name; raises PluginLoadError if it is broken, PluginError if none is installed."""
        return self._step_plugins.find(name, self.records)

    def pod_count_router(self) -> PodCountRouter:
        """The router that serves Rollouts without `trafficRouting`; raises PluginError unless there is exactly one."""
        found = [router for router in self.traffic_routers.values() if isinstance(router, PodCountRouter)]
        if len(found) == 1:
            return found[0]
        names = ", ".join(f"`{router.name}`" for router in found) or "none"
        broken = "".join(f"; plugin {record.origin}: {record.error}" for record in self.records if record.error)
        message = f"exactly one plugin with capability {Capability.POD_COUNT} must be installed, found {names}{broken}"
        raise PluginError(message, plugin=Capability.POD_COUNT, operation="load")


class _Catalogue(Generic[NamedT]):
    """All that plugins bring of one kind; `served` has what is in use by name, sorted."""

    def __init__(self, kind: str, brought: Sequence[tuple[PluginRecord, Sequence[NamedT]]]) -> None:
        self._kind = kind
        claims: defaultdict[str, list[PluginRecord]] = defaultdict(list)
        for record, items in brought:
            for item in items:
                claims[item.name].append(record)
        self._refused = {name: self._duplicate(name, records) for name, records in claims.items() if len(records) > 1}
        served = {item.name: item for _, items in brought for item in items if item.name not in self._refused}
        self.served: Mapping[str, NamedT] = dict(sorted(served.items()))

    def refusals(self, items: Iterable[NamedT]) -> list[str]:
        """Why some of these are not in use."""
        return [self._refused[name] for name in sorted({item.name for item in items} & set(self._refused))]

    def find(self, name: str, records: Iterable[PluginRecord]) -> NamedT:
        """The one of that name; `records` tell of broken plugins that may have brought it."""
        if name in self.served:
            return self.served[name]
        if name in self._refused:
            raise PluginLoadError(self._refused[name], plugin=name, operation="load")
        for record in records:
            if record.error and name in (record.name, *record.provides):
                message = f"{self._kind} `{name}` could not be loaded from plugin {record.origin}: {record.error}"
                raise PluginLoadError(message, plugin=name, operation="load")
        known = ", ".join(f"`{served}`" for served in self.served) or "none"
        message = f"{self._kind} `{name}` is not installed; installed: {known}"
        raise PluginError(message, plugin=name, operation="load")

    def _duplicate(self, name: str, records: list[PluginRecord]) -> str:
        origins = " and ".join(record.origin for record in records)
        return f"{self._kind} `{name}` is claimed by plugins {origins}: uninstall all but one"


def _with_errors(record: PluginRecord, errors: list[str]) -> PluginRecord:
    return replace(record, error="; ".join(filter(None, (record.error, *errors))))
