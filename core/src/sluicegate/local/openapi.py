"""OpenAPI v3 documents, made at run time from the models of the installed Kubernetes client.

`kubectl` asks for them to validate and explain manifests, and the API layer finds the unknown fields of built-in
objects with them. The client's models are imported when the first document is made, not before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sluicegate.local.apiserver.schema import PRESERVE, Schema

if TYPE_CHECKING:
    from sluicegate.local.apiserver.resources import Served
    from sluicegate.local.objects import Object

_REFERENCE = "#/components/schemas/"
_MODEL_NAME = re.compile(r"(?:[A-Z][a-z]+)?(?P<version>V\d+(?:(?:Alpha|Beta)\d+)?)(?P<name>[A-Z]\w*)")
_META_TYPES = ("ObjectMeta", "OwnerReference", "LabelSelector", "LabelSelectorRequirement", "ManagedFieldsEntry")
_CONTAINER_TYPE = re.compile(r"(?P<kind>List|Dict)\[(?:str, )?(?P<of>.+)\]$", re.IGNORECASE)
_FREE_FORM: Object = {"type": "object", PRESERVE: True}
_RECURSIVE_MODEL = "V1JSONSchemaProps"
_SCALARS: dict[str, Object] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "datetime": {"type": "string", "format": "date-time"},
    "bytes": {"type": "string", "format": "byte"},
    "object": {PRESERVE: True},
}
_VERBS = (("get", "get"), ("put", "update"), ("patch", "patch"), ("delete", "delete"))
_QUERY = ("dryRun", "fieldManager", "fieldValidation")


class ModelSchemas(Mapping[str, "Object"]):
    """The schemas of the client's models by schema name, each made when it is first looked up."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._models: dict[str, Any] = {}
        self._made: dict[str, Object] = {}

    def name_of(self, model_name: str) -> str:
        """Return the name of a model's schema; `kubectl explain` shows what follows its last dot."""
        match = _MODEL_NAME.fullmatch(model_name)
        version, name = (match["version"].lower(), match["name"]) if match else ("v1", model_name)
        package = "apimachinery.pkg.apis.meta" if name in _META_TYPES else f"api.{self._package}"
        full_name = f"io.k8s.{package}.{version}.{name}"
        self._models.setdefault(full_name, model_name)
        return full_name

    def __getitem__(self, name: str) -> Object:
        if name not in self._made:
            self._made[name] = self._make(self._models[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    def closure(self) -> dict[str, Object]:
        """Return all schemas that those looked up so far refer to, directly or not."""
        while missing := [name for name in self._models if name not in self._made]:
            for name in missing:
                self[name]
        return dict(self._made)

    def _make(self, model_name: str) -> Object:
        from kubernetes.client import models

        model = getattr(models, model_name)
        if model_name == _RECURSIVE_MODEL:
            return {"description": _summary(model), **_FREE_FORM}
        properties = {
            model.attribute_map[attribute]: self._described(model, attribute, type_name)
            for attribute, type_name in model.openapi_types.items()
        }
        required = [model.attribute_map[name] for name, field in model.model_fields.items() if field.is_required()]
        schema: Object = {"type": "object", "description": _summary(model), "properties": properties}
        return {**schema, "required": required} if required else schema

    def _described(self, model: Any, attribute: str, type_name: str) -> Object:
        schema = self._typed(type_name)
        field = model.model_fields.get(attribute)
        description = (field.description if field else None) or ""
        if "$ref" in schema:
            return {"allOf": [schema], "description": description or _summary(_model(type_name))}
        return {**schema, "description": description}

    def _typed(self, type_name: str) -> Object:
        if match := _CONTAINER_TYPE.match(type_name):
            inner = self._typed(match["of"])
            if match["kind"].lower() == "list":
                return {"type": "array", "items": inner}
            return {"type": "object", "additionalProperties": inner}
        return _SCALARS.get(type_name) or {"$ref": _REFERENCE + self.name_of(type_name)}


def _model(name: str) -> Any:
    from kubernetes.client import models

    return getattr(models, name)


def _summary(model: Any) -> str:
    return (model.__doc__ or "").partition("Attributes:")[0].strip()


def _model_name(served: Served) -> str:
    """Return the client's model of a kind; a few names are taken twice and carry their group."""
    from kubernetes.client import models

    plain = f"{served.resource.version.capitalize()}{served.resource.kind}"
    return plain if hasattr(models, plain) else f"Core{plain}"


def _package(group: str) -> str:
    return group.partition(".")[0] or "core"


def builtin_schema(served: Served) -> Schema:
    """Return the schema by which unknown fields of a built-in kind are found."""
    schemas = ModelSchemas(_package(served.resource.group))
    return Schema(schemas[schemas.name_of(_model_name(served))], schemas)


def document(group: str, version: str, resources: list[Served]) -> Object:
    """Return the OpenAPI v3 document of one group and version."""
    schemas = ModelSchemas(_package(group))
    roots: dict[str, Object] = {}
    paths: dict[str, Object] = {}
    for served in resources:
        name = _add_root(served, schemas, roots)
        paths |= _paths(served, name)
    title = {"title": "Kubernetes", "version": "v1.32.0"}
    return {
        "openapi": "3.0.0",
        "info": title,
        "paths": paths,
        "components": {"schemas": {**schemas.closure(), **roots}},
    }


def _add_root(served: Served, schemas: ModelSchemas, roots: dict[str, Object]) -> str:
    kinds = {"x-kubernetes-group-version-kind": [_group_version_kind(served)]}
    if served.schema is None:
        name = schemas.name_of(_model_name(served))
        roots[name] = {**schemas[name], **kinds}
        return name
    resource = served.resource
    name = ".".join([*reversed(resource.group.split(".")), resource.version, resource.kind])
    meta = {"allOf": [{"$ref": _REFERENCE + schemas.name_of("V1ObjectMeta")}], "description": "Standard metadata."}
    properties = {**served.schema.root.get("properties", {}), "metadata": meta}
    roots[name] = {**served.schema.root, "type": "object", "properties": properties, **kinds}
    return name


def _group_version_kind(served: Served) -> Object:
    resource = served.resource
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _paths(served: Served, schema_name: str) -> dict[str, Object]:
    namespace = "{namespace}" if served.resource.namespaced else None
    collection = served.resource.path().rpartition("/")[0] + ("/namespaces/{namespace}" if namespace else "")
    collection += f"/{served.resource.plural}"
    content = {"application/json": {"schema": {"$ref": _REFERENCE + schema_name}}}
    body = {"content": content}
    item = {verb: _operation(served, action, body) for verb, action in _VERBS}
    collected = {"get": _operation(served, "list", body), "post": _operation(served, "post", body)}
    return {collection: collected, f"{collection}/{{name}}": item}


def _operation(served: Served, action: str, body: Object) -> Object:
    operation: Object = {
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": _group_version_kind(served),
        "responses": {"200": {"description": "OK", **body}},
    }
    if action in ("post", "update", "patch"):
        operation["parameters"] = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _QUERY]
        operation["requestBody"] = body
    return operation
