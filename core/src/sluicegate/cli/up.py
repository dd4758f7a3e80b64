"""`up`: the embedded cluster with the controller in it, in this terminal or in the background."""

from __future__ import annotations

import asyncio
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import click

from sluicegate.cli.command import Command
from sluicegate.cli.embedded import chosen_port, mark_ready, other_script, paste_lines, record_path, running_cluster
from sluicegate.cli.failure import CommandError
from sluicegate.cli.run_record import RecordHeld, RunRecord, held, is_held, read_record

START_SECONDS = 30.0
POLL_SECONDS = 0.05


@click.command("up", cls=Command, example=["up", "up --detach --data-dir ./cluster"])
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Folder that keeps all state.")
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="Port of the API server, 6445 if not given.")
@click.option("--detach", is_flag=True, help="Run in the background; `down` ends it.")
@click.option(
    "--plugin-dir", type=click.Path(file_okay=False, exists=True, path_type=Path), help="Folder of .py plugins."
)
def command(data_dir: Path | None, port: int | None, detach: bool, plugin_dir: Path | None) -> None:
    """Start a cluster on this machine, with the controller in it, and say how to use it.

    It listens on 127.0.0.1 only, is gone with Ctrl-C, and forgets everything unless it has a data folder.
    """
    folder = data_dir.absolute() if data_dir else None
    chosen = chosen_port(folder, port)
    if detach:
        _report(start_detached(folder, chosen, plugin_dir), ends_with=_down_words(folder, chosen))
        return
    try:
        with held(record_path(folder, chosen)):
            asyncio.run(_serve(folder, chosen, plugin_dir))
    except RecordHeld:
        raise _already_up(folder, chosen) from None


def _down_words(data_dir: Path | None, port: int) -> str:
    """The command that ends the cluster of this folder or port."""
    from sluicegate.local.kubeconfig import DEFAULT_PORT

    if data_dir:
        return f"`sluicegate down --data-dir {shlex.quote(str(data_dir))}`"
    return "`sluicegate down`" if port == DEFAULT_PORT else f"`sluicegate down --port {port}`"


async def _serve(data_dir: Path | None, port: int, plugin_dir: Path | None) -> None:
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with running_cluster(data_dir, port, plugin_dir) as cluster:
        _report(mark_ready(data_dir, cluster, port), ends_with="Ctrl-C")
        await stopped.wait()


def _report(record: RunRecord, *, ends_with: str) -> None:
    click.echo(f"The cluster is up on http://127.0.0.1:{record.port}, {ends_with} ends it. To use it in a shell:\n")
    for line in paste_lines(record.kubeconfig):
        click.echo(line)
    if other := other_script():
        click.echo(f"\nWarning: without the second line `kubectl argo rollouts` is {other}", err=True)


def _already_up(data_dir: Path | None, port: int) -> CommandError:
    record = read_record(record_path(data_dir, port))
    where = f"with the data folder {data_dir}" if data_dir else f"on port {port}"
    who = f" (pid {record.pid})" if record else ""
    return CommandError(f"a cluster {where} is up already{who}", hint=f"End it with {_down_words(data_dir, port)}.")


def start_detached(data_dir: Path | None, port: int, plugin_dir: Path | None) -> RunRecord:
    """Start the cluster in a process of its own; returns when it is ready. Raises CommandError."""
    path = record_path(data_dir, port)
    if is_held(path):
        raise _already_up(data_dir, port)
    words = [sys.executable, "-m", "sluicegate", "up", "--port", str(port)]
    words += ["--data-dir", str(data_dir)] if data_dir else []
    words += ["--plugin-dir", str(plugin_dir.absolute())] if plugin_dir else []
    log = path.with_suffix(".log")
    with log.open("wb") as output:
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
    try:
        return _wait_ready(child, path, log)
    except KeyboardInterrupt:
        child.terminate()
        raise


def _wait_ready(child: subprocess.Popen[bytes], path: Path, log: Path) -> RunRecord:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and child.poll() is None:
        record = read_record(path)
        if record is not None and record.ready and record.pid == child.pid:
            return record
        time.sleep(POLL_SECONDS)
    if child.poll() is None:
        child.terminate()
        raise CommandError(f"the cluster was not ready after {START_SECONDS:g} s; its log is {log}")
    said = log.read_text(errors="replace").strip().splitlines()
    raise CommandError(said[-1].removeprefix("Error: ") if said else f"the cluster ended at once; its log is {log}")
