"""`status`: one line on a Rollout, or a line at each change until it is done (operations.md 1.5)."""

from __future__ import annotations

import asyncio
import re
from typing import Final

import click

from sluicegate.cli.command import Command
from sluicegate.cli.failure import InvalidFlag
from sluicegate.cli.naming import rollout_name
from sluicegate.cli.settings import Settings

_NANOSECONDS: Final = 1_000_000_000


def _duration(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """Seconds of a Go duration; raises InvalidFlag for anything else."""
    # Imported here so that `--help` stays quick.
    from sluicegate.api.durations import parse_duration

    nanoseconds = parse_duration(value)
    if nanoseconds is None:
        missing = re.fullmatch(r"[+-]?[0-9.]+", value)
        why = f'time: missing unit in duration "{value}"' if missing else f'time: invalid duration "{value}"'
        raise InvalidFlag(value, param, why)
    return nanoseconds / _NANOSECONDS


@click.command("status", cls=Command, example=["status canary-demo", "status canary-demo --timeout 10m"])
@click.argument("rollout", nargs=-1, metavar="ROLLOUT")
@click.option("-w", "--watch", is_flag=True, default=True, help="Wait until it is Healthy or Degraded (default).")
@click.option("-t", "--timeout", default="0", metavar="TIME", callback=_duration, help="Wait at most so long: 30s, 5m.")
@click.pass_context
def command(ctx: click.Context, rollout: tuple[str, ...], watch: bool, timeout: float) -> None:
    """Say how a Rollout does. The exit code is 1 when it is Degraded, or not Healthy when the time is up.

    `--watch=false` prints the state of now and ends.
    """
    name = rollout_name(ctx, rollout)
    from sluicegate.cli import progress

    settings = ctx.ensure_object(Settings)
    asyncio.run(progress.follow(settings, name, seconds=timeout) if watch else progress.report(settings, name))
