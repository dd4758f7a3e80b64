"""`sluicegate up`: how it ends, what it leaves, and what it finds again."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.clusters.eventually import eventually
from tests.clusters.namespace import SHOP, Manifest, Namespace, existing_namespace, shop
from tests.clusters.programs import SCRIPTS
from tests.clusters.up import alive, descendants, environment, free_port, kill, running_up

from sluicegate.api.resources import SERVICES

pytestmark = pytest.mark.needs("serves_http")

STEPS: list[Manifest] = [{"setWeight": 40}, {"pause": {"duration": 2}}]
SERVICE = {
    "metadata": {"name": SHOP},
    "spec": {"type": "NodePort", "selector": {"app": SHOP}, "ports": [{"port": 8080}]},
}
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


async def healthy_shop(namespace: Namespace) -> int:
    """Put a Rollout and a Service there; the node port of the Service once all pods are ready."""
    await namespace.create(SERVICE, resource=SERVICES)
    await namespace.create(shop(steps=STEPS, replicas=3))
    await namespace.until_phase("Healthy")
    return await node_port(namespace)


async def node_port(namespace: Namespace) -> int:
    service = await namespace.client.get(SERVICES, namespace.name, SHOP)
    return int(service["spec"]["ports"][0]["nodePort"])


async def answer(port: int) -> bytes:
    """What a pod answers through a node port."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /color HTTP/1.0\r\n\r\n")
    answered = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answered.rpartition(b"\r\n\r\n")[2]


async def test_killed_in_mid_update_it_goes_on_where_it_was(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_up(tmp_path, "--data-dir", str(data), "--port", str(free_port())) as up:
        address, kubeconfig = up.cluster.http, up.kubeconfig
        assert kubeconfig == data / "kubeconfig"
        async with existing_namespace(up.cluster, "default") as namespace:
            port = await healthy_shop(namespace)
            await namespace.set_image("yellow")
            await namespace.until(lambda: "yellow" in namespace.sizes, "the update is on its way")
            kill(up)

    with running_up(tmp_path, "--data-dir", str(data)) as up:
        assert (up.cluster.http, up.kubeconfig) == (address, kubeconfig)
        async with existing_namespace(up.cluster, "default") as namespace:
            await namespace.until_phase("Healthy")
            assert namespace.sizes == {"yellow": 3}
            assert await node_port(namespace) == port
        assert await answer(port) == b'"yellow"'
        up.end(signal.SIGTERM)


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_however_it_ends_no_pod_survives_it(number: signal.Signals, tmp_path: Path) -> None:
    with running_up(tmp_path, "--port", str(free_port())) as up:
        async with existing_namespace(up.cluster, "default") as namespace:
            port = await healthy_shop(namespace)
        assert await answer(port) == b'"blue"'
        started = descendants(up.process.pid)
        assert started

        took = up.end(number)

    await eventually(lambda: still(started), lambda left: not left, "the processes of the pods are gone", seconds=2)
    assert took < 2
    assert number == signal.SIGKILL or up.process.returncode == 0
    with pytest.raises(ConnectionRefusedError):
        await answer(port)


@linux
async def test_down_ends_what_detach_has_started(tmp_path: Path) -> None:
    port = str(free_port())
    said = sluicegate(tmp_path, "up", "--detach", "--port", port)
    assert said.returncode == 0, said
    assert f"http://127.0.0.1:{port}" in said.stdout
    assert f"export KUBECONFIG={tmp_path}/.local/state/sluicegate/kubeconfig-{port}\n" in said.stdout

    again = sluicegate(tmp_path, "up", "--port", port)
    assert (again.returncode, "is up already" in again.stderr) == (1, True)
    assert sluicegate(tmp_path, "down", "--port", port).stdout == "The cluster is down.\n"
    after = sluicegate(tmp_path, "down", "--port", port)
    assert (after.returncode, after.stderr) == (1, f"Error: no cluster on port {port} is up\n")


@linux
def test_another_plugin_that_comes_first_is_warned_of(tmp_path: Path) -> None:
    other = tmp_path / "other" / "kubectl-argo-rollouts"
    other.parent.mkdir()
    other.touch(mode=0o755)
    port = str(free_port())

    said = sluicegate(tmp_path, "up", "--detach", "--port", port, first_on_path=other.parent)
    sluicegate(tmp_path, "down", "--port", port)

    assert said.stderr == f"\nWarning: without the second line `kubectl argo rollouts` is {other}\n"


async def test_port_in_use_is_named_with_the_option(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with server:
        port = str(server.sockets[0].getsockname()[1])
        for options in ([], ["--detach"]):
            failed = await asyncio.to_thread(sluicegate, tmp_path, "up", "--port", port, *options)
            assert failed.returncode == 1
            assert port in failed.stderr
            assert "--port" in failed.stderr
            assert len(failed.stderr.splitlines()) == 1


def sluicegate(home: Path, *words: str, first_on_path: Path = SCRIPTS) -> subprocess.CompletedProcess[str]:
    env = environment(home)
    env["PATH"] = f"{first_on_path}{os.pathsep}{env['PATH']}"
    return subprocess.run(
        [SCRIPTS / "sluicegate", *words], capture_output=True, text=True, env=env, check=False, timeout=60
    )


async def still(pids: set[int]) -> set[int]:
    return alive(pids)
