"""What every model of our kinds shares: JSON names, unknown members kept, and the scalar types of the Kubernetes API.

A model accepts what the CRD's schema accepts. What the schema lets through and our types cannot hold (whole numbers
beyond 32 bits) is refused here with the member's path, where the incumbent would silently take the low 32 bits.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

INT32_DETAIL: Final = "must be a 32-bit integer"
_INT32_BOUND: Final = 2**31
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


class SchemaRequired:
    """Marks a member that the CRD requires; the models do without it, for manifests that no API server has checked."""


@dataclass(frozen=True, eq=False)
class CrdSchema:
    """Says what a type looks like in the schema of a CRD."""

    schema: dict[str, Any]


class PodTemplateSchema:
    """Marks a pod template, whose schema in the CRD is that of Kubernetes."""


REQUIRED: Final = SchemaRequired()
POD_TEMPLATE: Final = PodTemplateSchema()


class ApiModel(BaseModel):
    """A frozen object of the API: snake_case attributes, camelCase JSON, unknown members kept, null means absent."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="allow", frozen=True, defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, data: Any) -> Any:
        return without_nulls(data)

    def document(self) -> dict[str, Any]:
        """The JSON object it was made from: members that were never set stay absent, unknown ones are there."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


def without_nulls(data: Any) -> Any:
    """A mapping without its null members, as the API server stores it; anything else unchanged."""
    if isinstance(data, dict) and None in data.values():
        return {key: value for key, value in data.items() if value is not None}
    return data


def is_int32(value: int) -> bool:
    """Whether a whole number fits a signed 32-bit integer."""
    return -_INT32_BOUND <= value < _INT32_BOUND


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise PydanticCustomError("int_type", "must be a whole number")
    return int(value)


def _int32(value: Any) -> int:
    number = _integer(value)
    if not is_int32(number):
        raise PydanticCustomError("int32", INT32_DETAIL)
    return number


def _int_or_string(value: Any) -> int | str:
    return value if isinstance(value, str) else _int32(value)


def _parse_time(value: Any) -> datetime:
    """An aware time in UTC, cut to whole seconds as the API writes it."""
    if isinstance(value, str):
        value = parse_time(value)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise PydanticCustomError("date-time", "must be an RFC 3339 time with a zone")
    try:
        return value.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise PydanticCustomError("date-time", "must be an RFC 3339 time in the years 1 to 9999 UTC") from None


def parse_time(text: str) -> datetime | None:
    """A time from RFC 3339 with a zone; None where the text is none."""
    if not _RFC3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


def format_time(time: datetime) -> str:
    """A time as the API writes it: RFC 3339 in UTC, whole seconds, `Z`."""
    return time.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


Int32 = Annotated[int, BeforeValidator(_int32), CrdSchema({"type": "integer", "format": "int32"})]
Int64 = Annotated[int, BeforeValidator(_integer), CrdSchema({"type": "integer", "format": "int64"})]
IntOrString = Annotated[
    int | str,
    BeforeValidator(_int_or_string),
    CrdSchema({"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}),
]
Time = Annotated[
    datetime,
    BeforeValidator(_parse_time),
    PlainSerializer(format_time, return_type=str, when_used="json"),
    CrdSchema({"type": "string", "format": "date-time"}),
]
RequiredStr = Annotated[str, REQUIRED]
StringMap = Annotated[dict[str, str], BeforeValidator(without_nulls)]
FreeObject = Annotated[dict[str, Any], CrdSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})]
PodTemplate = Annotated[dict[str, Any], POD_TEMPLATE]
