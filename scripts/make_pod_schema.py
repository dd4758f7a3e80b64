"""Writes `core/src/sluicegate/api/data/pod_schema.json`: the pod template part of the CRDs' schemas.

Which members are required comes from the models of the `kubernetes` package; names and exact types come from the
table that the hashes are taken with, so that the CRDs store no member that a hash would not see. Run it after a new
version of either; a test fails until then.
"""

import json
from pathlib import Path
from typing import Any

import kubernetes.client.models as models

DATA = Path(__file__).parents[1] / "core/src/sluicegate/api/data"
SCALARS: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "bool": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "intOrString": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True},
    "quantity": {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
        r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$",
        "x-kubernetes-int-or-string": True,
    },
}
ANYTHING: dict[str, Any] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
CONTAINERS = ("Container", "EphemeralContainer")


def pod_template_schema() -> dict[str, Any]:
    """The structural schema of a pod template as a Rollout holds it (operations 7.5)."""
    table = json.loads((DATA / "encoding.json").read_text(encoding="utf-8"))
    texts = {"type": "object", "additionalProperties": SCALARS["string"]}
    metadata = {"type": "object", "properties": {"annotations": texts, "labels": texts}}
    return {"type": "object", "properties": {"metadata": metadata, "spec": struct_schema("PodSpec", table)}}


def struct_schema(name: str, table: dict[str, Any]) -> dict[str, Any]:
    """The schema of one struct of the pod template."""
    properties = {member["name"]: type_schema(member["type"], table) for member in table[name]}
    if name == "PodSpec":
        properties["volumes"]["items"] = ANYTHING
    if name in CONTAINERS:
        properties["resources"]["properties"] |= {"limits": ANYTHING, "requests": ANYTHING}
    schema = {"type": "object", "properties": dict(sorted(properties.items()))}
    required = [member for member in sorted(required_members(name)) if member in properties]
    return schema | ({"required": required} if required else {})


def type_schema(type: str, table: dict[str, Any]) -> dict[str, Any]:
    """The schema of a Go type; volumes keep unknown members and need none of their own."""
    type = type.removeprefix("*")
    if type == "[]Volume":
        return {"type": "array"}
    if type.startswith("[]"):
        return {"type": "array", "items": type_schema(type[2:], table)}
    if type.startswith("map[string]"):
        return {"type": "object", "additionalProperties": type_schema(type[11:], table)}
    return SCALARS[type] if type in SCALARS else struct_schema(type, table)


def required_members(name: str) -> list[str]:
    """The JSON names of the members that the model of a struct refuses to be without."""
    model = getattr(models, f"V1{name}", None) or getattr(models, f"CoreV1{name}")
    required = {field for field, info in model.model_fields.items() if info.is_required()}
    return [json_name for field, json_name in model.attribute_map.items() if field in required]


if __name__ == "__main__":
    text = json.dumps(pod_template_schema(), indent=1, sort_keys=True)
    (DATA / "pod_schema.json").write_text(text + "\n", encoding="utf-8")
