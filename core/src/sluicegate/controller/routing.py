"""The shell around traffic routers: which of them serve a Rollout, in which order, and what they answered (traffic 1).

It decides nothing about traffic: what to route is the engine's `Routing`, how is the routers'.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sluicegate.api.rollout import Rollout
from sluicegate.api.routes import Routes
from sluicegate.api.strategy import CanaryStrategy
from sluicegate.api.traffic_routing import TrafficRouting
from sluicegate.api.validation.field_error import FieldError, invalid
from sluicegate.controller.caches import Key
from sluicegate.controller.execute import Recorder
from sluicegate.controller.objects import RolloutObjects
from sluicegate.controller.plugin_loggers import plugin_logger
from sluicegate.controller.watches import Watches
from sluicegate.engine.traffic import Routing, Verified
from sluicegate.errors import ConfigError, PluginError
from sluicegate.kube.client import Client
from sluicegate.kube.recorder import ObjectReference
from sluicegate.plugins.config import Config
from sluicegate.plugins.configured import parsed_settings
from sluicegate.plugins.context import Event, RouterContext
from sluicegate.plugins.guard import Guard
from sluicegate.plugins.registry import AnyRouter, Registry
from sluicegate.plugins.routers import Capability, PodCountRouter, Verification

logger = logging.getLogger(__name__)

_CANARY_PATH: Final = "spec.strategy.canary"
_ROUTING_PATH: Final = f"{_CANARY_PATH}.trafficRouting"


class RoutingFailed(Exception):
    """The routes could not be applied, and the pass must not go on; the text says whose they are and why."""


class Routers:
    """The routers of this process, as a pass over a Rollout calls them; `clock` gives aware UTC time."""

    def __init__(
        self,
        client: Client,
        watches: Watches,
        registry: Registry,
        guard: Guard,
        recorder: Recorder,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._watches = watches
        self._registry = registry
        self._guard = guard
        self._recorder = recorder
        self._clock = clock
        self._kept: dict[Key, _Kept] = {}

    async def route(self, rollout: Rollout, reference: ObjectReference, routing: Routing) -> Verified:
        """Have every router of a Rollout apply all stages, and say whether the last is in force if that is asked.

        Events that routers record go to the Rollout of `reference`. One router is done with all before the next begins.
        The first that cannot apply ends it: raises RoutingFailed. One that cannot be asked is among the `errors` and
        counts as not verified, and the next has its turn (Q15). Nothing is applied unless all routers are installed
        and their settings sound.
        """
        answers = []
        for selected in self._selected(rollout):
            context = self._context(rollout, reference, selected)
            answers.append(await self._serve(selected, context, routing))
        return _combined(answers)

    def refusal(self, rollout: Rollout) -> str | None:
        """What the manifest asks of its routers and cannot have, as `unsupported` and `misconfigured` say it."""
        return self._read(rollout).refusal

    def forget(self, key: Key) -> None:
        """Drop what is kept of a Rollout that is gone."""
        self._kept.pop(key, None)

    def _selected(self, rollout: Rollout) -> "tuple[_Selected, ...]":
        kept = self._read(rollout)
        if kept.failure:
            raise RoutingFailed(kept.failure)
        return kept.selected

    def _read(self, rollout: Rollout) -> "_Kept":
        """What the manifest says of routers, read once a generation: which are installed does not change."""
        metadata = rollout.metadata
        key, version = (metadata.namespace, metadata.name), (metadata.uid, metadata.generation)
        kept = self._kept.get(key)
        if kept is None or kept.version != version:
            kept = self._kept[key] = _read(rollout, self._registry, version)
        return kept

    def _context(self, rollout: Rollout, reference: ObjectReference, selected: "_Selected") -> RouterContext[Any]:
        def record(event: Event) -> None:
            self._recorder.record(reference, event.type, event.reason, event.message)

        return RouterContext(
            config=selected.config,
            rollout=rollout,
            objects=RolloutObjects(self._client, self._watches, (rollout.metadata.namespace, rollout.metadata.name)),
            record=record,
            logger=selected.logger,
            now=self._clock,
        )

    async def _serve(self, selected: "_Selected", context: RouterContext[Any], routing: Routing) -> Verified:
        router = selected.router
        try:
            for stage in routing.stages:
                await self._guard.call(router.name, "apply", router.apply, context, stage, scope=_scope(context))
        except PluginError as error:
            raise RoutingFailed(str(error)) from error
        if not routing.verify or Capability.VERIFY not in router.capabilities:
            return Verified()
        return await self._verify(router, context, routing.stages[-1])

    async def _verify(self, router: AnyRouter, context: RouterContext[Any], routes: Routes) -> Verified:
        call = _verification, router, context, routes
        try:
            answer = await self._guard.call(router.name, "verify", *call, scope=_scope(context))
        except PluginError as error:
            return Verified(False, (str(error),))
        if answer.message:
            context.logger.info("weights are not verified: %s", answer.message)
        return Verified(answer.verified)


def unsupported(rollout: Rollout, registry: Registry) -> FieldError | None:
    """What the Rollout asks for and its routers cannot do, if anything; to be known before anything moves.

    Header, mirror and experiment routes and weights need one router that sets them, as the incumbent has it: with
    several routers each carries its own part of the traffic. A weight total other than 100 and a ping-pong pair without
    other Services need all of them: the others would set wrong weights. Routers that are not installed are not judged.
    """
    canary = rollout.spec.strategy.canary
    if canary is None or canary.traffic_routing is None:
        return None
    try:
        routers = [registry.traffic_router(name) for name in canary.traffic_routing.routers]
    except PluginError:
        return None
    faults = (need.fault(routers) for need in _needs(canary, canary.traffic_routing))
    return next(filter(None, faults), None)


def misconfigured(rollout: Rollout, registry: Registry) -> str | None:
    """What is wrong with the settings of the Rollout's routers, a line for each field with its path, if anything.

    Raises nothing for a router that is not installed: that is no fault of the manifest.
    """
    try:
        tuple(_select(rollout, registry))
    except ConfigError as error:
        return str(error)
    except PluginError:
        return None
    return None


class _Selected(NamedTuple):
    router: AnyRouter
    config: Config
    logger: logging.Logger


class _Kept(NamedTuple):
    """The routers of one generation of a Rollout, or why they cannot be called, and what speaks against it at all."""

    version: tuple[str, int]
    selected: tuple[_Selected, ...]
    failure: str
    refusal: str | None


class _Need(NamedTuple):
    """A capability that a field asks for, of at least one router or of each."""

    capability: Capability
    path: str
    value: Any
    of_each: bool = False

    def fault(self, routers: Sequence[AnyRouter]) -> FieldError | None:
        """What is wrong if these routers are all there are."""
        lacking = [router.name for router in routers if self.capability not in router.capabilities]
        if not lacking or (len(lacking) < len(routers) and not self.of_each):
            return None
        names = ", ".join(f"`{name}`" for name in lacking)
        detail = f"needs a traffic router with the capability `{self.capability}`, which is missing from {names}"
        return invalid(self.path, self.value, detail)


def _read(rollout: Rollout, registry: Registry, version: tuple[str, int]) -> _Kept:
    fault = unsupported(rollout, registry)
    refusal = str(fault) if fault else None
    try:
        return _Kept(version, tuple(_select(rollout, registry)), "", refusal)
    except ConfigError as error:
        return _Kept(version, (), str(error), refusal or str(error))
    except PluginError as error:
        return _Kept(version, (), str(error), refusal)


def _needs(canary: CanaryStrategy, routing: TrafficRouting) -> Iterator[_Need]:
    if not routing.routers:
        return
    if routing.max_weight != 100:
        path = f"{_ROUTING_PATH}.maxTrafficWeight"
        yield _Need(Capability.FRACTIONAL_WEIGHTS, path, routing.max_weight, of_each=True)
    if canary.ping_pong and not (canary.canary_service and canary.stable_service):
        path = f"{_CANARY_PATH}.pingPong"
        yield _Need(Capability.PING_PONG, path, canary.ping_pong.document(), of_each=True)
    yield from _step_needs(canary)


def _step_needs(canary: CanaryStrategy) -> Iterator[_Need]:
    for index, step in enumerate(canary.steps or ()):
        path = f"{_CANARY_PATH}.steps[{index}]"
        if step.set_weight:
            yield _Need(Capability.WEIGHTS, f"{path}.setWeight", step.set_weight)
        if step.set_header_route and step.set_header_route.match:
            yield _Need(Capability.HEADERS, f"{path}.setHeaderRoute", step.set_header_route.name)
        if step.set_mirror_route and step.set_mirror_route.match:
            yield _Need(Capability.MIRROR, f"{path}.setMirrorRoute", step.set_mirror_route.name)
        for at, template in enumerate(step.experiment.templates if step.experiment else ()):
            if template.weight is not None:
                where = f"{path}.experiment.templates[{at}].weight"
                yield _Need(Capability.EXPERIMENTS, where, template.weight)


def _select(rollout: Rollout, registry: Registry) -> Iterator[_Selected]:
    """The routers in the incumbent's order; raises PluginError for one that is not there, ConfigError for settings."""
    routing = rollout.spec.strategy.canary and rollout.spec.strategy.canary.traffic_routing
    for name, path, settings in _settings(routing) if routing else ():
        router = registry.traffic_router(name)
        if isinstance(router, PodCountRouter):
            message = f"traffic router `{name}` serves Rollouts without trafficRouting only, it writes no routes"
            raise PluginError(message, plugin=name, operation="load")
        yield _Selected(router, parsed_settings(router, settings, path), plugin_logger(logger, rollout, name))


def _settings(routing: TrafficRouting) -> Iterator[tuple[str, str, Any]]:
    """Name, field path and settings of each router; a plugin whose settings are null has none."""
    document = routing.document()
    plugins = sorted(routing.plugins)
    for name in routing.routers[: -len(plugins) or None]:
        yield name, f"{_ROUTING_PATH}.{name}", document[name]
    for name in plugins:
        settings = routing.plugins[name]
        yield name, f"{_ROUTING_PATH}.plugins.{name}", {} if settings is None else settings


async def _verification(router: AnyRouter, context: RouterContext[Any], routes: Routes) -> Verification:
    answer: Any = await router.verify(context, routes)
    if isinstance(answer, Verification) and (answer.verified is None or isinstance(answer.verified, bool)):
        return answer
    raise PluginError(f"answered {answer!r:.200}, must be a Verification", plugin=router.name, operation="verify")


def _combined(answers: Sequence[Verified]) -> Verified:
    values = {answer.verified for answer in answers}
    verified = False if False in values else True if True in values else None
    return Verified(verified, tuple(error for answer in answers for error in answer.errors))


def _scope(context: RouterContext[Any]) -> str:
    return f"{context.rollout.metadata.namespace}/{context.rollout.metadata.name}"
