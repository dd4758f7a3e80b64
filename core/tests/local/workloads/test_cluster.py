"""The assembled cluster: how it starts, what it leaves for others to find, and that nothing of it outlives it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import yaml

from sluicegate.errors import ConfigError
from sluicegate.local.cluster import LocalCluster
from sluicegate.local.kubeconfig import kubeconfig_path

if TYPE_CHECKING:
    from pathlib import Path

Object = dict[str, Any]
REPLICA_SETS = "/apis/apps/v1/namespaces/default/replicasets"
PODS = "/api/v1/namespaces/default/pods"
SERVICES = "/api/v1/namespaces/default/services"


def replica_set(image: str = "argoproj/rollouts-demo:blue", replicas: int = 2) -> Object:
    labels = {"app": "web"}
    container = {"name": "app", "image": image, "ports": [{"containerPort": 8080}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web"}, "spec": spec}


def service() -> Object:
    spec = {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


async def request(cluster: LocalCluster, method: str, path: str, body: Object | None = None) -> Object:
    async with aiohttp.ClientSession() as session, session.request(method, cluster.address + path, json=body) as answer:
        found: Object = await answer.json()
        assert answer.status < 300, found
        return found


async def watch_until_ready(cluster: LocalCluster, count: int) -> None:
    """Follow the ReplicaSet until so many of its pods are ready."""
    path = f"{cluster.address}{REPLICA_SETS}?watch=true"
    async with asyncio.timeout(20), aiohttp.ClientSession() as session, session.get(path) as stream:
        async for line in stream.content:
            if json.loads(line)["object"]["status"].get("readyReplicas") == count:
                return


async def test_the_kubeconfig_leads_to_the_api_and_is_private(tmp_path: Path) -> None:
    async with LocalCluster(tmp_path, port=0, pods="played") as cluster:
        config = yaml.safe_load(cluster.kubeconfig.read_text())
        nodes = await request(cluster, "GET", "/api/v1/nodes")
        version = await request(cluster, "GET", "/version")

    assert cluster_address(config) == f"http://127.0.0.1:{config_port(config)}"
    assert (tmp_path / "kubeconfig").stat().st_mode & 0o777 == 0o600
    assert [node["metadata"]["name"] for node in nodes["items"]] == ["local"]
    assert nodes["items"][0]["status"]["nodeInfo"]["kubeletVersion"] == version["gitVersion"]


def cluster_address(config: Object) -> str:
    found: str = config["clusters"][0]["cluster"]["server"]
    return found


def config_port(config: Object) -> int:
    return int(cluster_address(config).rpartition(":")[2])


def test_without_a_data_folder_the_kubeconfig_is_in_the_users_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    assert kubeconfig_path(None, 6445) == tmp_path / "sluicegate" / "kubeconfig"
    assert kubeconfig_path(None, 7000) == tmp_path / "sluicegate" / "kubeconfig-7000"


async def test_objects_sent_to_the_api_get_their_defaults(tmp_path: Path) -> None:
    async with LocalCluster(tmp_path, port=0, pods="played") as cluster:
        stored = await request(cluster, "POST", REPLICA_SETS, replica_set())
        served = await request(cluster, "POST", SERVICES, service())

    assert stored["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 30
    assert served["spec"]["ports"][0]["nodePort"]


async def test_everything_is_back_after_a_restart(tmp_path: Path) -> None:
    async with LocalCluster(tmp_path, port=0) as cluster:
        port = (await request(cluster, "POST", SERVICES, service()))["spec"]["ports"][0]["nodePort"]
        await request(cluster, "POST", REPLICA_SETS, replica_set())
        await watch_until_ready(cluster, 2)
        before = await request(cluster, "GET", PODS)

    async with LocalCluster(tmp_path, port=0) as cluster:
        await watch_until_ready(cluster, 2)
        after = await request(cluster, "GET", PODS)
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/color") as answer:
            assert await answer.text() == '"blue"'

    assert identities(after) == identities(before)
    assert [pod["status"]["containerStatuses"][0]["restartCount"] for pod in after["items"]] == [1, 1]


def identities(pods: Object) -> list[tuple[str, str, str]]:
    found = [(pod["metadata"]["name"], pod["metadata"]["uid"], pod["status"]["podIP"]) for pod in pods["items"]]
    return sorted(found)


async def test_a_data_folder_belongs_to_one_cluster(tmp_path: Path) -> None:
    async with LocalCluster(tmp_path, port=0, pods="played"):
        with pytest.raises(ConfigError, match=str(tmp_path)):
            await LocalCluster(tmp_path, port=0, pods="played").start()


async def test_a_port_in_use_is_named_and_nothing_is_left_running(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        cluster = LocalCluster(tmp_path, port=other.getsockname()[1])
        with pytest.raises(ConfigError, match=str(other.getsockname()[1])):
            await cluster.start()

    assert cluster.data_plane_pid is None


async def test_stops_within_two_seconds_with_open_watches_and_connections(tmp_path: Path) -> None:
    cluster = LocalCluster(tmp_path, port=0)
    await cluster.start()
    await request(cluster, "POST", REPLICA_SETS, replica_set())
    await watch_until_ready(cluster, 2)
    host = (await request(cluster, "GET", PODS))["items"][0]["status"]["podIP"]
    reader, writer = await asyncio.open_connection(host, 8080)
    async with aiohttp.ClientSession() as session, session.get(f"{cluster.address}{PODS}?watch=true") as stream:
        async with asyncio.timeout(2):
            await cluster.stop()
        await stream.content.read(-1)

    await until_closed(reader)
    writer.close()


CHILD = """
import asyncio, pathlib, sys
from sluicegate.local.cluster import LocalCluster
from sluicegate.local.objects import Key

