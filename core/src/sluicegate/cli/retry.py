"""`retry`: try an aborted update, or an Experiment that has ended, again."""

from __future__ import annotations

import asyncio

import click

from sluicegate.api.resources import EXPERIMENTS
from sluicegate.cli.command import Command, Group
from sluicegate.cli.failure import WrongUsage
from sluicegate.cli.naming import rollout_names
from sluicegate.cli.patches import patch_each, patch_statuses
from sluicegate.cli.settings import Settings

command = Group("retry", help="Try an aborted update, or an Experiment that has ended, again.")


@command.command("rollout", cls=Command, aliases=["ro", "rollouts"], example=["retry rollout canary-demo"])
@click.argument("rollouts", nargs=-1, metavar="ROLLOUT...")
@click.pass_context
def retry_rollout(ctx: click.Context, rollouts: tuple[str, ...]) -> None:
    """Start the aborted update of one or more Rollouts again, from its first step."""
    names, wanted = rollout_names(ctx, rollouts), {"status": {"abort": False}}
    asyncio.run(patch_statuses(ctx.ensure_object(Settings), names, wanted, done="retried"))


@command.command("experiment", cls=Command, aliases=["exp", "experiments"], example=["retry experiment search-ab"])
@click.argument("experiments", nargs=-1, metavar="EXPERIMENT...")
@click.pass_context
def retry_experiment(ctx: click.Context, experiments: tuple[str, ...]) -> None:
    """Run one or more Experiments again from the start."""
    if not experiments:
        raise WrongUsage(ctx)
    settings = ctx.ensure_object(Settings)
    asyncio.run(patch_each(settings, EXPERIMENTS, experiments, {"status": None}, done="retried"))
