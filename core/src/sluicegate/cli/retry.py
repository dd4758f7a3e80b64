"""`retry`: try an aborted update, or an Experiment that has ended, again."""

from __future__ import annotations

import asyncio

import click

from sluicegate.api.resources import EXPERIMENTS
from sluicegate.cli.command import Command, Group
from sluicegate.cli.failure import WrongUsage
from sluicegate.cli.naming import not_found_hint, rollout_names
from sluicegate.cli.settings import Settings
from sluicegate.cli.status_patch import patch_status

command = Group("retry", help="Try an aborted update, or an Experiment that has ended, again.")


@command.command("rollout", cls=Command, aliases=["ro", "rollouts"], example=["retry rollout canary-demo"])
@click.argument("rollouts", nargs=-1, metavar="ROLLOUT...")
@click.pass_context
def retry_rollout(ctx: click.Context, rollouts: tuple[str, ...]) -> None:
    """Start the aborted update of one or more Rollouts again, from its first step."""
    asyncio.run(_retry_rollouts(ctx.ensure_object(Settings), rollout_names(ctx, rollouts)))


@command.command("experiment", cls=Command, aliases=["exp", "experiments"], example=["retry experiment search-ab"])
@click.argument("experiments", nargs=-1, metavar="EXPERIMENT...")
@click.pass_context
def retry_experiment(ctx: click.Context, experiments: tuple[str, ...]) -> None:
    """Run one or more Experiments again from the start."""
    if not experiments:
        raise WrongUsage(ctx)
    asyncio.run(_retry_experiments(ctx.ensure_object(Settings), experiments))


async def _retry_rollouts(settings: Settings, names: list[str]) -> None:
    async with settings.connect() as scope, not_found_hint(scope):
        for name in names:
            await patch_status(scope, name, {"status": {"abort": False}})
            click.echo(f"rollout '{name}' retried")


async def _retry_experiments(settings: Settings, names: tuple[str, ...]) -> None:
    async with settings.connect() as scope, not_found_hint(scope, EXPERIMENTS):
        for name in names:
            await scope.client.patch(EXPERIMENTS, scope.namespace, name, {"status": None})
            click.echo(f"experiment '{name}' retried")
