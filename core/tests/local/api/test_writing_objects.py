"""What a write does to an object, over HTTP: identity, versions, generations, conflicts, dry runs."""

from __future__ import annotations

import io
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

Call = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
MERGE = {"Content-Type": "application/merge-patch+json"}


def config_map(name: str = "c", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def deployment(replicas: int = 1) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "d"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": spec}


async def test_a_created_object_has_the_metadata_a_server_gives(call: Call) -> None:
    status, created = await call("POST", DEPLOYMENTS, deployment())
    metadata = created["metadata"]
    assert status == 201
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])
    assert re.fullmatch(r"[0-9a-f-]{36}", metadata["uid"])
    assert metadata["generation"] == 1
    assert metadata["resourceVersion"].isdigit()
    assert (await call("GET", f"{DEPLOYMENTS}/d"))[1] == created


async def test_a_config_map_has_no_generation(call: Call) -> None:
    _, created = await call("POST", CONFIG_MAPS, config_map())
    assert "generation" not in created["metadata"]


async def test_a_name_can_be_made_up_by_the_server(call: Call) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"}}
    _, first = await call("POST", CONFIG_MAPS, body)
    _, second = await call("POST", CONFIG_MAPS, body)
    assert re.fullmatch(r"made-[bcdfghjklmnpqrstvwxz2456789]{5}", first["metadata"]["name"])
    assert first["metadata"]["name"] != second["metadata"]["name"]


async def test_what_the_server_owns_cannot_be_written(call: Call) -> None:
    _, created = await call("POST", DEPLOYMENTS, deployment())
    forged = {"generation": 9, "creationTimestamp": "2001-01-01T00:00:00Z", "deletionTimestamp": "2001-01-01T00:00:00Z"}
    status, after = await call("PATCH", f"{DEPLOYMENTS}/d", {"metadata": forged}, headers=MERGE)
    assert (status, after) == (200, created)


async def test_a_taken_name_is_refused(call: Call) -> None:
    await call("POST", CONFIG_MAPS, config_map())
    status, failure = await call("POST", CONFIG_MAPS, config_map())
    assert (status, failure["reason"]) == (409, "AlreadyExists")
    assert failure["message"] == 'configmaps "c" already exists'


async def test_an_absent_object_is_named_in_the_answer(call: Call) -> None:
    status, failure = await call("GET", f"{DEPLOYMENTS}/nope")
    assert failure == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'deployments.apps "nope" not found',
        "reason": "NotFound",
        "details": {"name": "nope", "group": "apps", "kind": "deployments"},
        "code": status,
    }


