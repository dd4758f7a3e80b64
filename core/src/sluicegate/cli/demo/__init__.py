"""`demo`: a whole canary under load, driven and watched by itself, on an embedded cluster of its own."""

from __future__ import annotations

import click

from sluicegate.cli.command import Command
from sluicegate.cli.settings import Settings


@click.command("demo", cls=Command, example=["demo", "demo --keep", "demo --json"])
@click.option("--json", "as_json", is_flag=True, help="Print only the table at the end, as JSON.")
@click.option("--keep", is_flag=True, help="Leave the cluster up in the background, to go on with it.")
@click.pass_context
def command(ctx: click.Context, as_json: bool, keep: bool) -> None:
    """See a canary take real requests: nothing but this machine is needed, and it takes about a minute.

    A cluster is started on loopback with a small web application on it, whose next version then takes over step by step
    while requests come in. Fails if one of them does, or if the old version still answers at the end.
    """
    # Imported here so that `--help` stays quick.
    from sluicegate.cli.demo.performance import perform

    perform(ctx.ensure_object(Settings), as_json=as_json, keep=keep)
