"""The entry point of both scripts, `sluicegate` and `kubectl-argo-rollouts`, and the table of verbs.

A verb is a module of this folder that exports `command`; a line in `VERBS` makes it known. The module is imported when
the verb runs.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Final

import click

from sluicegate.cli.command import Group
from sluicegate.cli.failure import WrongUsage, error_line
from sluicegate.cli.settings import Settings
from sluicegate.errors import SluicegateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERBS: Final[Mapping[str, str]] = {
    "abort": "Stop an update and go back to the stable version.",
    "controller": "Run the controller against a cluster.",
    "crds": "Print the CustomResourceDefinitions.",
    "create": "Create Rollouts and what belongs to them from files.",
    "demo": "Watch a canary take real requests, on a cluster of its own.",
    "down": "End the embedded cluster.",
    "explain": "Say why a Rollout is where it is, and what one can do.",
    "get": "Show a Rollout or an Experiment with all that belongs to it.",
    "lint": "Check the Rollouts of a file.",
    "list": "List Rollouts or Experiments.",
    "pause": "Hold a Rollout where it is.",
    "plugins": "Show the plugins that are installed.",
    "promote": "End a pause, or go to the end at once.",
    "restart": "Replace the pods of a Rollout.",
    "retry": "Try an aborted update or an Experiment again.",
    "set": "Change the image of a Rollout.",
    "status": "Wait for a Rollout, and say how it goes.",
    "terminate": "End an AnalysisRun or an Experiment before its time.",
    "undo": "Go back to an earlier revision.",
    "up": "Start an embedded cluster with the controller in it.",
    "version": "Print the version.",
}

_PLUGIN_SCRIPT: Final = "kubectl-argo-rollouts"


class Verbs(Group):
    """The root of the command line; it imports a verb's module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"sluicegate.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, VERBS[name]) for name in self.list_commands(ctx)])

    def unknown(self, ctx: click.Context, word: str) -> click.UsageError:
        # Only a mistyped word needs it.
        from difflib import get_close_matches

        close = get_close_matches(word, VERBS)
        suggestion = f"\nDid you mean {' or '.join(close)}?" if close else ""
        return click.UsageError(f'unknown command "{word}" for "{self.name}"{suggestion}', ctx)


def run(args: Sequence[str], *, script: str = "sluicegate", settings: Settings | None = None) -> int:
    """Run one command line and return its exit code; `script` is the name of the program it was started as."""
    program = "kubectl argo rollouts" if script == _PLUGIN_SCRIPT else script
    root = Verbs(name=script, help="Progressive delivery for Kubernetes.", context_settings=_context(script, settings))
    try:
        code = root.main(list(args), prog_name=program, standalone_mode=False)
    except (click.ClickException, SluicegateError) as error:
        _report(error)
        return 1
    except click.Abort:
        return 130
    return code if isinstance(code, int) else 0


def _context(script: str, settings: Settings | None) -> dict[str, Any]:
    return {"help_option_names": ["-h", "--help"], "obj": settings or Settings(), "max_content_width": 100}


def _report(error: Exception) -> None:
    if isinstance(error, WrongUsage) and error.ctx:
        click.echo(error.ctx.get_help(), err=True)
        return
    click.echo(f"Error: {error_line(error)}", err=True)
    hint = getattr(error, "hint", "")
    if hint and sys.stderr.isatty():
        click.echo(hint, err=True)


def main() -> int:
    """Run the command line this process was started with."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
    try:
        return run(sys.argv[1:], script=os.path.basename(sys.argv[0]))
    except BrokenPipeError:
        # Whoever read our output has gone, so what is still buffered must not be tried again on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
