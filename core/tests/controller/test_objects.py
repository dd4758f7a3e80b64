"""What a router may reach of the cluster, and that it never acts on what the process knows to be old."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.api.resources import CONFIG_MAPS, INGRESSES, NODES, SECRETS, Resource
from sluicegate.controller import own_writes
from sluicegate.controller.objects import RolloutObjects
from sluicegate.errors import AlreadyExists, BadRequest, Conflict, Forbidden, NotFound, SluicegateError
from sluicegate.plugins import ObjectReference, Objects, ObjectSelection

from .conftest import Api, Queue, manifest

if TYPE_CHECKING:
    from sluicegate.controller.watches import Watches
    from sluicegate.kube.client import Client

SHOP = ("default", "shop")
INGRESS = ObjectReference(INGRESSES, "shop")
PATH = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"
OUT_OF_ORDER = BadRequest("out of order", status=400, reason="BadRequest")


@pytest.fixture
def objects(client: Client, watches: Watches) -> Objects:
    return RolloutObjects(client, watches, SHOP)


def ingress(name: str = "shop", **annotations: str) -> dict[str, Any]:
    return manifest(
        "networking.k8s.io/v1", "Ingress", name, annotations=annotations, spec={"ingressClassName": "nginx"}
    )


def annotated(document: dict[str, Any], **annotations: str) -> dict[str, Any]:
    metadata = {**document["metadata"], "annotations": annotations}
    return {**document, "metadata": metadata}


async def make(client: Client, *documents: dict[str, Any]) -> None:
    """Create Ingresses as a user would, behind the controller's back."""
    for document in documents:
        await client.create(INGRESSES, "default", document)


async def weights(objects: Objects) -> dict[str, str | None]:
    found = await objects.list(ObjectSelection(INGRESSES))
    return {item["metadata"]["name"]: (item["metadata"].get("annotations") or {}).get("weight") for item in found}


async def test_objects_are_read_whole_and_belong_to_the_caller(client: Client, objects: Objects) -> None:
    await make(client, ingress(weight="20"))
    first = await objects.get(INGRESS)
    assert (first["kind"], first["apiVersion"]) == ("Ingress", "networking.k8s.io/v1")
    assert "managedFields" not in first["metadata"]
    first["metadata"]["annotations"]["weight"] = "100"
    first["spec"].clear()
    [listed] = await objects.list(ObjectSelection(INGRESSES))
    assert listed["metadata"]["annotations"] == {"weight": "20"} and listed["spec"] == {"ingressClassName": "nginx"}


async def test_an_object_that_does_not_exist_is_named(objects: Objects) -> None:
    with pytest.raises(NotFound, match="Ingress default/shop does not exist"):
        await objects.get(INGRESS)


async def test_what_is_read_wakes_the_rollout(client: Client, objects: Objects, queue: Queue) -> None:
    await objects.list(ObjectSelection(INGRESSES, "team=web"))
    with pytest.raises(NotFound):
        await objects.get(INGRESS)
    await make(client, ingress())
    await queue.until(SHOP)
    labelled = ingress("other")
    labelled["metadata"]["labels"] = {"team": "web"}
    await make(client, labelled)
    await queue.until(SHOP)


OUT_OF_REACH = [
    (ObjectReference(INGRESSES, "shop", namespace="bank"), "is in namespace bank: .* of namespace default"),
    (ObjectReference(SECRETS, "password"), "is a Secret: .* Rollout shop of namespace default .* no Secrets"),
    (ObjectReference(Resource("", "v2", "secrets", "Config"), "password"), "is a Secret"),
    (ObjectReference(NODES, "node-1"), "belongs to no namespace: .* of namespace default"),
]


@pytest.mark.parametrize(("reference", "text"), OUT_OF_REACH)
async def test_nothing_beyond_the_rollouts_namespace_is_reached_by_any_call(
    api: Api, objects: Objects, reference: ObjectReference, text: str
) -> None:
    found = {**ingress(), "metadata": {"name": "shop", "uid": "u", "resourceVersion": "1"}}
    calls = (
        objects.get(reference),
        objects.list(ObjectSelection(reference.resource, "", reference.namespace)),
        objects.create(reference, ingress()),
        objects.update(reference, found, annotated(found, weight="20")),
        objects.delete(reference, found),
    )
    for call in calls:
        with pytest.raises(Forbidden, match=text):
            await call
    assert api.lists == api.writes == []


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_a_name_that_leads_elsewhere_is_refused(api: Api, objects: Objects, name: str) -> None:
    reference = ObjectReference(INGRESSES, name)
    found = {**ingress(name), "metadata": {"name": name, "uid": "u", "resourceVersion": "1"}}
    for call in (objects.get(reference), objects.create(reference, found), objects.delete(reference, found)):
        with pytest.raises(BadRequest, match="is no name of an object"):
            await call
    assert api.writes == []