async def test_a_stale_replace_conflicts(call: Call) -> None:
    _, read = await call("POST", CONFIG_MAPS, config_map(a="1"))
    await call("PUT", f"{CONFIG_MAPS}/c", {**read, "data": {"a": "2"}})
    status, failure = await call("PUT", f"{CONFIG_MAPS}/c", {**read, "data": {"a": "3"}})
    assert (status, failure["reason"]) == (409, "Conflict")
    assert failure["message"] == (
        'Operation cannot be fulfilled on configmaps "c": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


async def test_a_replace_without_a_version_is_unconditional(call: Call) -> None:
    await call("POST", CONFIG_MAPS, config_map(a="1"))
    status, after = await call("PUT", f"{CONFIG_MAPS}/c", config_map(a="2"))
    assert (status, after["data"]) == (200, {"a": "2"})


async def test_a_custom_resource_is_replaced_by_version_only(call: Call, custom: str) -> None:
    _, read = await call("POST", custom, {"metadata": {"name": "w"}, "spec": {"color": "red"}})
    status, failure = await call("PUT", f"{custom}/w", {"metadata": {"name": "w"}, "spec": {"color": "blue"}})
    assert (status, failure["message"]) == (
        422,
        (
            'Widget.demo.example "w" is invalid: metadata.resourceVersion: Invalid value: 0x0: '
            "must be specified for an update"
        ),
    )
    assert (await call("PUT", f"{custom}/w", {**read, "spec": {"color": "blue"}}))[0] == 200


async def test_a_version_in_a_patch_is_a_precondition(call: Call) -> None:
    _, read = await call("POST", CONFIG_MAPS, config_map(a="1"))
    patch = {"metadata": {"resourceVersion": read["metadata"]["resourceVersion"]}, "data": {"a": "2"}}
    first, _ = await call("PATCH", f"{CONFIG_MAPS}/c", patch, headers=MERGE)
    second, failure = await call("PATCH", f"{CONFIG_MAPS}/c", {**patch, "data": {"a": "3"}}, headers=MERGE)
    assert (first, second, failure["reason"]) == (200, 409, "Conflict")


async def test_a_replace_of_another_object_of_the_same_name_conflicts(call: Call) -> None:
    await call("POST", CONFIG_MAPS, config_map())
    body = config_map()
    body["metadata"]["uid"] = "11111111-1111-1111-1111-111111111111"
    status, failure = await call("PUT", f"{CONFIG_MAPS}/c", body)
    assert (status, failure["reason"]) == (409, "Conflict")
    assert "UID in precondition: 11111111" in failure["message"]


async def test_a_write_that_changes_nothing_keeps_the_version(call: Call) -> None:
    _, read = await call("POST", DEPLOYMENTS, deployment())
    _, replaced = await call("PUT", f"{DEPLOYMENTS}/d", read)
    _, patched = await call("PATCH", f"{DEPLOYMENTS}/d", {"spec": {"replicas": 1}}, headers=MERGE)
    assert replaced == patched == read


async def test_only_a_change_outside_metadata_and_status_raises_the_generation(call: Call) -> None:
    await call("POST", DEPLOYMENTS, deployment())
    _, labelled = await call("PATCH", f"{DEPLOYMENTS}/d", {"metadata": {"labels": {"a": "b"}}}, headers=MERGE)
    _, scaled = await call("PATCH", f"{DEPLOYMENTS}/d", {"spec": {"replicas": 2}}, headers=MERGE)
    assert labelled["metadata"]["generation"] == 1
    assert scaled["metadata"]["generation"] == 2


async def test_the_status_is_written_through_its_subresource_only(call: Call) -> None:
    _, created = await call("POST", DEPLOYMENTS, {**deployment(), "status": {"replicas": 7}})
    body = {"status": {"replicas": 3}, "spec": {"replicas": 9}}
    _, by_main = await call("PATCH", f"{DEPLOYMENTS}/d", {"status": {"replicas": 3}}, headers=MERGE)
    _, by_status = await call("PATCH", f"{DEPLOYMENTS}/d/status", body, headers=MERGE)
    assert "status" not in created
    assert by_main == created
    assert by_status["status"] == {"replicas": 3}
    assert by_status["spec"] == created["spec"]
    assert by_status["metadata"]["generation"] == 1
    assert by_status["metadata"]["resourceVersion"] != created["metadata"]["resourceVersion"]


async def test_a_stale_status_write_conflicts(call: Call) -> None:
    _, read = await call("POST", DEPLOYMENTS, deployment())
    await call("PATCH", f"{DEPLOYMENTS}/d", {"spec": {"replicas": 2}}, headers=MERGE)
    status, _ = await call("PUT", f"{DEPLOYMENTS}/d/status", {**read, "status": {"replicas": 1}})
    assert status == 409


async def test_a_dry_run_answers_and_writes_nothing(call: Call) -> None:
    _, created = await call("POST", CONFIG_MAPS, config_map(a="1"))
    query = {"dryRun": "All"}
    status, tried = await call("PATCH", f"{CONFIG_MAPS}/c", {"data": {"a": "2"}}, headers=MERGE, params=query)
    made, _ = await call("POST", CONFIG_MAPS, config_map("other"), params=query)
    gone, _ = await call("DELETE", f"{CONFIG_MAPS}/c", params=query)
    assert (status, made, gone, tried["data"]) == (200, 201, 200, {"a": "2"})
    _, listed = await call("GET", CONFIG_MAPS)
    assert listed["items"] == [created]


async def test_scale_reads_and_writes_the_replicas(call: Call) -> None:
    await call("POST", DEPLOYMENTS, deployment(replicas=2))
    _, scale = await call("GET", f"{DEPLOYMENTS}/d/scale")
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert (scale["spec"], scale["status"]) == ({"replicas": 2}, {"replicas": 0, "selector": "app=d"})
    await call("PUT", f"{DEPLOYMENTS}/d/scale", {**scale, "spec": {"replicas": 4}})
    _, scaled = await call("GET", f"{DEPLOYMENTS}/d")
    assert (scaled["spec"]["replicas"], scaled["metadata"]["generation"]) == (4, 2)


async def test_the_selector_of_a_scale_is_text(call: Call) -> None:
    expressions = [{"key": "tier", "operator": "In", "values": ["b", "a"]}, {"key": "old", "operator": "DoesNotExist"}]
    body = deployment()
    body["spec"]["selector"] = {"matchLabels": {"app": "d"}, "matchExpressions": expressions}
    await call("POST", DEPLOYMENTS, body)
    _, scale = await call("GET", f"{DEPLOYMENTS}/d/scale")
    assert scale["status"]["selector"] == "app=d,!old,tier in (a,b)"


async def test_scale_takes_the_strategic_patches_of_typed_clients(call: Call) -> None:
    await call("POST", DEPLOYMENTS, deployment())
    headers = {"Content-Type": "application/strategic-merge-patch+json"}
    status, scale = await call("PATCH", f"{DEPLOYMENTS}/d/scale", {"spec": {"replicas": 0}}, headers=headers)
    assert (status, scale["spec"]) == (200, {"replicas": 0})


async def test_a_negative_scale_is_refused(call: Call) -> None:
    await call("POST", DEPLOYMENTS, deployment())
    status, failure = await call("PATCH", f"{DEPLOYMENTS}/d/scale", {"spec": {"replicas": -1}}, headers=MERGE)
    assert (status, failure["reason"]) == (422, "Invalid")
    assert failure["details"]["causes"][0]["field"] == "spec.replicas"


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        pytest.param({"kind": "Pod"}, 400, "kind in the data (Pod)", id="another kind"),
        pytest.param({"apiVersion": "v2"}, 400, "API version in the data (v2)", id="another version"),
        pytest.param({"metadata": {"name": "c", "namespace": "x"}}, 400, "namespace of the provided", id="namespace"),
        pytest.param({"metadata": {}}, 422, "metadata.name: Required value", id="no name"),
        pytest.param({"metadata": {"name": "Upper"}}, 422, "a lowercase RFC 1123 subdomain", id="bad name"),
        pytest.param({"metadata": {"name": "c", "labels": {"a": "-"}}}, 422, "a valid label must be", id="bad label"),
        pytest.param(
            {"metadata": {"name": "c", "ownerReferences": [{"kind": "A", "name": "a", "uid": "u"}]}},
            422,
            'metadata.ownerReferences[0].apiVersion: Invalid value: "": version must not be empty',
            id="half an owner",
        ),
    ],
)
async def test_an_object_that_cannot_be_is_refused(call: Call, change: dict[str, Any], code: int, text: str) -> None:
    status, failure = await call("POST", CONFIG_MAPS, {**config_map(), **change})
    assert status == code
    assert text in failure["message"]


