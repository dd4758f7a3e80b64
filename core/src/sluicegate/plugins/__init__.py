"""The plugin API: all that a traffic router or a step plugin is written against.

The core's own routers use exactly this. The core itself uses `load_plugins`, `Registry` and `Guard`.
"""

from sluicegate.api.routes import Destination, HeaderRoute, MirrorRoute, PingPong, Routes, Stickiness
from sluicegate.plugins.config import Config
from sluicegate.plugins.context import Event, RouterContext
from sluicegate.plugins.guard import CallCount, Guard, Outcome
from sluicegate.plugins.hookspecs import hookimpl
from sluicegate.plugins.loading import load_plugins
from sluicegate.plugins.manifests import ManifestRouter
from sluicegate.plugins.objects import Lifecycle, Manifest, ObjectReference, Objects, ObjectSelection
from sluicegate.plugins.observed import Change, Observed, Read, Verb
from sluicegate.plugins.registry import PluginRecord, Registry
from sluicegate.plugins.routers import Capability, PodCountRouter, PodCounts, TrafficRouter, Verification
from sluicegate.plugins.step_plugins import StepContext, StepPhase, StepPlugin, StepResult

__all__ = [
    "CallCount",
    "Capability",
    "Change",
    "Config",
    "Destination",
    "Event",
    "Guard",
    "HeaderRoute",
    "Lifecycle",
    "Manifest",
    "ManifestRouter",
    "MirrorRoute",
    "ObjectReference",
    "ObjectSelection",
    "Objects",
    "Observed",
    "Outcome",
    "PingPong",
    "PluginRecord",
    "PodCountRouter",
    "PodCounts",
    "Read",
    "Registry",
    "RouterContext",
    "Routes",
    "StepContext",
    "StepPhase",
    "StepPlugin",
    "StepResult",
    "Stickiness",
    "TrafficRouter",
    "Verb",
    "Verification",
    "hookimpl",
    "load_plugins",
]
