"""An embedded API server of its own for each test, what was asked of it, and a client of the controller's kind."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sluicegate.controller.watches import Watches
from sluicegate.kube.client import Client
from sluicegate.local.apiserver.server import ApiServer
from sluicegate.local.store import ObjectStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from aiohttp import web

    from sluicegate.controller.caches import Key
    from sluicegate.errors import SluicegateError

PATIENCE = 10.0
"""How long a test waits for what must come, in seconds."""


@dataclass
class Api:
    """The server as tests see it.

    Attributes: `lists`, `watches` (their URLs) and `writes` (as `VERB path`) that came in, `refuse` (what it answers is
    sent in place of an answer).
    """

    server: ApiServer
    lists: list[str] = field(default_factory=list)
    watches: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    refuse: Callable[[web.BaseRequest], SluicegateError | None] = lambda request: None

    def take(self, request: web.BaseRequest) -> SluicegateError | None:
        """Remember a request, and answer what it is refused with."""
        if request.method != "GET":
            self.writes.append(f"{request.method} {request.path}")
        elif "watch" in request.query:
            self.watches.append(str(request.rel_url))
        else:
            self.lists.append(str(request.rel_url))
        return self.refuse(request)

    def blind(self, error: SluicegateError) -> None:
        """Let no cache see anything any more: lists and watches are refused, those that stand are dropped."""
        self.refuse = lambda request: error if request.method == "GET" and _is_collection(request) else None
        self.server.drop_watches()

    def see(self) -> None:
        """Refuse nothing any more."""
        self.refuse = lambda request: None


def _is_collection(request: web.BaseRequest) -> bool:
    return "watch" in request.query or "limit" in request.query


@dataclass
class Queue:
    """Takes the Rollouts that are to be reconciled; `added` has them all."""

    added: list[Key] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, key: Key) -> None:
        self.added.append(key)
        self._news.set()

    async def until(self, *keys: Key) -> None:
        """Wait until just these have been added since the last time."""
        async with asyncio.timeout(PATIENCE):
            while not set(keys) <= set(self.added):
                self._news.clear()
                await self._news.wait()
        assert set(self.added) == set(keys)
        self.added.clear()


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    store = ObjectStore()
    server = ApiServer(store, port=0)
    await server.start()
    served = Api(server)
    server.faults = served.take
    yield served
    await server.stop()
    store.close()


@pytest.fixture
async def client(api: Api, tmp_path: Path) -> AsyncIterator[Client]:
    config = {
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": api.server.address}}],
        "users": [{"name": "it", "user": {}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    async with await Client.connect(kubeconfig=path) as connected:
        yield connected


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
async def watches(client: Client, queue: Queue) -> AsyncIterator[Watches]:
    opened = Watches(client, queue.add)
    yield opened
    await opened.close()


def manifest(api_version: str, kind: str, name: str, **members: Any) -> dict[str, Any]:
    """An object of namespace `default`; labels and annotations are put into its metadata."""
    metadata = {"name": name, "namespace": "default"}
    metadata |= {key: members.pop(key) for key in ("labels", "annotations", "namespace") if key in members}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **members}
