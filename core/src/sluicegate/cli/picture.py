"""Drawing a Rollout or an Experiment with all that belongs to it, once or again and again (operations.md 1.3)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import click

from sluicegate.api.resources import ANALYSIS_RUNS, DEPLOYMENTS, EXPERIMENTS, PODS, REPLICA_SETS, ROLLOUTS
from sluicegate.cli.feed import Feed, Query, read
from sluicegate.cli.interrupt import Wakeup, ended_by_signals
from sluicegate.cli.naming import not_found_hint
from sluicegate.cli.views.fields import name_of, text
from sluicegate.cli.views.overview import experiment_view, rollout_view
from sluicegate.cli.views.world import Owned, World
from sluicegate.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sluicegate.api.resources import Resource
    from sluicegate.cli.feed import Snapshot
    from sluicegate.cli.settings import Scope, Settings
    from sluicegate.cli.views.fields import Object

_CLEAR: Final = "\x1b[H\x1b[2J\x1b[0;0H"
_SECONDS_BETWEEN_CHANGES: Final = 0.2
_SECONDS_BETWEEN_TICKS: Final = 1.0
_DEPENDANTS: Final = (Query(REPLICA_SETS), Query(PODS), Query(EXPERIMENTS), Query(ANALYSIS_RUNS))

logger: Final = logging.getLogger(__name__)


class Picture(Protocol):
    """What to read, and how to draw it."""

    @property
    def resource(self) -> Resource:
        """The kind of what it shows."""

    @property
    def queries(self) -> Sequence[Query]:
        """The objects it is drawn from."""

    def draw(self, snapshot: Snapshot) -> list[str]:
        """Its lines; raises NotFound when the object is not among those read."""


@dataclass(frozen=True)
class RolloutPicture:
    """One Rollout."""

    name: str
    now: Callable[[], datetime]
    colour: bool
    resource: Resource = ROLLOUTS

    @property
    def queries(self) -> Sequence[Query]:
        return (Query(ROLLOUTS, f"metadata.name={self.name}"), Query(DEPLOYMENTS), *_DEPENDANTS)

    def draw(self, snapshot: Snapshot) -> list[str]:
        rollout = named(snapshot, ROLLOUTS, self.name)
        if text(rollout, "spec", "workloadRef", "kind") == DEPLOYMENTS.kind:
            named(snapshot, DEPLOYMENTS, text(rollout, "spec", "workloadRef", "name"))
        return rollout_view(rollout, world_of(snapshot), now=self.now(), colour=self.colour)


@dataclass(frozen=True)
class ExperimentPicture:
    """One Experiment."""

    name: str
    now: Callable[[], datetime]
    colour: bool
    resource: Resource = EXPERIMENTS

    @property
    def queries(self) -> Sequence[Query]:
        return _DEPENDANTS

    def draw(self, snapshot: Snapshot) -> list[str]:
        experiment = named(snapshot, EXPERIMENTS, self.name)
        return experiment_view(experiment, world_of(snapshot), now=self.now(), colour=self.colour)


def named(snapshot: Snapshot, resource: Resource, name: str) -> Object:
    """The object of that name; raises NotFound, in the words of a cache."""
    for one in snapshot.get(resource, []):
        if name_of(one) == name:
            return one
    message = f'{resource.kind.lower()}.{resource.group} "{name}" not found'
    raise NotFound(message, status=404, reason="NotFound")


def world_of(snapshot: Snapshot) -> World:
    """What Rollouts and Experiments own, by owner."""
    owned = {resource: Owned(objects) for resource, objects in snapshot.items()}
    nothing = Owned()
    return World(
        replica_sets=owned.get(REPLICA_SETS, nothing),
        pods=owned.get(PODS, nothing),
        experiments=owned.get(EXPERIMENTS, nothing),
        analysis_runs=owned.get(ANALYSIS_RUNS, nothing),
    )


async def show(settings: Settings, picture: Picture, *, watch: bool, seconds: float) -> None:
    """Print the picture; with `watch` again at each change and each second, until a signal or for so many seconds."""
    async with settings.connect() as scope:
        async with not_found_hint(scope, picture.resource):
            snapshot = await read(scope, picture.queries)
            lines = picture.draw(snapshot)
        if watch:
            known = [query for query in picture.queries if query.resource in snapshot]
            await _follow(scope, picture, lines, known, seconds)
        else:
            click.echo("\n".join(lines), color=True)


async def _follow(scope: Scope, picture: Picture, lines: list[str], queries: Sequence[Query], seconds: float) -> None:
    wakeup = Wakeup()
    feed = Feed(scope, queries, lambda changed: wakeup.notify())
    with ended_by_signals(wakeup, seconds=seconds):
        screen = _Screen(lines)
        async with feed.running():
            while not wakeup.stopped:
                changed = await wakeup.wait(screen.seconds_to_tick)
                _redraw(screen, picture, feed, changed=changed)


def _redraw(screen: _Screen, picture: Picture, feed: Feed, *, changed: bool) -> None:
    try:
        screen.update(picture.draw(feed.snapshot()), changed=changed)
    except NotFound as error:
        if changed:
            logger.warning("%s", error)


class _Screen:
    """The terminal: what it shows, and since when."""

    def __init__(self, lines: list[str]) -> None:
        self._clock = asyncio.get_running_loop().time
        self._draw(lines)

    @property
    def seconds_to_tick(self) -> float:
        """How long the picture may stand, since ages in it grow."""
        return max(self._drawn_at + _SECONDS_BETWEEN_TICKS - self._clock(), 0)

    def update(self, lines: list[str], *, changed: bool) -> None:
        """Show new lines: at a tick always, at a change if they differ and the last ones have stood for a moment."""
        recent = self._clock() - self._drawn_at < _SECONDS_BETWEEN_CHANGES
        if not changed or (lines != self._lines and not recent):
            self._draw(lines)

    def _draw(self, lines: list[str]) -> None:
        self._lines = lines
        self._drawn_at = self._clock()
        click.echo(_CLEAR + "\n".join(lines), color=True)