@pytest.mark.parametrize(
    ("path", "change", "code", "text"),
    [
        ("configmaps", {"metadata": {"name": "o", "labels": 5}}, 400, "metadata.labels: Expected `object`, got `int`"),
        ("configmaps", {"metadata": {"name": "o", "finalizers": 5}}, 400, "metadata.finalizers: Expected `array`"),
        ("configmaps", {"data": 5}, 400, "data: Expected `object`"),
        ("pods", {"spec": 5}, 400, 'Pod in version "v1" cannot be handled as a Pod: spec: Expected `object`'),
        ("pods", {"spec": {"containers": [{}]}}, 422, "spec.containers[0].name: Required value"),
        (
            "pods",
            {"spec": {"containers": [{"name": "c", "ports": [{"containerPort": 70000}]}]}},
            422,
            "spec.containers[0].ports[0].containerPort: Invalid value: Expected `int` <= 65535",
        ),
        ("services", {"spec": {"ports": [5]}}, 400, "spec.ports[0]: Expected `object`, got `int`"),
        ("services", {"spec": {"type": "Other"}}, 422, "spec.type: Invalid value"),
    ],
)
async def test_a_member_of_the_wrong_type_is_refused(
    call: Call, path: str, change: dict[str, Any], code: int, text: str
) -> None:
    body = {"metadata": {"name": "o"}, **change}
    status, failure = await call("POST", f"/api/v1/namespaces/default/{path}", body)
    assert status == code
    assert text in failure["message"]
    assert failure["details"]["name"] == "o"


