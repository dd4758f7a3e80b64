"""A Kubernetes API on loopback that plays a script, a client connected to it, and an event loop in virtual time.

Real HTTP on both sides; only the server's part is written down beforehand. In virtual time a timer is due as soon as
nothing else is to be done, so delays of minutes are tested to the second and take none.
"""

from __future__ import annotations

import asyncio
import json
import selectors
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from aiohttp import web

from sluicegate.kube.client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Longer than loopback takes to hand over what was written, in real seconds.
GRACE = 0.002


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still while there is work, and jumps to the next timer when there is none."""

    def __init__(self) -> None:
        super().__init__(_JumpingSelector(self))
        self._now = 0.0

    def time(self) -> float:
        return self._now

    def jump(self, seconds: float) -> None:
        self._now += seconds


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        events = super().select(GRACE)
        if not events:
            self._loop.jump(timeout)
        return events


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "real": asyncio.new_event_loop,
    "virtual": VirtualTimeLoop,
}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    marker = item.get_closest_marker("asyncio")
    names = marker.kwargs.get("loop_factories", ["real"]) if marker else ["real"]
    return {name: LOOPS[name] for name in names}


@dataclass(frozen=True, slots=True)
class Received:
    """A request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    at: float


class ScriptedApi:
    """Answers each request with the next answer of its script, and remembers what was asked."""

    def __init__(self) -> None:
        self.address = ""
        self.requests: list[Received] = []
        self._script: deque[Answer] = deque()
        self._over = asyncio.Event()

    def will(self, *answers: Answer) -> None:
        """Add answers to the end of the script."""
        self._script.extend(answers)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        self.requests.append(
            Received(
                request.method,
                request.path,
                dict(request.query),
                dict(request.headers),
                json.loads(text) if text else None,
                asyncio.get_running_loop().time(),
            )
        )
        if not self._script:
            return web.json_response({"kind": "Status", "code": 418, "message": "not in the script"}, status=418)
        return await self._script.popleft()(request)

    @staticmethod
    def says(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        async def answer(_: web.Request) -> web.StreamResponse:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            return web.Response(body=data, status=status, headers=headers, content_type="application/json")

        return answer

    @classmethod
    def fails(cls, code: int, reason: str = "", message: str = "", retry_after: int | None = None) -> Answer:
        status = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return cls.says(status, status=code, headers=headers)

    @classmethod
    def page(cls, *objects: Any, version: str, then: str = "") -> Answer:
        metadata = {"resourceVersion": version, **({"continue": then} if then else {})}
        return cls.says({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": list(objects)})

    def watch(self, *lines: Any, cut: bytes = b"", end: str = "open") -> Answer:
        """Events line by line, and a line `cut` off; then the stream stays `open`, ends `clean`, or is a `drop`."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            await response.prepare(request)
            for line in lines:
                await response.write((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n")
            await response.write(cut)
            if end == "drop":
                assert request.transport is not None
                request.transport.close()
            elif end == "open":
                await self._over.wait()
            return response

        return answer

    async def hangs(self, _: web.Request) -> web.StreamResponse:
        """Answer nothing for as long as the test runs."""
        await self._over.wait()
        return web.Response()

    def end(self) -> None:
        """Let go of every request that is still open."""
        self._over.set()

    @staticmethod
    async def drops(request: web.Request) -> web.StreamResponse:
        """Close the connection without an answer."""
        assert request.transport is not None
        request.transport.close()
        return web.Response()


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    scripted = ScriptedApi()
    application = web.Application(client_max_size=2**24)
    application.router.add_route("*", "/{path:.*}", scripted.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    scripted.address = f"http://{host}:{port}"
    yield scripted
    scripted.end()
    await runner.cleanup()


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Callable[..., Path]:
    """Write a kubeconfig with one context, `main`, for a server and a user."""

    def write(server: str, *, user: Any = None, name: str = "kubeconfig", **cluster: Any) -> Path:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "main",
            "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
            "users": [{"name": "dev", "user": user or {}}],
            "contexts": [{"name": "main", "context": {"cluster": "c", "user": "dev", "namespace": "shop"}}],
        }
        path = tmp_path / name
        path.write_text(yaml.safe_dump(config))
        return path

    return write


@pytest.fixture
async def client(api: ScriptedApi, kubeconfig: Callable[..., Path]) -> AsyncIterator[Client]:
    async with await Client.connect(kubeconfig=kubeconfig(api.address)) as connected:
        yield connected
