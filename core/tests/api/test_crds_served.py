"""The CRDs as an API server serves them: what it stores of a Rollout, what it refuses and what it drops."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sluicegate.api.crds import crds
from sluicegate.api.resources import CRDS, NAMESPACES, ROLLOUTS
from sluicegate.local.apiserver.server import ApiServer
from sluicegate.local.store import ObjectStore

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors/validation.json").read_text(encoding="utf-8")
)
BEYOND_SCALE = {"replicas": 2**31}


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A session with a server that serves our kinds."""
    store = ObjectStore()
    server = ApiServer(store, port=0)
    await server.start()
    async with aiohttp.ClientSession(server.address) as session:
        namespace = {"metadata": {"name": VECTORS["bases"]["canary"]["metadata"]["namespace"]}}
        for path, manifest in ((NAMESPACES.path(), namespace), *((CRDS.path(), crd) for crd in crds())):
            async with session.post(path, json=manifest) as answer:
                assert answer.status == 201, await answer.text()
        yield session
    await server.stop()
    store.close()


async def answered(http: aiohttp.ClientSession, manifest: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The paths that a Rollout is refused for, and those of the members that are dropped."""
    query = {"dryRun": "All", "fieldValidation": "Warn"}
    async with http.post(ROLLOUTS.path(manifest["metadata"]["namespace"]), json=manifest, params=query) as answer:
        body = await answer.json()
        warnings = answer.headers.getall("Warning", [])
    if answer.status == 201:
        return [], [warning.split('"')[2].rstrip("\\") for warning in warnings]
    assert (answer.status, body["reason"]) == (422, "Invalid")
    return [cause["field"] for cause in body["details"]["causes"]], []


async def test_recorded_manifests_are_stored_or_refused_as_by_the_incumbents_crds(
    http: aiohttp.ClientSession,
    manifest_of: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    cases = [case for case in VECTORS["schema"] if case.get("spec") != BEYOND_SCALE]
    assert len(cases) == len(VECTORS["schema"]) - 1
    wanted = {
        json.dumps(case): ([error.partition(":")[0] for error in case["errors"]], case.get("pruned", []))
        for case in cases
    }
    assert {json.dumps(case): await answered(http, manifest_of(case)) for case in cases} == wanted


async def test_more_replicas_than_the_scale_subresource_can_tell_are_refused(
    http: aiohttp.ClientSession,
    manifest_of: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    """By the API server, whatever the schema says: that is why the recording of the schema alone has it stored."""
    manifest = manifest_of({"base": "canary", "spec": BEYOND_SCALE})
    assert await answered(http, manifest) == ([".spec.replicas"], [])
