"""Whether to print in colour: the flag that says no, and the terminal that cannot."""

from __future__ import annotations

import os
from typing import Final

import click

no_color_option: Final = click.option("--no-color", is_flag=True, help="Print without colours, as with TERM=dumb.")


def coloured(no_color: bool) -> bool:
    """Whether to print in colour, given what the flag says."""
    return not no_color and os.environ.get("TERM") != "dumb"
