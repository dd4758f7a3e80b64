"""`status`: one line on a Rollout, or a line at each change until it is done (operations.md 1.5)."""

from __future__ import annotations

import asyncio

import click

from sluicegate.cli.command import Command
from sluicegate.cli.naming import rollout_name
from sluicegate.cli.settings import Settings
from sluicegate.cli.spans import Span, parse_span


@click.command("status", cls=Command, example=["status canary-demo", "status canary-demo --timeout 10m"])
@click.argument("rollout", nargs=-1, metavar="ROLLOUT")
@click.option("-w", "--watch", is_flag=True, default=True, help="Wait until it is Healthy or Degraded (default).")
@click.option(
    "-t", "--timeout", default="0", metavar="TIME", callback=parse_span, help="Wait at most so long: 30s, 5m."
)
@click.pass_context
def command(ctx: click.Context, rollout: tuple[str, ...], watch: bool, timeout: Span) -> None:
    """Say how a Rollout does. The exit code is 1 when it is Degraded, or not Healthy when the time is up.

    `--watch=false` prints the state of now and ends.
    """
    name = rollout_name(ctx, rollout)
    # Imported here so that `--help` stays quick.
    from sluicegate.cli import progress

    settings = ctx.ensure_object(Settings)
    showing = progress.follow(settings, name, seconds=timeout.seconds) if watch else progress.report(settings, name)
    asyncio.run(showing)
