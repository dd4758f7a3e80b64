"""The service proxy: node ports on 127.0.0.1 whose connections are spread over the ready pods of a Service.

Round robin by connection, from a random start, so that one new pod in five gets every fifth connection, as a test can
rely on. A changed set of endpoints keeps the turn of those that stay. A pod that refuses costs the client nothing: the
next one is tried. Connections that exist are never cut: they end when the client or the pod ends them.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sluicegate.local.workloads.messages import Address

HOST: Final = "127.0.0.1"
BACKLOG: Final = 1024
CONNECT_SECONDS: Final = 3.0
# Endpoints come over a pipe: who has just read in the API that a pod is ready may be here before they are.
BACKEND_SECONDS: Final = 1.0


class Rotation:
    """Whose turn it is among a changing set of backends."""

    def __init__(self) -> None:
        self._turns: deque[Address] = deque()
        self._filled = asyncio.Event()

    def replace(self, backends: Iterable[Address]) -> None:
        """Make these the backends: those that stay keep their turn, new ones come in at random places."""
        wanted = list(dict.fromkeys(backends))
        self._turns = deque(backend for backend in self._turns if backend in wanted)
        added = [backend for backend in wanted if backend not in self._turns]
        random.shuffle(added)
        for backend in added:
            self._turns.insert(random.randint(0, len(self._turns)), backend)
        self._note_filled()

    def remove(self, backend: Address) -> None:
        """Give this backend no more connections, if it has any."""
        if backend in self._turns:
            self._turns.remove(backend)
        self._note_filled()

    async def filled(self) -> None:
        """Wait until there is a backend."""
        await self._filled.wait()

    def candidates(self) -> list[Address]:
        """The backend whose turn it is, then the others in the order to try them; the turn passes on."""
        order = list(self._turns)
        self._turns.rotate(-1)
        return order

    def _note_filled(self) -> None:
        if self._turns:
            self._filled.set()
        else:
            self._filled.clear()


class Side(asyncio.Protocol):
    """One of the two connections of a proxied one; whatever it receives, its peer sends, no faster than that can."""

    def __init__(self, peer: Side | None = None) -> None:
        self.peer = peer
        self.ended = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.peer is not None:
            self.peer.join(self)

    def join(self, peer: Side) -> None:
        """Pass on to `peer` from now on, what was held back included."""
        self.peer = peer
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self.peer is not None and not self.peer.transport.is_closing():
            self.peer.transport.write(data)

    def pause_writing(self) -> None:
        if self.peer is not None and not self.peer.transport.is_closing():
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None and not self.peer.transport.is_closing():
            self.peer.transport.resume_reading()

    def eof_received(self) -> bool:
        self.ended = True
        if self.peer is None or self.peer.ended or self.peer.transport.is_closing():
            return False
        self.peer.transport.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        if self.peer is None:
            return
        if exc is None:
            self.peer.transport.close()
        else:
            self.peer.transport.abort()


class ClientSide(Side):
    """A client's connection: reads nothing until a backend has taken it."""

    def __init__(self, rotation: Rotation) -> None:
        super().__init__()
        self._rotation = rotation

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BACKEND_SECONDS):
                await self._rotation.filled()
        for backend in self._rotation.candidates():
            if await self._try(backend):
                return
        self.transport.abort()

    async def _try(self, backend: Address) -> bool:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().create_connection(lambda: Side(self), *backend)
        except OSError:
            return False
        return True


class ServiceProxy:
    """The node ports that are open, each with its rotation."""

    def __init__(self) -> None:
        self._rotations: dict[int, Rotation] = {}
        self._servers: dict[int, asyncio.Server] = {}

    async def serve(self, port: int, backends: Iterable[Address]) -> None:
        """Listen on 127.0.0.1:`port`, unless that is done already, and use these backends; raises OSError."""
        rotation = self._rotations.setdefault(port, Rotation())
        rotation.replace(backends)
        if port not in self._servers:
            loop = asyncio.get_running_loop()
            self._servers[port] = await loop.create_server(
                lambda: ClientSide(rotation), HOST, port, backlog=BACKLOG, reuse_address=True
            )

    def unserve(self, port: int) -> None:
        """Close a node port if it is open; its connections go on."""
        self._rotations.pop(port, None)
        if server := self._servers.pop(port, None):
            server.close()

    def leave(self, backend: Address) -> None:
        """Take a backend that is about to close out of every rotation."""
        for rotation in self._rotations.values():
            rotation.remove(backend)
