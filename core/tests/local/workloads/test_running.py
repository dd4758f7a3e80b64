"""Pods that run: real requests to real servers, over node ports, while pods come and go."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from sluicegate.local.addresses import PORTS_ANNOTATION, AddressPool
from sluicegate.local.objects import Key
from sluicegate.local.workloads.controllers import RunningControllers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from core.tests.local.workloads.conftest import World

    Until = Callable[[Callable[[], bool]], Awaitable[None]]


@pytest.fixture
async def controllers(world: World, addresses: AddressPool) -> AsyncIterator[RunningControllers]:
    running = RunningControllers(world.store, world.clock, addresses)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that makes a new connection for every request."""
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), timeout=timeout) as session:
        yield session


def node_port(world: World) -> int:
    port: int = world.store.get(Key("", "services", "default", "web"))["spec"]["ports"][0]["nodePort"]
    return port


def url(world: World, path: str = "/color") -> str:
    return f"http://127.0.0.1:{node_port(world)}{path}"


async def colours(browser: aiohttp.ClientSession, address: str, count: int) -> Counter[str]:
    """Ask so many times, four at a time; any failure is an error."""
    answers: Counter[str] = Counter()

    async def ask(times: int) -> None:
        for _ in range(times):
            async with browser.get(address) as response:
                assert response.status == 200
                answers[await response.json(content_type=None)] += 1

    await asyncio.gather(*(ask(count // 4) for _ in range(4)))
    return answers


def ready(world: World, name: str) -> int:
    found: int = (world.status(name) or {}).get("readyReplicas", 0)
    return found


def has_ready(world: World, name: str, count: int) -> bool:
    return ready(world, name) == count


def endpoints(world: World) -> int:
    found: dict[str, Any] = world.store.find(Key("", "endpoints", "default", "web")) or {}
    return sum(len(subset.get("addresses", ())) for subset in found.get("subsets", ()))


def waiting(world: World, name: str) -> dict[str, Any]:
    for status in world.store.get(Key("", "pods", "default", name)).get("status", {}).get("containerStatuses", ()):
        found: dict[str, Any] = status["state"].get("waiting", {})
        return found
    return {}


async def test_a_thousand_connections_are_split_by_pods(
    world: World, controllers: RunningControllers, browser: aiohttp.ClientSession, until: Until
) -> None:
    world.service()
    world.replica_set("blue", "blue", replicas=4)
    world.replica_set("yellow", "yellow", replicas=1)
    await until(lambda: endpoints(world) == 5)

    answers = await colours(browser, url(world), 1000)

    assert answers.total() == 1000
    assert 190 <= answers["yellow"] <= 210


async def test_no_request_fails_while_all_pods_are_replaced(
    world: World, controllers: RunningControllers, browser: aiohttp.ClientSession, until: Until
) -> None:
    world.service()
    world.replica_set("blue", "blue", replicas=3)
    world.replica_set("yellow", "yellow", replicas=0)
    await until(lambda: endpoints(world) == 3)
    load = asyncio.create_task(colours(browser, url(world), 1000))

    for step in (1, 2, 3):
        world.scale("yellow", step)
        await until(partial(has_ready, world, "yellow", step))
        world.scale("blue", 3 - step)
    await until(lambda: len(world.pods()) == 3)

    assert (await load).total() == 1000
    assert await colours(browser, url(world), 12) == {"yellow": 12}


async def test_pods_have_addresses_of_their_own_and_the_page_of_dots(
    world: World, controllers: RunningControllers, addresses: AddressPool, browser: aiohttp.ClientSession, until: Until
) -> None:
    if addresses.shared:
        pytest.skip("only 127.0.0.1 can be bound on this machine")
    world.replica_set("blue", "blue", replicas=2)
    await until(lambda: ready(world, "blue") == 2)

    hosts = {pod["status"]["podIP"] for pod in world.pods()}
    assert len(hosts) == 2
    for host in hosts:
        async with browser.get(f"http://{host}:8080/") as response:
            assert response.content_type == "text/html"
            assert "<canvas" in await response.text()
        async with browser.post(f"http://{host}:8080/color", json=[]) as response:
            assert await response.text() == '"blue"'


async def test_a_pod_without_its_port_serves_on_another(
    world: World, controllers: RunningControllers, browser: aiohttp.ClientSession, until: Until
) -> None:
    world.service()
    with socket.create_server(("0.0.0.0", 0)) as other:
        taken = other.getsockname()[1]
        world.store.update(
            Key("", "services", "default", "web"),
            lambda old: {**old, "spec": {**old["spec"], "ports": [{**old["spec"]["ports"][0], "targetPort": taken}]}},
        )
        image = "argoproj/rollouts-demo:green"
        world.pod(
            "one", {"app": "web"}, containers=[{"name": "a", "image": image, "ports": [{"containerPort": taken}]}]
        )
        await until(lambda: endpoints(world) == 1)

        assert PORTS_ANNOTATION in world.pods()[0]["metadata"]["annotations"]
        assert await colours(browser, url(world), 4) == {"green": 4}


async def test_a_readiness_probe_is_asked(world: World, controllers: RunningControllers, until: Until) -> None:
    probes = {"good": ("/color", "http"), "number": ("color", "8080"), "never": ("/missing", "http")}
    for name, (path, port) in probes.items():
        world.pod(name, {"app": "web"}, containers=[probed(path, port)])

    await until(lambda: readiness(world, "good") == readiness(world, "number") == ["True"])
    await until(lambda: phase(world, "never") == "Running")

    assert readiness(world, "never") == ["False"]


async def test_a_probe_of_a_port_that_no_container_names_never_succeeds(
    world: World, controllers: RunningControllers, until: Until
) -> None:
    """And takes no other pod down with it."""
    world.pod("never", {"app": "web"}, containers=[probed("@127.0.0.1/color", "nowhere")])
    world.pod("good", {"app": "web"}, containers=[probed("/color", "http")])

    await until(lambda: readiness(world, "good") == ["True"] and phase(world, "never") == "Running")

    assert readiness(world, "never") == ["False"]


def probed(path: str, port: str) -> dict[str, Any]:
    probe = {"httpGet": {"path": path, "port": port}, "periodSeconds": 1}
    ports = [{"name": "http", "containerPort": 8080}]
    return {"name": "app", "image": "argoproj/rollouts-demo:blue", "ports": ports, "readinessProbe": probe}


def phase(world: World, name: str) -> str:
    found: str = world.store.get(Key("", "pods", "default", name))["status"]["phase"]
    return found


def readiness(world: World, name: str) -> list[str]:
    status = world.store.get(Key("", "pods", "default", name)).get("status", {})
    return [held["status"] for held in status.get("conditions", ()) if held["type"] == "Ready"]


async def test_images_that_cannot_run_wait_and_say_why(
    world: World, controllers: RunningControllers, until: Until
) -> None:
    world.pod("pink", {}, containers=[{"name": "app", "image": "argoproj/rollouts-demo:pink"}])
    world.pod("foreign", {}, containers=[{"name": "app", "image": "nginx:1"}])

    await until(lambda: bool(waiting(world, "pink")) and bool(waiting(world, "foreign")))

    assert waiting(world, "pink")["reason"] == "ImagePullBackOff"
    assert waiting(world, "foreign")["reason"] == "ErrImageNotRunnable"
    assert "argoproj/rollouts-demo" in waiting(world, "foreign")["message"]
    assert len(world.events("Failed")) == 2
    world.store.delete(Key("", "pods", "default", "pink"))
    await until(lambda: world.pod_names() == ["foreign"])


async def test_an_open_request_is_answered_by_a_deleted_pod(
    world: World, controllers: RunningControllers, until: Until
) -> None:
    world.service()
    world.replica_set("slow", "slow-blue")
    await until(lambda: endpoints(world) == 1)
    (name,) = world.pod_names()
    reader, writer = await asyncio.open_connection("127.0.0.1", node_port(world))
    writer.write(b"GET / HTTP/1.1\r\nHost: web\r\n\r\nGET /color HTTP/1.1\r\nHost: web\r\n\r\n")
    await reader.readuntil(b"</html>")

    world.store.delete(Key("", "pods", "default", name))

    answer = (await reader.read(-1)).decode()
    assert answer.strip().startswith("HTTP/1.1 200 OK")
    assert "Connection: close" in answer
    assert answer.endswith('"blue"')
    writer.close()
    await until(lambda: name not in world.pod_names())


async def test_a_node_port_in_use_is_an_event_that_says_what_to_do(
    world: World, controllers: RunningControllers, until: Until
) -> None:
    world.service()
    port = node_port(world)
    world.store.delete(Key("", "services", "default", "web"))
    with socket.create_server(("127.0.0.1", port)):
        world.service(ports=[{"port": 80, "nodePort": port}])
        await until(lambda: bool(world.events("NodePortUnavailable")))

    (message,) = world.events("NodePortUnavailable")
    assert f"127.0.0.1:{port}" in message
    assert "choose another spec.ports[].nodePort" in message


async def test_pods_are_run_again_when_the_data_plane_dies(
    world: World, controllers: RunningControllers, browser: aiohttp.ClientSession, until: Until
) -> None:
    world.service()
    world.replica_set("blue", "blue", replicas=2)
    await until(lambda: endpoints(world) == 2)
    names = world.pod_names()
    assert controllers.data_plane_pid
    world.clock.forward(60)

    os.kill(controllers.data_plane_pid, signal.SIGKILL)
    await until(lambda: endpoints(world) == 0)
    await until(lambda: endpoints(world) == 2)

    assert world.pod_names() == names
    assert [restarts(pod) for pod in world.pods()] == [1, 1]
    assert await colours(browser, url(world), 8) == {"blue": 8}


def restarts(pod: dict[str, Any]) -> int:
    count: int = pod["status"]["containerStatuses"][0]["restartCount"]
    return count


async def test_where_there_is_one_address_pods_have_ports_of_their_own(
    world: World, browser: aiohttp.ClientSession, until: Until
) -> None:
    running = RunningControllers(world.store, world.clock, AddressPool(0, None))
    await running.start()
    try:
        world.service()
        world.replica_set("blue", "blue", replicas=2)
        world.replica_set("yellow", "yellow", replicas=2)
        await until(lambda: endpoints(world) == 4)

        assert {pod["status"]["podIP"] for pod in world.pods()} == {"127.0.0.1"}
        real = [json.loads(pod["metadata"]["annotations"][PORTS_ANNOTATION])["8080"] for pod in world.pods()]
        assert len(set(real)) == 4
        assert await colours(browser, url(world), 40) == {"blue": 20, "yellow": 20}
    finally:
        await running.stop()


async def test_a_pod_whose_address_cannot_be_used_says_so(world: World, until: Until) -> None:
    with socket.socket() as claim:
        running = RunningControllers(world.store, world.clock, AddressPool(300, claim))
        await running.start()
        try:
            world.pod("one", {"app": "web"})
            await until(lambda: waiting(world, "one").get("reason") == "RunContainerError")
            assert "127.300.0.2" in waiting(world, "one")["message"]
        finally:
            await running.stop()
