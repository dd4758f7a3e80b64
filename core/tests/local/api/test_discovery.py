"""What a client learns before its first request: version, groups, resources, OpenAPI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aiohttp

Call = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
STRICT = {"fieldValidation": "Strict"}


async def test_the_version_is_one_kubectl_is_content_with(call: Call) -> None:
    _, version = await call("GET", "/version")
    assert (version["major"], version["minor"]) == ("1", "32")
    assert version["gitVersion"].startswith("v1.32.")


async def test_health(http: aiohttp.ClientSession) -> None:
    for path in ("/healthz", "/livez", "/readyz"):
        async with http.get(path) as response:
            assert (response.status, await response.text()) == (200, "ok")


async def test_discovery_in_one_document(http: aiohttp.ClientSession, custom: str) -> None:
    accept = {"Accept": f"{AGGREGATED},application/json"}
    async with http.get("/apis", headers=accept) as response:
        assert response.headers["Content-Type"] == AGGREGATED
        groups = {item["metadata"]["name"]: item["versions"] for item in (await response.json())["items"]}
    (version,) = groups["demo.example"]
    (resource,) = version["resources"]
    assert (resource["resource"], resource["scope"], resource["shortNames"]) == ("widgets", "Namespaced", ["wd"])
    assert [sub["subresource"] for sub in resource["subresources"]] == ["scale", "status"]
    async with http.get("/api", headers=accept) as response:
        (core,) = (await response.json())["items"]
    assert "pods" in [resource["resource"] for resource in core["versions"][0]["resources"]]


async def test_discovery_group_by_group(call: Call, custom: str) -> None:
    assert (await call("GET", "/api"))[1]["versions"] == ["v1"]
    _, groups = await call("GET", "/apis")
    assert {"apps", "batch", "demo.example"} <= {group["name"] for group in groups["groups"]}
    _, group = await call("GET", "/apis/demo.example")
    assert group["preferredVersion"] == {"groupVersion": "demo.example/v1alpha1", "version": "v1alpha1"}
    _, resources = await call("GET", "/apis/demo.example/v1alpha1")
    assert resources["groupVersion"] == "demo.example/v1alpha1"
    rows = {row["name"]: row for row in resources["resources"]}
    assert rows["widgets/scale"]["kind"] == "Scale"
    assert "shortNames" not in rows["widgets/status"]
    assert (await call("GET", "/apis/none.example"))[0] == 404


async def test_the_openapi_index_changes_with_a_definition(call: Call, widgets: dict[str, Any]) -> None:
    _, before = await call("GET", "/openapi/v3")
    await call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", widgets)
    _, after = await call("GET", "/openapi/v3")
    assert set(after["paths"]) - set(before["paths"]) == {"apis/demo.example/v1alpha1"}
    assert before["paths"]["apis/apps/v1"] != after["paths"]["apis/apps/v1"]


async def test_openapi_says_what_kubectl_looks_for(call: Call, custom: str) -> None:
    for group_version, path, kind in (
        ("api/v1", "/api/v1/namespaces/{namespace}/pods/{name}", "Pod"),
        ("api/v1", "/api/v1/nodes/{name}", "Node"),
        ("apis/demo.example/v1alpha1", "/apis/demo.example/v1alpha1/namespaces/{namespace}/widgets/{name}", "Widget"),
    ):
        _, document = await call("GET", f"/openapi/v3/{group_version}")
        patch = document["paths"][path]["patch"]
        assert patch["x-kubernetes-group-version-kind"]["kind"] == kind
        assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]


async def test_openapi_refers_only_to_what_it_holds(call: Call) -> None:
    _, document = await call("GET", "/openapi/v3/apis/apps/v1")
    schemas = document["components"]["schemas"]
    assert schemas["io.k8s.api.apps.v1.DeploymentStrategy"]["properties"]["type"]["type"] == "string"

    def references(value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(references, value))
        if not isinstance(value, dict):
            return set()
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))

    assert references(document) <= {f"#/components/schemas/{name}" for name in schemas}


async def test_built_in_objects_are_pruned_when_validation_is_asked_for(call: Call) -> None:
    path = "/apis/apps/v1/namespaces/default/deployments"
    container = {"name": "c", "image": "i", "imagee": "x", "ports": [{"containerPort": 80, "prt": 1}]}
    template = {"spec": {"containers": [container], "nodeSelector": {"any": "key"}}}
    body = {"metadata": {"name": "d", "labelz": {}}, "spec": {"replicaz": 5, "template": template}}
    status, failure = await call("POST", path, body, params=STRICT)
    assert status == 400
    for field in (
        "metadata.labelz",
        "spec.replicaz",
        "spec.template.spec.containers[0].imagee",
        "spec.template.spec.containers[0].ports[0].prt",
    ):
        assert f'unknown field "{field}"' in failure["message"]
    _, created = await call("POST", path, body, params={"fieldValidation": "Warn"})
    assert created["spec"]["template"]["spec"] == {
        "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}],
        "nodeSelector": {"any": "key"},
    }


async def test_free_forms_inside_built_in_objects_are_left_alone(call: Call, widgets: dict[str, Any]) -> None:
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    status, _ = await call("POST", definitions, widgets, params=STRICT)
    assert status == 201
    service = {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80, "targetPort": "http"}]}}
    assert (await call("POST", "/api/v1/namespaces/default/services", service, params=STRICT))[0] == 201
    event = {"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": "p"}, "count": 2}
    assert (await call("POST", "/api/v1/namespaces/default/events", event, params=STRICT))[0] == 201
