"""The few requests that starting a control plane takes; tests use kubectl or a real client."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

Manifest = Mapping[str, Any]

REQUEST_SECONDS = 10


class ApiError(Exception):
    """The API server refused a request."""

    def __init__(self, status: int, answer: str) -> None:
        super().__init__(f"The API server answered {status}: {answer}")
        self.status = status


class Api:
    """The API server, as its admin sees it."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token

    def create(self, path: str, manifest: Manifest) -> None:
        """Create an object in the collection at `path`."""
        _send(self._request(path, data=json.dumps(manifest).encode()))

    def get(self, path: str) -> Any:
        """Return what is at `path`, None when that is nothing yet."""
        try:
            return json.loads(_send(self._request(path)))
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def _request(self, path: str, data: bytes | None = None) -> urllib.request.Request:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        return urllib.request.Request(self._url + path, data=data, headers=headers)


def is_healthy(url: str) -> bool:
    """Tell whether the health check at `url` says that all is well."""
    try:
        _send(urllib.request.Request(url))
    except (OSError, ApiError):
        return False
    return True


def _send(request: urllib.request.Request) -> bytes:
    try:
        with _OPENER.open(request, timeout=REQUEST_SECONDS) as response:
            body: bytes = response.read()
    except urllib.error.HTTPError as error:
        with error:
            raise ApiError(error.code, error.read().decode(errors="replace")) from error
    return body


def _opener() -> urllib.request.OpenerDirector:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    # No proxy stands between this process and its own machine, whatever the environment says.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))


_OPENER = _opener()
