"""What the global flags say, and the connection that follows from them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sluicegate.kube.client import Client

LOG_LEVELS: Final = ("panic", "fatal", "error", "warn", "warning", "info", "debug", "trace")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Settings:
    """The global flags of one invocation, and its clock; click hands it to every verb as the context's object."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    loglevel: str = "info"
    kloglevel: int = 0
    now: Callable[[], datetime] = field(default=_utc_now)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Scope]:
        """Open a client for the cluster that the flags and the kubeconfig name.

        Raises ConfigError without a usable kubeconfig.
        """
        # Half a second of imports, which `--help` must not pay for.
        from sluicegate.kube.client import Client

        kubeconfig = Path(self.kubeconfig) if self.kubeconfig else None
        async with await Client.connect(kubeconfig=kubeconfig, context=self.context) as client:
            yield Scope(client, self.namespace or client.namespace)


@dataclass(frozen=True, slots=True)
class Scope:
    """An open client and the namespace that a verb works in."""

    client: Client
    namespace: str
