"""Printing the lists of Rollouts and Experiments, and the rows of Rollouts as they change (operations.md 1.6)."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import click
import msgspec

from sluicegate.api.resources import EXPERIMENTS, ROLLOUTS
from sluicegate.cli.views.fields import name_of, text
from sluicegate.cli.views.listing import RolloutTable, experiment_lines
from sluicegate.errors import ApiError, ConnectError, Expired

if TYPE_CHECKING:
    from sluicegate.cli.settings import Scope, Settings
    from sluicegate.cli.views.fields import Object
    from sluicegate.kube.client import WatchEvent

_SECONDS_BETWEEN_FLUSHES: Final = 0.5
_SECONDS_BETWEEN_WATCHES: Final = 1.0
_MOST_FAILURES: Final = 5


async def print_experiments(settings: Settings, *, all_namespaces: bool) -> None:
    """Print the table of Experiments."""
    async with settings.connect() as scope:
        experiments = await scope.client.list(EXPERIMENTS, None if all_namespaces else scope.namespace)
    _print_table(experiment_lines(experiments, settings.now(), namespaces=all_namespaces))


def _print_table(lines: list[str]) -> None:
    if len(lines) == 1:
        click.echo("No resources found.", err=True)
    else:
        click.echo("\n".join(lines))


class Rollouts:
    """The Rollouts of one namespace or of all, as a table."""

    def __init__(self, settings: Settings, *, all_namespaces: bool, name: str, timestamps: bool) -> None:
        self._settings = settings
        self._all_namespaces = all_namespaces
        self._selector = f"metadata.name={name}" if name else ""
        self._table = RolloutTable(namespaces=all_namespaces, timestamps=timestamps)
        self._printed: dict[tuple[str, str], list[str]] = {}
        self._waiting: list[list[str]] = []

    async def print(self) -> None:
        """Print the table as it is now."""
        async with self._settings.connect() as scope:
            rollouts = await scope.client.list(ROLLOUTS, self._namespace(scope), field_selector=self._selector)
        now = self._settings.now()
        _print_table(self._table.lines([self._table.row(one, now) for one in rollouts]))

    async def watch(self) -> None:
        """Print the table, then a row for each Rollout whose row changes; raises when the cluster stays away."""
        async with self._settings.connect() as scope:
            version = await self._relist(scope)
            self._flush(header=True)
            flushing = asyncio.create_task(self._flush_regularly())
            try:
                await self._follow(scope, version)
            finally:
                flushing.cancel()
                self._flush()

    def _namespace(self, scope: Scope) -> str | None:
        return None if self._all_namespaces else scope.namespace

    async def _relist(self, scope: Scope) -> str:
        """Note all Rollouts; the resource version to watch from."""
        version = ""
        async for page in scope.client.pages(ROLLOUTS, self._namespace(scope), field_selector=self._selector):
            version = page.resource_version
            for raw in page.items:
                self._note(msgspec.json.decode(raw))
        return version

    async def _follow(self, scope: Scope, version: str) -> None:
        failures = 0
        while True:
            watch = scope.client.watch(
                ROLLOUTS, self._namespace(scope), resource_version=version, field_selector=self._selector
            )
            try:
                async with aclosing(watch) as events:
                    async for event in events:
                        version, failures = self._take(event), 0
            except Expired:
                version = await self._relist(scope)
            except (ApiError, ConnectError):
                failures += 1
                if failures > _MOST_FAILURES:
                    raise
            await asyncio.sleep(_SECONDS_BETWEEN_WATCHES)

    def _take(self, event: WatchEvent) -> str:
        """Note the object of an event; the resource version to go on from."""
        rollout = msgspec.json.decode(event.object)
        if event.type != "BOOKMARK":
            self._note(rollout)
        return text(rollout, "metadata", "resourceVersion")

    def _note(self, rollout: Object) -> None:
        """Let a row wait to be printed if it is not as it was."""
        key = (text(rollout, "metadata", "namespace"), name_of(rollout))
        state = self._table.state(rollout)
        if self._printed.get(key) != state:
            self._printed[key] = state
            self._waiting.append(self._table.row(rollout, self._settings.now()))

    async def _flush_regularly(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_FLUSHES)
            self._flush()

    def _flush(self, *, header: bool = False) -> None:
        """Print the rows that wait, aligned with each other only."""
        rows, self._waiting = self._waiting, []
        if rows or header:
            click.echo("\n".join(self._table.lines(rows, header=header)))
