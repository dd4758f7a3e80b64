"""Reads of Rollouts from caches that fill themselves, and who is told of a change, on a real API over HTTP."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.api import names
from sluicegate.api.foreign import Pod, decode_pod
from sluicegate.api.resources import CONFIG_MAPS, CRDS, INGRESSES, NODES, PODS, Resource
from sluicegate.controller import watched
from sluicegate.controller.watched import WatchedKind
from sluicegate.controller.watches import Watches
from sluicegate.errors import BadRequest, ConnectError, Forbidden, SluicegateError

from .conftest import Api, Queue, manifest

if TYPE_CHECKING:
    from aiohttp import web

    from sluicegate.kube.client import Client

SHOP, CART = ("default", "shop"), ("default", "cart")
SERVICES = Resource("istio.test", "v1", "virtualservices", "VirtualService")
CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "virtualservices.istio.test"},
    "spec": {
        "group": "istio.test",
        "scope": "Namespaced",
        "names": {"plural": "virtualservices", "kind": "VirtualService"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    },
}


async def put(client: Client, name: str, *, namespace: str = "default", data: str = "", **labels: str) -> None:
    """Create a ConfigMap."""
    document = manifest("v1", "ConfigMap", name, labels=labels, namespace=namespace, data={"it": data})
    await client.create(CONFIG_MAPS, namespace, document)


async def label(client: Client, name: str, **labels: str | None) -> None:
    await client.patch(CONFIG_MAPS, "default", name, {"metadata": {"labels": labels}})


async def found(watches: Watches, selector: str = "", reader: tuple[str, str] = SHOP) -> set[str]:
    return {obj.metadata.name for obj in await watches.list(reader, CONFIG_MAPS, "default", selector)}


def forbid(verb: str) -> Any:
    """What a server answers to a controller that lacks a verb on ConfigMaps."""

    def refuse(request: web.BaseRequest) -> SluicegateError | None:
        asked = "watch" if "watch" in request.query else "list"
        if request.method == "GET" and asked == verb:
            return Forbidden(f"no {verb} for you", status=403, reason="Forbidden")
        return None

    return refuse


async def test_objects_come_whole_and_what_is_not_there_is_none(client: Client, watches: Watches) -> None:
    await put(client, "settings", data="blue")
    settings = await watches.get(SHOP, CONFIG_MAPS, "default", "settings")
    assert settings is not None
    assert settings.document["data"] == {"it": "blue"} and "managedFields" not in settings.document["metadata"]
    assert await watches.get(SHOP, CONFIG_MAPS, "default", "other") is None
    assert await watches.get(SHOP, CONFIG_MAPS, "elsewhere", "settings") is None


async def test_a_kind_is_listed_once_however_many_read_it(client: Client, api: Api, watches: Watches) -> None:
    await put(client, "settings")
    for number in range(100):
        assert await watches.get(("default", f"shop-{number}"), CONFIG_MAPS, "default", "settings")
        assert await found(watches, reader=("default", f"shop-{number}")) == {"settings"}
    assert len(api.lists) == 1 and len(api.watches) <= 1


async def test_the_first_list_makes_nobody_look_again(client: Client, watches: Watches, queue: Queue) -> None:
    await put(client, "settings")
    await watches.get(SHOP, CONFIG_MAPS, "default", "settings")
    assert queue.added == []


async def test_who_read_an_object_is_told_of_its_coming_changing_and_going(
    client: Client, watches: Watches, queue: Queue
) -> None:
    await watches.get(SHOP, CONFIG_MAPS, "default", "settings")
    await watches.get(CART, CONFIG_MAPS, "default", "other")
    await put(client, "settings")
    await queue.until(SHOP)
    await label(client, "settings", colour="blue")
    await queue.until(SHOP)
    await client.delete(CONFIG_MAPS, "default", "settings")
    await queue.until(SHOP)
    await put(client, "unread")
    await put(client, "other")
    await queue.until(CART)


async def test_who_read_a_list_is_told_of_what_is_or_was_in_it(client: Client, watches: Watches, queue: Queue) -> None:
    await put(client, "a", app="shop")
    assert await found(watches, "app=shop") == {"a"}
    assert await found(watches, "app in (cart, till)", CART) == set()
    await put(client, "b", app="shop", tier="front")
    await queue.until(SHOP)
    await label(client, "b", app="cart")
    await queue.until(SHOP, CART)
    await label(client, "b", tier="back")
    await queue.until(CART)
    assert (await found(watches, "app=shop"), await found(watches, "app in (cart, till)", CART)) == ({"a"}, {"b"})
    await client.delete(CONFIG_MAPS, "default", "a")
    await queue.until(SHOP)


async def test_a_list_of_another_namespace_does_not_matter(client: Client, watches: Watches, queue: Queue) -> None:
    await found(watches)
    await put(client, "a", namespace="kube-system")
    await put(client, "b")
    await queue.until(SHOP)
    assert await found(watches) == {"b"}


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("", {"a", "b", "c"}),
        ("app=shop", {"a", "b"}),
        ("app==shop,tier!=back", {"a"}),
        ("tier", {"b", "c"}),
        ("!tier", {"a"}),
        ("app notin (shop)", {"c"}),
        ("app in (shop,cart),tier in (back)", {"b", "c"}),
        ("app=shop,app=cart", set()),
        ("acme.test/x_y.z=1", set()),
    ],
)
async def test_selectors_mean_what_they_mean_to_the_api(
    client: Client, watches: Watches, selector: str, names: set[str]
) -> None:
    await put(client, "a", app="shop")
    await put(client, "b", app="shop", tier="back")
    await put(client, "c", app="cart", tier="back")
    assert await found(watches, selector) == names
    assert {
        obj["metadata"]["name"] for obj in await client.list(CONFIG_MAPS, "default", label_selector=selector)
    } == names


@pytest.mark.parametrize("selector", ["app=a b", "=x", "a in b", "a,b=(", "a>b"])
async def test_a_selector_that_is_none_is_refused_and_leaves_nothing(
    client: Client, watches: Watches, queue: Queue, selector: str
) -> None:
    with pytest.raises(BadRequest, match="label selector"):
        await found(watches, selector)
    await found(watches, reader=CART)
    await put(client, "a")
    await queue.until(CART)


async def test_reads_of_the_last_two_passes_count(client: Client, watches: Watches, queue: Queue) -> None:
    watches.begin(SHOP)
    await watches.get(SHOP, CONFIG_MAPS, "default", "first")
    await found(watches, "app=shop")
    watches.begin(SHOP)
    await watches.get(SHOP, CONFIG_MAPS, "default", "second")
    await put(client, "first")
    await queue.until(SHOP)
    await put(client, "listed", app="shop")
    await queue.until(SHOP)
    watches.begin(SHOP)
    await client.delete(CONFIG_MAPS, "default", "first")
    await client.delete(CONFIG_MAPS, "default", "listed")
    await watches.get(CART, CONFIG_MAPS, "default", "last")
    await put(client, "last")
    await queue.until(CART)
    await put(client, "second")
    await queue.until(SHOP)


async def test_a_read_that_goes_on_for_many_passes_is_kept(client: Client, watches: Watches, queue: Queue) -> None:
    for _ in range(5):
        watches.begin(SHOP)
        await watches.get(SHOP, CONFIG_MAPS, "default", "settings")
        await found(watches, "app=shop")
    await put(client, "settings")
    await queue.until(SHOP)
    await put(client, "listed", app="shop")
    await queue.until(SHOP)


async def test_a_forgotten_rollout_is_told_nothing(client: Client, watches: Watches, queue: Queue) -> None:
    for reader in (SHOP, CART):
        await watches.get(reader, CONFIG_MAPS, "default", "settings")
        await found(watches, "app=shop", reader)
    watches.begin(SHOP)
    watches.forget(SHOP)
    await put(client, "settings", app="shop")
    await queue.until(CART)


async def test_a_kind_that_is_not_served_is_absent_and_found_when_it_comes(
    client: Client,
    watches: Watches,
    queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(watched, "ABSENT_SECONDS", 0.01)
    assert await watches.get(SHOP, SERVICES, "default", "routes") is None
    assert await watches.list(SHOP, SERVICES, "default") == []
    await client.create(CRDS, None, CRD)
    await client.create(SERVICES, "default", manifest("istio.test/v1", "VirtualService", "routes"))
    await queue.until(SHOP)
    assert await watches.get(SHOP, SERVICES, "default", "routes") is not None
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_objects_go_with_their_kind(
    client: Client, watches: Watches, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "ABSENT_SECONDS", 0.01)
    await client.create(CRDS, None, CRD)
    await client.create(SERVICES, "default", manifest("istio.test/v1", "VirtualService", "routes"))
    assert await watches.get(SHOP, SERVICES, "default", "routes") is not None
    await client.delete(CRDS, None, "virtualservices.istio.test")
    await queue.until(SHOP)
    assert await watches.get(SHOP, SERVICES, "default", "routes") is None


@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_what_the_controller_may_not_read_is_an_error_that_names_verb_and_kind(
    client: Client, api: Api, watches: Watches, verb: str
) -> None:
    await put(client, "settings")
    api.refuse = forbid(verb)
    text = f"the controller may not {verb} configmaps: no {verb} for you"
    await until_refused(watches, text)
    with pytest.raises(Forbidden, match=text):
        await found(watches)
    api.see()
    await until_readable(watches)


async def until_refused(watches: Watches, text: str) -> None:
    """Read until it is refused: a watch is refused only after the list has gone well."""
    try:
        while True:
            await watches.get(SHOP, CONFIG_MAPS, "default", "settings")
            await asyncio.sleep(0)
    except Forbidden as error:
        assert text in str(error)


async def until_readable(watches: Watches) -> None:
    while True:
        try:
            assert await watches.get(SHOP, CONFIG_MAPS, "default", "settings") is not None
        except Forbidden:
            await asyncio.sleep(0)
        else:
            return


async def test_a_refused_kind_is_logged_once_however_often_it_is_tried(
    api: Api, watches: Watches, caplog: pytest.LogCaptureFixture
) -> None:
    api.refuse = forbid("list")
    while len(api.lists) < 3:
        with pytest.raises(Forbidden):
            await found(watches)
        await asyncio.sleep(0)
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings == ["list of configmaps failed, trying again: no list for you"]


async def test_a_kind_that_cannot_be_listed_yet_is_not_taken_for_absent(api: Api, watches: Watches) -> None:
    broken = BadRequest("out of order", status=400, reason="BadRequest")
    api.refuse = lambda request: broken
    with pytest.raises(ConnectError, match="configmaps could not be read yet: list: out of order"):
        await found(watches)


async def test_a_read_waits_for_the_first_list_only_so_long(
    api: Api, watches: Watches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "SYNC_SECONDS", 0.0)
    with pytest.raises(ConnectError, match="configmaps could not be read yet: no list within 0 s"):
        await found(watches)


async def test_a_list_that_fails_later_leaves_what_is_known(client: Client, api: Api, watches: Watches) -> None:
    await put(client, "settings")
    assert await found(watches) == {"settings"}
    api.blind(BadRequest("out of order", status=400, reason="BadRequest"))
    await put(client, "other")
    assert await found(watches) == {"settings"}


async def test_a_lost_watch_is_taken_up_again(client: Client, api: Api, watches: Watches, queue: Queue) -> None:
    await watches.get(SHOP, CONFIG_MAPS, "default", "settings")
    await put(client, "settings")
    await queue.until(SHOP)
    api.server.drop_watches()
    await client.delete(CONFIG_MAPS, "default", "settings")
    await queue.until(SHOP)
    assert len(api.lists) == 1


async def test_a_controller_of_one_namespace_asks_for_nothing_else(client: Client, api: Api, queue: Queue) -> None:
    watches = Watches(client, queue.add, "default")
    try:
        assert await found(watches) == set()
        with pytest.raises(Forbidden, match=r"configmaps of namespace kube-system are out of reach.*works in default"):
            await watches.get(SHOP, CONFIG_MAPS, "kube-system", "settings")
        assert await watches.get(SHOP, NODES, "default", "node-1") is None
    finally:
        await watches.close()
    assert [path.split("?")[0] for path in api.lists] == [
        "/api/v1/namespaces/default/configmaps",
        "/api/v1/nodes",
    ]


async def test_cluster_scoped_objects_are_found_and_followed(client: Client, watches: Watches, queue: Queue) -> None:
    assert await watches.get(SHOP, NODES, "default", "node-1") is None
    await client.create(NODES, None, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}})
    await queue.until(SHOP)
    assert await watches.get(SHOP, NODES, "default", "node-1") is not None


async def test_of_a_large_kind_little_is_watched_decoded_and_looked_at(
    client: Client, api: Api, watches: Watches, queue: Queue
) -> None:
    kind = WatchedKind(PODS, decode_pod, names.HASH_LABEL, names.HASH_LABEL)
    spec = {"containers": [{"name": "app", "image": "shop:1"}]}
    for name, labels in (("a", {names.HASH_LABEL: "h1"}), ("b", {names.HASH_LABEL: "h2"}), ("c", {})):
        await client.create(PODS, "default", manifest("v1", "Pod", name, labels=labels, spec=spec))
    pods = await watches.list(SHOP, kind, "default", f"{names.HASH_LABEL}=h1")
    assert [type(pod) for pod in pods] == [Pod] and pods[0].metadata.name == "a"
    assert {pod.metadata.name for pod in await watches.list(CART, kind, "default")} == {"a", "b"}
    assert f"labelSelector={names.HASH_LABEL}" in api.lists[0]
    patch = {"metadata": {"labels": {names.HASH_LABEL: "h1"}}}
    await client.patch(PODS, "default", "b", patch)
    await queue.until(SHOP, CART)
    assert {pod.metadata.name for pod in await watches.list(SHOP, kind, "default", f"{names.HASH_LABEL}=h1")} == {
        "a",
        "b",
    }


async def test_a_watch_that_crashes_is_started_again(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    queue = Queue()
    crashes = [RuntimeError("a bug")]

    def add(key: tuple[str, str]) -> None:
        if crashes:
            raise crashes.pop()
        queue.add(key)

    watches = Watches(client, add)
    try:
        await watches.get(SHOP, CONFIG_MAPS, "default", "settings")
        await put(client, "settings")
        await watches.get(CART, CONFIG_MAPS, "default", "other")
        await put(client, "other")
        await queue.until(CART)
        assert await found(watches) == {"settings", "other"}
    finally:
        await watches.close()
    assert "watch of configmaps crashed, starting again" in caplog.text


async def test_ingresses_are_kinds_like_any_other(client: Client, watches: Watches, queue: Queue) -> None:
    assert await watches.get(SHOP, INGRESSES, "default", "shop") is None
    await client.create(INGRESSES, "default", manifest("networking.k8s.io/v1", "Ingress", "shop", spec={}))
    await queue.until(SHOP)
