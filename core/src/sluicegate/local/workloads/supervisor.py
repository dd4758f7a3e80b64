"""The cluster's end of the data plane: starts the process, sends commands, hands out reports, starts it again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
from typing import TYPE_CHECKING, Final

from sluicegate.local.workloads.messages import decode_report, encode_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from sluicegate.local.workloads.messages import Command, Report

logger = logging.getLogger(__name__)
MODULE: Final = "sluicegate.local.workloads.dataplane"
STOP_SECONDS: Final = 1.0
RESTART_SECONDS: Final = 1.0


class Supervisor:
    """Keeps one data plane running.

    `on_report` gets each report; `on_start` is called after each start, when nothing runs in the process yet.
    """

    def __init__(self, on_report: Callable[[Report], None], on_start: Callable[[], None]) -> None:
        self._on_report = on_report
        self._on_start = on_start
        self._writer: asyncio.StreamWriter | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the data plane, None when none runs."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the process; afterwards commands can be sent."""
        reader = await self._launch()
        self._watching = asyncio.create_task(self._watch(reader))

    def send(self, command: Command) -> None:
        """Send a command; lost if the process has died, for then `on_start` makes everybody send anew."""
        if self._writer is not None:
            self._writer.write(encode_line(command) + b"\n")

    async def stop(self) -> None:
        """End the process and all it runs, within about a second."""
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._writer:
            self._writer.close()
        if self._process:
            await _end(self._process)
        self._writer = self._process = None

    async def _launch(self) -> asyncio.StreamReader:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", MODULE, str(theirs.fileno())),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=2**20)
        self._on_start()
        return reader

    async def _watch(self, reader: asyncio.StreamReader) -> None:
        while True:
            await self._read(reader)
            logger.warning("the data plane (process %s) has ended; starting it again", self.pid)
            if self._writer:
                self._writer.close()
            await asyncio.sleep(RESTART_SECONDS)
            reader = await self._launch()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                self._hand_out(decode_report(line))

    def _hand_out(self, report: Report) -> None:
        try:
            self._on_report(report)
        except Exception:
            # Such as a full disk: without its reader the data plane would run on, and nobody would know how.
            logger.exception("cannot take over the report %s", report)


async def _end(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
