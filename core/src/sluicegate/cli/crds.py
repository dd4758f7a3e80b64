"""`crds`: the CustomResourceDefinitions of our kinds, for `kubectl apply`."""

from __future__ import annotations

import click

from sluicegate.cli.command import Command


@click.command("crds", cls=Command, example=["crds | kubectl apply --server-side -f -"])
def command() -> None:
    """Print the CustomResourceDefinitions of the five kinds, as YAML.

    A cluster needs them before the controller runs there.
    """
    # Imported here so that `--help` stays quick.
    import yaml

    from sluicegate.api.crds import crds

    click.echo(yaml.safe_dump_all(crds(), sort_keys=False), nl=False)
