"""`down`: end an embedded cluster that runs in the background, or in another terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import click

from sluicegate.cli.command import Command
from sluicegate.cli.embedded import chosen_port, record_path
from sluicegate.cli.failure import CommandError
from sluicegate.cli.run_record import is_held, read_record

STOP_SECONDS = 10.0
POLL_SECONDS = 0.05


@click.command("down", cls=Command, example=["down", "down --data-dir ./cluster"])
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="The folder it was started with.")
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="The port it was started with.")
def command(data_dir: Path | None, port: int | None) -> None:
    """End the embedded cluster, with every pod of it. What a data folder holds stays."""
    folder = data_dir.absolute() if data_dir else None
    chosen = chosen_port(folder, port)
    path = record_path(folder, chosen)
    record = read_record(path)
    if record is None or not is_held(path):
        where = f"with the data folder {folder}" if folder else f"on port {chosen}"
        raise CommandError(f"no cluster {where} is up", hint="Name its folder or port with --data-dir or --port.")
    with contextlib.suppress(ProcessLookupError):
        os.kill(record.pid, signal.SIGTERM)
    _wait_gone(path, record.pid)
    click.echo("The cluster is down.")


def _wait_gone(path: Path, pid: int) -> None:
    until = time.monotonic() + STOP_SECONDS
    while is_held(path):
        if time.monotonic() > until:
            raise CommandError(f"the cluster (pid {pid}) did not end within {STOP_SECONDS:g} s")
        time.sleep(POLL_SECONDS)
