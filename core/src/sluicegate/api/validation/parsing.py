"""From a manifest to a Rollout: what the schema lets through parses, or is refused with the path of the member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from sluicegate.api.encoding import Decoder
from sluicegate.api.model import INT32_DETAIL
from sluicegate.api.rollout import Rollout
from sluicegate.api.validation.field_error import FieldError, InvalidManifest, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

_EXPECTED: Final = {
    "int_type": "integer",
    "string_type": "string",
    "bool_type": "boolean",
    "bool_parsing": "boolean",
    "dict_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
    "list_type": "array",
    "date-time": "date-time",
}
_TYPE_NAMES: Final = ((bool, "boolean"), (int, "integer"), (float, "number"), (dict, "object"), (list, "array"))


def parse_rollout(raw: Mapping[str, Any]) -> Rollout:
    """The Rollout of a manifest as stored by the API.

    Raises InvalidManifest for whole numbers beyond 32 bits and unparsable quantities, which the schema lets through,
    and for wrong types, which it refuses (rollout 1.11).
    """
    misfits = _template_errors(raw)
    try:
        rollout = Rollout.model_validate(raw)
    except ValidationError as error:
        found = [_field_error(item) for item in error.errors(include_url=False, include_context=False)]
        raise InvalidManifest(found + misfits) from None
    if misfits:
        raise InvalidManifest(misfits)
    return rollout


def _template_errors(raw: Mapping[str, Any]) -> list[FieldError]:
    spec = raw.get("spec")
    if not isinstance(spec, dict):
        return []
    decoder = Decoder()
    decoder.decode(spec.get("template"), "PodTemplateSpec", "spec.template")
    return [invalid(misfit.path, misfit.value, misfit.detail) for misfit in decoder.misfits]


def _field_error(error: ErrorDetails) -> FieldError:
    path, value = _path(error["loc"]), error["input"]
    if error["type"] == "int32":
        return invalid(path, value, INT32_DETAIL)
    found = value if isinstance(value, str) and error["type"] == "date-time" else _type_name(value)
    expected = _EXPECTED.get(error["type"], error["type"])
    return invalid(path, found, f'{path} in body must be of type {expected}: "{found}"')


def _path(location: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).lstrip(".")


def _type_name(value: Any) -> str:
    return next((name for type, name in _TYPE_NAMES if isinstance(value, type)), "string")
