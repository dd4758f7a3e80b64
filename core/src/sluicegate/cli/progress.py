"""The phases a Rollout goes through, a line for each, until it is done (operations.md 1.5)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import click

from sluicegate.api.resources import ROLLOUTS
from sluicegate.cli.failure import CommandError
from sluicegate.cli.feed import Feed, Query, read
from sluicegate.cli.interrupt import Wakeup, ended_by_signals
from sluicegate.cli.naming import not_found_hint
from sluicegate.cli.picture import named
from sluicegate.cli.views.phase import client_phase

if TYPE_CHECKING:
    from sluicegate.cli.settings import Scope, Settings
    from sluicegate.cli.views.fields import Object
    from sluicegate.engine.phase import Phase

_DONE = ("Healthy", "Degraded")


async def report(settings: Settings, name: str) -> None:
    """Print the phase as it is now; raises CommandError if it is Degraded."""
    async with settings.connect() as scope:
        phase = client_phase(await _read(scope, name))
    click.echo(phase.phase if phase.phase in _DONE else f"{phase.phase} - {phase.message}")
    _refuse_degraded(phase)


async def follow(settings: Settings, name: str, *, seconds: float) -> None:
    """Print each phase until the Rollout is Healthy or Degraded; raises CommandError unless it ends Healthy.

    Ends at a signal too, and after `seconds` (0: never).
    """
    async with settings.connect() as scope:
        journal = _Journal(await _read(scope, name))
        feed = Feed(scope, [_query(name)], journal.note)
        with ended_by_signals(journal.wakeup, seconds=seconds):
            journal.print_new()
            async with feed.running():
                while not journal.done:
                    await journal.wakeup.wait()
                    journal.print_new()
        phase = client_phase(named(feed.snapshot(), ROLLOUTS, name))
    _refuse_degraded(phase)
    if phase.phase != "Healthy":
        raise CommandError("Rollout status watch exceeded timeout")


class _Journal:
    """The states seen so far, the last of them printed."""

    def __init__(self, rollout: Object) -> None:
        self.wakeup = Wakeup()
        self._states = deque([rollout])
        self._line = ""
        self._phase = ""

    @property
    def done(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.wakeup.stopped or self._phase in _DONE

    def note(self, rollout: Object | None) -> None:
        """Take in a new state; a deletion is none."""
        if rollout is not None:
            self._states.append(rollout)
            self.wakeup.notify()

    def print_new(self) -> None:
        """Print a line for each new state that differs from the one before, up to the state that ends it all."""
        while self._states and self._phase not in _DONE:
            phase = client_phase(self._states.popleft())
            line = f"{phase.phase} - {phase.message}" if phase.message else phase.phase
            if line != self._line:
                click.echo(line)
            self._line, self._phase = line, phase.phase


def _query(name: str) -> Query:
    return Query(ROLLOUTS, f"metadata.name={name}")


async def _read(scope: Scope, name: str) -> Object:
    async with not_found_hint(scope):
        return named(await read(scope, [_query(name)]), ROLLOUTS, name)


def _refuse_degraded(phase: Phase) -> None:
    if phase.phase == "Degraded":
        raise CommandError(f"The rollout is in a degraded state with message: {phase.message}")
