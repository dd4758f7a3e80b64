"""`plugins list`: which plugins are installed, what they can do, and why one is not in use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sluicegate.cli.command import Command, Group

if TYPE_CHECKING:
    from sluicegate.plugins import PluginRecord

_TITLES = ("NAME", "DISTRIBUTION", "VERSION", "HOOKS", "CAPABILITIES", "ERROR")

command = Group("plugins", help="Show the plugins that are installed.")


@command.command("list", cls=Command, example=["plugins list", "plugins list --plugin-dir ./plugins"])
@click.option(
    "--plugin-dir", type=click.Path(path_type=Path), metavar="DIR", help="Load the .py files of this folder, too."
)
def list_plugins(plugin_dir: Path | None) -> None:
    """List the installed plugins: where each comes from, what it can do, and its error if it could not be loaded."""
    # Imported here so that `--help` stays quick.
    from sluicegate.cli.views.table import align
    from sluicegate.cli.views.text import Text
    from sluicegate.plugins import load_plugins

    rows = [_TITLES, *(_row(record) for record in load_plugins(plugin_dir).records)]
    click.echo("\n".join(line.rstrip() for line in align([[Text.of(cell) for cell in row] for row in rows])))


def _row(record: PluginRecord) -> tuple[str, ...]:
    return (
        record.name,
        record.distribution,
        record.version or "-",
        ",".join(record.hooks) or "-",
        ",".join(record.capabilities) or "-",
        " ".join(record.error.split()),
    )
