"""The hooks a plugin may implement. Each registers typed classes once, at start; pluggy is not involved after that.

A hook is listed here when the core calls it. Parameters may be added to a hook, never removed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluicegate.plugins.routers import TrafficRouter
    from sluicegate.plugins.step_plugins import StepPlugin

PROJECT: Final = "sluicegate"
"""The name of the hooks' project and of the entry point group that plugins are found through."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_traffic_routers() -> Iterable[type[TrafficRouter[Any]]]:  # type: ignore[empty-body]
    """Return the classes of the traffic routers this plugin brings; each is made once, without arguments.

    Example: `return [EdgeRouter]`.
    """


@hookspec
def register_step_plugins() -> Iterable[type[StepPlugin[Any]]]:  # type: ignore[empty-body]
    """Return the classes of the step plugins this plugin brings; each is made once, without arguments.

    Example: `return [SmokeTest]`.
    """