async def main():
    async with LocalCluster(pathlib.Path(sys.argv[1]), port=0) as cluster:
        print(cluster.api.port, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_pods_end_with_a_cluster_that_is_killed(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    remote = LocalCluster(tmp_path, port=0)
    remote_address = f"http://127.0.0.1:{int(await process.stdout.readline())}"
    async with aiohttp.ClientSession(remote_address) as session:
        await session.post(REPLICA_SETS, json=replica_set(replicas=1))
        async with asyncio.timeout(20), session.get(f"{PODS}?watch=true") as stream:
            host = await first_ready(stream)
    reader, writer = await asyncio.open_connection(host, 8080)

    process.send_signal(signal.SIGKILL)

    async with asyncio.timeout(5):
        await until_closed(reader)
    writer.close()
    await process.wait()
    async with remote:
        await watch_until_ready(remote, 1)


async def until_closed(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        assert await reader.read(-1) == b""


async def first_ready(stream: aiohttp.ClientResponse) -> str:
    async for line in stream.content:
        status = json.loads(line)["object"].get("status", {})
        if {"Ready": "True"} in [{held["type"]: held["status"]} for held in status.get("conditions", ())]:
            address: str = status["podIP"]
            return address
    raise AssertionError("the watch ended before a pod was ready")


@pytest.mark.needs_kubectl
async def test_kubectl_describes_the_node_and_a_pod_that_cannot_run(tmp_path: Path) -> None:
    async with LocalCluster(tmp_path, port=0) as cluster:
        await request(cluster, "POST", REPLICA_SETS, replica_set("nginx", 1))
        node = await kubectl(cluster, "describe", "node", "local")
        pods = await kubectl(cluster, "get", "pods")

    assert "Failed to get lease" not in node
    assert "KubeletReady" in node
    assert "ErrImageNotRunnable" in pods


async def kubectl(cluster: LocalCluster, *arguments: str) -> str:
    command = ["kubectl", "--kubeconfig", str(cluster.kubeconfig), *arguments]
    run = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=30, check=True)
    return run.stdout
