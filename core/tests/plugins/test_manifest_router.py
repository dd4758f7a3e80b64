"""A router in under 40 lines, and what the core does around its two pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.api.resources import Resource
from sluicegate.errors import ApiError, Conflict, Forbidden, NotFound, PluginError, ServerError
from sluicegate.plugins import (
    Capability,
    Change,
    Config,
    Event,
    Lifecycle,
    Manifest,
    ManifestRouter,
    ObjectReference,
    ObjectSelection,
    Observed,
    Read,
    Routes,
    Verb,
    Verification,
)
from sluicegate.testing.builders import make_context, make_rollout, make_routes
from sluicegate.testing.conformance import ManifestRouterContract
from sluicegate.testing.objects import MemoryObjects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sluicegate.api.rollout import Rollout

POOLS = Resource("acme.test", "v1", "pools", "Pool")
COPIES = Resource("acme.test", "v1", "copies", "Copy")


# The whole of a third party's router: weights in an object of the user's.
class EdgeConfig(Config):
    pool: str


class EdgeRouter(ManifestRouter[EdgeConfig]):
    name = "acme/edge"
    capabilities = frozenset({Capability.WEIGHTS, Capability.EXPERIMENTS, Capability.FRACTIONAL_WEIGHTS})

    def reads(self, config: EdgeConfig, rollout: Rollout) -> list[Read]:
        return [ObjectReference(POOLS, config.pool)]

    def render(self, config: EdgeConfig, routes: Routes, observed: Observed) -> list[Manifest]:
        pool = observed[ObjectReference(POOLS, config.pool)]
        destinations = (routes.stable, routes.canary, *routes.experiments)
        pool["spec"]["members"] = [{"service": item.service, "weight": item.weight} for item in destinations]
        return [pool]


class TestEdgeRouter(ManifestRouterContract):
    router = EdgeRouter()
    config = EdgeConfig(pool="shop")
    objects = ({"apiVersion": "acme.test/v1", "kind": "Pool", "metadata": {"name": "shop"}, "spec": {"tls": True}},)

    def weights(self, objects: Iterable[Manifest]) -> Mapping[str, int]:
        return {item["service"]: item["weight"] for pool in objects for item in pool["spec"].get("members", [])}


# A router that makes objects of its own: one copy of the pool for each header route, one without an owner for mirrors.
class CopyRouter(ManifestRouter[EdgeConfig]):
    name = "acme/copy"
    capabilities = frozenset({Capability.HEADERS, Capability.VERIFY})

    def reads(self, config: EdgeConfig, rollout: Rollout) -> Iterator[Read]:
        yield ObjectSelection(POOLS, f"pool={config.pool}")
        yield ObjectReference(COPIES, config.pool, lifecycle=Lifecycle.OWNED)
        yield ObjectReference(COPIES, f"{config.pool}-loose", lifecycle=Lifecycle.CREATED)

    def render(self, config: EdgeConfig, routes: Routes, observed: Observed) -> Iterator[Manifest]:
        for pool in observed.select(ObjectSelection(POOLS, f"pool={config.pool}")):
            yield {**pool, "spec": {"weight": routes.canary.weight}}
        if routes.canary.weight:
            for name in (config.pool, f"{config.pool}-loose"):
                metadata = {"name": name, "annotations": {"weight": str(routes.canary.weight)}}
                yield {"apiVersion": "acme.test/v1", "kind": "Copy", "metadata": metadata}

    def converged(self, config: EdgeConfig, routes: Routes, observed: Observed) -> Verification:
        status = observed[ObjectReference(COPIES, config.pool)].get("status", {})
        if status.get("weight") == routes.canary.weight:
            return Verification.confirmed()
        return Verification.pending("the copy does not carry the weight yet")

    def events(self, change: Change, routes: Routes, error: ApiError | None) -> Iterator[Event]:
        outcome = "failed" if error else "done"
        yield Event("Normal", "CopyChanged", f"{change.verb} {change.reference.name} {outcome}")


def pool(name: str, **members: Any) -> Manifest:
    metadata = {"name": name, "labels": {"pool": "shop"}}
    return {"apiVersion": "acme.test/v1", "kind": "Pool", "metadata": metadata, "spec": {}, **members}


def copy_of(objects: MemoryObjects, name: str = "shop") -> Manifest | None:
    found = [item for item in objects.documents() if item["kind"] == "Copy" and item["metadata"]["name"] == name]
    return found[0] if found else None


async def apply(objects: MemoryObjects, weight: int, record: Callable[[Event], None] = lambda event: None) -> None:
    router = CopyRouter()
    await router.apply(make_context(EdgeConfig(pool="shop"), objects, record=record), make_routes(weight))


async def test_what_is_created_is_owned_by_the_rollout() -> None:
    objects = MemoryObjects()
    await apply(objects, 20)
    made = copy_of(objects)
    assert made is not None
    assert made["metadata"]["namespace"] == "default"
    assert made["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "name": "shop",
            "uid": "uid-of-shop",
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


async def test_an_object_without_a_lifecycle_of_the_rollout_gets_no_owner() -> None:
    objects = MemoryObjects()
    await apply(objects, 20)
    loose = copy_of(objects, "shop-loose")
    assert loose is not None
    assert "ownerReferences" not in loose["metadata"]


async def test_what_is_no_longer_rendered_is_deleted() -> None:
    objects = MemoryObjects([pool("shop")])
    await apply(objects, 20)
    objects.writes.clear()
    await apply(objects, 0)
    assert objects.writes == ["update Pool/default/shop", "delete Copy/default/shop", "delete Copy/default/shop-loose"]
    assert copy_of(objects) is None


async def test_an_object_that_another_owns_is_neither_changed_nor_deleted() -> None:
    foreign = {"apiVersion": "acme.test/v1", "kind": "Copy", "metadata": {"name": "shop", "annotations": {}}}
    objects = MemoryObjects([foreign])
    with pytest.raises(PluginError, match="Copy default/shop belongs to a different object, not to Rollout shop"):
        await apply(objects, 20)
    await apply(objects, 0)
    assert objects.writes == []


async def test_the_users_object_must_exist() -> None:
    router, objects = EdgeRouter(), MemoryObjects()
    with pytest.raises(NotFound, match="Pool default/shop does not exist"):
        await router.apply(make_context(EdgeConfig(pool="shop"), objects), make_routes(20))
    assert objects.writes == []


async def test_rendering_what_was_not_read_is_an_error_of_the_router() -> None:
    class BlindRouter(CopyRouter):
        def reads(self, config: EdgeConfig, rollout: Rollout) -> Iterator[Read]:
            yield ObjectSelection(POOLS, "pool=shop")

    router = BlindRouter()
    with pytest.raises(KeyError, match="Copy default/shop is not among what `reads` of router `acme/copy` returned"):
        await router.apply(make_context(EdgeConfig(pool="shop"), MemoryObjects()), make_routes(20))


async def test_what_the_api_server_keeps_is_no_difference() -> None:
    objects = MemoryObjects()
    await apply(objects, 20)
    made = copy_of(objects)
    assert made is not None
    made["metadata"] |= {"generation": 3, "managedFields": [{"manager": "x"}], "finalizers": ["a/b"], "labels": {}}
    objects.put({**made, "status": {"weight": 20}})
    objects.writes.clear()
    await apply(objects, 20)
    assert objects.writes == []


async def test_a_member_that_is_null_is_one_that_is_absent() -> None:
    class NullRouter(EdgeRouter):
        def render(self, config: EdgeConfig, routes: Routes, observed: Observed) -> list[Manifest]:
            [found] = super().render(config, routes, observed)
            found["spec"]["mirror"] = None
            return [found]

    objects = MemoryObjects([pool("shop")])
    await NullRouter().apply(make_context(EdgeConfig(pool="shop"), objects), make_routes(20))
    [stored] = objects.documents()
    del stored["spec"]["mirror"]
    objects.put(stored)
    objects.writes.clear()
    await NullRouter().apply(make_context(EdgeConfig(pool="shop"), objects), make_routes(20))
    assert objects.writes == []


async def test_an_update_keeps_what_the_api_server_keeps() -> None:
    objects = MemoryObjects()
    await apply(objects, 20)
    made = copy_of(objects)
    assert made is not None
    made["metadata"] |= {"finalizers": ["a/b"], "labels": {"by": "hand"}}
    objects.put({**made, "status": {"weight": 20}})
    await apply(objects, 30)
    changed = copy_of(objects)
    assert changed is not None
    assert changed["metadata"]["annotations"] == {"weight": "30"}
    assert "labels" not in changed["metadata"]
    assert changed["metadata"]["finalizers"] == ["a/b"]
    assert changed["status"] == {"weight": 20}


async def test_a_selected_object_is_edited_like_a_named_one_in_order_of_names() -> None:
    objects = MemoryObjects([pool("b"), pool("a"), pool("other") | {"metadata": {"name": "other"}}])
    await apply(objects, 0)
    assert objects.writes == ["update Pool/default/a", "update Pool/default/b"]


async def test_an_object_changed_meanwhile_is_read_again_and_nothing_is_overwritten() -> None:
    objects = MemoryObjects([pool("shop")])

    def change_once(write: str) -> None:
        objects.refuse = lambda write: None
        objects.put(pool("shop", other="changed by hand"))

    objects.refuse = change_once
    await apply(objects, 0)
    [stored] = objects.documents()
    assert (stored["spec"], stored["other"]) == ({"weight": 0}, "changed by hand")
    assert objects.writes == ["update Pool/default/shop", "update Pool/default/shop"]


async def test_it_gives_up_after_five_conflicts() -> None:
    objects = MemoryObjects([pool("shop")])

    def conflict(write: str) -> None:
        raise Conflict("changed", status=409, reason="Conflict")

    objects.refuse = conflict
    with pytest.raises(Conflict):
        await apply(objects, 20)
    assert objects.writes == ["update Pool/default/shop"] * 5


async def test_what_was_rendered_before_an_error_is_written() -> None:
    objects = MemoryObjects([pool("a"), pool("b")])

    def refuse_b(write: str) -> None:
        if write.endswith("/b"):
            raise ServerError("no", status=500)

    objects.refuse = refuse_b
    with pytest.raises(ServerError):
        await apply(objects, 20)
    assert [item["spec"] for item in objects.documents()] == [{"weight": 20}, {}]


async def test_events_tell_of_each_change_and_of_one_that_failed() -> None:
    objects, events = MemoryObjects([pool("a")]), list[Event]()
    await apply(objects, 20, events.append)
    assert [event.message for event in events] == ["update a done", "create shop done", "create shop-loose done"]

    def refuse(write: str) -> None:
        raise ServerError("no", status=500)

    events.clear()
    objects.refuse = refuse
    with pytest.raises(ServerError):
        await apply(objects, 30, events.append)
    assert [event.message for event in events] == ["update a failed"]


async def test_verification_is_judged_from_the_live_objects() -> None:
    router, objects = CopyRouter(), MemoryObjects()
    context = make_context(EdgeConfig(pool="shop"), objects)
    await router.apply(context, make_routes(20))
    assert await router.verify(context, make_routes(20)) == Verification.pending(
        "the copy does not carry the weight yet"
    )
    made = copy_of(objects)
    assert made is not None
    objects.put({**made, "status": {"weight": 20}})
    assert await router.verify(context, make_routes(20)) == Verification.confirmed()


async def test_another_namespace_is_out_of_reach() -> None:
    class NosyRouter(EdgeRouter):
        def reads(self, config: EdgeConfig, rollout: Rollout) -> list[Read]:
            return [ObjectReference(POOLS, config.pool, namespace="tenant-b")]

    router = NosyRouter()
    with pytest.raises(Forbidden, match="namespace tenant-b is not the Rollout's, default"):
        await router.apply(make_context(EdgeConfig(pool="shop"), MemoryObjects()), make_routes(20))


async def test_a_change_to_write_is_known_before_it_is_written() -> None:
    router, objects = CopyRouter(), MemoryObjects([pool("shop")])
    context = make_context(EdgeConfig(pool="shop"), objects, rollout=make_rollout())
    observed = await router.observe(context, make_routes(20))
    changes = list(observed.changes(router.render(context.config, make_routes(20), observed)))
    assert [(change.verb, change.reference.name) for change in changes] == [
        (Verb.UPDATE, "shop"),
        (Verb.CREATE, "shop"),
        (Verb.CREATE, "shop-loose"),
    ]
    assert objects.writes == []
