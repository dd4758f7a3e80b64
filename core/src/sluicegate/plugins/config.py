"""What a plugin's settings in a manifest are parsed into. A plugin sees this model, never the raw mapping."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from sluicegate.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class Config(BaseModel):
    """A plugin's settings: frozen, camelCase in manifests, strict about types, unknown fields refused.

    Subclass it with one typed attribute for each setting; a plugin without settings uses it as it is.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )

    @classmethod
    def parse(cls, raw: object, *, path: str) -> Self:
        """Parse the settings found at field `path` of a manifest; raises ConfigError, a line for each faulty field."""
        try:
            # From JSON, as strict types then take lists for tuples and strings for enums, as manifests must write them.
            return cls.model_validate_json(json.dumps(raw), by_alias=True, by_name=False)
        except ValidationError as error:
            raise ConfigError("\n".join(_fault(detail, path) for detail in error.errors())) from error


def _fault(detail: ErrorDetails, path: str) -> str:
    return f"{path}{_suffix(detail['loc'])}: {_explanation(detail)}"


def _suffix(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def _explanation(detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return "Required value"
    if detail["type"] == "extra_forbidden":
        return "unknown field"
    return f"Invalid value: {json.dumps(detail['input'])}: {detail['msg']}"
