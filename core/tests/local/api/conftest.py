"""A server of its own for each test, on a free loopback port, and the two ways to talk to it: HTTP and kubectl."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from sluicegate.local.apiserver.server import ApiServer
from sluicegate.local.store import ObjectStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
    from pathlib import Path

WIDGETS: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.demo.example"},
    "spec": {
        "group": "demo.example",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.replicas",
                        "statusReplicasPath": ".status.replicas",
                        "labelSelectorPath": ".status.selector",
                    },
                },
                "additionalPrinterColumns": [
                    {"name": "Desired", "type": "integer", "jsonPath": ".spec.replicas"},
                    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                ],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "required": ["spec"],
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["color"],
                                "properties": {
                                    "color": {"type": "string", "enum": ["red", "blue"]},
                                    "replicas": {"type": "integer", "format": "int32", "default": 1, "minimum": 0},
                                    "surge": {"x-kubernetes-int-or-string": True},
                                    "at": {"type": "string", "format": "date-time"},
                                    "note": {"type": "string", "nullable": True},
                                    "size": {"type": "string", "pattern": "^[0-9]+$", "maxLength": 4},
                                    "tags": {"type": "array", "items": {"type": "string"}},
                                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                                    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                                    "selector": {
                                        "type": "object",
                                        "additionalProperties": {"type": "string"},
                                        "x-kubernetes-validations": [
                                            {"rule": "self == oldSelf", "message": ".spec.selector is immutable"}
                                        ],
                                    },
                                },
                            },
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


@pytest.fixture
def widgets() -> dict[str, Any]:
    """A definition of a custom kind with a status, a scale, defaults and rules."""
    return WIDGETS


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    store = ObjectStore()
    yield store
    store.close()


@pytest.fixture
async def server(store: ObjectStore) -> AsyncIterator[ApiServer]:
    server = ApiServer(store, port=0)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def http(server: ApiServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.address) as session:
        yield session


@pytest.fixture
def call(http: aiohttp.ClientSession) -> Callable[..., Awaitable[tuple[int, dict[str, Any]]]]:
    """Send a request, return its status code and the decoded body."""

    async def send(method: str, path: str, body: Any = None, **options: Any) -> tuple[int, dict[str, Any]]:
        async with http.request(method, path, json=body, **options) as response:
            return response.status, await response.json(content_type=None)

    return send


@pytest.fixture
async def custom(call: Callable[..., Awaitable[tuple[int, dict[str, Any]]]]) -> str:
    """The path of the widgets of the namespace `default`, served by a definition."""
    status, _ = await call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", WIDGETS)
    assert status == 201
    return "/apis/demo.example/v1alpha1/namespaces/default/widgets"


@pytest.fixture
def kubectl_environment(server: ApiServer, tmp_path: Path) -> dict[str, str]:
    """The environment in which kubectl speaks to the server, and keeps its caches to itself."""
    config = tmp_path / "kubeconfig"
    config.write_text(
        "{apiVersion: v1, kind: Config, current-context: it,"
        f" clusters: [{{name: it, cluster: {{server: '{server.address}'}}}}],"
        " users: [{name: it, user: {}}], contexts: [{name: it, context: {cluster: it, user: it}}]}"
    )
    own = {"KUBECONFIG": str(config), "KUBECACHEDIR": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    return {**os.environ, **own}


@pytest.fixture
def kubectl(kubectl_environment: dict[str, str]) -> Callable[..., Coroutine[Any, Any, tuple[int, str, str]]]:
    """Run the real kubectl on the server, return its exit code, output and errors."""

    async def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            "kubectl", *arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=kubectl_environment
        )
        async with asyncio.timeout(30):
            out, err = await process.communicate(stdin.encode())
        return process.returncode or 0, out.decode(), err.decode()

    return run
