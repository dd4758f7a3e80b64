"""`version`: what is installed here; the cluster is not asked."""

from __future__ import annotations

import platform

import click

from sluicegate import __version__
from sluicegate.cli.command import Command

_UNKNOWN = "unknown"


@click.command("version", cls=Command, example=["version", "version --short"])
@click.argument("words", nargs=-1, metavar="")
@click.option("--short", is_flag=True, help="Print the version alone.")
def command(words: tuple[str, ...], short: bool) -> None:
    """Print the version of this program."""
    click.echo(f"kubectl-argo-rollouts: v{__version__}")
    if not short:
        click.echo("".join(f"  {label}: {value}\n" for label, value in _details().items()), nl=False)


def _details() -> dict[str, str]:
    # A package from an index knows neither its build nor its commit; the interpreter stands where Go did.
    return {
        "BuildDate": _UNKNOWN,
        "GitCommit": _UNKNOWN,
        "GitTreeState": _UNKNOWN,
        "GoVersion": f"none ({platform.python_implementation()} {platform.python_version()})",
        "Compiler": platform.python_compiler(),
        "Platform": f"{platform.system().lower()}/{platform.machine()}",
    }
