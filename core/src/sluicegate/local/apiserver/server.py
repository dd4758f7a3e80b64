"""The server: a loopback port, who may speak to it, and the tasks that live as long as it does."""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

from sluicegate.api.resources import CRDS
from sluicegate.errors import ApiError, ConfigError, ConnectError, Forbidden, ServerError, SluicegateError
from sluicegate.local import failures
from sluicegate.local.admission import Admissions
from sluicegate.local.apiserver import crds, namespaces
from sluicegate.local.apiserver.garbage import GarbageCollector
from sluicegate.local.apiserver.handler import Handler, error_response
from sluicegate.local.apiserver.resources import Registry

if TYPE_CHECKING:
    from aiohttp import StreamReader
    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.http_parser import RawRequestMessage

    from sluicegate.local.store import ObjectStore

Faults = Callable[[web.BaseRequest], SluicegateError | None]
_log = logging.getLogger(__name__)
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
_HOST = re.compile(r"(?P<name>\[[0-9a-f:]+\]|[^:/@\[\]]+)(:[0-9]+)?")
_LARGEST_BODY = 8 * 2**20
_SHUTDOWN_SECONDS = 0.5


class ApiServer:
    """Serves one store on a loopback port; port 0 takes any free one, `port` says which once started.

    `faults`, if set, is asked before each request: an ApiError it returns is answered, a ConnectError drops the
    connection, None lets the request through. It is how tests make the API fail at the wire.
    """

    def __init__(
        self,
        store: ObjectStore,
        registry: Registry | None = None,
        *,
        admissions: Admissions | None = None,
        host: str = "127.0.0.1",
        port: int = 6445,
    ) -> None:
        self.port = port
        self.faults: Faults | None = None
        self._host = host
        self._store = store
        self._registry = registry or Registry()
        self._admissions = admissions or Admissions()
        self._admissions.register(CRDS.group, CRDS.plural, crds.complete)
        self._admissions.register("", "namespaces", namespaces.complete)
        self._handler = Handler(store, self._registry, self._admissions)
        self._runner: web.ServerRunner | None = None
        self._collector: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """The server's URL."""
        return f"http://{self._host}:{self.port}"

    async def start(self) -> None:
        """Open the port. Raises ConfigError if it is in use."""
        namespaces.ensure_initial(self._store)
        crds.follow(self._store, self._registry)
        server = web.Server(self._answer, request_factory=_request, handler_cancellation=True)
        self._runner = web.ServerRunner(server, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            why = os.strerror(error.errno or 0).lower()
            message = f"port {self.port} of {self._host} cannot be opened: {why}; choose another one with --port"
            raise ConfigError(message) from error
        self.port = self._runner.addresses[0][1]
        self._collector = asyncio.create_task(GarbageCollector(self._store).run(), name="garbage collector")
        self._collector.add_done_callback(_report)

    async def stop(self) -> None:
        """End all watches in order and close the port."""
        for watch in list(self._handler.watches):
            watch.close()
        if self._collector:
            self._collector.cancel()
            with suppress(asyncio.CancelledError):
                await self._collector
        if self._runner:
            await self._runner.cleanup()

    def drop_watches(self) -> None:
        """Break the connection of every open watch, without an end of stream, as a lost network does."""
        for request in self._handler.watches.values():
            _drop(request)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            _check_origin(request)
            fault = self.faults(request) if self.faults else None
            if isinstance(fault, ConnectError):
                return _drop(request)
            if fault:
                raise fault
            return await self._handler.answer(request)
        except ApiError as error:
            return error_response(error)
        except ConnectionResetError:
            # The client has gone in the middle of its answer.
            return _drop(request)
        except RecursionError:
            return error_response(failures.bad_request("the body of the request is nested too deeply"))
        except Exception:
            _log.exception("%s %s failed", request.method, request.rel_url)
            return error_response(ServerError("Internal error occurred", status=500, reason="InternalError"))


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception():
        _log.critical("the %s has ended", task.get_name(), exc_info=task.exception())


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: web.RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_LARGEST_BODY)


def _drop(request: web.BaseRequest) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()


def _check_origin(request: web.BaseRequest) -> None:
    """Refuse what a browser sends for a web page: there is no authentication, only the loopback address."""
    host = _HOST.fullmatch(request.headers.get("Host", "").lower())
    if host is None or host["name"] not in _LOOPBACK_NAMES or "Origin" in request.headers:
        raise Forbidden("the embedded cluster answers local programs only", status=403, reason="Forbidden")
