"""Credentials that change while we run: from an exec plugin, from a token file, or by a refreshed login.

Each is hooked into the package's configuration, which asks it before every request; it answers from memory until the
credential nears its end, or until the API has refused it.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.exec_provider import ExecProvider
from kubernetes.aio.config.kube_config import FileOrData

from sluicegate.errors import ConfigError
from sluicegate.kube.failures import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

FOREVER: Final = float("inf")
TOKEN_FILE_LIFE: Final = 60.0
LOGIN_CHECK: Final = 60.0
# A credential is renewed when this share of its life is over, so that no request travels with one about to end.
USED_LIFE: Final = 0.8


class Credentials(ABC):
    """A credential that is renewed when due; `owner` names it in errors (`user dev of ~/.kube/config`)."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._due = 0.0
        self._renewing = asyncio.Lock()

    async def refresh(self, configuration: Any) -> None:
        """Put a valid credential into the configuration.

        Raises ConfigError when there is none to be had.
        """
        async with self._renewing:
            if time.monotonic() >= self._due:
                self._due = time.monotonic() + await self._renew(configuration)

    def invalidate(self) -> None:
        """Have the next `refresh` fetch anew, because the API has refused the credential."""
        self._due = 0.0

    @abstractmethod
    async def _renew(self, configuration: Any) -> float:
        """Fetch the credential, put it into the configuration and return for how many seconds it may be used."""


class ExecCredentials(Credentials):
    """What an external program hands out (`users[].user.exec`): a bearer token, or a client certificate with key."""

    def __init__(self, owner: str, user: Any) -> None:
        super().__init__(owner)
        self._exec = user["exec"]
        command = Path(self._exec["command"])
        if len(command.parts) > 1 and user.path:
            self._exec.value["command"] = str(Path(user.path).parent / command)

    async def _renew(self, configuration: Any) -> float:
        status = await self._run()
        if token := status.get("token"):
            configuration.api_key["BearerToken"] = f"Bearer {token}"
        if status.get("clientCertificateData") and status.get("clientKeyData"):
            configuration.cert_file = _as_file(status, "clientCertificateData")
            configuration.key_file = _as_file(status, "clientKeyData")
        elif not token:
            raise self._failure("its answer has neither a token nor a client certificate with its key")
        return self._life(status.get("expirationTimestamp"))

    async def _run(self) -> Mapping[str, Any]:
        try:
            status = await ExecProvider(self._exec).run()
        except FileNotFoundError as error:
            raise self._failure(f"not found. {self._exec.safe_get('installHint') or ''}") from error
        except (ConfigException, OSError) as error:
            raise self._failure(error) from error
        if not isinstance(status, dict):
            raise self._failure("its answer has no status")
        return status

    def _life(self, expiration: str | None) -> float:
        if expiration is None:
            return FOREVER
        try:
            end = datetime.fromisoformat(expiration).astimezone(UTC)
        except (TypeError, ValueError) as error:
            raise self._failure(f"expirationTimestamp {expiration!r} is not a time as in RFC 3339") from error
        return (end - datetime.now(UTC)).total_seconds() * USED_LIFE

    def _failure(self, reason: object) -> ConfigError:
        command = self._exec.safe_get("command")
        return ConfigError(f"{self._owner}: credential plugin {command!r} failed: {one_line(reason)}")


class TokenFile(Credentials):
    """A token in a file that someone else keeps fresh (`users[].user.tokenFile`)."""

    def __init__(self, owner: str, path: Path) -> None:
        super().__init__(owner)
        self._path = path

    async def _renew(self, configuration: Any) -> float:
        try:
            token = self._path.read_text().strip()
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self._owner}: tokenFile {self._path} cannot be read: {one_line(error)}") from error
        if not token:
            raise ConfigError(f"{self._owner}: tokenFile {self._path} is empty")
        configuration.api_key["BearerToken"] = f"Bearer {token}"
        return TOKEN_FILE_LIFE


class Login(Credentials):
    """What the package keeps fresh by itself when loaded again (`users[].user.auth-provider`)."""

    def __init__(self, owner: str, loader: Any) -> None:
        super().__init__(owner)
        self._loader = loader

    async def _renew(self, configuration: Any) -> float:
        try:
            await self._loader.load_and_set(configuration)
        except (ConfigException, OSError, ValueError) as error:
            raise ConfigError(f"{self._owner}: auth-provider failed: {one_line(error)}") from error
        return LOGIN_CHECK


def _as_file(status: Mapping[str, Any], field: str) -> Any:
    return FileOrData(status, None, data_key_name=field, base64_file_content=False).as_file()
