"""A running pod: the HTTP servers of its containers, their readiness, and an end that no request notices."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp import web

from sluicegate.local.images.catalogue import DemoImage, find_image
from sluicegate.local.images.demo import demo_application
from sluicegate.local.workloads.messages import Readiness

if TYPE_CHECKING:
    from collections.abc import Callable

    from sluicegate.local.workloads.messages import Address, Container, Probe, Report, RunPod

DEFAULT_PORT: Final = 8080
BACKLOG: Final = 1024
SETTLE_SECONDS: Final = 0.05


class PodServer:
    """The servers of one pod; `report` is told when the readiness of a container changes."""

    def __init__(self, pod: RunPod, report: Callable[[Report], None]) -> None:
        self.ports: dict[int, int] = {}
        self._pod = pod
        self._report = report
        self._draining = asyncio.Event()
        self._runners: list[web.AppRunner] = []
        self._probes: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Accept connections on every declared port; raises OSError if the address itself cannot be used."""
        for container in self._pod.containers:
            runner = web.AppRunner(self._application(container), access_log=None, shutdown_timeout=self._pod.drain)
            self._runners.append(runner)
            await runner.setup()
            for port in container.ports or (DEFAULT_PORT,):
                listener = _listen(self._pod.address, 0 if self._pod.shared else port)
                self.ports[port] = listener.getsockname()[1]
                await web.SockSite(runner, listener, backlog=BACKLOG).start()

    def watch_readiness(self) -> None:
        """Report each container as ready: at once, or as its probe finds it from now on."""
        for container in self._pod.containers:
            if container.probe is None:
                self._report(Readiness(self._pod.uid, container.name, ready=True))
            else:
                self._probes.append(asyncio.create_task(self._watch(container.name, container.probe)))

    async def stop(self, linger: float, leave: Callable[[Address], None]) -> None:
        """Serve on for `linger` seconds, `leave` the proxies, then close and let open requests end."""
        self._draining.set()
        for probe in self._probes:
            probe.cancel()
        await asyncio.sleep(linger)
        for port in self.ports.values():
            leave((self._pod.address, port))
        # A connection that a proxy has just made may still wait to be accepted: closing now would reset it.
        await asyncio.sleep(SETTLE_SECONDS)
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))

    def _application(self, container: Container) -> web.Application:
        image = find_image(container.image)
        assert isinstance(image, DemoImage)
        return demo_application(image, self._draining)

    async def _watch(self, container: str, probe: Probe) -> None:
        await asyncio.sleep(probe.initial_delay)
        ready, streak = False, 0
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(probe.timeout)) as session:
            while True:
                streak = 0 if await self._attempt(session, probe) is ready else streak + 1
                if streak >= (probe.failure_threshold if ready else probe.success_threshold):
                    ready, streak = not ready, 0
                    self._report(Readiness(self._pod.uid, container, ready))
                await asyncio.sleep(probe.period)

    async def _attempt(self, session: aiohttp.ClientSession, probe: Probe) -> bool:
        url = f"http://{self._pod.address}:{self.ports.get(probe.port, probe.port)}{probe.path}"
        try:
            async with session.get(url, headers=probe.headers) as response:
                return 200 <= response.status < 400
        except (aiohttp.ClientError, OSError):
            return False


def _listen(address: str, port: int) -> socket.socket:
    """A socket on that port, or on a free one when it is taken by another program or only root may have it."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        _bind(listener, address, port)
    except OSError:
        listener.close()
        raise
    return listener


def _bind(listener: socket.socket, address: str, port: int) -> None:
    try:
        listener.bind((address, port))
    except OSError:
        listener.bind((address, 0))
