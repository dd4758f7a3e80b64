"""The CustomResourceDefinitions of the five kinds, with schemas made from the models (rollout 1.11, operations 7.5).

The schemas hold types, required members and descriptions: no default, no enum, no range, for those are the
controller's to judge. A description is the docstring's first sentence, one for each model, so that a CRD stays small.
The pod template's part is data, made by `scripts/make_pod_schema.py`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Union, get_args, get_origin

from pydantic.alias_generators import to_camel

from sluicegate.api.analysis import AnalysisRun, AnalysisTemplate, Experiment
from sluicegate.api.model import POD_TEMPLATE, REQUIRED, ApiModel, CrdSchema
from sluicegate.api.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    CLUSTER_ANALYSIS_TEMPLATES,
    EXPERIMENTS,
    ROLLOUTS,
    Resource,
)
from sluicegate.api.rollout import Rollout

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_SCALARS: Final[dict[Any, dict[str, Any]]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    Any: {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
}
_AGE: Final = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
_PHASE: Final = {"name": "Status", "type": "string", "jsonPath": ".status.phase"}
_ROLLOUT_COLUMNS: Final = (
    {"name": "Desired", "type": "integer", "jsonPath": ".spec.replicas"},
    {"name": "Current", "type": "integer", "jsonPath": ".status.replicas"},
    {"name": "Up-to-date", "type": "integer", "jsonPath": ".status.updatedReplicas"},
    {"name": "Available", "type": "integer", "jsonPath": ".status.availableReplicas"},
)
_ROLLOUT_SUBRESOURCES: Final = {
    "status": {},
    "scale": {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.HPAReplicas",
        "labelSelectorPath": ".status.selector",
    },
}
_SOURCE: Final = re.compile(r" \((?:rollout|analysis) [0-9.]+\)")
_NAME: Final = re.compile(r"(?<=`)[a-z_]+(?=`)")
_IMMUTABLE_SELECTOR: Final = {"rule": "self == oldSelf", "message": ".spec.selector is immutable"}


@dataclass(frozen=True, slots=True)
class _Definition:
    """What a CRD needs beside its model."""

    resource: Resource
    model: type[ApiModel]
    short_name: str
    columns: tuple[dict[str, str], ...] = ()
    subresources: dict[str, Any] = field(default_factory=dict)


_DEFINITIONS: Final = (
    _Definition(ROLLOUTS, Rollout, "ro", _ROLLOUT_COLUMNS, _ROLLOUT_SUBRESOURCES),
    _Definition(EXPERIMENTS, Experiment, "exp", (_PHASE,)),
    _Definition(ANALYSIS_RUNS, AnalysisRun, "ar", (_PHASE,)),
    _Definition(ANALYSIS_TEMPLATES, AnalysisTemplate, "at"),
    _Definition(CLUSTER_ANALYSIS_TEMPLATES, AnalysisTemplate, "cat"),
)


def crds() -> list[dict[str, Any]]:
    """The five CustomResourceDefinitions as manifests, each small enough for a plain `kubectl apply`."""
    shared = [_crd(definition) for definition in _DEFINITIONS]
    # A copy without shared parts: callers may edit it, and YAML would write shared parts as aliases.
    manifests: list[dict[str, Any]] = json.loads(json.dumps(shared))
    return manifests


def _crd(definition: _Definition) -> dict[str, Any]:
    resource = definition.resource
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{resource.group}"},
        "spec": {
            "group": resource.group,
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.kind.lower(),
                "shortNames": [definition.short_name],
            },
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "versions": [_version(definition)],
        },
    }


def _version(definition: _Definition) -> dict[str, Any]:
    version = {
        "name": definition.resource.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _root_schema(definition.model)},
        "additionalPrinterColumns": [*definition.columns, _AGE],
    }
    return version | ({"subresources": definition.subresources} if definition.subresources else {})


def _root_schema(model: type[ApiModel]) -> dict[str, Any]:
    schema = _model_schema(model)
    # The API server knows these three itself and refuses more than their types.
    schema["properties"] |= {"apiVersion": _SCALARS[str], "kind": _SCALARS[str], "metadata": {"type": "object"}}
    if model is Rollout:
        schema["properties"]["spec"]["properties"]["selector"]["x-kubernetes-validations"] = [_IMMUTABLE_SELECTOR]
    return schema


def _model_schema(model: type[ApiModel]) -> dict[str, Any]:
    members = {info.alias or name: info for name, info in model.model_fields.items()}
    properties = {name: _field_schema(info) for name, info in members.items()}
    required = sorted(name for name, info in members.items() if REQUIRED in info.metadata)
    # An API server stores nothing that is empty, and `kubectl apply` would find a difference each time.
    lists = {name: found for name, found in (("properties", properties), ("required", required)) if found}
    return {"type": "object", "description": _description(model), **lists}


def _description(model: type[ApiModel]) -> str:
    """What `kubectl explain` says of a model: the first sentence of its docstring, in the API's names."""
    text = _SOURCE.sub("", model.__doc__ or "").strip()
    return _NAME.sub(lambda name: to_camel(name[0]), text.partition("\n")[0].partition(". ")[0].rstrip(".") + ".")


def _field_schema(info: FieldInfo) -> dict[str, Any]:
    return _marked_schema(info.metadata) or _type_schema(info.annotation)


def _marked_schema(metadata: list[Any]) -> dict[str, Any] | None:
    for item in metadata:
        if item is POD_TEMPLATE:
            return _pod_template_schema()
        if isinstance(item, CrdSchema):
            return item.schema
    return None


def _type_schema(type: Any) -> dict[str, Any]:
    if type in _SCALARS:
        return _SCALARS[type]
    origin, arguments = get_origin(type), get_args(type)
    if hasattr(type, "__metadata__"):
        return _marked_schema(list(type.__metadata__)) or _type_schema(arguments[0])
    if origin in (Union, UnionType):
        return _type_schema(next(argument for argument in arguments if argument is not NoneType))
    if origin is list:
        return {"type": "array", "items": _type_schema(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type_schema(arguments[1])}
    return _model_schema(type)


@cache
def _pod_template_schema() -> dict[str, Any]:
    text = resources.files("sluicegate.api").joinpath("data/pod_schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
