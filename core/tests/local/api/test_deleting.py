"""Deletion: finalizers, grace periods, preconditions, owners and namespaces."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.local.objects import Key

if TYPE_CHECKING:
    from sluicegate.local.store import ObjectStore

Call = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
REPLICA_SETS = "/apis/apps/v1/namespaces/default/replicasets"
MERGE = {"Content-Type": "application/merge-patch+json"}


async def create(call: Call, path: str, name: str, *owners: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    body = {"metadata": {"name": name, "ownerReferences": list(owners), **metadata}}
    status, created = await call("POST", path, body)
    assert status == 201, created
    return created


def owner(obj: dict[str, Any], **more: Any) -> dict[str, Any]:
    metadata = obj["metadata"]
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        **more,
    }


async def gone(store: ObjectStore, plural: str, name: str, group: str = "", namespace: str = "default") -> None:
    """Wait until an object is gone."""
    key = Key(group, plural, namespace, name)
    changes = store.subscribe((group, plural))
    async with asyncio.timeout(5):
        while store.find(key):
            await anext(changes)
    changes.close()


async def test_deleting_answers_with_success_and_the_object_is_gone(call: Call) -> None:
    created = await create(call, CONFIG_MAPS, "c")
    status, answer = await call("DELETE", f"{CONFIG_MAPS}/c")
    assert (status, answer["kind"], answer["status"]) == (200, "Status", "Success")
    assert answer["details"] == {"name": "c", "kind": "configmaps", "uid": created["metadata"]["uid"]}
    assert (await call("GET", f"{CONFIG_MAPS}/c"))[0] == 404


async def test_a_finalizer_holds_an_object_back(call: Call) -> None:
    await create(call, REPLICA_SETS, "r", finalizers=["demo.example/wait"])
    status, marked = await call("DELETE", f"{REPLICA_SETS}/r")
    assert (status, marked["kind"]) == (200, "ReplicaSet")
    assert marked["metadata"]["deletionTimestamp"]
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 0
    assert marked["metadata"]["generation"] == 2
    assert (await call("DELETE", f"{REPLICA_SETS}/r"))[1] == marked
    await call("PATCH", f"{REPLICA_SETS}/r", {"metadata": {"finalizers": None}}, headers=MERGE)
    assert (await call("GET", f"{REPLICA_SETS}/r"))[0] == 404


async def test_a_pod_on_a_node_ends_gracefully(call: Call) -> None:
    await call("POST", PODS, {"metadata": {"name": "p"}, "spec": {"nodeName": "n", "terminationGracePeriodSeconds": 7}})
    _, marked = await call("DELETE", f"{PODS}/p")
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 7
    _, shortened = await call("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 2})
    assert shortened["metadata"]["deletionGracePeriodSeconds"] == 2
    _, unchanged = await call("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 60})
    assert unchanged == shortened
    await call("DELETE", f"{PODS}/p", {"gracePeriodSeconds": 0})
    assert (await call("GET", f"{PODS}/p"))[0] == 404


async def test_a_pod_without_a_node_goes_at_once(call: Call) -> None:
    await create(call, PODS, "p")
    await call("DELETE", f"{PODS}/p")
    assert (await call("GET", f"{PODS}/p"))[0] == 404


@pytest.mark.parametrize("precondition", [{"uid": "other"}, {"resourceVersion": "1"}])
async def test_a_precondition_that_does_not_hold_conflicts(call: Call, precondition: dict[str, str]) -> None:
    await create(call, CONFIG_MAPS, "c")
    status, failure = await call("DELETE", f"{CONFIG_MAPS}/c", {"preconditions": precondition})
    assert (status, failure["reason"]) == (409, "Conflict")
    assert (await call("GET", f"{CONFIG_MAPS}/c"))[0] == 200


@pytest.mark.parametrize(
    "options", [{"propagationPolicy": "Sideways"}, {"gracePeriodSeconds": "soon"}, {"gracePeriodSeconds": -1}]
)
async def test_delete_options_that_make_no_sense_are_refused(call: Call, options: dict[str, Any]) -> None:
    await create(call, CONFIG_MAPS, "c")
    status, failure = await call("DELETE", f"{CONFIG_MAPS}/c", options)
    assert (status, failure["reason"]) == (400, "BadRequest")


async def test_a_collection_is_deleted_by_selector(call: Call) -> None:
    for name, app in (("a", "x"), ("b", "y"), ("c", "x")):
        await create(call, CONFIG_MAPS, name, labels={"app": app})
    _, deleted = await call("DELETE", CONFIG_MAPS, params={"labelSelector": "app=x"})
    assert [item["metadata"]["name"] for item in deleted["items"]] == ["a", "c"]
    assert [item["metadata"]["name"] for item in (await call("GET", CONFIG_MAPS))[1]["items"]] == ["b"]


async def test_dependents_follow_their_owner(call: Call, store: ObjectStore) -> None:
    top = await create(call, REPLICA_SETS, "top")
    middle = await create(call, CONFIG_MAPS, "middle", owner(top))
    await create(call, CONFIG_MAPS, "bottom", owner(middle))
    await call("DELETE", f"{REPLICA_SETS}/top")
    assert (await call("GET", f"{REPLICA_SETS}/top"))[0] == 404
    await gone(store, "configmaps", "bottom")


async def test_foreground_keeps_the_owner_until_its_dependents_are_gone(call: Call, store: ObjectStore) -> None:
    top = await create(call, REPLICA_SETS, "top")
    await create(call, CONFIG_MAPS, "held", owner(top, blockOwnerDeletion=True), finalizers=["demo.example/wait"])
    await create(call, CONFIG_MAPS, "free", owner(top, blockOwnerDeletion=True))
    _, marked = await call("DELETE", f"{REPLICA_SETS}/top", {"propagationPolicy": "Foreground"})
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]
    await gone(store, "configmaps", "free")
    assert (await call("GET", f"{REPLICA_SETS}/top"))[0] == 200
    await call("PATCH", f"{CONFIG_MAPS}/held", {"metadata": {"finalizers": None}}, headers=MERGE)
    await gone(store, "replicasets", "top", group="apps")


async def test_foreground_waits_for_blocking_dependents_only(call: Call, store: ObjectStore) -> None:
    top = await create(call, REPLICA_SETS, "top")
    await create(call, CONFIG_MAPS, "held", owner(top), finalizers=["demo.example/wait"])
    await call("DELETE", f"{REPLICA_SETS}/top", {"propagationPolicy": "Foreground"})
    await gone(store, "replicasets", "top", group="apps")
    assert (await call("GET", f"{CONFIG_MAPS}/held"))[1]["metadata"]["deletionTimestamp"]


async def test_orphaned_dependents_stay_without_the_reference(call: Call, store: ObjectStore) -> None:
    top = await create(call, REPLICA_SETS, "top")
    await create(call, CONFIG_MAPS, "kept", owner(top))
    await call("DELETE", f"{REPLICA_SETS}/top", {"propagationPolicy": "Orphan"})
    await gone(store, "replicasets", "top", group="apps")
    assert "ownerReferences" not in (await call("GET", f"{CONFIG_MAPS}/kept"))[1]["metadata"]


async def test_an_object_stays_while_one_owner_does(call: Call, store: ObjectStore) -> None:
    first, second = await create(call, REPLICA_SETS, "first"), await create(call, REPLICA_SETS, "second")
    await create(call, CONFIG_MAPS, "shared", owner(first), owner(second))
    changes = store.subscribe(("", "configmaps"))
    await call("DELETE", f"{REPLICA_SETS}/first")
    async with asyncio.timeout(5):
        change = await anext(changes)
    assert [reference["name"] for reference in change.object["metadata"]["ownerReferences"]] == ["second"]
    await call("DELETE", f"{REPLICA_SETS}/second")
    await gone(store, "configmaps", "shared")


async def test_an_object_of_an_owner_that_never_was_goes(call: Call, store: ObjectStore) -> None:
    nobody = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "nobody", "uid": "no-such-uid"}
    await create(call, CONFIG_MAPS, "stray", nobody)
    await gone(store, "configmaps", "stray")


async def test_owners_that_own_each_other_go_together(call: Call, store: ObjectStore) -> None:
    first = await create(call, REPLICA_SETS, "first")
    second = await create(call, REPLICA_SETS, "second", owner(first, blockOwnerDeletion=True))
    references = {"metadata": {"ownerReferences": [owner(second)]}}
    await call("PATCH", f"{REPLICA_SETS}/first", references, headers=MERGE)
    await call("DELETE", f"{REPLICA_SETS}/second", {"propagationPolicy": "Background"})
    await gone(store, "replicasets", "first", group="apps")


async def test_a_namespace_takes_its_contents_with_it(call: Call, store: ObjectStore) -> None:
    _, created = await call("POST", "/api/v1/namespaces", {"metadata": {"name": "team"}})
    assert created["status"] == {"phase": "Active"}
    assert created["metadata"]["labels"] == {"kubernetes.io/metadata.name": "team"}
    path = "/api/v1/namespaces/team/configmaps"
    await create(call, path, "free")
    await create(call, path, "held", finalizers=["demo.example/wait"])
    _, marked = await call("DELETE", "/api/v1/namespaces/team")
    assert marked["status"] == {"phase": "Terminating"}
    await gone(store, "configmaps", "free", namespace="team")
    status, failure = await call("POST", path, {"metadata": {"name": "late"}})
    assert (status, failure["reason"]) == (403, "Forbidden")
    assert failure["message"] == (
        'configmaps "late" is forbidden: unable to create new content in namespace team because it is being terminated'
    )
    assert failure["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    await call("PATCH", f"{path}/held", {"metadata": {"finalizers": None}}, headers=MERGE)
    await gone(store, "namespaces", "team", namespace="")


async def test_a_definition_takes_its_objects_with_it(call: Call, custom: str, store: ObjectStore) -> None:
    body = {"metadata": {"name": "w", "finalizers": ["demo.example/wait"]}, "spec": {"color": "red"}}
    await call("POST", custom, body)
    name = "widgets.demo.example"
    changes = store.subscribe(("demo.example", "widgets"))
    await call("DELETE", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
    async with asyncio.timeout(5):
        await anext(changes)
    await call("PATCH", f"{custom}/w", {"metadata": {"finalizers": None}}, headers=MERGE)
    await gone(store, "customresourcedefinitions", name, group="apiextensions.k8s.io", namespace="")
    assert (await call("GET", custom))[0] == 404


@pytest.mark.parametrize("name", ["default", "kube-system"])
async def test_the_namespaces_of_every_cluster_stay(call: Call, name: str) -> None:
    status, failure = await call("DELETE", f"/api/v1/namespaces/{name}")
    assert (status, failure["message"]) == (403, f'namespaces "{name}" is forbidden: this namespace may not be deleted')
    assert (await call("GET", f"/api/v1/namespaces/{name}"))[1]["status"]["phase"] == "Active"
