"""The data plane: one process with the servers of all pods and all node ports; `python -m` with a socket's number.

Pods and proxies share it for two reasons: requests do not compete with the API server for an event loop, and a pod's
listener is closed by the very process that has just taken the pod out of the proxies, so no new connection can meet a
closed port. The process ends as soon as its parent does, however that ended.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Final

from sluicegate.local.workloads.messages import (
    Command,
    Failed,
    Listening,
    RunPod,
    Serve,
    Served,
    Stopped,
    StopPod,
    Unserve,
    decode_command,
    encode_line,
)
from sluicegate.local.workloads.podserver import PodServer
from sluicegate.local.workloads.proxy import ServiceProxy

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from sluicegate.local.workloads.messages import Report

PR_SET_PDEATHSIG: Final = 1


class DataPlane:
    """Carries out commands and writes reports about them."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._pods: dict[str, PodServer] = {}
        self._proxy = ServiceProxy()
        self._tasks: set[asyncio.Task[None]] = set()

    async def carry_out(self, command: Command) -> None:
        """Start on one command; pods start and stop side by side, node ports change in the order of the commands."""
        match command:
            case RunPod():
                self._spawn(self._run(command))
            case StopPod():
                self._spawn(self._stop(command))
            case Serve():
                await self._serve(command)
            case Unserve():
                self._proxy.unserve(command.port)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _report(self, report: Report) -> None:
        self._writer.write(encode_line(report) + b"\n")

    async def _run(self, pod: RunPod) -> None:
        server = self._pods[pod.uid] = PodServer(pod, self._report)
        try:
            await server.start()
        except OSError as error:
            self._report(Failed(pod.uid, f"cannot listen on {pod.address}: {error.strerror}"))
            return
        self._report(Listening(pod.uid, server.ports))
        server.watch_readiness()

    async def _stop(self, command: StopPod) -> None:
        if server := self._pods.pop(command.uid, None):
            await server.stop(command.linger, self._proxy.leave)
        self._report(Stopped(command.uid))

    async def _serve(self, command: Serve) -> None:
        try:
            await self._proxy.serve(command.port, command.backends)
        except OSError as error:
            self._proxy.unserve(command.port)
            self._report(Served(command.port, os.strerror(error.errno or 0)))
        else:
            self._report(Served(command.port))


async def run(channel: socket.socket) -> None:
    """Carry out what comes over the channel until its other end is closed."""
    reader, writer = await asyncio.open_connection(sock=channel, limit=2**20)
    plane = DataPlane(writer)
    while line := await reader.readline():
        await plane.carry_out(decode_command(line))


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent dies; elsewhere than on Linux the closed channel does it."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Serve until the parent closes the channel, then end at once: nothing here has to be saved."""
    end_with_parent()
    asyncio.run(_serve_then_exit(socket.socket(fileno=int(sys.argv[1]))))


async def _serve_then_exit(channel: socket.socket) -> None:
    try:
        await run(channel)
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
