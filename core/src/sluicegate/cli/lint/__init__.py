"""`lint`: check the Rollouts of a file, with the Services and routes that come with them (operations.md 1.11)."""

from __future__ import annotations

import click

from sluicegate.cli.command import Command
from sluicegate.cli.failure import CommandError


@click.command("lint", cls=Command, example=["lint -f rollout.yaml"])
@click.option(
    "-f", "--filename", default="", metavar="FILE", help="File to check, YAML or JSON, of any number of objects."
)
@click.pass_context
def command(ctx: click.Context, filename: str) -> None:
    """Check the Rollouts of a file without a cluster. The exit code is 1 when anything is wrong.

    Services, Ingresses and Istio VirtualServices of the same file are checked with the Rollout that uses them.
    """
    if not filename:
        click.echo(ctx.get_help())
        ctx.exit(1)
    # Imported here so that `--help` stays quick.
    from sluicegate.cli.lint.findings import findings_in
    from sluicegate.cli.lint.manifests import read_manifests

    findings = findings_in(read_manifests(filename))
    for finding in findings:
        click.echo(str(finding).removeprefix(f"{finding.path}: "))
    if findings:
        raise CommandError(str(findings[0]))
