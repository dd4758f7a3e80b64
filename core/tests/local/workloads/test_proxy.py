"""Node ports spread connections evenly, pass on everything, and hide a backend that is gone."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from sluicegate.local.workloads.proxy import Rotation, ServiceProxy

Serve = Callable[[str], Awaitable[tuple[str, int]]]
POD_LIST = [("127.0.0.1", port) for port in range(1, 6)]


def test_every_backend_gets_its_turn_in_every_round() -> None:
    rotation = Rotation()
    rotation.replace(POD_LIST)

    turns = [rotation.candidates()[0] for _ in range(1000)]

    assert Counter(turns) == dict.fromkeys(POD_LIST, 200)
    assert all(set(turns[start : start + 5]) == set(POD_LIST) for start in range(0, 1000, 5))


def test_a_change_of_backends_does_not_start_the_round_again() -> None:
    rotation = Rotation()
    rotation.replace(POD_LIST)
    served = [rotation.candidates()[0] for _ in range(2)]

    rotation.replace(POD_LIST)

    assert {rotation.candidates()[0] for _ in range(3)} == set(POD_LIST) - set(served)


def test_new_backends_join_and_old_ones_leave() -> None:
    rotation = Rotation()
    rotation.replace(POD_LIST)
    added = ("127.0.0.1", 6)

    rotation.replace([*POD_LIST[1:], added])

    assert set(rotation.candidates()) == {*POD_LIST[1:], added}


@pytest.fixture
async def proxy() -> AsyncIterator[tuple[ServiceProxy, int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    served = ServiceProxy()
    yield served, port
    served.unserve(port)


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a server that answers a connection's bytes, once they have all come, with its own name and their count."""
    servers = []

    async def start(name: str) -> tuple[str, int]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(f"{name} {len(await reader.read(-1))}".encode())
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        servers.append(server)
        host, port = server.sockets[0].getsockname()
        return host, port

    yield start
    for server in servers:
        server.close()


async def ask(port: int, data: bytes = b"") -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    writer.write_eof()
    answer = (await reader.read(-1)).decode()
    writer.close()
    return answer


async def test_connections_are_shared_out_and_passed_on_whole(proxy: tuple[ServiceProxy, int], serve: Serve) -> None:
    service, port = proxy
    await service.serve(port, [await serve("blue"), await serve("blue"), await serve("yellow")])

    answers = Counter([await ask(port, b"x" * 1_000_000) for _ in range(9)])

    assert answers == {"blue 1000000": 6, "yellow 1000000": 3}


async def test_a_backend_that_refuses_is_passed_over(proxy: tuple[ServiceProxy, int], serve: Serve) -> None:
    service, port = proxy
    with socket.create_server(("127.0.0.1", 0)) as gone:
        closed = ("127.0.0.1", gone.getsockname()[1])
    await service.serve(port, [closed, await serve("blue")])

    assert [await ask(port) for _ in range(4)] == ["blue 0"] * 4


async def test_a_backend_that_comes_a_moment_later_is_waited_for(proxy: tuple[ServiceProxy, int], serve: Serve) -> None:
    service, port = proxy
    await service.serve(port, [])
    asked = asyncio.create_task(ask(port))

    await service.serve(port, [await serve("blue")])

    assert await asked == "blue 0"


async def test_without_a_backend_the_connection_is_closed(proxy: tuple[ServiceProxy, int]) -> None:
    service, port = proxy
    await service.serve(port, [])

    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    assert await reader.read(-1) == b""
    writer.close()


async def test_a_port_in_use_is_an_error(proxy: tuple[ServiceProxy, int]) -> None:
    service, port = proxy
    with socket.create_server(("127.0.0.1", port)), pytest.raises(OSError):
        await service.serve(port, [])


async def test_an_open_connection_outlives_its_backends_leaving(proxy: tuple[ServiceProxy, int], serve: Serve) -> None:
    service, port = proxy
    backend = await serve("blue")
    await service.serve(port, [backend])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"half")
    await asyncio.wait_for(_accepted(service, port), 5)

    service.leave(backend)
    service.unserve(port)
    writer.write(b"rest")
    writer.write_eof()

    assert await reader.read(-1) == b"blue 8"
    writer.close()


async def _accepted(service: ServiceProxy, port: int) -> None:
    """Wait until a later connection has been through: then the earlier one has its backend."""
    assert await ask(port) == "blue 0"
