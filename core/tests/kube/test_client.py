"""The client: what it sends, what it retries, and what it makes of pages, watches and failures."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from sluicegate.api.resources import DEPLOYMENTS, NAMESPACES, PODS, Resource
from sluicegate.errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Conflict,
    ConnectError,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    ServerError,
    TooManyRequests,
    Unauthorized,
)
from sluicegate.kube.client import Client
from sluicegate.kube.patches import STRATEGIC_MERGE_PATCH

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.tests.kube.conftest import ScriptedApi

pytestmark = pytest.mark.asyncio(loop_factories=["virtual"])


def pod(name: str, version: str = "1") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": version}}


async def names(client: Client, **options: Any) -> list[list[str]]:
    return [
        [msgspec.json.decode(raw)["metadata"]["name"] for raw in page.items]
        async for page in client.pages(PODS, "shop", **options)
    ]


@pytest.mark.parametrize(
    ("resource", "namespace", "path"),
    [
        pytest.param(PODS, "shop", "/api/v1/namespaces/shop/pods/web", id="core group"),
        pytest.param(DEPLOYMENTS, "shop", "/apis/apps/v1/namespaces/shop/deployments/web", id="named group"),
        pytest.param(NAMESPACES, None, "/api/v1/namespaces/web", id="cluster-scoped"),
        pytest.param(NAMESPACES, "shop", "/api/v1/namespaces/web", id="a namespace does not matter then"),
    ],
)
async def test_get_asks_for_one_object(
    api: ScriptedApi, client: Client, resource: Resource, namespace: str | None, path: str
) -> None:
    api.will(api.says({"metadata": {"name": "web"}, "spec": {"text": "naïve"}}))
    assert (await client.get(resource, namespace, "web"))["spec"] == {"text": "naïve"}
    assert (api.requests[0].method, api.requests[0].path) == ("GET", path)
    assert api.requests[0].headers["User-Agent"].startswith("sluicegate/")


async def test_get_bytes_gives_the_answer_as_it_came(api: ScriptedApi, client: Client) -> None:
    api.will(api.says(b'{ "odd":   1.50 }'))
    assert await client.get_bytes(PODS, "shop", "web") == b'{ "odd":   1.50 }'


async def test_a_list_is_read_page_by_page_of_one_version(api: ScriptedApi, client: Client) -> None:
    api.will(api.page(pod("a"), pod("b"), version="7", then="next"), api.page(pod("c"), version="7"))
    assert await names(client, label_selector="app in (x,y),z!=1", limit=2) == [["a", "b"], ["c"]]
    first, second = (request.query for request in api.requests)
    assert first == {"limit": "2", "labelSelector": "app in (x,y),z!=1"}
    assert second == {**first, "continue": "next"}


async def test_a_list_without_items_is_empty(api: ScriptedApi, client: Client) -> None:
    api.will(api.says({"kind": "PodList", "items": None, "metadata": {"resourceVersion": "9"}}))
    assert await client.list(PODS) == []
    assert api.requests[0].path == "/api/v1/pods"


async def test_listed_objects_say_what_they_are(api: ScriptedApi, client: Client) -> None:
    api.will(api.page(pod("a"), version="7"))
    assert await client.list(PODS, "shop") == [{"apiVersion": "v1", "kind": "Pod", **pod("a")}]


async def test_a_list_that_expires_between_pages_is_read_afresh_at_once_and_without_duplicates(
    api: ScriptedApi, client: Client
) -> None:
    api.will(api.page(pod("a"), version="7", then="next"), api.fails(410, "Expired", "too old"))
    api.will(api.page(pod("a"), pod("b"), version="9"))
    assert [found["metadata"]["name"] for found in await client.list(PODS, "shop", field_selector="f=1")] == ["a", "b"]
    assert api.requests[2].query == {"fieldSelector": "f=1"}


async def test_create_replace_patch_and_delete_send_what_kubernetes_expects(api: ScriptedApi, client: Client) -> None:
    api.will(*[api.says({"ok": True})] * 6)
    assert await client.create(PODS, "shop", {"a": 1}) == {"ok": True}
    await client.replace(PODS, "shop", "web", {"a": 2}, subresource="status")
    await client.patch(PODS, "shop", "web", {"a": None})
    await client.patch(PODS, "shop", "web", [{"op": "remove", "path": "/a"}])
    await client.patch(PODS, "shop", "web", {"a": 3}, content_type=STRATEGIC_MERGE_PATCH, subresource="scale")
    await client.delete(PODS, "shop", "web", uid="u1", resource_version="5")
    pods = "/api/v1/namespaces/shop/pods"
    sent = [(request.method, request.path, request.headers["Content-Type"], request.body) for request in api.requests]
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
    assert sent == [
        ("POST", pods, "application/json", {"a": 1}),
        ("PUT", f"{pods}/web/status", "application/json", {"a": 2}),
        ("PATCH", f"{pods}/web", "application/merge-patch+json", {"a": None}),
        ("PATCH", f"{pods}/web", "application/json-patch+json", [{"op": "remove", "path": "/a"}]),
        ("PATCH", f"{pods}/web/scale", "application/strategic-merge-patch+json", {"a": 3}),
        (
            "DELETE",
            f"{pods}/web",
            "application/json",
            {**options, "preconditions": {"uid": "u1", "resourceVersion": "5"}},
        ),
    ]


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (400, "BadRequest", BadRequest),
        (401, "Unauthorized", Unauthorized),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (405, "MethodNotAllowed", ApiError),
        (409, "AlreadyExists", AlreadyExists),
        (409, "Conflict", Conflict),
        (410, "Gone", Expired),
        (422, "Invalid", Invalid),
        (500, "InternalError", ServerError),
        (503, "ServiceUnavailable", ServerError),
    ],
)
async def test_a_refused_write_raises_the_error_of_its_status_and_is_not_sent_again(
    api: ScriptedApi, client: Client, code: int, reason: str, kind: type[ApiError]
) -> None:
    api.will(api.fails(code, reason, 'pods "web" has a problem'))
    with pytest.raises(ApiError, match='pods "web" has a problem') as caught:
        await client.create(PODS, "shop", {})
    assert (type(caught.value), caught.value.status, caught.value.reason) == (kind, code, reason)
    assert len(api.requests) == 1


async def test_the_causes_of_an_invalid_object_are_kept(api: ScriptedApi, client: Client) -> None:
    cause = {"field": "spec.replicas", "message": "must be positive", "reason": "FieldValueInvalid"}
    status = {"kind": "Status", "code": 422, "reason": "Invalid", "message": "bad", "details": {"causes": [cause]}}
    api.will(api.says(status, status=422))
    with pytest.raises(Invalid) as caught:
        await client.create(PODS, "shop", {})
    assert caught.value.causes == (cause,)


async def test_a_failure_that_is_no_status_object_is_told_in_one_line(api: ScriptedApi, client: Client) -> None:
    api.will(api.says(b"<html>\n<h1>Bad  Gateway</h1>\n" + b"x" * 5000, status=502))
    with pytest.raises(ServerError) as caught:
        await client.create(PODS, "shop", {})
    message = str(caught.value)
    assert message.startswith("POST /api/v1/namespaces/shop/pods: status 502: <html> <h1>Bad Gateway</h1> xxx")
    assert "\n" not in message
    assert len(message) < 400


async def test_an_answer_that_is_not_json_is_a_server_error_that_names_the_server(
    api: ScriptedApi, client: Client
) -> None:
    api.will(api.says(b"<html>log in here</html>"))
    with pytest.raises(ServerError, match=rf"{api.address} sent what is not a Kubernetes answer.*log in here"):
        await client.get(PODS, "shop", "web")


async def test_reads_are_tried_again_after_server_errors_and_lost_connections(api: ScriptedApi, client: Client) -> None:
    # aiohttp itself sends an idempotent request a second time, hence two drops for one.
    api.will(api.fails(500), api.fails(503), api.drops, api.drops, api.says(pod("web")))
    assert (await client.get(PODS, "shop", "web"))["metadata"]["name"] == "web"
    assert 0.3 < api.requests[-1].at - api.requests[0].at < 3


async def test_reads_give_up_after_a_few_seconds(api: ScriptedApi, client: Client) -> None:
    api.will(*[api.fails(500, "InternalError", "etcd is away")] * 30)
    with pytest.raises(ServerError, match="etcd is away"):
        await client.get(PODS, "shop", "web")
    assert len(api.requests) == 6
    assert api.requests[-1].at < 10


async def test_a_write_whose_answer_is_lost_is_not_sent_again(api: ScriptedApi, client: Client) -> None:
    api.will(api.drops, api.says({}))
    with pytest.raises(ConnectError, match=f"lost the connection to {api.address}"):
        await client.create(PODS, "shop", {})
    assert len(api.requests) == 1


@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
async def test_a_busy_server_is_left_alone_for_as_long_as_it_asks(
    api: ScriptedApi, client: Client, write: bool
) -> None:
    api.will(api.fails(429, "TooManyRequests", retry_after=7), api.fails(429, retry_after=3), api.says(pod("web")))
    await (client.create(PODS, "shop", {}) if write else client.get(PODS, "shop", "web"))
    first, second, third = (request.at for request in api.requests)
    assert [second - first, third - second] == pytest.approx([7, 3], abs=0.5)


async def test_a_busy_server_that_asks_for_an_hour_is_not_waited_for(api: ScriptedApi, client: Client) -> None:
    api.will(api.fails(429, "TooManyRequests", "slow down", retry_after=3600))
    with pytest.raises(TooManyRequests) as caught:
        await client.get(PODS, "shop", "web")
    assert caught.value.retry_after == 3600


async def test_no_more_than_a_bounded_number_of_requests_is_in_flight(api: ScriptedApi, client: Client) -> None:
    in_flight, most = 0, 0

    async def slow(request: Any) -> Any:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        await asyncio.sleep(1)
        in_flight -= 1
        return await api.says({})(request)

    api.will(*[slow] * 100)
    await asyncio.gather(*(client.get(PODS, "shop", str(number)) for number in range(100)))
    assert most == 32


async def test_watches_do_not_use_up_the_requests_in_flight(api: ScriptedApi, client: Client) -> None:
    api.will(*[api.watch({"type": "BOOKMARK", "object": pod("")})] * 40, api.says(pod("web")))
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(40):
            watch = client.watch(PODS, resource_version="1")
            await stack.enter_async_context(contextlib.aclosing(watch))
            await anext(watch)
        assert (await client.get(PODS, "shop", "web"))["metadata"]["name"] == "web"


async def test_a_server_that_is_not_there_is_named_with_the_kubeconfig_and_not_asked_again(
    api: ScriptedApi, kubeconfig: Callable[..., Path]
) -> None:
    path = kubeconfig("http://127.0.0.1:1")
    async with await Client.connect(kubeconfig=path) as client:
        with pytest.raises(ConnectError) as caught:
            await client.get(PODS, "shop", "web")
    assert str(caught.value) == f"no connection to http://127.0.0.1:1 (from {path}): Connection refused"
    assert (caught.value.address, caught.value.source) == ("http://127.0.0.1:1", str(path))
    assert asyncio.get_running_loop().time() < 1


async def test_a_server_that_never_answers_is_given_up_after_a_minute(api: ScriptedApi, client: Client) -> None:
    api.will(api.hangs)
    started = asyncio.get_running_loop().time()
    with pytest.raises(ConnectError, match="no answer in time"):
        await client.create(PODS, "shop", {})
    assert asyncio.get_running_loop().time() - started == pytest.approx(60, abs=1)


async def events(client: Client, **options: Any) -> list[tuple[str, str]]:
    watch = client.watch(PODS, "shop", resource_version="5", **options)
    return [(event.type, msgspec.json.decode(event.object)["metadata"]["name"]) async for event in watch]


async def test_a_watch_gives_events_and_bookmarks_until_the_server_ends_it(api: ScriptedApi, client: Client) -> None:
    lines = [{"type": kind, "object": pod(kind.lower())} for kind in ("ADDED", "MODIFIED", "BOOKMARK", "DELETED")]
    api.will(api.watch(*lines, b"", end="clean"))
    assert await events(client, label_selector="app=web") == [
        (kind, kind.lower()) for kind in ("ADDED", "MODIFIED", "BOOKMARK", "DELETED")
    ]
    query = api.requests[0].query
    assert 240 <= int(query.pop("timeoutSeconds")) <= 480
    assert query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "5",
        "labelSelector": "app=web",
    }


async def test_events_of_megabytes_pass(api: ScriptedApi, client: Client) -> None:
    large = pod("large")
    large["metadata"]["annotations"] = {"text": "ä" * 5_000_000}
    api.will(api.watch({"type": "ADDED", "object": large}, {"type": "ADDED", "object": pod("small")}, end="clean"))
    assert await events(client) == [("ADDED", "large"), ("ADDED", "small")]


async def test_what_a_dropped_connection_cut_off_is_no_event(api: ScriptedApi, client: Client) -> None:
    event = {"type": "ADDED", "object": pod("a")}
    half = json.dumps(event).encode()[:30]
    api.will(api.watch(event, cut=half, end="drop"), api.watch(event, cut=half, end="clean"))
    with pytest.raises(ConnectError, match="lost the connection"):
        await events(client)
    assert await events(client) == [("ADDED", "a")]


@pytest.mark.parametrize(("code", "kind"), [(410, Expired), (500, ServerError), (429, TooManyRequests)])
async def test_an_error_event_raises_the_error_of_its_status(
    api: ScriptedApi, client: Client, code: int, kind: type[ApiError]
) -> None:
    status = {"kind": "Status", "code": code, "reason": "Expired", "message": "too old resource version: 5 (9)"}
    api.will(api.watch({"type": "ERROR", "object": status}))
    with pytest.raises(kind, match=r"too old resource version: 5 \(9\)"):
        await events(client)


async def test_a_line_that_is_no_event_is_an_error_not_a_gap(api: ScriptedApi, client: Client) -> None:
    api.will(api.watch({"type": "ADDED", "object": pod("a")}, b"garbage"))
    with pytest.raises(ServerError) as caught:
        await events(client)
    assert caught.value.reason == "InvalidAnswer"


async def test_a_watch_that_falls_silent_is_given_up(api: ScriptedApi, client: Client) -> None:
    api.will(api.watch({"type": "ADDED", "object": pod("a")}))
    started = asyncio.get_running_loop().time()
    with pytest.raises(ConnectError, match="no answer in time"):
        await events(client)
    assert 120 < asyncio.get_running_loop().time() - started < 140
