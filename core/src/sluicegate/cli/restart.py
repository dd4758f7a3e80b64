"""`restart`: replace the pods of a Rollout, at once or later."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from sluicegate.api.resources import ROLLOUTS
from sluicegate.cli.command import Command
from sluicegate.cli.naming import not_found_hint, rollout_name
from sluicegate.cli.settings import Settings
from sluicegate.cli.spans import Span, parse_span

if TYPE_CHECKING:
    from datetime import datetime


def _delay(ctx: click.Context, flag: click.Parameter, value: str) -> Span:
    return parse_span(ctx, flag, value or "0s")


@click.command("restart", cls=Command, example=["restart canary-demo", "restart canary-demo --in 10m"])
@click.argument("rollout", nargs=-1, metavar="ROLLOUT")
@click.option("-i", "--in", "span", default="", metavar="TIME", callback=_delay, help="Wait so long first: 30s, 5m.")
@click.pass_context
def command(ctx: click.Context, rollout: tuple[str, ...], span: Span) -> None:
    """Replace the pods of a Rollout with new ones of the same version, some at a time as its strategy allows."""
    name, settings = rollout_name(ctx, rollout), ctx.ensure_object(Settings)
    asyncio.run(_restart(settings, name, settings.now() + timedelta(seconds=span.seconds)))
    click.echo(f"rollout '{name}' restarts in {span.text}")


async def _restart(settings: Settings, name: str, moment: datetime) -> None:
    async with settings.connect() as scope, not_found_hint(scope):
        await scope.client.patch(
            ROLLOUTS, scope.namespace, name, {"spec": {"restartAt": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}}
        )