async def test_a_name_with_slashes_stays_in_its_place(client: Client, api: Api, objects: Objects) -> None:
    await client.create(SECRETS, "default", manifest("v1", "Secret", "password"))
    sly = ObjectReference(INGRESSES, "../../../../../api/v1/namespaces/default/secrets/password")
    found = {**ingress(), "metadata": {"name": "x", "uid": "u", "resourceVersion": "1"}}
    await objects.delete(sly, found)
    with pytest.raises(Conflict):
        await objects.update(sly, found, annotated(found, weight="1"))
    stored = await client.get(SECRETS, "default", "password")
    assert "annotations" not in stored["metadata"]


async def test_what_is_created_lands_where_the_reference_says(client: Client, objects: Objects) -> None:
    wanted = ingress("other")
    wanted["metadata"]["namespace"] = "bank"
    await objects.create(INGRESS, wanted)
    stored = await client.get(INGRESSES, "default", "shop")
    assert stored["spec"] == {"ingressClassName": "nginx"}


async def test_only_what_differs_is_sent_and_only_to_what_was_read(client: Client, api: Api, objects: Objects) -> None:
    await make(client, ingress(weight="0", team="web"))
    found = await objects.get(INGRESS)
    await client.patch(INGRESSES, "default", "shop", {"metadata": {"labels": {"a": "b"}}})
    with pytest.raises(Conflict, match="Ingress default/shop"):
        await objects.update(INGRESS, found, annotated(found, weight="20", team="web"))
    api.writes.clear()
    found = await objects.get(INGRESS)
    stored = await objects.update(INGRESS, found, annotated(found, weight="20", team="web"))
    assert stored["metadata"]["annotations"] == {"weight": "20", "team": "web"}
    assert stored["metadata"]["labels"] == {"a": "b"}
    assert api.writes == [f"PATCH {PATH}/shop"]


async def test_nothing_is_sent_when_nothing_differs(client: Client, api: Api, objects: Objects) -> None:
    await make(client, ingress(weight="0"))
    api.writes.clear()
    found = await objects.get(INGRESS)
    assert await objects.update(INGRESS, found, found) == found
    assert api.writes == []


async def test_own_writes_are_seen_before_the_watch_brings_them_in_this_pass_and_the_next(
    client: Client, api: Api, watches: Watches, objects: Objects
) -> None:
    await make(client, ingress(weight="0"), ingress("going"))
    found = await objects.get(INGRESS)
    going = await objects.get(ObjectReference(INGRESSES, "going"))
    api.blind(OUT_OF_ORDER)
    await objects.update(INGRESS, found, annotated(found, weight="20"))
    await objects.create(ObjectReference(INGRESSES, "new"), ingress("new", weight="5"))
    await objects.delete(ObjectReference(INGRESSES, "going"), going)
    for reader in (
        objects,
        RolloutObjects(client, watches, SHOP),
        RolloutObjects(client, watches, ("default", "cart")),
    ):
        assert (await reader.get(INGRESS))["metadata"]["annotations"] == {"weight": "20"}
        assert await weights(reader) == {"shop": "20", "new": "5"}
        with pytest.raises(NotFound):
            await reader.get(ObjectReference(INGRESSES, "going"))


async def test_answers_that_come_in_the_wrong_order_do_not_bring_the_past_back(
    client: Client, api: Api, watches: Watches, objects: Objects
) -> None:
    await make(client, ingress(weight="0"))
    assert await weights(objects) == {"shop": "0"}
    api.blind(OUT_OF_ORDER)
    first, second = [
        await client.patch(INGRESSES, "default", "shop", {"metadata": {"annotations": {"weight": weight}}})
        for weight in ("20", "40")
    ]
    watches.written(("default", "shop"), INGRESSES, second)
    watches.written(("default", "shop"), INGRESSES, first)
    assert await weights(objects) == {"shop": "40"}


async def test_the_watch_takes_over_when_it_has_caught_up(
    client: Client, watches: Watches, objects: Objects, queue: Queue
) -> None:
    await make(client, ingress(weight="0"))
    found = await objects.get(INGRESS)
    await objects.update(INGRESS, found, annotated(found, weight="20"))
    await client.patch(INGRESSES, "default", "shop", {"metadata": {"annotations": {"weight": "50"}}})
    await queue.until(SHOP)
    assert await weights(objects) == {"shop": "50"}
    await client.delete(INGRESSES, "default", "shop")
    await queue.until(SHOP)
    assert await weights(objects) == {}


