"""OpenAPI schemas at work: dropping what a schema does not know, and filling in its defaults.

A custom resource goes through `Schema.normalise` and then through `validation.faults`; a built-in object is only looked
at for unknown fields. Nulls of members that are not nullable are dropped here, as if they had not been sent.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluicegate.local.objects import Object

PRESERVE = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"
EMBEDDED = "x-kubernetes-embedded-resource"
_OBJECT_HEADER = ("apiVersion", "kind", "metadata")
_METADATA_MEMBERS = frozenset(
    (
        "name",
        "generateName",
        "namespace",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "labels",
        "annotations",
        "ownerReferences",
        "finalizers",
        "managedFields",
    )
)


class Schema:
    """One root schema; `definitions` resolves its `$ref`s (custom resources have none)."""

    def __init__(self, root: Object, definitions: Mapping[str, Object] | None = None) -> None:
        self.root = root
        self._definitions = definitions or {}

    def resolve(self, schema: Object) -> Object:
        """Return what a schema refers to, or the schema itself."""
        while reference := schema.get("$ref") or _only_reference(schema):
            schema = self._definitions[reference.removeprefix("#/components/schemas/")]
        return schema

    def normalise(self, obj: Object) -> tuple[Object, list[str]]:
        """Return an object as it is stored, and the paths of the unknown fields that were dropped."""
        unknown: list[str] = []
        header = {name: obj[name] for name in _OBJECT_HEADER if obj.get(name) is not None}
        header["metadata"] = _known_metadata(header.get("metadata") or {}, unknown)
        body = {name: value for name, value in obj.items() if name not in _OBJECT_HEADER}
        rest = self._members(self.root, body, "", unknown)
        return {**header, **{name: value for name, value in rest.items() if name not in _OBJECT_HEADER}}, unknown

    def _value(self, schema: Object, value: Any, path: str, unknown: list[str]) -> Any:
        schema = self.resolve(schema)
        if isinstance(value, dict) and _holds_members(schema):
            return self._members(schema, value, path, unknown)
        if isinstance(value, list) and "items" in schema:
            return [self._value(schema["items"], item, f"{path}[{at}]", unknown) for at, item in enumerate(value)]
        if isinstance(value, float) and value.is_integer() and schema.get("type") == "integer":
            return int(value)
        return value

    def _members(self, schema: Object, obj: Object, path: str, unknown: list[str]) -> Object:
        kept: Object = {}
        for name, value in obj.items():
            at = f"{path}.{name}" if path else name
            known = _member_schema(schema, name)
            if known is None:
                unknown.append(at)
            elif value is not None or known.get("nullable") or not known:
                kept[name] = self._value(known, value, at, unknown)
        self._fill_in(schema, kept, path)
        return kept

    def _fill_in(self, schema: Object, obj: Object, path: str) -> None:
        for name, member in schema.get("properties", {}).items():
            if name not in obj and member.get("default") is not None:
                obj[name] = self._value(member, copy.deepcopy(member["default"]), f"{path}.{name}", [])


def _only_reference(schema: Object) -> str:
    """A reference that carries a description beside it stands alone in an `allOf`."""
    parts: list[Object] = schema.get("allOf") or []
    return str(parts[0].get("$ref", "")) if len(parts) == 1 else ""


def _holds_members(schema: Object) -> bool:
    """Whether members of an object are looked at: not in a schema that says nothing about them but to keep them."""
    return schema.get("type") == "object" or "properties" in schema or "additionalProperties" in schema


def _member_schema(schema: Object, name: str) -> Object | None:
    """Return the schema of a member, `{}` if anything goes, None if the member is unknown."""
    if name in schema.get("properties", {}):
        member: Object = schema["properties"][name]
        return member
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        return additional
    if additional or schema.get(PRESERVE):
        return {}
    return {} if schema.get(EMBEDDED) and name in _OBJECT_HEADER else None


def _known_metadata(metadata: Object, unknown: list[str]) -> Object:
    unknown += [f"metadata.{name}" for name in metadata if name not in _METADATA_MEMBERS]
    return {name: value for name, value in metadata.items() if name in _METADATA_MEMBERS and value is not None}


def without_nulls(value: Any) -> Any:
    """Return a value with all null members dropped, as the typed decoding of built-in objects does."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value
