"""`abort`: stop an update and go back to the stable version."""

from __future__ import annotations

import asyncio

import click

from sluicegate.cli.command import Command
from sluicegate.cli.naming import not_found_hint, rollout_names
from sluicegate.cli.settings import Settings
from sluicegate.cli.status_patch import patch_status


@click.command("abort", cls=Command, example=["abort canary-demo", "abort rollout canary-demo"])
@click.argument("rollouts", nargs=-1, metavar="ROLLOUT...")
@click.pass_context
def command(ctx: click.Context, rollouts: tuple[str, ...]) -> None:
    """Stop the update of one or more Rollouts: all traffic goes back to the stable version at once.

    The Rollout then stays Degraded until it gets a new version or `retry`.
    """
    asyncio.run(_abort(ctx.ensure_object(Settings), rollout_names(ctx, rollouts)))


async def _abort(settings: Settings, names: list[str]) -> None:
    async with settings.connect() as scope, not_found_hint(scope):
        for name in names:
            await patch_status(scope, name, {"status": {"abort": True}})
            click.echo(f"rollout '{name}' aborted")
