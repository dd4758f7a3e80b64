"""The server as a whole: who may speak to it, ports, injected faults, and that it comes back from its data folder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from sluicegate.errors import (
    AlreadyExists,
    ConfigError,
    Conflict,
    ConnectError,
    Expired,
    NotFound,
    ServerError,
    TooManyRequests,
)
from sluicegate.local import history
from sluicegate.local.admission import Admissions
from sluicegate.local.apiserver import crds, garbage
from sluicegate.local.apiserver.garbage import GarbageCollector
from sluicegate.local.apiserver.server import ApiServer
from sluicegate.local.objects import Key
from sluicegate.local.store import ObjectStore

if TYPE_CHECKING:
    from pathlib import Path

Call = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
KEY = Key("", "configmaps", "default", "c")
MANIFEST = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:6445"},
        {"Host": "127.0.0.1@evil.example"},
        {"Host": "["},
        {"Host": "localhost/../evil.example"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "null"},
    ],
)
async def test_web_pages_are_refused(call: Call, headers: dict[str, str]) -> None:
    status, failure = await call("GET", "/version", headers=headers)
    assert (status, failure["reason"]) == (403, "Forbidden")


@pytest.mark.parametrize("host", ["localhost:6445", "127.0.0.1", "[::1]:6445"])
async def test_local_names_are_served(call: Call, host: str) -> None:
    assert (await call("GET", "/version", headers={"Host": host}))[0] == 200


async def test_a_port_in_use_is_named(server: ApiServer) -> None:
    with pytest.raises(ConfigError, match=f"port {server.port} "):
        await ApiServer(ObjectStore(), port=server.port).start()


async def test_injected_faults_look_like_a_failing_server(server: ApiServer, http: aiohttp.ClientSession) -> None:
    for error, code in (
        (Conflict("stale", status=409, reason="Conflict"), 409),
        (TooManyRequests("slow down", status=429, reason="TooManyRequests", retry_after=3), 429),
        (ServerError("boom", status=500, reason="InternalError"), 500),
    ):
        server.faults = lambda request, error=error: error if request.method == "POST" else None
        async with http.post(CONFIG_MAPS, json={"metadata": {"name": "c"}}) as response:
            body = await response.json()
            assert (response.status, body["message"], body["reason"]) == (code, error.message, error.reason)
            assert response.headers.get("Retry-After") == ("3" if code == 429 else None)
    async with http.get(CONFIG_MAPS) as response:
        assert (response.status, (await response.json())["items"]) == (200, [])


async def test_an_injected_connection_loss(server: ApiServer, http: aiohttp.ClientSession) -> None:
    server.faults = lambda request: ConnectError("lost", address=server.address, source="test")
    with pytest.raises(aiohttp.ClientError):
        await http.post(CONFIG_MAPS, json={})


async def test_a_bug_is_an_internal_error_and_not_the_end(store: ObjectStore, caplog: pytest.LogCaptureFixture) -> None:
    def broken(new: dict[str, Any], old: object, store: ObjectStore) -> dict[str, Any]:
        raise ZeroDivisionError

    admissions = Admissions()
    admissions.register("", "configmaps", broken)
    server = ApiServer(store, admissions=admissions, port=0)
    await server.start()
    async with aiohttp.ClientSession(server.address) as http:
        async with http.post(CONFIG_MAPS, json={"metadata": {"name": "c"}}) as response:
            assert (response.status, (await response.json())["reason"]) == (500, "InternalError")
        async with http.get("/healthz") as response:
            assert response.status == 200
    await server.stop()
    assert "ZeroDivisionError" in caplog.text


async def test_admissions_see_new_and_old_and_may_change_the_new(store: ObjectStore) -> None:
    def count(new: dict[str, Any], old: dict[str, Any] | None, store: ObjectStore) -> dict[str, Any]:
        return {**new, "data": {"writes": str(int(old["data"]["writes"]) + 1 if old else 1)}}

    admissions = Admissions()
    admissions.register("", "configmaps", count)
    server = ApiServer(store, admissions=admissions, port=0)
    await server.start()
    async with aiohttp.ClientSession(server.address) as http:
        await http.post(CONFIG_MAPS, json={"metadata": {"name": "c"}})
        async with http.put(f"{CONFIG_MAPS}/c", json={"metadata": {"name": "c"}}) as response:
            assert (await response.json())["data"] == {"writes": "2"}
    await server.stop()


async def test_everything_comes_back_from_the_data_folder(tmp_path: Path, widgets: dict[str, Any]) -> None:
    first = ObjectStore(tmp_path)
    server = ApiServer(first, port=0)
    await server.start()
    crds.install(first, widgets)
    kept = first.create(KEY, MANIFEST)
    first.create(KEY._replace(name="gone"), MANIFEST)
    first.delete(KEY._replace(name="gone"))
    version = first.resource_version
    await server.stop()
    first.close()

    second = ObjectStore(tmp_path)
    server = ApiServer(second, port=0)
    await server.start()
    assert second.get(KEY) == kept
    assert second.find(KEY._replace(name="gone")) is None
    assert second.resource_version == version
    with pytest.raises(Expired):
        second.subscribe(("", "configmaps"), since=version - 1)
    async with (
        aiohttp.ClientSession(server.address) as http,
        http.get("/apis/demo.example/v1alpha1/widgets") as response,
    ):
        assert response.status == 200
    await server.stop()
    second.close()


async def test_a_deletion_interrupted_by_a_restart_is_finished(tmp_path: Path) -> None:
    first = ObjectStore(tmp_path)
    owner = first.create(KEY, MANIFEST)
    reference = {"kind": "ConfigMap", "name": "c", "uid": owner["metadata"]["uid"]}
    first.create(KEY._replace(name="child"), {**MANIFEST, "metadata": {"ownerReferences": [reference]}})
    first.delete(KEY)
    first.close()

    second = ObjectStore(tmp_path)
    changes = second.subscribe(("", "configmaps"))
    server = ApiServer(second, port=0)
    await server.start()
    async with asyncio.timeout(5):
        change = await anext(changes)
    assert (change.type, change.key.name) == ("DELETED", "child")
    await server.stop()
    second.close()


def test_a_data_folder_has_one_user_at_a_time(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    with pytest.raises(ConfigError, match="another cluster"):
        ObjectStore(tmp_path)
    store.close()
    ObjectStore(tmp_path).close()


def test_a_data_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        ObjectStore(tmp_path / "file" / "data")


def test_a_data_folder_that_is_damaged_is_named(tmp_path: Path) -> None:
    (tmp_path / "cluster.db").write_bytes(b"no database" * 1000)
    with pytest.raises(ConfigError, match=r"cluster\.db is damaged"):
        ObjectStore(tmp_path)


def test_a_new_data_folder_is_its_users_own(tmp_path: Path) -> None:
    ObjectStore(tmp_path / "data").close()
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


async def test_garbage_is_collected_again_after_an_error(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a full disk makes one."""
    monkeypatch.setattr(garbage, "RETRY_SECONDS", 0)
    owner = store.create(KEY, MANIFEST)
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "uid": owner["metadata"]["uid"]}
    dependent = KEY._replace(name="dependent")
    store.create(dependent, {**MANIFEST, "metadata": {"ownerReferences": [reference]}})
    delete, failures = store.delete, iter([OSError("disk full")])

    def delete_later(*arguments: Any, **options: Any) -> Any:
        for failure in failures:
            raise failure
        return delete(*arguments, **options)

    collector = asyncio.create_task(GarbageCollector(store).run())
    changes = store.subscribe(KEY.kind)
    delete(KEY)
    monkeypatch.setattr(store, "delete", delete_later)
    async for change in changes:
        if change.key == dependent:
            break
    collector.cancel()
    assert store.find(dependent) is None


