"""Failures as our own errors: answers of the API by their status, and everything that kept an answer from coming.

The one place that knows the transport's exceptions. A message is one line, and names the server and where its address
is from.
"""

from __future__ import annotations

import contextlib
import os
import ssl
from typing import TYPE_CHECKING, Final

import aiohttp
import msgspec

from sluicegate.errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Conflict,
    ConnectError,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    ServerError,
    TooManyRequests,
    Unauthorized,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST_EXCERPT: Final = 200

BY_STATUS: Final[dict[int, type[ApiError]]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    422: Invalid,
    429: TooManyRequests,
}


def one_line(text: object) -> str:
    """The text with all white space runs made single blanks, cut to what fits a line of a log."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST_EXCERPT else line[:LONGEST_EXCERPT] + "…"


class _Details(msgspec.Struct):
    causes: list[dict[str, str]] | None = None


class Status(msgspec.Struct):
    """The object by which the API says what went wrong."""

    kind: str
    code: int | None = None
    reason: str | None = None
    message: str | None = None
    details: _Details | None = None


def answer_error(request: str, code: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    """The error for an answer of 400 and above; `request` (method and path) serves where the answer says nothing."""
    status = _status(body) or Status("", message=f"{request}: status {code}: {one_line(body.decode(errors='replace'))}")
    status.code = code
    return status_error(status, retry_after=_seconds(headers.get("Retry-After")))


def status_error(status: Status, *, retry_after: float | None = None) -> ApiError:
    """The error that a Status stands for, be it an answer's body or the object of a watch's ERROR event."""
    code = status.code or 500
    reason = status.reason or ""
    causes = status.details.causes if status.details else None
    return _kind(code, reason)(
        status.message or reason or f"status {code}",
        status=code,
        reason=reason,
        retry_after=retry_after,
        causes=tuple(causes or ()),
    )


@contextlib.contextmanager
def connect_errors(address: str, source: str) -> Iterator[None]:
    """Turn what the transport raises within into ConnectError, and say which server and whose address it was."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        message = f"{_trouble(error)} {address} (from {source}): {one_line(_cause(error))}"
        raise ConnectError(message, address=address, source=source) from error


def connection_lost(error: ConnectError) -> bool:
    """Whether a connection broke that had stood, as against one that could not be made or gave no answer in time."""
    cause = error.__cause__
    lost = (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, aiohttp.ClientOSError, ConnectionError)
    return isinstance(cause, lost) and not isinstance(cause, aiohttp.ClientConnectorError)


def _kind(code: int, reason: str) -> type[ApiError]:
    if code == 409 and reason == "AlreadyExists":
        return AlreadyExists
    return BY_STATUS.get(code, ServerError if code >= 500 else ApiError)


def _status(body: bytes) -> Status | None:
    try:
        status = msgspec.json.decode(body, type=Status)
    except msgspec.DecodeError:
        return None
    return status if status.kind == "Status" else None


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after is not None and retry_after.strip().isdigit() else None


def _trouble(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "the certificate is not trusted of"
    if isinstance(error, aiohttp.ClientSSLError):
        return "no secure connection to"
    if isinstance(error, aiohttp.ClientConnectorError | TimeoutError):
        return "no connection to"
    return "lost the connection to"


def _cause(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = error.certificate_error
        return reason.verify_message if isinstance(reason, ssl.SSLCertVerificationError) else str(reason)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        known = number is not None and number > 0 and not isinstance(error.os_error, ssl.SSLError)
        return os.strerror(number) if known and number else str(error.os_error.strerror or error.os_error)
    return str(error) or type(error).__name__
