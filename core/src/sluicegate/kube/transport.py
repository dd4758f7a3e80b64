"""One HTTP exchange with the Kubernetes API over the package's transport: authenticated, bounded, retried, raw.

Reads are retried when the server fails or the connection breaks; writes are not, for whoever decided on the write must
look again first. What the server refused for being busy (429) it has not done, so that is retried always.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient
from kubernetes.aio.config.config_exception import ConfigException

from sluicegate._version import __version__
from sluicegate.errors import ApiError, ConfigError, ConnectError, ServerError, TooManyRequests
from sluicegate.kube.backoff import Backoff
from sluicegate.kube.failures import answer_error, connect_errors, connection_lost, one_line

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from sluicegate.kube.access import Access

# Requests in flight at a time. A bound, not a rate: a quick server is used at its own speed, a slow one not flooded.
CONCURRENCY: Final = 32
ATTEMPTS: Final = 6
FIRST_RETRY: Final = 0.1
LAST_RETRY: Final = 2.0
LONGEST_RETRY_AFTER: Final = 60.0
CONNECT_SECONDS: Final = 10.0
REQUEST_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to send.

    `silence` is for how many seconds nothing may come of a body that is read as it comes. One that is not `patient`
    takes a 429 for an answer.
    """

    method: str
    path: str
    query: Mapping[str, str] | None = None
    body: dict[str, Any] | list[Any] | None = None
    content_type: str = "application/json"
    silence: float | None = None
    patient: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def url(self, address: str) -> str:
        """The whole URL at that server."""
        return f"{address}{self.path}" + (f"?{urlencode(self.query)}" if self.query else "")

    def time_limits(self) -> aiohttp.ClientTimeout:
        """Of the whole exchange, or for a stream of each wait in it."""
        total = REQUEST_SECONDS if self.silence is None else None
        return aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_SECONDS, sock_read=self.silence)


class Transport:
    """Requests to one server with one identity, from one event loop."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._api = _open(access)
        self._certificate = _certificate(access)
        self._slots = asyncio.Semaphore(CONCURRENCY)

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()

    async def send(self, request: Request) -> bytes:
        """The body of the answer.

        Raises the ApiError of the status, ConnectError without an answer, ConfigError without credentials.
        """
        backoff = Backoff(first=FIRST_RETRY, cap=LAST_RETRY)
        for _ in range(ATTEMPTS - 1):
            try:
                return await self._attempt(request)
            except (ApiError, ConnectError) as error:
                delay = _retry_delay(request, error, backoff)
                if delay is None:
                    raise
            await asyncio.sleep(delay)
        return await self._attempt(request)

    async def lines(self, request: Request) -> AsyncGenerator[bytes]:
        """The lines of the answer as they come, of any length; not retried, and not counted as a request in flight.

        Raises as `send` does, also while it is read.
        """
        async with self._exchange(request) as response:
            async for line in _split(response.content):
                yield line

    async def _attempt(self, request: Request) -> bytes:
        async with self._slots, self._exchange(request) as response:
            return await response.read()

    @contextlib.asynccontextmanager
    async def _exchange(self, request: Request) -> AsyncGenerator[aiohttp.ClientResponse]:
        with connect_errors(self._access.address, self._access.source):
            response = await self._answer(request)
            try:
                if response.status >= 400:
                    raise await self._error(request, response)
                yield response
            finally:
                response.close()

    async def _answer(self, request: Request) -> aiohttp.ClientResponse:
        token = await self._authorization()
        response = await self._call(request, token)
        if response.status == 401 and self._may_renew(token):
            response.close()
            response = await self._call(request, await self._authorization())
        return response

    async def _call(self, request: Request, token: str | None) -> aiohttp.ClientResponse:
        headers = {"Accept": "application/json", "User-Agent": f"sluicegate/{__version__}"}
        headers["Content-Type"] = request.content_type
        if token:
            headers["Authorization"] = token
        answer = await self._api.call_api(
            request.method,
            request.url(self._access.address),
            header_params=headers,
            body=request.body,
            _request_timeout=request.time_limits(),
        )
        response: aiohttp.ClientResponse = answer.response
        return response

    async def _authorization(self) -> str | None:
        try:
            token: str | None = await self._access.configuration.get_api_key_with_prefix("BearerToken")
            self._load_certificate()
        except (ConfigException, OSError) as error:
            raise ConfigError(f"credentials of {self._access.source}: {one_line(error)}") from error
        return token

    def _load_certificate(self) -> None:
        if self._certificate != _certificate(self._access):
            self._certificate = _certificate(self._access)
            self._api.rest_client.ssl_context.load_cert_chain(*self._certificate)

    def _may_renew(self, token: str | None) -> bool:
        """Whether other credentials than those refused may be had; a request sent meanwhile may have fetched them."""
        if self._access.credentials is None:
            return False
        if self._access.configuration.api_key.get("BearerToken") == token:
            self._access.credentials.invalidate()
        return True

    async def _error(self, request: Request, response: aiohttp.ClientResponse) -> ApiError:
        error = answer_error(str(request), response.status, response.headers, await response.read())
        if response.status == 401:
            error.args = (f"{self._access.address} refused the credentials of {self._access.source}: {error.message}",)
        return error


def _retry_delay(request: Request, error: ApiError | ConnectError, backoff: Backoff) -> float | None:
    """Seconds after which to try again, None for not at all."""
    read = request.method == "GET"
    if not request.patient:
        return None
    if isinstance(error, TooManyRequests) or (read and isinstance(error, ServerError)):
        delay = backoff.next() if error.retry_after is None else error.retry_after
        return delay if delay <= LONGEST_RETRY_AFTER else None
    if read and isinstance(error, ConnectError) and connection_lost(error):
        return backoff.next()
    return None


def _open(access: Access) -> Any:
    # No limit on connections, since watches hold theirs; no cookies; and no ~/.netrc, which would be read for each
    # request and refuse those that carry a token.
    access.configuration.connection_pool_maxsize = 0
    access.configuration.client_session_kwargs = {"trust_env": False, "cookie_jar": aiohttp.DummyCookieJar()}
    try:
        return ApiClient(access.configuration)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(f"certificates of {access.source}: {one_line(error)}") from error


def _certificate(access: Access) -> tuple[str | None, str | None]:
    return access.configuration.cert_file, access.configuration.key_file


async def _split(content: aiohttp.StreamReader) -> AsyncGenerator[bytes]:
    """The lines of a stream; what follows the last line end was cut off, and comes again."""
    held: list[bytes] = []
    async for chunk in content.iter_any():
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            line = b"".join((*held, end))
            held.clear()
            if line.strip():
                yield line
        held.append(rest)
