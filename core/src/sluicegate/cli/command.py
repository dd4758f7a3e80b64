"""The click classes of every verb: cobra's habits where click has others.

Global flags are taken before and after the verb, flags take `=true` and `=false`, groups have aliases, and a wrong
number of words is answered with the usage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from sluicegate.cli.failure import InvalidFlag, WrongUsage
from sluicegate.cli.settings import LOG_LEVELS, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

_SWITCH: Final = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}

# Long enough for the first sentence of any help.
_LONG: Final = 200


class GlobalOption(click.Option):
    """A flag of every verb; its value goes to the `Settings` of the invocation."""

    def __init__(self, *names: str, **attributes: Any) -> None:
        super().__init__(names, expose_value=False, callback=_remember, **attributes)


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    settings = ctx.find_object(Settings)
    if value is None or settings is None or param.name is None:
        return
    if param.name == "loglevel" and value.lower() not in LOG_LEVELS:
        raise InvalidFlag(value, param, f"not a log level; there are {', '.join(LOG_LEVELS)}")
    setattr(settings, param.name, value)


_GLOBAL: Final = (
    GlobalOption("--kubeconfig", metavar="FILE", help="Kubeconfig to use instead of $KUBECONFIG or ~/.kube/config."),
    GlobalOption("--context", metavar="NAME", help="Context of the kubeconfig to use."),
    GlobalOption("-n", "--namespace", metavar="NAME", help="Namespace; that of the context if not given."),
    GlobalOption("--loglevel", metavar="LEVEL", help="Least important log lines to show: debug, info, warn, error."),
    GlobalOption(
        "-v",
        "--kloglevel",
        type=int,
        metavar="N",
        help="From 6 on, show what the Kubernetes client logs for debugging.",
    ),
)


class Command(click.Command):
    """One verb. `example` holds words that can stand after the program's name, shown by `--help`."""

    def __init__(self, *args: Any, example: Sequence[str] = (), aliases: Sequence[str] = (), **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.example = tuple(example)
        self.aliases = tuple(aliases)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *_GLOBAL]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _rewritten(ctx, self.get_params(ctx), args))

    def invoke(self, ctx: click.Context) -> Any:
        # Not before a verb runs: `--help` shall stay quick.
        from sluicegate.cli.logs import configure_logs

        configure_logs(ctx.ensure_object(Settings))
        return super().invoke(ctx)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        program = ctx.find_root().info_name
        if self.example:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {program} {words}\n" for words in self.example))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [param for param in super().get_params(ctx) if isinstance(param, click.Option)]
        own = [record for option in options if (record := option.get_help_record(ctx))]
        everywhere = [record for option in _GLOBAL if (record := option.get_help_record(ctx))]
        for title, records in (("Options", own), ("Global options", everywhere)):
            with formatter.section(title):
                formatter.write_dl(records)


class Group(Command, click.Group):
    """A verb that goes together with a noun, such as `get rollout`, and with a callback of its own also without."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        attributes.setdefault("callback", _needs_command)
        super().__init__(*args, invoke_without_command=True, **attributes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or self._by_alias(cmd_name)

    def _by_alias(self, alias: str) -> click.Command | None:
        candidates = (one for one in self.commands.values() if isinstance(one, Command) and alias in one.aliases)
        return next(candidates, None)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        command = self.get_command(ctx, args[0])
        if command is None:
            raise self.unknown(ctx, args[0])
        return command.name, command, args[1:]

    def unknown(self, ctx: click.Context, word: str) -> click.UsageError:
        """The error for a word that is none of the group's commands."""
        return WrongUsage(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        named = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(limit=_LONG)) for name, command in named])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        Command.format_options(self, ctx, formatter)


@click.pass_context
def _needs_command(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        raise WrongUsage(ctx)


def _rewritten(ctx: click.Context, params: Sequence[click.Parameter], args: Sequence[str]) -> list[str]:
    """`args` with `--flag=false` and `-n=value` as click understands them."""
    options = {name: param for param in params if isinstance(param, click.Option) for name in param.opts}
    end = args.index("--") if "--" in args else len(args)
    rewritten: list[str] = []
    for word in args[:end]:
        name, equals, value = word.partition("=")
        option = options.get(name) if equals else None
        rewritten += _assignment(ctx, option, name, value) if option else [word]
    return [*rewritten, *args[end:]]


def _assignment(ctx: click.Context, option: click.Option, name: str, value: str) -> list[str]:
    if not option.is_flag:
        return [name, value]
    if value not in _SWITCH:
        raise InvalidFlag(value, option, "not true or false")
    if _SWITCH[value]:
        return [name]
    ctx.default_map = {**(ctx.default_map or {}), str(option.name): False}
    return []
