"""Routers that are pure functions of what they read: the core reads, compares, writes, owns and cleans up."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sluicegate.api.resources import SERVICES
from sluicegate.errors import AlreadyExists, ApiError, Conflict
from sluicegate.plugins.context import ConfigT, Event, RouterContext
from sluicegate.plugins.objects import Manifest, ObjectReference
from sluicegate.plugins.observed import Change, Observed, Read, Verb
from sluicegate.plugins.routers import Capability, TrafficRouter, Verification

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluicegate.api.rollout import Rollout
    from sluicegate.api.routes import Routes
    from sluicegate.plugins.objects import Objects

ATTEMPTS: Final = 5


class ManifestRouter(TrafficRouter[ConfigT]):
    """A router whose routes are Kubernetes objects. `reads` and `render` are all it needs; both are pure."""

    @abstractmethod
    def reads(self, config: ConfigT, rollout: Rollout) -> Iterable[Read]:
        """Name every object that `render` looks at or returns, with its lifecycle.

        It also tells the core which objects to watch and to check for, so it must depend on nothing but its arguments.
        """

    @abstractmethod
    def render(self, config: ConfigT, routes: Routes, observed: Observed) -> Iterable[Manifest]:
        """Give the whole objects as they are to be for `routes`; those that need no write may be given or left out.

        An object of the router's own that is left out is deleted. A generator has each object written before it goes
        on, so an error further down does not keep the earlier ones from being written. Anything raised ends the call.
        """

    def converged(self, config: ConfigT, routes: Routes, observed: Observed) -> Verification:
        """Judge from the objects as read whether `routes` are in force; asked only with Capability.VERIFY."""
        return Verification.not_applicable()

    def events(self, change: Change, routes: Routes, error: ApiError | None) -> Iterable[Event]:
        """Give the events to record after a change was carried out, or failed with `error`; none unless overridden."""
        return ()

    async def apply(self, context: RouterContext[ConfigT], routes: Routes) -> None:
        """Read, render and write what differs; read again when an object changed meanwhile, at most 5 times in all."""
        for _ in range(ATTEMPTS - 1):
            with suppress(Conflict, AlreadyExists):
                return await self._write(context, routes)
        return await self._write(context, routes)

    async def verify(self, context: RouterContext[ConfigT], routes: Routes) -> Verification:
        """Read again and judge by `converged`."""
        if Capability.VERIFY not in self.capabilities:
            return Verification.not_applicable()
        return self.converged(context.config, routes, await self.observe(context, routes))

    async def observe(self, context: RouterContext[ConfigT], routes: Routes) -> Observed:
        """Read what `reads` names and, with Capability.EXPERIMENTS, the Services of the experiment's destinations."""
        observed = Observed(context.rollout, self.name)
        if Capability.EXPERIMENTS in self.capabilities:
            for destination in routes.experiments:
                await observed.read(context.objects, ObjectReference(SERVICES, destination.service))
        for read in self.reads(context.config, context.rollout):
            await observed.read(context.objects, read)
        return observed

    async def _write(self, context: RouterContext[ConfigT], routes: Routes) -> None:
        observed = await self.observe(context, routes)
        for change in observed.changes(self.render(context.config, routes, observed)):
            await self._carry_out(context, routes, change)

    async def _carry_out(self, context: RouterContext[ConfigT], routes: Routes, change: Change) -> None:
        error: ApiError | None = None
        try:
            await _send(context.objects, change)
        except (Conflict, AlreadyExists):
            raise
        except ApiError as refused:
            error = refused
        for event in self.events(change, routes, error):
            context.record(event)
        if error is not None:
            raise error


async def _send(objects: Objects, change: Change) -> None:
    match change:
        case Change(Verb.CREATE, reference, _, dict(wanted)):
            await objects.create(reference, wanted)
        case Change(Verb.UPDATE, reference, dict(observed), dict(wanted)):
            await objects.update(reference, observed, wanted)
        case Change(Verb.DELETE, reference, dict(observed), _):
            await objects.delete(reference, observed)
