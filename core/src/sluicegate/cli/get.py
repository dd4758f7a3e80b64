"""`get rollout` and `get experiment`: the whole picture of one object, once or live."""

from __future__ import annotations

import asyncio

import click

from sluicegate.cli.colour import coloured, no_color_option
from sluicegate.cli.command import Command, Group
from sluicegate.cli.failure import WrongUsage
from sluicegate.cli.naming import rollout_name
from sluicegate.cli.settings import Settings

command = Group("get", help="Show a Rollout or an Experiment with all that belongs to it.")

_watch = click.option("-w", "--watch", is_flag=True, help="Keep showing it as it changes, until Ctrl-C.")


@command.command(
    "rollout",
    cls=Command,
    aliases=["ro", "rollouts"],
    example=["get rollout canary-demo", "get rollout canary-demo -w"],
)
@click.argument("rollout", nargs=-1, metavar="ROLLOUT")
@_watch
@no_color_option
@click.option("--timeout-seconds", type=int, default=0, metavar="N", help="With -w: end after so many seconds.")
@click.pass_context
def get_rollout(
    ctx: click.Context, rollout: tuple[str, ...], watch: bool, no_color: bool, timeout_seconds: int
) -> None:
    """Show a Rollout's state, images, sizes, and the tree of its ReplicaSets, pods, analyses and experiments."""
    name = rollout_name(ctx, rollout)
    # Imported here so that `--help` stays quick.
    from sluicegate.cli import picture

    settings = ctx.ensure_object(Settings)
    drawing = picture.RolloutPicture(name, settings.now, colour=coloured(no_color))
    asyncio.run(picture.show(settings, drawing, watch=watch, seconds=timeout_seconds))


@command.command(
    "experiment", cls=Command, aliases=["exp", "experiments"], example=["get experiment search-ab", "get exp a -w"]
)
@click.argument("experiment", nargs=-1, metavar="EXPERIMENT")
@_watch
@no_color_option
@click.pass_context
def get_experiment(ctx: click.Context, experiment: tuple[str, ...], watch: bool, no_color: bool) -> None:
    """Show an Experiment's state, images, and the tree of its ReplicaSets, pods and analyses."""
    if len(experiment) != 1:
        raise WrongUsage(ctx)
    from sluicegate.cli import picture

    settings = ctx.ensure_object(Settings)
    drawing = picture.ExperimentPicture(experiment[0], settings.now, colour=coloured(no_color))
    asyncio.run(picture.show(settings, drawing, watch=watch, seconds=0))
