"""Log lines of a verb: on stderr, as much as `--loglevel` and `-v` ask for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluicegate.cli.settings import Settings

_LEVELS: Final[Mapping[str, int]] = {
    "panic": logging.CRITICAL,
    "fatal": logging.CRITICAL,
    "error": logging.ERROR,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": logging.DEBUG,
}

# From this verbosity on, kubectl shows its traffic.
_TRAFFIC: Final = 6


class _EchoHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


def configure_logs(settings: Settings) -> None:
    """Send our log records to stderr from the wanted level on."""
    logger = logging.getLogger("sluicegate")
    if not any(isinstance(handler, _EchoHandler) for handler in logger.handlers):
        handler = _EchoHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
    logger.setLevel(_LEVELS[settings.loglevel])
    if settings.kloglevel >= _TRAFFIC:
        logging.getLogger("sluicegate.kube").setLevel(logging.DEBUG)