async def test_who_writes_an_object_needs_no_news_of_it_but_others_who_read_it_do(
    client: Client, watches: Watches, objects: Objects, queue: Queue
) -> None:
    await make(client, ingress(weight="0"))
    other = ("default", "other")
    await watches.get(other, INGRESSES, "default", "shop")
    found = await objects.get(INGRESS)
    await objects.update(INGRESS, found, annotated(found, weight="20"))
    await queue.until(other)


async def test_what_others_delete_and_make_anew_is_not_hidden_by_an_own_write(
    client: Client, api: Api, watches: Watches, objects: Objects, queue: Queue
) -> None:
    await make(client, ingress(weight="0"))
    found = await objects.get(INGRESS)
    api.blind(OUT_OF_ORDER)
    await objects.update(INGRESS, found, annotated(found, weight="20"))
    await client.delete(INGRESSES, "default", "shop")
    api.see()
    await queue.until(SHOP)
    assert await weights(objects) == {}
    await make(client, ingress(weight="1"))
    await queue.until(SHOP)
    assert await weights(objects) == {"shop": "1"}


async def test_an_object_that_a_finalizer_keeps_is_seen_again(client: Client, objects: Objects, queue: Queue) -> None:
    kept = ingress()
    kept["metadata"]["finalizers"] = ["acme.test/keep"]
    await make(client, kept)
    found = await objects.get(INGRESS)
    await objects.delete(INGRESS, found)
    await queue.until(SHOP)
    assert (await objects.get(INGRESS))["metadata"]["deletionTimestamp"]


async def test_a_write_that_leaves_no_trace_in_the_cache_is_not_shown_for_ever(
    client: Client, api: Api, objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await weights(objects) == {}
    monkeypatch.setattr(own_writes, "PATIENCE_SECONDS", 0.0)
    api.blind(OUT_OF_ORDER)
    await objects.create(INGRESS, ingress(weight="5"))
    await client.delete(INGRESSES, "default", "shop")
    with pytest.raises(NotFound):
        await objects.get(INGRESS)


async def test_after_a_conflict_the_next_read_is_current_though_the_watch_lags(
    client: Client, api: Api, objects: Objects
) -> None:
    await make(client, ingress(weight="0"))
    found = await objects.get(INGRESS)
    api.blind(OUT_OF_ORDER)
    await client.patch(INGRESSES, "default", "shop", {"metadata": {"annotations": {"team": "web"}}})
    with pytest.raises(Conflict):
        await objects.update(INGRESS, found, annotated(found, weight="20"))
    found = await objects.get(INGRESS)
    assert found["metadata"]["annotations"] == {"weight": "0", "team": "web"}
    await objects.update(INGRESS, found, annotated(found, weight="20", team="web"))
    assert await weights(objects) == {"shop": "20"}


async def test_what_is_gone_or_there_already_is_found_out_though_the_watch_lags(
    client: Client, api: Api, objects: Objects
) -> None:
    await make(client, ingress())
    found = await objects.get(INGRESS)
    api.blind(OUT_OF_ORDER)
    await client.delete(INGRESSES, "default", "shop")
    with pytest.raises(Conflict):
        await objects.update(INGRESS, found, annotated(found, weight="20"))
    with pytest.raises(NotFound):
        await objects.get(INGRESS)
    await make(client, ingress(weight="7"))
    with pytest.raises(AlreadyExists):
        await objects.create(INGRESS, ingress(weight="20"))
    assert await weights(objects) == {"shop": "7"}


async def test_only_what_was_observed_is_deleted(client: Client, objects: Objects, queue: Queue) -> None:
    await make(client, ingress())
    found = await objects.get(INGRESS)
    await client.delete(INGRESSES, "default", "shop")
    await make(client, ingress(weight="1"))
    await objects.delete(INGRESS, found)
    assert await weights(objects) == {"shop": "1"}
    await objects.delete(INGRESS, await objects.get(INGRESS))
    await objects.delete(INGRESS, found)
    with pytest.raises(NotFound):
        await objects.get(INGRESS)


async def test_refusals_of_the_api_reach_the_router(client: Client, api: Api, objects: Objects) -> None:
    await make(client, ingress())
    found = await objects.get(INGRESS)

    def refuse(request: Any) -> SluicegateError | None:
        return Forbidden("not you", status=403, reason="Forbidden") if request.method == "PATCH" else None

    api.refuse = refuse
    with pytest.raises(Forbidden, match="not you"):
        await objects.update(INGRESS, found, annotated(found, weight="20"))
    assert await weights(objects) == {"shop": None}


async def test_config_maps_of_the_namespace_are_within_reach(client: Client, objects: Objects) -> None:
    await client.create(CONFIG_MAPS, "default", manifest("v1", "ConfigMap", "settings", data={"a": "b"}))
    assert (await objects.get(ObjectReference(CONFIG_MAPS, "settings", namespace="default")))["data"] == {"a": "b"}
