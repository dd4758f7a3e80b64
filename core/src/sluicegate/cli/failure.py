"""How a verb fails: the errors it raises on purpose, and the line each is printed as."""

from __future__ import annotations

import click

from sluicegate.errors import SluicegateError


class CommandError(SluicegateError):
    """A verb cannot do what was asked.

    `hint` is a second line for a person at a terminal, such as the names that exist; empty for none.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class WrongUsage(click.UsageError):
    """The words do not fit the verb: its usage is all that is printed."""

    def __init__(self, ctx: click.Context) -> None:
        super().__init__("", ctx)


class InvalidFlag(click.UsageError):
    """A flag has a value it cannot have."""

    def __init__(self, value: str, flag: click.Parameter | None, why: str) -> None:
        names = ", ".join(flag.opts) if flag else ""
        super().__init__(f'invalid argument "{value}" for "{names}" flag: {why}')


def error_line(error: Exception) -> str:
    """What is printed after `Error: `, in the words that users of cobra's programs know."""
    if isinstance(error, click.NoSuchOption):
        return _unknown_flag(error.option_name)
    if isinstance(error, click.BadOptionUsage):
        return f"flag needs an argument: {error.option_name}"
    if isinstance(error, click.BadParameter) and error.param:
        return f'invalid argument for "{", ".join(error.param.opts)}" flag: {error.message}'
    if isinstance(error, click.ClickException):
        return error.format_message()
    return str(error)


def _unknown_flag(name: str) -> str:
    return f"unknown flag: {name}" if name.startswith("--") else f"unknown shorthand flag: '{name[1:]}'"
