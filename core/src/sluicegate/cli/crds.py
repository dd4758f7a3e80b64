"""`crds`: the CustomResourceDefinitions of our kinds, for `kubectl apply`."""

from __future__ import annotations

from typing import Final

import click

from sluicegate.cli.command import Command

_WIDE: Final = 1000


@click.command("crds", cls=Command, example=["crds | kubectl apply -f -"])
def command() -> None:
    """Print the CustomResourceDefinitions of the five kinds, as YAML.

    A cluster needs them before the controller runs there.
    """
    # Imported here so that `--help` stays quick.
    import yaml

    from sluicegate.api.crds import crds

    # Folded lines, deep as they stand, would be a fiftieth of the text.
    click.echo(yaml.safe_dump_all(crds(), sort_keys=False, width=_WIDE), nl=False)
