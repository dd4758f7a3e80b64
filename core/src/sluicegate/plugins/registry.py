"""What is installed: a record of each plugin, loaded or not, and the routers by name."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from sluicegate.errors import PluginError, PluginLoadError
from sluicegate.plugins.routers import Capability, PodCountRouter, TrafficRouter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

AnyRouter: TypeAlias = TrafficRouter[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRecord:
    """One plugin as found.

    Attributes: `name` (of the entry point, or of the file), `distribution` and `version` (for a file: its path, and
    empty), `hooks` (it implements), `provides` (names of its routers), `capabilities` (of all of them, sorted), `error`
    (why it, or a part of it, is not in use; empty if all is well), `traceback` (of that error, for logs).
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
    """A plugin's record with the routers it brings."""

    record: PluginRecord
    routers: tuple[AnyRouter, ...] = ()


class Registry:
    """The plugins of this process, fixed at start.

    A router name that two plugins claim is refused to both, and their records say so: what serves a name never depends
    on the order of loading. `records` is sorted by name and distribution.
    """

    def __init__(self, plugins: Iterable[LoadedPlugin]) -> None:
        found = sorted(plugins, key=lambda plugin: (plugin.record.name, plugin.record.distribution))
        claims = _claims(found)
        self._duplicates = {name: _duplicate(name, records) for name, records in claims.items() if len(records) > 1}
        self._routers = {
            router.name: router for plugin in found for router in plugin.routers if router.name not in self._duplicates
        }
        self.records = tuple(_with_duplicates(plugin.record, self._duplicates) for plugin in found)

    @property
    def traffic_routers(self) -> Mapping[str, AnyRouter]:
        """All routers in use, by name, sorted."""
        return dict(sorted(self._routers.items()))

    def traffic_router(self, name: str) -> AnyRouter:
        """The router of a name; raises PluginLoadError if its plugin is broken, PluginError if none is installed."""
        if name in self._routers:
            return self._routers[name]
        if name in self._duplicates:
            raise PluginLoadError(self._duplicates[name], plugin=name, operation="load")
        for record in self.records:
            if record.error and name in (record.name, *record.provides):
                message = f"traffic router `{name}` could not be loaded from plugin {record.origin}: {record.error}"
                raise PluginLoadError(message, plugin=name, operation="load")
        raise _unknown(name, self._routers)

    def pod_count_router(self) -> PodCountRouter:
        """The router that serves Rollouts without `trafficRouting`; raises PluginError unless there is exactly one."""
        found = [router for router in self.traffic_routers.values() if isinstance(router, PodCountRouter)]
        if len(found) == 1:
            return found[0]
        names = ", ".join(f"`{router.name}`" for router in found) or "none"
        broken = "".join(f"; plugin {record.origin}: {record.error}" for record in self.records if record.error)
        message = f"exactly one plugin with capability {Capability.POD_COUNT} must be installed, found {names}{broken}"
        raise PluginError(message, plugin=Capability.POD_COUNT, operation="load")


def _claims(plugins: Iterable[LoadedPlugin]) -> Mapping[str, list[PluginRecord]]:
    claims: defaultdict[str, list[PluginRecord]] = defaultdict(list)
    for plugin in plugins:
        for router in plugin.routers:
            claims[router.name].append(plugin.record)
    return claims


def _duplicate(name: str, records: list[PluginRecord]) -> str:
    origins = " and ".join(record.origin for record in records)
    return f"traffic router `{name}` is claimed by plugins {origins}: uninstall all but one"


def _with_duplicates(record: PluginRecord, duplicates: Mapping[str, str]) -> PluginRecord:
    errors = [record.error, *(duplicates[name] for name in sorted(set(record.provides) & set(duplicates)))]
    return replace(record, error="; ".join(filter(None, errors)))


def _unknown(name: str, routers: Iterable[str]) -> PluginError:
    known = ", ".join(f"`{router}`" for router in sorted(routers)) or "none"
    return PluginError(f"traffic router `{name}` is not installed; installed: {known}", plugin=name, operation="load")
