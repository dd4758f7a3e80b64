"""One performance of the demo: a cluster, an audience, the story, and what came of it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from rich.console import Console

from sluicegate.cli.demo import report
from sluicegate.cli.demo.audience import Log, Nobody, Screen
from sluicegate.cli.demo.clusters import kept_cluster, own_cluster
from sluicegate.cli.demo.example import load_example
from sluicegate.cli.demo.ledger import Ledger
from sluicegate.cli.demo.scene import Scene
from sluicegate.cli.demo.story import Story
from sluicegate.cli.embedded import paste_lines
from sluicegate.cli.failure import CommandError
from sluicegate.cli.logs import configure_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluicegate.cli.demo.audience import Audience
    from sluicegate.cli.run_record import RunRecord
    from sluicegate.cli.settings import Settings


def perform(settings: Settings, *, as_json: bool, keep: bool) -> None:
    """Play the demo and print what was measured; raises CommandError when anything of it went wrong."""
    # The lines of a controller that does its work would only tear the picture apart.
    settings = replace(settings, loglevel="warn") if settings.loglevel == "info" else settings
    configure_logs(settings)
    console = Console()
    scene = Scene(load_example(), Ledger(), settings.now, settings.now(), colour=not console.no_color)
    with _sigterm_as_ctrl_c():
        way_on = asyncio.run(_play(settings, scene, _audience(scene, console, as_json=as_json), keep=keep))
    _print_results(scene, console, as_json=as_json)
    if keep:
        click.echo("\n" + way_on, err=as_json)
    if wrong := report.problem(scene.ledger, scene.example.new):
        raise CommandError(wrong)


async def _play(settings: Settings, scene: Scene, audience: Audience, *, keep: bool) -> str:
    """Play the story, and say how to go on with a cluster that is kept."""
    async with audience.watching():
        audience.hear("Starting a cluster on this machine")
        async with kept_cluster() if keep else own_cluster() as record:
            here = replace(settings, kubeconfig=record.kubeconfig, context=None, namespace=None)
            async with here.connect() as scope:
                story = Story(scope, scene.example, scene.ledger, audience)
                await story.play()
                return _way_on(record, scene, story.url)


def _audience(scene: Scene, console: Console, *, as_json: bool) -> Audience:
    """A person at a terminal sees the picture, or with JSON on stdout plain lines on stderr; a log gets plain lines."""
    if as_json:
        return Log(scene, err=True) if sys.stderr.isatty() else Nobody()
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        return Screen(scene, console)
    return Log(scene, err=False)


def _print_results(scene: Scene, console: Console, *, as_json: bool) -> None:
    ledger, new = scene.ledger, scene.example.new
    if as_json:
        click.echo(report.as_json(ledger, new))
        return
    console.print()
    console.print(report.table(ledger, new))
    if not report.problem(ledger, new):
        console.print(f"\n{report.success(ledger, new)}", highlight=False)


def _way_on(record: RunRecord, scene: Scene, url: str) -> str:
    example = scene.example
    back = f"{example.container}={example.old.image}"
    return "\n".join(
        [
            f"The cluster stays up on http://127.0.0.1:{record.port}. To go on with it in a shell:",
            "",
            *paste_lines(record.kubeconfig),
            f"kubectl argo rollouts set image rollout {example.name} {back}",
            f"kubectl argo rollouts get rollout {example.name} --watch",
            f"curl {url}",
            "",
            f"To end it: sluicegate down --port {record.port}",
        ]
    )


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end the body in the orderly way of Ctrl-C, which a shell's background jobs are started to ignore."""
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    terminate = signal.signal(signal.SIGTERM, lambda number, frame: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, terminate)
        signal.signal(signal.SIGINT, interrupt)
