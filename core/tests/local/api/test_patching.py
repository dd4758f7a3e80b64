"""The three kinds of patch: JSON patch, merge patch, strategic merge patch; and the one that is not served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sluicegate.errors import BadRequest, Invalid
from sluicegate.local.apiserver import patches, strategic

Call = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]
CONFIG_MAP = "/api/v1/namespaces/default/configmaps/c"


@pytest.mark.parametrize(
    ("operations", "result"),
    [
        pytest.param([{"op": "add", "path": "/c", "value": 1}], {"a": [1, 2], "b": {"x/y": 1}, "c": 1}, id="add"),
        pytest.param([{"op": "add", "path": "/a/0", "value": 0}], {"a": [0, 1, 2], "b": {"x/y": 1}}, id="insert"),
        pytest.param([{"op": "add", "path": "/a/-", "value": 3}], {"a": [1, 2, 3], "b": {"x/y": 1}}, id="append"),
        pytest.param([{"op": "remove", "path": "/b/x~1y"}], {"a": [1, 2], "b": {}}, id="remove"),
        pytest.param([{"op": "replace", "path": "/a/1", "value": 9}], {"a": [1, 9], "b": {"x/y": 1}}, id="replace"),
        pytest.param([{"op": "move", "from": "/a", "path": "/d"}], {"b": {"x/y": 1}, "d": [1, 2]}, id="move"),
        pytest.param(
            [{"op": "copy", "from": "/a", "path": "/b/c"}, {"op": "remove", "path": "/a/0"}],
            {"a": [2], "b": {"x/y": 1, "c": [1, 2]}},
            id="copies are independent",
        ),
        pytest.param([{"op": "test", "path": "/a/0", "value": 1}], {"a": [1, 2], "b": {"x/y": 1}}, id="test"),
    ],
)
def test_json_patch(operations: Any, result: Any) -> None:
    assert patches.apply_operations({"a": [1, 2], "b": {"x/y": 1}}, operations) == result


@pytest.mark.parametrize(
    ("operations", "error"),
    [
        pytest.param([{"op": "remove", "path": "/none"}], Invalid, id="remove what is not there"),
        pytest.param([{"op": "replace", "path": "/none", "value": 1}], Invalid, id="replace what is not there"),
        pytest.param([{"op": "add", "path": "/a/7", "value": 1}], Invalid, id="beyond the end"),
        pytest.param([{"op": "add", "path": "/a/²", "value": 1}], Invalid, id="no index"),
        pytest.param([{"op": "add", "path": "/x/y", "value": 1}], Invalid, id="no parent"),
        pytest.param([{"op": "test", "path": "/a/0", "value": 2}], Invalid, id="failed test"),
        pytest.param([{"op": "replace", "path": "", "value": 2}], Invalid, id="no object left"),
        pytest.param([{"op": "add", "path": "/b"}], BadRequest, id="no value"),
        pytest.param([{"op": "copy", "path": "/b"}], BadRequest, id="no source"),
        pytest.param([{"op": "fly", "path": "/b"}], BadRequest, id="unknown operation"),
        pytest.param([{"op": "add", "path": "b", "value": 1}], BadRequest, id="no pointer"),
        pytest.param({"op": "add"}, BadRequest, id="no list"),
    ],
)
def test_a_json_patch_that_cannot_be_carried_out(operations: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        patches.apply_operations({"a": [1]}, operations)


def workload(*containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"spec": {**spec, "template": {"spec": {"containers": list(containers)}}}}


def containers(obj: dict[str, Any]) -> Any:
    return obj["spec"]["template"]["spec"]["containers"]


def test_strategic_patch_merges_containers_and_their_lists_by_key() -> None:
    web = {"name": "web", "image": "i:1", "env": [{"name": "A", "value": "1"}], "ports": [{"containerPort": 80}]}
    patch = workload({"name": "web", "env": [{"name": "B", "value": "2"}], "ports": [{"containerPort": 81}]})
    merged = containers(strategic.merge("Deployment", workload(web, {"name": "side"}), patch))
    assert merged == [
        {
            "name": "web",
            "image": "i:1",
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "ports": [{"containerPort": 80}, {"containerPort": 81}],
        },
        {"name": "side"},
    ]


def test_strategic_patch_keys_belong_to_types() -> None:
    service = {"spec": {"ports": [{"port": 80, "nodePort": 30080}]}}
    merged = strategic.merge("Service", service, {"spec": {"ports": [{"port": 80, "targetPort": 8080}]}})
    assert merged["spec"]["ports"] == [{"port": 80, "nodePort": 30080, "targetPort": 8080}]


def test_strategic_patch_replaces_lists_without_a_key() -> None:
    patch = workload({"name": "web", "args": ["c"]})
    assert containers(strategic.merge("Deployment", workload({"name": "web", "args": ["a", "b"]}), patch)) == [
        {"name": "web", "args": ["c"]}
    ]


def test_strategic_patch_directives() -> None:
    current = workload({"name": "a"}, {"name": "b"}, strategy={"type": "RollingUpdate", "rollingUpdate": {"x": 1}})
    current["metadata"] = {"finalizers": ["one", "two"]}
    patch = workload({"name": "a", "$patch": "delete"}, {"name": "c"})
    patch["spec"]["template"]["spec"]["$setElementOrder/containers"] = [{"name": "c"}, {"name": "b"}]
    patch["spec"]["strategy"] = {"$retainKeys": ["type"], "type": "Recreate"}
    patch["metadata"] = {"$deleteFromPrimitiveList/finalizers": ["one"], "finalizers": ["three"]}
    merged = strategic.merge("Deployment", current, patch)
    assert containers(merged) == [{"name": "c"}, {"name": "b"}]
    assert merged["spec"]["strategy"] == {"type": "Recreate"}
    assert merged["metadata"]["finalizers"] == ["two", "three"]


def test_strategic_patch_can_replace_a_whole_object_or_list() -> None:
    patch = {"spec": {"selector": {"$patch": "replace", "b": "2"}, "ports": [{"port": 1}, {"$patch": "replace"}]}}
    merged = strategic.merge("Service", {"spec": {"selector": {"a": "1"}, "ports": [{"port": 2}]}}, patch)
    assert merged["spec"] == {"selector": {"b": "2"}, "ports": [{"port": 1}]}


def test_a_list_item_without_its_key_is_refused() -> None:
    with pytest.raises(BadRequest, match="does not contain declared merge key: name"):
        strategic.merge("Deployment", workload({"name": "a"}), workload({"image": "i"}))


@pytest.mark.parametrize(
    "patch",
    [
        {"metadata": {"ownerReferences": [5]}},
        {"metadata": {"$retainKeys": 5}},
        {"metadata": {"finalizers": ["a"], "$deleteFromPrimitiveList/finalizers": 5}},
    ],
)
def test_a_strategic_patch_of_the_wrong_types_is_refused(patch: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="error decoding patch"):
        strategic.merge("ConfigMap", {"metadata": {"name": "c", "finalizers": ["b"]}}, patch)


async def test_server_side_apply_is_refused_with_a_hint(call: Call) -> None:
    headers = {"Content-Type": "application/apply-patch+yaml"}
    await call("POST", CONFIG_MAP.removesuffix("/c"), {"metadata": {"name": "c"}})
    status, failure = await call("PATCH", CONFIG_MAP, {}, headers=headers)
    assert (status, failure["reason"]) == (415, "UnsupportedMediaType")
    assert "without --server-side" in failure["message"]


async def test_custom_resources_take_no_strategic_patch(call: Call, custom: str) -> None:
    await call("POST", custom, {"metadata": {"name": "w"}, "spec": {"color": "red"}})
    headers = {"Content-Type": "application/strategic-merge-patch+json"}
    status, failure = await call("PATCH", f"{custom}/w", {"spec": {"color": "blue"}}, headers=headers)
    assert status == 415
    assert "application/merge-patch+json" in failure["message"]


async def test_a_patch_of_nothing_is_not_found(call: Call) -> None:
    headers = {"Content-Type": "application/merge-patch+json"}
    status, _ = await call("PATCH", CONFIG_MAP, {"data": {}}, headers=headers)
    assert status == 404
