"""What our kinds hold, as the typed Go API has it, and the first member of a manifest that does not fit.

The members of our kinds come from the models, those of pod templates and metadata from `sluicegate.api.encoding`.
Types are written as there: `string`, `*int32`, `[]Container`, `map[string]string`, or the name of a struct.
"""

from __future__ import annotations

from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Union, get_args, get_origin

from sluicegate.api import encoding
from sluicegate.api.analysis import AnalysisRun, AnalysisTemplate, Experiment
from sluicegate.api.metadata import ObjectMeta
from sluicegate.api.model import POD_TEMPLATE, ApiModel, CrdSchema
from sluicegate.api.rollout import Rollout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

KINDS: Final[Mapping[str, type[ApiModel]]] = {
    "Rollout": Rollout,
    "Experiment": Experiment,
    "AnalysisTemplate": AnalysisTemplate,
    "ClusterAnalysisTemplate": AnalysisTemplate,
    "AnalysisRun": AnalysisRun,
}

_SCALARS: Final[Mapping[Any, str]] = {str: "string", bool: "bool", Any: "raw"}
_FORMATS: Final = {"int32": "int32", "int64": "int64", "date-time": "time"}
_TAKEN: Final[Mapping[str, tuple[str, ...]]] = {
    "string": ("string",),
    "bool": ("bool",),
    "int32": ("integer",),
    "int64": ("integer",),
    "intOrString": ("integer", "string"),
    "quantity": ("integer", "number", "string"),
    "time": ("string",),
}
_TEXT_IN_YAML: Final = ("integer", "number", "bool")


class Place(NamedTuple):
    """Where a value stands: the Go struct that holds it, and the path from the top, without indexes and map keys."""

    struct: str
    path: str


def misfit(value: dict[str, Any], kind: str, *, lenient: bool) -> str | None:
    """What Go's strict decoder says of the first member that does not fit the kind, None if all do.

    `lenient`: numbers and booleans are taken where a string is wanted, as of YAML.
    """
    return next(_Walk(lenient).struct(value, KINDS[kind].__name__, ""), None)


class _Walk:
    """One way through a manifest."""

    def __init__(self, lenient: bool) -> None:
        self._lenient = lenient

    def struct(self, value: Mapping[str, Any], name: str, path: str) -> Iterator[str]:
        members = structs()[name]
        for key, item in value.items():
            member = key if key in members else _any_case(members).get(key.lower(), "")
            if not member and not (path == "" and key in ("apiVersion", "kind")):
                yield f'json: unknown field "{key}"'
            elif member:
                yield from self._value(item, members[member], Place(name, f"{path}.{member}".lstrip(".")))

    def _value(self, value: Any, type: str, place: Place) -> Iterator[str]:
        type = type.removeprefix("*")
        if value is None or type == "raw":
            return
        found = _json_type(value)
        if type in _TAKEN:
            if found not in _TAKEN[type] and not (self._lenient and type == "string" and found in _TEXT_IN_YAML):
                yield _wrong_type(value, found, type, place)
        elif found != _container(type):
            yield _wrong_type(value, found, type, place)
        elif type.startswith("[]"):
            for item in value:
                yield from self._value(item, type[2:], place)
        elif type.startswith("map[string]"):
            for item in value.values():
                yield from self._value(item, type.removeprefix("map[string]"), place)
        else:
            yield from self.struct(value, type, place.path)


def _container(type: str) -> str:
    return "array" if type.startswith("[]") else "object"


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "integer" if value == value // 1 else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _wrong_type(value: Any, found: str, type: str, place: Place) -> str:
    shown = f"number {value}" if found == "number" and type.startswith("int") else found.replace("integer", "number")
    return f"json: cannot unmarshal {shown} into Go struct field {place.struct}.{place.path} of type {_shown(type)}"


def _shown(type: str) -> str:
    return {"time": "string", "intOrString": "int32", "quantity": "string"}.get(type, type)


def _any_case(members: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): name for name in members}


@cache
def structs() -> dict[str, dict[str, str]]:
    """Every struct of our kinds by name: its members and their types."""
    known = {name: {one.name: one.type for one in members} for name, members in encoding.structs().items()}
    for model in KINDS.values():
        _add(model, known)
    return known


def _add(model: type[ApiModel], known: dict[str, dict[str, str]]) -> None:
    members: dict[str, str] = {}
    known[model.__name__] = members
    for name, info in model.model_fields.items():
        members[info.alias or name] = _field_type(info, known)


def _field_type(info: FieldInfo, known: dict[str, dict[str, str]]) -> str:
    return _marked(info.metadata) or _type(info.annotation, known)


def _marked(metadata: list[Any]) -> str:
    for item in metadata:
        if item is POD_TEMPLATE:
            return "PodTemplateSpec"
        if isinstance(item, CrdSchema):
            return _FORMATS.get(item.schema.get("format", ""), "intOrString" if "anyOf" in item.schema else "raw")
    return ""


def _type(type: Any, known: dict[str, dict[str, str]]) -> str:
    if type in _SCALARS:
        return _SCALARS[type]
    origin, arguments = get_origin(type), get_args(type)
    if hasattr(type, "__metadata__"):
        return _marked(list(type.__metadata__)) or _type(arguments[0], known)
    if origin in (Union, UnionType):
        return _type(next(one for one in arguments if one is not NoneType), known)
    if origin is list:
        return f"[]{_type(arguments[0], known)}"
    if origin is dict:
        return f"map[string]{_type(arguments[1], known)}"
    if type is not ObjectMeta:
        _add(type, known)
    return type.__name__  # type: ignore[no-any-return]
