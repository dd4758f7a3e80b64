"""Spans of time as flags take them: Go durations, always with a unit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from sluicegate.cli.failure import InvalidFlag

if TYPE_CHECKING:
    import click

_NANOSECONDS: Final = 1_000_000_000


class Span(NamedTuple):
    """A span as the user wrote it, and in seconds."""

    text: str
    seconds: float


def parse_span(ctx: click.Context, flag: click.Parameter, value: str) -> Span:
    """The span that a flag was given, as click's callback of it; raises InvalidFlag for text that is none."""
    # Imported here so that `--help` stays quick.
    from sluicegate.api.durations import parse_duration

    nanoseconds = parse_duration(value)
    if nanoseconds is None:
        missing = re.fullmatch(r"[+-]?[0-9.]+", value)
        why = f'time: missing unit in duration "{value}"' if missing else f'time: invalid duration "{value}"'
        raise InvalidFlag(value, flag, why)
    return Span(value, nanoseconds / _NANOSECONDS)
