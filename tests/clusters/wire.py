"""The wire between the controller under test and the API: counts what goes over it, and can fail as a network does.

It forwards every request as it is, to whichever cluster there is. A fault hits the controller alone; the test itself
reaches the API directly.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL

WRITING = ("POST", "PUT", "PATCH", "DELETE")
_HOP_BY_HOP = ("connection", "content-length", "host", "keep-alive", "transfer-encoding", "accept-encoding")
_LARGEST_BODY = 8 * 2**20


@dataclass(frozen=True)
class Sent:
    """A request of the controller."""

    method: str
    path: str
    watches: bool

    @property
    def writes(self) -> bool:
        """Whether it changes something; Events do not count."""
        return self.method in WRITING and not self.path.endswith("/events")

    @property
    def creates(self) -> bool:
        """Whether it creates a ReplicaSet."""
        return self.method == "POST" and self.path.endswith("/replicasets")


@dataclass(frozen=True)
class Refusal:
    """The API answers with a failure, and does not do what it was asked."""

    code: int
    reason: str
    retry_after: int | None = None

    def answer(self) -> web.Response:
        """The failure as an API server words it."""
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": self.code, "reason": self.reason}
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        text = json.dumps({**status, "message": f"a fault of the test: {self.reason}"})
        return web.Response(status=self.code, text=text, content_type="application/json", headers=headers)


class Loss(Enum):
    """The connection breaks: before the request has arrived, or after it was carried out and before the answer came."""

    OF_THE_REQUEST = auto()
    OF_THE_ANSWER = auto()


Fault = Refusal | Loss


@dataclass
class Wire:
    """A reverse proxy on loopback in front of `upstream`.

    Attributes: `sent` (all requests in order), `answered` (those whose answer has gone back, in that order), `faults`
    (for each request the first that fits is used up).
    """

    upstream: str
    address: str = ""
    sent: list[Sent] = field(default_factory=list)
    answered: list[Sent] = field(default_factory=list)
    faults: list[tuple[Callable[[Sent], bool], Fault]] = field(default_factory=list)
    _watching: list[web.Request] = field(default_factory=list)
    _passed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def fail(self, fits: Callable[[Sent], bool], *faults: Fault) -> None:
        """Let the next requests of that kind meet these faults, one each."""
        self.faults.extend((fits, fault) for fault in faults)

    def drop_watches(self) -> None:
        """Break the connection of every watch that is open."""
        for request in list(self._watching):
            _break(request)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return as soon as the condition on `sent` and `answered` holds."""
        async with self._passed:
            await self._passed.wait_for(condition)

    async def count_within(self, seconds: float) -> int:
        """How many requests come in so many seconds."""
        count = len(self.sent)
        await asyncio.sleep(seconds)
        return len(self.sent) - count

    def write_kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig that leads over this wire."""
        config = {
            "clusters": [{"name": "wire", "cluster": {"server": self.address}}],
            "users": [{"name": "anyone", "user": {}}],
            "contexts": [{"name": "wire", "context": {"cluster": "wire", "user": "anyone"}}],
            "current-context": "wire",
        }
        path.write_text(json.dumps(config))
        return path

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Wire"]:
        """Listen on a free port while the body runs."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", self._pass)
        runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
        # The upstream's own encoding goes through untouched.
        async with aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None)) as session:
            self._session = session
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.address = "http://{}:{}".format(*runner.addresses[0])
            try:
                yield self
            finally:
                await runner.cleanup()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        sent = Sent(request.method, request.path, "watch" in request.query)
        await self._note(self.sent, sent)
        fault = self._next_fault(sent)
        if isinstance(fault, Refusal):
            return fault.answer()
        if fault is Loss.OF_THE_REQUEST:
            return _break(request)
        return await self._forward(request, sent, lost=fault is Loss.OF_THE_ANSWER)

    async def _note(self, where: list[Sent], sent: Sent) -> None:
        async with self._passed:
            where.append(sent)
            self._passed.notify_all()

    def _next_fault(self, sent: Sent) -> Fault | None:
        for index, (fits, fault) in enumerate(self.faults):
            if fits(sent):
                del self.faults[index]
                return fault
        return None

    async def _forward(self, request: web.Request, sent: Sent, *, lost: bool) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        url = URL(f"{self.upstream}{request.raw_path}", encoded=True)
        body = await request.read()
        async with self._session.request(request.method, url, headers=headers, data=body) as answer:
            if lost:
                await answer.read()
                return _break(request)
            return await self._hand_back(request, answer, sent)

    async def _hand_back(self, request: web.Request, answer: aiohttp.ClientResponse, sent: Sent) -> web.StreamResponse:
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
        response = web.StreamResponse(status=answer.status, headers=kept)
        if sent.watches:
            self._watching.append(request)
        try:
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            await self._note(self.answered, sent)
        except (aiohttp.ClientConnectionError, ConnectionResetError):
            return response
        finally:
            if sent.watches:
                self._watching.remove(request)
        return response


def _break(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()
