"""The reflector: the store ends up as the API is and each change is reported once, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from sluicegate.api.resources import PODS
from sluicegate.kube.reflector import Identity, Reflector
from sluicegate.kube.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.tests.kube.conftest import ScriptedApi

    from sluicegate.kube.client import Client

pytestmark = pytest.mark.asyncio(loop_factories=["virtual"])


class Pod(NamedTuple):
    name: str
    uid: str
    version: str


def decode(data: bytes) -> Pod:
    metadata = json.loads(data)["metadata"]
    if "broken" in metadata:
        raise ValueError("spec.replicas: not a number")
    return Pod(metadata["name"], metadata["uid"], metadata["resourceVersion"])


def identify(pod: Pod) -> Identity:
    return Identity("shop", pod.name, pod.uid, pod.version)


def pod(name: str, version: str, uid: str = "", **metadata: Any) -> dict[str, Any]:
    uid = uid or f"uid-{name}"
    return {"metadata": {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": version, **metadata}}


def event(kind: str, obj: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": obj}


def bookmark(version: str) -> dict[str, Any]:
    return event("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": version}})


ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"
TOO_OLD = event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})


class Mirror:
    """A store kept by a reflector, with the changes it reported as `name@old>new`."""

    def __init__(self, client: Client) -> None:
        self.store = Store[Pod]()
        self.reflector = Reflector(
            client,
            PODS,
            decode=decode,
            identify=identify,
            store=self.store,
            on_change=self._changed,
            namespace="shop",
            label_selector="app=web",
        )
        self._changes: asyncio.Queue[str] = asyncio.Queue()

    def _changed(self, old: Pod | None, new: Pod | None) -> None:
        present = new or old
        assert present is not None
        assert self.store.get("shop", present.name) == new
        self._changes.put_nowait(f"{present.name}@{old.version if old else ''}>{new.version if new else ''}")

    async def changes(self, count: int) -> list[str]:
        """The next changes, waited for patiently."""
        return [await asyncio.wait_for(self._changes.get(), 1000) for _ in range(count)]

    @property
    def quiet(self) -> bool:
        return self._changes.empty()

    @property
    def content(self) -> dict[str, str]:
        return {found.name: found.version for found in self.store.list()}


@asynccontextmanager
async def running(client: Client) -> AsyncIterator[Mirror]:
    mirror = Mirror(client)
    task = asyncio.create_task(mirror.reflector.run())
    try:
        yield mirror
    finally:
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError), results[0]


def watched_from(api: ScriptedApi) -> list[str]:
    """The versions that watches were asked to start from, in order."""
    return [request.query["resourceVersion"] for request in api.requests if "watch" in request.query]


def lists(api: ScriptedApi) -> int:
    return sum("watch" not in request.query for request in api.requests)


async def test_the_list_fills_the_store_and_the_watch_follows_from_its_version(
    api: ScriptedApi, client: Client
) -> None:
    api.will(api.page(pod("a", "1"), version="9", then="more"), api.page(pod("b", "2"), version="9"))
    api.will(api.watch(event(ADDED, pod("c", "10")), event(MODIFIED, pod("a", "11")), event(DELETED, pod("b", "12"))))
    async with running(client) as mirror:
        assert not mirror.store.has_synced
        await mirror.reflector.wait_synced()
        assert mirror.store.has_synced
        assert await mirror.changes(5) == ["a@>1", "b@>2", "c@>10", "a@1>11", "b@2>"]
        assert mirror.content == {"a": "11", "c": "10"}
    assert watched_from(api) == ["9"]
    assert {request.path for request in api.requests} == {"/api/v1/namespaces/shop/pods"}
    assert {request.query["labelSelector"] for request in api.requests} == {"app=web"}


async def test_an_ended_watch_goes_on_after_the_last_event_without_a_new_list(api: ScriptedApi, client: Client) -> None:
    api.will(api.page(pod("a", "1"), version="5"))
    api.will(api.watch(event(MODIFIED, pod("a", "6")), event(DELETED, pod("a", "7")), end="clean"))
    api.will(api.watch(event(ADDED, pod("b", "8")), end="drop"))
    api.will(api.watch(event(ADDED, pod("c", "9"))))
    async with running(client) as mirror:
        assert await mirror.changes(5) == ["a@>1", "a@1>6", "a@6>", "b@>8", "c@>9"]
    assert watched_from(api) == ["5", "7", "8"]
    assert lists(api) == 1


async def test_bookmarks_move_the_version_on_and_change_nothing(api: ScriptedApi, client: Client) -> None:
    api.will(api.page(pod("a", "1"), version="5"))
    api.will(api.watch(bookmark("40"), end="clean"), api.watch(event(ADDED, pod("b", "41"))))
    async with running(client) as mirror:
        assert await mirror.changes(2) == ["a@>1", "b@>41"]
    assert watched_from(api) == ["5", "40"]


@pytest.mark.parametrize("as_event", [True, False], ids=["as an event", "as the answer"])
async def test_a_version_that_is_too_old_leads_to_a_fresh_list_that_reports_only_what_changed(
    api: ScriptedApi, client: Client, as_event: bool
) -> None:
    api.will(api.page(pod("same", "1"), pod("changed", "2"), pod("gone", "3"), version="5"))
    api.will(api.watch(TOO_OLD) if as_event else api.fails(410, "Expired"))
    api.will(api.page(pod("same", "1"), pod("changed", "8"), pod("new", "9"), version="10"))
    api.will(api.watch(event(ADDED, pod("last", "11"))))
    async with running(client) as mirror:
        await mirror.changes(3)
        assert await mirror.changes(4) == ["changed@2>8", "new@>9", "gone@3>", "last@>11"]
        assert mirror.content == {"same": "1", "changed": "8", "new": "9", "last": "11"}
    assert watched_from(api) == ["5", "10"]


async def test_a_list_that_expires_between_pages_is_read_at_once_and_reports_nothing_twice(
    api: ScriptedApi, client: Client
) -> None:
    api.will(api.page(pod("a", "1"), pod("b", "2"), version="5", then="more"), api.fails(410, "Expired"))
    api.will(api.page(pod("a", "1"), pod("c", "6"), version="7"), api.watch())
    async with running(client) as mirror:
        assert await mirror.changes(4) == ["a@>1", "b@>2", "c@>6", "b@2>"]
        await mirror.reflector.wait_synced()
        assert mirror.content == {"a": "1", "c": "6"}
    assert "limit" not in api.requests[2].query


async def test_a_name_taken_by_another_object_is_a_deletion_and_an_addition(api: ScriptedApi, client: Client) -> None:
    api.will(api.page(pod("a", "1", uid="first"), version="5"), api.watch(TOO_OLD))
    api.will(api.page(pod("a", "8", uid="second"), version="9"))
    api.will(api.watch(event(MODIFIED, pod("a", "10", uid="third"))))
    async with running(client) as mirror:
        assert await mirror.changes(5) == ["a@>1", "a@1>", "a@>8", "a@8>", "a@>10"]


async def test_an_event_for_the_version_already_known_is_not_reported(api: ScriptedApi, client: Client) -> None:
    api.will(api.page(pod("a", "1"), version="5"))
    api.will(api.watch(event(ADDED, pod("a", "1")), event(DELETED, pod("stranger", "6")), event(ADDED, pod("b", "7"))))
    async with running(client) as mirror:
        assert await mirror.changes(2) == ["a@>1", "b@>7"]
        assert mirror.quiet


async def test_lists_that_fail_are_tried_until_they_work(api: ScriptedApi, client: Client) -> None:
    api.will(*[api.fails(500)] * 14, api.fails(403, "Forbidden"), api.fails(404, "NotFound"))
    api.will(api.page(pod("a", "1"), version="5"), api.watch())
    async with running(client) as mirror:
        assert await mirror.changes(1) == ["a@>1"]


async def test_watches_that_fail_are_tried_again_with_growing_delays_and_without_a_list(
    api: ScriptedApi, client: Client
) -> None:
    api.will(api.page(pod("a", "1"), version="5"), *[api.fails(429, retry_after=1)] * 3)
    # aiohttp sends a request a second time when the connection it re-used turns out closed.
    api.will(*[api.watch(end="drop")] * 4, *[api.watch(end="clean")] * 4, api.watch(event(ADDED, pod("b", "6"))))
    async with running(client) as mirror:
        assert await mirror.changes(2) == ["a@>1", "b@>6"]
    assert lists(api) == 1
    times = [request.at for request in api.requests]
    assert times[1] - times[0] < 1
    assert all(later > earlier for earlier, later in pairwise(times[1:]))
    assert times[-1] - times[-2] > 10


async def test_a_watch_that_the_server_refuses_to_serve_leads_to_a_fresh_list_with_growing_delays(
    api: ScriptedApi, client: Client
) -> None:
    api.will(*[answer for _ in range(4) for answer in (api.page(pod("a", "1"), version="5"), api.fails(500))])
    api.will(api.page(pod("a", "6"), version="7"), api.watch())
    async with running(client) as mirror:
        assert await mirror.changes(2) == ["a@>1", "a@1>6"]
    assert lists(api) == 5


async def test_a_garbage_line_leads_to_a_fresh_list_so_that_nothing_is_missed(api: ScriptedApi, client: Client) -> None:
    api.will(api.page(pod("a", "1"), version="5"))
    api.will(api.watch(event(ADDED, pod("b", "6")), b"\x00garbage", event(ADDED, pod("never", "8"))))
    api.will(api.page(pod("a", "1"), pod("b", "6"), pod("c", "7"), version="9"), api.watch())
    async with running(client) as mirror:
        assert await mirror.changes(3) == ["a@>1", "b@>6", "c@>7"]
        assert mirror.content == {"a": "1", "b": "6", "c": "7"}


@pytest.mark.parametrize("strange", ["text", {}, {"metadata": []}, {"metadata": {"name": 5}}], ids=str)
async def test_an_object_without_readable_metadata_leads_to_a_fresh_list(
    api: ScriptedApi, client: Client, strange: Any
) -> None:
    api.will(api.page(version="5"), api.watch({"type": "ADDED", "object": strange}))
    api.will(api.page(pod("a", "6"), version="7"), api.watch())
    async with running(client) as mirror:
        assert await mirror.changes(1) == ["a@>6"]


async def test_an_object_that_cannot_be_decoded_is_logged_and_left_as_it_was(
    api: ScriptedApi, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    api.will(api.page(pod("bad", "1", broken=True), pod("good", "2"), version="5"))
    api.will(api.watch(event(MODIFIED, pod("good", "6", broken=True)), event(ADDED, pod("new", "7")), TOO_OLD))
    api.will(api.page(pod("good", "6", broken=True), pod("new", "7"), version="8"))
    api.will(api.watch(event(DELETED, pod("good", "9", broken=True))))
    async with running(client) as mirror:
        assert await mirror.changes(3) == ["good@>2", "new@>7", "good@2>"]
        assert mirror.content == {"new": "7"}
    assert "Pod shop/bad cannot be decoded: spec.replicas: not a number" in caplog.messages


@pytest.mark.parametrize("levels", [990, 9000])
async def test_an_object_nested_beyond_reading_keeps_no_other_from_being_read(
    api: ScriptedApi, client: Client, levels: int
) -> None:
    depths = b'"spec":' + b'{"a":' * levels + b"1" + b"}" * levels + b","
    deep = json.dumps(pod("deep", "1")).encode().replace(b"{", b"{" + depths, 1)
    page = {"items": ["deep", pod("good", "2")], "metadata": {"resourceVersion": "5"}}
    api.will(api.says(json.dumps(page).encode().replace(b'"deep"', deep)))
    api.will(
        api.says(
            json.dumps({"type": MODIFIED, "object": "deep"}).encode().replace(b'"deep"', deep.replace(b'"1"', b'"6"'))
        )
    )
    api.will(api.watch(event(ADDED, pod("new", "7"))))
    async with running(client) as mirror:
        assert await mirror.changes(2) == ["deep@>1", "good@>2"]


async def test_a_silent_connection_is_replaced_and_what_happened_meanwhile_arrives(
    api: ScriptedApi, client: Client
) -> None:
    api.will(api.page(version="5"), api.watch(), api.watch(event(ADDED, pod("a", "6"))))
    async with running(client) as mirror:
        await mirror.reflector.wait_synced()
        assert await mirror.changes(1) == ["a@>6"]
    assert watched_from(api) == ["5", "5"]
    assert api.requests[-1].at - api.requests[-2].at < 140


async def test_an_error_of_the_consumer_ends_the_run_rather_than_being_hidden(api: ScriptedApi, client: Client) -> None:
    def fail(_: Pod | None, __: Pod | None) -> None:
        raise RuntimeError("a bug of ours")

    api.will(api.page(pod("a", "1"), version="5"))
    reflector = Reflector(client, PODS, decode=decode, identify=identify, store=Store[Pod](), on_change=fail)
    with pytest.raises(RuntimeError, match="a bug of ours"):
        await reflector.run()
