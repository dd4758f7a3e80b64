"""Kinds that a CustomResourceDefinition makes: pruning, defaults, validation, immutability, the definition itself."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sluicegate.errors import Invalid
from sluicegate.local.apiserver import crds
from sluicegate.local.apiserver.schema import Schema
from sluicegate.local.apiserver.validation import faults
from sluicegate.local.store import ObjectStore

Call = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MERGE = {"Content-Type": "application/merge-patch+json"}


def widget(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "w"}, "spec": {"color": "red", **spec}}


async def test_a_definition_is_established_at_once(call: Call, custom: str) -> None:
    _, crd = await call("GET", f"{DEFINITIONS}/widgets.demo.example")
    conditions = {condition["type"]: condition["status"] for condition in crd["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    assert crd["status"]["storedVersions"] == ["v1alpha1"]
    assert crd["status"]["acceptedNames"]["listKind"] == "WidgetList"
    assert (await call("GET", custom))[1]["kind"] == "WidgetList"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"group": ""}, "spec.group", id="no group"),
        pytest.param({"names": {"plural": "widgets"}}, "spec.names.kind", id="no kind"),
        pytest.param({"group": "other.example"}, "metadata.name", id="name is not plural.group"),
        pytest.param({"versions": [{"name": "v1", "storage": True}]}, "spec.versions[0].schema", id="no schema"),
        pytest.param(
            {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object"}}}]},
            "storage",
            id="no storage",
        ),
    ],
)
async def test_a_definition_that_cannot_be_is_refused(
    call: Call, widgets: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    status, failure = await call("POST", DEFINITIONS, {**widgets, "spec": {**widgets["spec"], **change}})
    assert (status, failure["reason"]) == (422, "Invalid")
    assert field in failure["message"]


async def test_a_changed_definition_changes_what_is_served(call: Call, custom: str, widgets: dict[str, Any]) -> None:
    changed = copy.deepcopy(widgets)
    schema = changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["properties"]["color"]["enum"].append("green")
    await call("PATCH", f"{DEFINITIONS}/widgets.demo.example", changed, headers=MERGE)
    assert (await call("POST", custom, widget(color="green")))[0] == 201


def test_installing_a_definition_again_writes_nothing(widgets: dict[str, Any]) -> None:
    store = ObjectStore()
    crds.install(store, widgets)
    version = store.resource_version
    crds.install(store, widgets)
    assert store.resource_version == version
    with pytest.raises(Invalid):
        crds.install(store, {"metadata": {"name": "x"}, "spec": {}})


async def test_defaults_are_filled_in_and_nulls_dropped(call: Call, custom: str) -> None:
    _, created = await call("POST", custom, widget(replicas=None, tags=None, note=None, labels={"a": None, "b": "c"}))
    assert created["spec"] == {"color": "red", "replicas": 1, "note": None, "labels": {"b": "c"}}
    assert (created["apiVersion"], created["kind"]) == ("demo.example/v1alpha1", "Widget")


async def test_a_status_sent_on_creation_is_dropped(call: Call, custom: str) -> None:
    _, created = await call("POST", custom, {**widget(), "status": {"phase": "Ok"}})
    assert "status" not in created


async def test_unknown_fields_by_field_validation(call: Call, custom: str) -> None:
    body = {**widget(bogus=1, free={"any": {"thing": None}}), "extra": {}}
    strict, failure = await call("POST", custom, body, params={"fieldValidation": "Strict"})
    assert (strict, failure["reason"]) == (400, "BadRequest")
    assert failure["message"] == (
        'Widget in version "v1alpha1" cannot be handled as a Widget: strict decoding error: '
        'unknown field "spec.bogus", unknown field "extra"'
    )
    created, stored = await call("POST", custom, body, params={"fieldValidation": "Ignore"})
    assert (created, stored["spec"]) == (201, {"color": "red", "replicas": 1, "free": {"any": {"thing": None}}})


async def test_unknown_fields_are_warned_of(http: Any, custom: str) -> None:
    async with http.post(custom, json=widget(bogus=1)) as response:
        assert response.headers["Warning"] == '299 - "unknown field \\"spec.bogus\\""'


async def test_replicas_that_the_scale_subresource_cannot_show_are_refused(call: Call, custom: str) -> None:
    status, failure = await call("POST", custom, widget(replicas=2**31))
    assert (status, failure["reason"]) == (422, "Invalid")
    assert ".spec.replicas: Invalid value: 2147483648: should be less than or equal to 2147483647" in failure["message"]


async def test_an_unknown_field_validation_is_refused(call: Call, custom: str) -> None:
    status, _ = await call("POST", custom, widget(), params={"fieldValidation": "Maybe"})
    assert status == 400


@pytest.mark.parametrize(
    ("spec", "path", "text"),
    [
        ({"color": "green"}, "spec.color", 'Unsupported value: "green": supported values: "red", "blue"'),
        ({"color": None}, "spec.color", "Required value"),
        (
            {"replicas": "1"},
            "spec.replicas",
            'Invalid value: "string": spec.replicas in body must be of type integer: "string"',
        ),
        (
            {"replicas": 1.5},
            "spec.replicas",
            'Invalid value: "float64": spec.replicas in body must be of type int32: "float64"',
        ),
        (
            {"replicas": -1},
            "spec.replicas",
            "Invalid value: -1: spec.replicas in body should be greater than or equal to 0",
        ),
        (
            {"surge": True},
            "spec.surge",
            'Invalid value: "boolean": spec.surge in body must be of type integer: "boolean"',
        ),
        ({"at": "soon"}, "spec.at", 'Invalid value: "soon": spec.at in body must be of type date-time: "soon"'),
        ({"at": "2020-01-01T00:00:00"}, "spec.at", None),
        ({"at": "2020-13-01T00:00:00Z"}, "spec.at", None),
        ({"size": "x"}, "spec.size", "Invalid value: \"x\": spec.size in body should match '^[0-9]+$'"),
        ({"size": "12345"}, "spec.size", "Too long: may not be more than 4 bytes"),
        ({"tags": ["a", None]}, "spec.tags[1]", None),
        ({"free": "text"}, "spec.free", None),
    ],
)
async def test_what_breaks_the_schema_is_refused(
    call: Call, custom: str, spec: dict[str, Any], path: str, text: str | None
) -> None:
    status, failure = await call("POST", custom, widget(**spec))
    assert (status, failure["reason"], failure["details"]["kind"]) == (422, "Invalid", "Widget")
    assert failure["message"].startswith(f'Widget.demo.example "w" is invalid: {path}: ')
    (cause,) = failure["details"]["causes"]
    assert cause["field"] == path
    assert text in (None, cause["message"])


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": 3.0},
        {"surge": 2**31},
        {"surge": "25%"},
        {"surge": 1},
        {"at": "2020-01-01T00:00:00.5+02:00"},
    ],
)
async def test_what_fits_the_schema_is_stored(call: Call, custom: str, spec: dict[str, Any]) -> None:
    status, created = await call("POST", custom, widget(**spec))
    assert status == 201
    assert created["spec"] == {"replicas": 1, **widget(**spec)["spec"]}


async def test_an_immutable_field_can_be_added_and_removed_but_not_changed(call: Call, custom: str) -> None:
    await call("POST", custom, widget())

    async def select(selector: Any) -> tuple[int, dict[str, Any]]:
        return await call("PATCH", f"{custom}/w", {"spec": {"selector": selector}}, headers=MERGE)

    assert (await select({"app": "a"}))[0] == 200
    status, failure = await select({"app": "b"})
    assert status == 422
    assert failure["message"] == (
        'Widget.demo.example "w" is invalid: spec.selector: Invalid value: "object": .spec.selector is immutable'
    )
    assert (await select(None))[0] == 200


async def test_a_fault_that_was_there_before_does_not_stop_other_writes(
    call: Call, custom: str, widgets: dict[str, Any]
) -> None:
    await call("POST", custom, {**widget(), "metadata": {"name": "w", "finalizers": ["demo.example/wait"]}})
    stricter = copy.deepcopy(widgets)
    root = stricter["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    root["properties"]["spec"]["properties"]["color"]["enum"] = ["blue"]
    await call("PATCH", f"{DEFINITIONS}/widgets.demo.example", stricter, headers=MERGE)
    status, _ = await call("PATCH", f"{custom}/w", {"metadata": {"finalizers": None}}, headers=MERGE)
    assert status == 200
    status, _ = await call("PATCH", f"{custom}/w", {"spec": {"color": "green"}}, headers=MERGE)
    assert status == 422


async def test_scale_follows_the_paths_of_the_definition(call: Call, custom: str) -> None:
    await call("POST", custom, widget(replicas=2))
    await call("PATCH", f"{custom}/w/status", {"status": {"replicas": 1, "selector": "a=b"}}, headers=MERGE)
    _, scale = await call("PATCH", f"{custom}/w/scale", {"spec": {"replicas": 5}}, headers=MERGE)
    assert (scale["spec"], scale["status"]) == ({"replicas": 5}, {"replicas": 1, "selector": "a=b"})
    assert (await call("GET", f"{custom}/w"))[1]["spec"]["replicas"] == 5


@pytest.mark.parametrize(
    ("schema", "value", "paths"),
    [
        pytest.param({"type": "number", "maximum": 1, "exclusiveMaximum": True}, 1, ["v"], id="exclusive maximum"),
        pytest.param({"type": "number", "minimum": 1, "exclusiveMinimum": True}, 1.5, [], id="exclusive minimum"),
        pytest.param({"type": "integer", "multipleOf": 5}, 7, ["v"], id="multiple"),
        pytest.param({"type": "string", "minLength": 2}, "a", ["v"], id="too short"),
        pytest.param({"type": "array", "minItems": 1, "maxItems": 2}, [], ["v"], id="too few"),
        pytest.param({"type": "array", "minItems": 1, "maxItems": 2}, [1, 2, 3], ["v"], id="too many"),
        pytest.param({"type": "array", "x-kubernetes-list-type": "set"}, [1, 2, 1], ["v[2]"], id="set"),
        pytest.param(
            {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"]},
            [{"n": 1}, {"n": 2}, {"n": 1}],
            ["v[2]"],
            id="map as list",
        ),
        pytest.param({"type": "object", "maxProperties": 1}, {"a": 1, "b": 2}, ["v"], id="too many members"),
        pytest.param({"type": "object", "minProperties": 1}, {}, ["v"], id="too few members"),
        pytest.param(
            {"type": "object", "x-kubernetes-embedded-resource": True}, {"kind": "A"}, ["v.apiVersion"], id="embedded"
        ),
        pytest.param({"anyOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"}, {}, ["v"], id="any"),
        pytest.param({"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"}, {"a": 1}, [], id="one"),
        pytest.param({"allOf": [{"required": ["a"]}], "type": "object"}, {}, ["v.a"], id="all"),
        pytest.param({"not": {"required": ["a"]}, "type": "object"}, {"a": 1}, ["v"], id="not"),
    ],
)
def test_rules_of_schemas(schema: dict[str, Any], value: Any, paths: list[str]) -> None:
    root = {"type": "object", "properties": {"v": schema}}
    assert [fault.path for fault in faults(root, {"v": value})] == paths


def test_defaults_reach_into_lists_and_maps() -> None:
    item = {"type": "object", "properties": {"n": {"type": "integer", "default": 1}}}
    schema = {
        "type": "object",
        "properties": {
            "list": {"type": "array", "items": item},
            "map": {"type": "object", "additionalProperties": item},
            "made": {**item, "default": {}},
        },
    }
    root = {"type": "object", "properties": {"spec": schema}}
    obj = {"apiVersion": "a/v1", "kind": "A", "metadata": {}, "spec": {"list": [{}], "map": {"k": {}}}}
    fitted, unknown = Schema(root).normalise(obj)
    assert fitted["spec"] == {"list": [{"n": 1}], "map": {"k": {"n": 1}}, "made": {"n": 1}}
    assert unknown == []
