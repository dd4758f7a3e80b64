"""`abort`: stop an update and go back to the stable version."""

from __future__ import annotations

import asyncio

import click

from sluicegate.cli.command import Command
from sluicegate.cli.naming import rollout_names
from sluicegate.cli.patches import patch_statuses
from sluicegate.cli.settings import Settings


@click.command("abort", cls=Command, example=["abort canary-demo", "abort rollout canary-demo"])
@click.argument("rollouts", nargs=-1, metavar="ROLLOUT...")
@click.pass_context
def command(ctx: click.Context, rollouts: tuple[str, ...]) -> None:
    """Stop the update of one or more Rollouts: all traffic goes back to the stable version at once.

    The Rollout then stays Degraded until it gets a new version or `retry`.
    """
    names, wanted = rollout_names(ctx, rollouts), {"status": {"abort": True}}
    asyncio.run(patch_statuses(ctx.ensure_object(Settings), names, wanted, done="aborted"))
