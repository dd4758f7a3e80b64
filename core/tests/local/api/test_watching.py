"""Watches over HTTP: where they start, what they show to whom, how they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from sluicegate.local import history
from sluicegate.local.apiserver import watches

if TYPE_CHECKING:
    from sluicegate.local.apiserver.server import ApiServer

Call = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]
Event = dict[str, Any]
Events = Callable[[int], Awaitable[list[Event]]]
Opened = AbstractAsyncContextManager[Events]
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
MERGE = {"Content-Type": "application/merge-patch+json"}
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}


@pytest.fixture
def watch(http: aiohttp.ClientSession) -> Callable[..., Opened]:
    """Open a watch; the result reads the given number of events."""

    @asynccontextmanager
    async def opened(
        path: str = CONFIG_MAPS, headers: dict[str, str] | None = None, **query: str
    ) -> AsyncIterator[Events]:
        async with http.get(path, params={"watch": "true", **query}, headers=headers) as response:
            assert response.status == 200

            async def read(count: int) -> list[Event]:
                async with asyncio.timeout(10):
                    return [json.loads(await response.content.readline()) for _ in range(count)]

            yield read

    return opened


Watch = Callable[..., Opened]


def short(events: list[Event]) -> list[tuple[str, str]]:
    return [(event["type"], event["object"]["metadata"]["name"]) for event in events]


async def create(call: Call, name: str, **labels: str) -> str:
    _, created = await call("POST", CONFIG_MAPS, {"metadata": {"name": name, "labels": labels}})
    return str(created["metadata"]["resourceVersion"])


async def test_without_a_version_the_present_comes_first(call: Call, watch: Watch) -> None:
    await create(call, "old")
    async with watch() as events:
        assert short(await events(1)) == [("ADDED", "old")]
        await create(call, "new")
        await call("PATCH", f"{CONFIG_MAPS}/new", {"data": {"a": "1"}}, headers=MERGE)
        await call("DELETE", f"{CONFIG_MAPS}/new")
        assert short(await events(3)) == [("ADDED", "new"), ("MODIFIED", "new"), ("DELETED", "new")]


async def test_a_version_starts_the_watch_right_after_it(call: Call, watch: Watch) -> None:
    await create(call, "a")
    version = await create(call, "b")
    await create(call, "c")
    async with watch(resourceVersion=version) as events:
        assert short(await events(1)) == [("ADDED", "c")]


async def test_a_deletion_has_a_version_of_its_own(call: Call, watch: Watch) -> None:
    version = await create(call, "a")
    await call("DELETE", f"{CONFIG_MAPS}/a")
    async with watch(resourceVersion=version) as events:
        (event,) = await events(1)
    assert int(event["object"]["metadata"]["resourceVersion"]) > int(version)


async def test_a_selector_sees_objects_come_and_go(call: Call, watch: Watch) -> None:
    async with watch(labelSelector="app=a") as events:
        await create(call, "other", app="b")
        await create(call, "c", app="a")
        await call("PATCH", f"{CONFIG_MAPS}/c", {"data": {"k": "v"}}, headers=MERGE)
        await call("PATCH", f"{CONFIG_MAPS}/c", {"metadata": {"labels": {"app": "b"}}}, headers=MERGE)
        await call("PATCH", f"{CONFIG_MAPS}/other", {"metadata": {"labels": {"app": "a"}}}, headers=MERGE)
        await call("DELETE", f"{CONFIG_MAPS}/c")
        await call("DELETE", f"{CONFIG_MAPS}/other")
        assert short(await events(5)) == [
            ("ADDED", "c"),
            ("MODIFIED", "c"),
            ("DELETED", "c"),
            ("ADDED", "other"),
            ("DELETED", "other"),
        ]


async def test_a_watch_of_one_namespace_sees_no_other(call: Call, watch: Watch) -> None:
    await call("POST", "/api/v1/namespaces", {"metadata": {"name": "team"}})
    async with watch() as events:
        await call("POST", "/api/v1/namespaces/team/configmaps", {"metadata": {"name": "theirs"}})
        await create(call, "ours")
        assert short(await events(1)) == [("ADDED", "ours")]


async def test_initial_events_end_with_a_marked_bookmark(call: Call, watch: Watch) -> None:
    version = await create(call, "a")
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    async with watch(**query) as events:
        added, bookmark = await events(2)
    assert (added["type"], bookmark["type"]) == ("ADDED", "BOOKMARK")
    assert bookmark["object"] == {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": version, "annotations": {"k8s.io/initial-events-end": "true"}},
    }


async def test_a_quiet_watch_gets_bookmarks(call: Call, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watches, "_BOOKMARK_SECONDS", 0.01)
    version = await create(call, "a")
    async with watch(resourceVersion=version, allowWatchBookmarks="true") as events:
        (bookmark,) = await events(1)
    assert (bookmark["type"], bookmark["object"]["metadata"]["resourceVersion"]) == ("BOOKMARK", version)


async def test_a_watch_ends_after_its_seconds(http: aiohttp.ClientSession) -> None:
    async with http.get(CONFIG_MAPS, params={"watch": "true", "timeoutSeconds": "1"}) as response:
        assert await response.read() == b""


async def test_a_version_beyond_the_history_is_gone(
    call: Call, monkeypatch: pytest.MonkeyPatch, http: aiohttp.ClientSession
) -> None:
    monkeypatch.setattr(history, "CHANGES_KEPT_PER_KIND", 2)
    version = await create(call, "a")
    for name in ("b", "c", "d"):
        await create(call, name)
    status, failure = await call("GET", CONFIG_MAPS, params={"watch": "true", "resourceVersion": version})
    assert (status, failure["reason"]) == (410, "Expired")


async def test_a_version_of_another_cluster_is_gone(call: Call) -> None:
    status, failure = await call("GET", CONFIG_MAPS, params={"watch": "true", "resourceVersion": "999999"})
    assert (status, failure["reason"]) == (410, "Expired")


async def test_a_watcher_that_cannot_keep_up_is_told(call: Call, monkeypatch: pytest.MonkeyPatch, watch: Watch) -> None:
    monkeypatch.setattr(history, "PENDING_LIMIT", 0)
    async with watch() as events:
        await create(call, "a")
        (event,) = await events(1)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


async def test_a_table_watch_names_its_columns_once(call: Call, watch: Watch) -> None:
    async with watch(headers=TABLE) as events:
        await create(call, "a")
        await create(call, "b")
        first, second = await events(2)
    assert first["object"]["columnDefinitions"][0]["name"] == "Name"
    assert second["object"]["columnDefinitions"] is None
    assert [event["object"]["rows"][0]["cells"][0] for event in (first, second)] == ["a", "b"]


async def test_stopping_the_server_ends_watches_properly(server: ApiServer, http: aiohttp.ClientSession) -> None:
    async with http.get(CONFIG_MAPS, params={"watch": "true"}) as response:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await server.stop()
        assert loop.time() - before < 1
        assert await response.read() == b""


async def test_a_dropped_watch_has_no_proper_end(server: ApiServer, http: aiohttp.ClientSession) -> None:
    async with http.get(CONFIG_MAPS, params={"watch": "true"}) as response:
        server.drop_watches()
        with pytest.raises(aiohttp.ClientError):
            await response.read()
