"""`pause`: hold a Rollout where it is."""

from __future__ import annotations

import asyncio

import click

from sluicegate.api.resources import ROLLOUTS
from sluicegate.cli.command import Command
from sluicegate.cli.naming import rollout_names
from sluicegate.cli.patches import patch_each
from sluicegate.cli.settings import Settings


@click.command("pause", cls=Command, example=["pause canary-demo"])
@click.argument("rollouts", nargs=-1, metavar="ROLLOUT...")
@click.pass_context
def command(ctx: click.Context, rollouts: tuple[str, ...]) -> None:
    """Hold one or more Rollouts where they are: no step is taken until `promote`.

    `abort` still works, and a Rollout is still scaled when its number of replicas changes.
    """
    names, wanted = rollout_names(ctx, rollouts), {"spec": {"paused": True}}
    asyncio.run(patch_each(ctx.ensure_object(Settings), ROLLOUTS, names, wanted, done="paused"))
