"""`explain`: why a Rollout is where it is, and what one can do, for the person on call."""

from __future__ import annotations

import asyncio
import shutil
import sys

import click

from sluicegate.cli.command import Command, Group
from sluicegate.cli.naming import not_found_hint, rollout_name
from sluicegate.cli.settings import Settings

command = Group("explain", help="Say why a Rollout is where it is, and what one can do.")


@command.command(
    "rollout",
    cls=Command,
    aliases=["ro", "rollouts"],
    example=["explain rollout canary-demo", "explain rollout canary-demo -o json"],
)
@click.argument("rollout", nargs=-1, metavar="ROLLOUT")
@click.option("-o", "--output", type=click.Choice(["json"]), help="Print JSON instead, for tools.")
@click.pass_context
def explain_rollout(ctx: click.Context, rollout: tuple[str, ...], output: str | None) -> None:
    """Say what a Rollout waits for, since when, what comes next, and what a person can do.

    The first line is the one that matters most. It reads the cluster only, and works without the controller.
    """
    name = rollout_name(ctx, rollout)
    program = ctx.find_root().info_name or "sluicegate"
    asyncio.run(_explain(ctx.ensure_object(Settings), name, program, as_json=output == "json"))


async def _explain(settings: Settings, name: str, program: str, *, as_json: bool) -> None:
    # Imported here so that `--help` stays quick.
    from sluicegate.cli.evidence import gather
    from sluicegate.cli.views.explanation import as_document, as_lines
    from sluicegate.engine.why import explain

    async with settings.connect() as scope, not_found_hint(scope):
        evidence = await gather(scope, name, settings, program)
    explanation = explain(evidence.situation)
    if as_json:
        click.echo(as_document(explanation, evidence))
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
        click.echo("\n".join(as_lines(explanation, evidence, width=width)))