async def test_a_definition_that_cannot_be_served_is_not_stored(call: Call, widgets: dict[str, Any]) -> None:
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    version = {**widgets["spec"]["versions"][0], "subresources": {"scale": {}}}
    body = {**widgets, "spec": {**widgets["spec"], "versions": [version]}}
    status, failure = await call("POST", definitions, body)
    assert (status, failure["details"]["causes"][0]["field"]) == (
        422,
        "spec.versions[0].subresources.scale.specReplicasPath",
    )
    assert (await call("GET", f"{definitions}/widgets.demo.example"))[0] == 404


async def test_a_scale_needs_a_spec_that_is_one(call: Call) -> None:
    await call("POST", DEPLOYMENTS, deployment(replicas=3))
    status, _ = await call("PATCH", f"{DEPLOYMENTS}/d/scale", {"spec": 0}, headers=MERGE)
    assert status == 400
    assert (await call("GET", f"{DEPLOYMENTS}/d"))[1]["spec"]["replicas"] == 3


@pytest.mark.parametrize("body", [None, 5])
async def test_a_review_of_nothing_is_refused(call: Call, body: Any) -> None:
    assert (await call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body))[0] == 400


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"data":' * 600 + b"1" + b"}" * 600])
async def test_a_body_that_is_nested_too_deeply_is_refused(call: Call, body: bytes) -> None:
    status, failure = await call("POST", CONFIG_MAPS, data=body, headers={"Content-Type": "application/json"})
    assert (status, failure["reason"]) == (400, "BadRequest")


async def test_an_object_needs_its_namespace(call: Call) -> None:
    status, failure = await call("POST", "/api/v1/namespaces/nowhere/configmaps", config_map())
    assert (status, failure["message"]) == (404, 'namespaces "nowhere" not found')


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        pytest.param("application/json", b"{", 400, id="broken JSON"),
        pytest.param("application/json", b"[]", 400, id="no object"),
        pytest.param("text/plain", b"{}", 415, id="no JSON"),
        pytest.param("application/vnd.kubernetes.protobuf", b"k8s\x00\x01", 415, id="protobuf"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(call: Call, content_type: str, body: bytes, code: int) -> None:
    status, failure = await call("POST", CONFIG_MAPS, data=body, headers={"Content-Type": content_type})
    assert (status, failure["code"], failure["kind"]) == (code, code, "Status")


async def test_a_body_that_is_too_large_is_refused(call: Call) -> None:
    status, failure = await call("POST", CONFIG_MAPS, data=io.BytesIO(b" " * 9_000_000))
    assert (status, failure["reason"]) == (413, "RequestEntityTooLarge")


async def test_a_protobuf_body_gets_the_way_out(call: Call) -> None:
    headers = {"Content-Type": "application/vnd.kubernetes.protobuf"}
    _, failure = await call("POST", CONFIG_MAPS, data=b"k8s\x00", headers=headers)
    assert "--dry-run=client -o yaml" in failure["message"]
    assert "kubectl apply -f -" in failure["message"]


@pytest.mark.parametrize(("method", "path"), [("PUT", CONFIG_MAPS), ("POST", f"{CONFIG_MAPS}/c")])
async def test_a_verb_in_the_wrong_place_is_not_allowed(call: Call, method: str, path: str) -> None:
    status, failure = await call(method, path, config_map())
    assert (status, failure["reason"]) == (405, "MethodNotAllowed")


async def test_unknown_paths_are_not_found(call: Call) -> None:
    for path in ("/", "/api/v1/nothings", "/apis/no.such/v1", f"{CONFIG_MAPS}/c/scale", "/metrics"):
        status, failure = await call("GET", path)
        assert (status, failure["reason"]) == (404, "NotFound"), path


async def test_anybody_may_do_anything(call: Call) -> None:
    body = {"kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    status, review = await call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
    assert (status, review["status"]["allowed"]) == (201, True)