def test_the_store_hands_out_private_copies_for_changing(store: ObjectStore) -> None:
    stored = store.create(KEY, MANIFEST)

    def change(copy: dict[str, Any]) -> dict[str, Any]:
        copy["data"]["a"] = "2"
        return copy

    changed = store.update(KEY, change)
    assert (stored["data"], changed["data"]) == ({"a": "1"}, {"a": "2"})
    assert store.update(KEY, lambda copy: None) is changed
    assert store.update(KEY, lambda copy: copy) is changed


def test_the_store_says_what_went_wrong(store: ObjectStore) -> None:
    with pytest.raises(NotFound):
        store.get(KEY)
    created = store.create(KEY, MANIFEST)
    with pytest.raises(AlreadyExists):
        store.create(KEY, MANIFEST)
    store.replace(KEY, {**MANIFEST, "data": {}})
    with pytest.raises(Conflict):
        store.replace(KEY, created)
    with pytest.raises(Conflict):
        store.delete(KEY, uid="another")


async def test_a_subscription_sees_its_kinds_until_it_is_closed(store: ObjectStore) -> None:
    changes = store.subscribe(("", "configmaps"))
    store.create(KEY._replace(plural="secrets"), {"apiVersion": "v1", "kind": "Secret"})
    store.create(KEY, MANIFEST)
    changes.close()
    store.delete(KEY)
    assert [(change.type, change.key.plural) async for change in changes] == [("ADDED", "configmaps")]


async def test_a_subscription_that_is_not_read_overflows(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PENDING_LIMIT", 2)
    changes = store.subscribe()
    for name in "abc":
        store.create(KEY._replace(name=name), MANIFEST)
    with pytest.raises(Expired):
        await anext(changes)
