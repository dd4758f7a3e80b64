"""`list rollouts` and `list experiments`: one row each."""

from __future__ import annotations

import asyncio

import click

from sluicegate.cli.command import Command, Group
from sluicegate.cli.settings import Settings

command = Group("list", help="List Rollouts or Experiments.")

_all = click.option("-A", "--all-namespaces", is_flag=True, help="List those of all namespaces.")


@command.command(
    "rollouts",
    cls=Command,
    aliases=["ro", "rollout"],
    example=["list rollouts", "list rollouts -A", "list rollouts -w --timestamps"],
)
@click.argument("words", nargs=-1, metavar="")
@_all
@click.option("--name", default="", metavar="NAME", help="Only the Rollout of that name.")
@click.option("--timestamps", is_flag=True, help="Put the time before each row.")
@click.option("-w", "--watch", is_flag=True, help="Add a row whenever one changes, until Ctrl-C.")
@click.pass_context
def list_rollouts(
    ctx: click.Context, words: tuple[str, ...], all_namespaces: bool, name: str, timestamps: bool, watch: bool
) -> None:
    """List the Rollouts of the namespace with their state, step, weight and sizes."""
    # Imported here so that `--help` stays quick.
    from sluicegate.cli import roster

    settings = ctx.ensure_object(Settings)
    rollouts = roster.Rollouts(settings, all_namespaces=all_namespaces, name=name, timestamps=timestamps)
    asyncio.run(rollouts.watch() if watch else rollouts.print())


@command.command("experiments", cls=Command, aliases=["exp", "experiment"], example=["list experiments"])
@click.argument("words", nargs=-1, metavar="")
@_all
@click.pass_context
def list_experiments(ctx: click.Context, words: tuple[str, ...], all_namespaces: bool) -> None:
    """List the Experiments of the namespace with their state and the time they have left."""
    from sluicegate.cli import roster

    asyncio.run(roster.print_experiments(ctx.ensure_object(Settings), all_namespaces=all_namespaces))
