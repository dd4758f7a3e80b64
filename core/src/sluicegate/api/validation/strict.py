"""Manifests read as strictly as the incumbent's command line does: no unknown member, no wrong type (operations 1.10).

Names match without regard to case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from sluicegate.api.gojson import number_text, quote
from sluicegate.api.quantity import parse_quantity
from sluicegate.api.validation.go_types import is_struct, members_of, type_name
from sluicegate.errors import SluicegateError

_LIST: Final = "[]"
_MAP: Final = "map[string]"
_INT32_BOUND: Final = 2**31
_INT64_BOUND: Final = 2**63
_KINDS: Final = ((bool, "bool"), (str, "string"), (list, "array"), (Mapping, "object"))
_TIME_LAYOUT: Final = "2006-01-02T15:04:05Z07:00"
_TIME_PARTS: Final = (
    (r"\d{4}", "2006"),
    ("-", "-"),
    (r"0[1-9]|1[0-2]", "01"),
    ("-", "-"),
    (r"0[1-9]|[12]\d|3[01]", "02"),
    ("T", "T"),
    (r"[01]\d|2[0-3]", "15"),
    (":", ":"),
    (r"[0-5]\d", "04"),
    (":", ":"),
    (r"[0-5]\d(?:[.,]\d+)?", "05"),
    (r"Z|[+-]\d\d:\d\d", "Z07:00"),
)


class StrictError(SluicegateError):
    """A manifest has a member that its kind does not have, or a value of a wrong type, in the words of Go."""


class _End(Exception):
    """A value that reads itself could not be read, at which Go reads no further."""


class _Place(NamedTuple):
    """Where a value stands: the struct that holds it, and the path of members that leads there."""

    struct: str
    path: str

    def __str__(self) -> str:
        return f"Go struct field {self.struct}.{self.path}" if self.path else "Go value"

    def member(self, struct: str, name: str) -> _Place:
        """The place of a member of a struct that stands here."""
        return _Place(struct.rpartition(".")[2], f"{self.path}.{name}".lstrip("."))


def read_strictly(document: Mapping[str, Any], type: str, *, lenient: bool) -> dict[str, Any]:
    """A manifest, as plain JSON data, with its members spelt as the API spells them; `type` is one of `go_types`.

    `lenient`: a number or a boolean where a text is wanted is taken as text, as of YAML. Raises StrictError with the
    first fault in the order of the document.
    """
    reader = _Reader(lenient)
    try:
        read: dict[str, Any] = reader.struct(document, type, _Place("", ""))
    except _End as end:
        raise StrictError(str(end)) from None
    if reader.faults:
        raise StrictError(reader.faults[0])
    return read


class _Reader:
    """Reads plain data as one Go type after the other and collects what does not fit; such a value reads as None."""

    def __init__(self, lenient: bool) -> None:
        self._lenient = lenient
        self.faults: list[str] = []

    def read(self, value: Any, type: str, place: _Place) -> Any:
        if value is None:
            return _zero(type)
        if type.startswith(_LIST):
            return self.list(value, type, place)
        if type.startswith(_MAP):
            return self.map(value, type, place)
        return self.struct(value, type, place) if is_struct(type) else _SCALARS[type](self, value, place)

    def struct(self, value: Any, type: str, place: _Place) -> Any:
        if not isinstance(value, Mapping):
            return self.misfit(value, type, place)
        read: dict[str, Any] = {}
        for key, item in value.items():
            member = members_of(type).get(key.lower())
            if member is None:
                self.faults.append(f"json: unknown field {quote(key)}")
            elif item is not None:
                inner = self.read(item, member.type, place.member(type, member.name))
                read[member.name] = _merged(read.get(member.name), inner)
        return read

    def list(self, value: Any, type: str, place: _Place) -> Any:
        if not isinstance(value, list):
            return self.misfit(value, type, place)
        return [self.read(item, type.removeprefix(_LIST), place) for item in value]

    def map(self, value: Any, type: str, place: _Place) -> Any:
        if not isinstance(value, Mapping):
            return self.misfit(value, type, place)
        return {key: self.read(item, type.removeprefix(_MAP), place) for key, item in value.items()}

    def misfit(self, value: Any, type: str, place: _Place) -> None:
        self.faults.append(_misfit(_kind(value), type, place))

    def text(self, value: Any, place: _Place) -> Any:
        if isinstance(value, str):
            return value
        if not self._lenient or not isinstance(value, int | float):
            return self.misfit(value, "string", place)
        return number_text(value) if not isinstance(value, bool) else "true" if value else "false"

    def boolean(self, value: Any, place: _Place) -> Any:
        return value if isinstance(value, bool) else self.misfit(value, "bool", place)

    def int32(self, value: Any, place: _Place) -> Any:
        return self.integer(value, place, "int32", _INT32_BOUND)

    def int64(self, value: Any, place: _Place) -> Any:
        return self.integer(value, place, "int64", _INT64_BOUND)

    def integer(self, value: Any, place: _Place, type: str, bound: int) -> Any:
        number = _whole(value, bound)
        if number is None:
            self.faults.append(_misfit(_kind_of_number(value), type, place))
        return number

    def int_or_string(self, value: Any, place: _Place) -> Any:
        number = value if isinstance(value, str) else _whole(value, _INT32_BOUND)
        if number is None:
            raise _End(_misfit(_kind_of_number(value), "int32", place))
        return number

    def time(self, value: Any, place: _Place) -> Any:
        if not isinstance(value, str):
            raise _End(_misfit(_kind(value), "string", place))
        rest = value
        for pattern, layout in _TIME_PARTS:
            match = re.match(pattern, rest)
            if not match:
                raise _End(f'parsing time {quote(value)} as "{_TIME_LAYOUT}": cannot parse {quote(rest)} as "{layout}"')
            rest = rest[match.end() :]
        if rest:
            raise _End(f"parsing time {quote(value)}: extra text: {quote(rest)}")
        return value

    def quantity(self, value: Any, place: _Place) -> Any:
        try:
            parse_quantity(value)
        except ValueError as error:
            raise _End(str(error)) from None
        return value

    def opaque(self, value: Any, place: _Place) -> Any:
        return value


_SCALARS: Final[dict[str, Callable[[_Reader, Any, _Place], Any]]] = {
    "string": _Reader.text,
    "bool": _Reader.boolean,
    "int32": _Reader.int32,
    "int64": _Reader.int64,
    "intOrString": _Reader.int_or_string,
    "time": _Reader.time,
    "quantity": _Reader.quantity,
    "raw": _Reader.opaque,
}
_ZEROS: Final[dict[str, Any]] = {"string": "", "bool": False, "int32": 0, "int64": 0, "intOrString": 0, "quantity": "0"}


def _zero(type: str) -> Any:
    """What a null item of a list or map reads as."""
    return {} if is_struct(type) else _ZEROS.get(type)


def _merged(old: Any, new: Any) -> Any:
    """A member given twice, in other letters: the parts of objects add up, of anything else the later counts."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return old | {key: _merged(old.get(key), item) for key, item in new.items()}


def _misfit(kind: str, type: str, place: _Place) -> str:
    return f"json: cannot unmarshal {kind} into {place} of type {type_name(type)}"


def _kind(value: Any) -> str:
    return next((kind for type, kind in _KINDS if isinstance(value, type)), "number")


def _kind_of_number(value: Any) -> str:
    """A kind where a whole number is wanted: of a number that is none, or too large, the message shows the value."""
    kind = _kind(value)
    return f"{kind} {number_text(value)}" if kind == "number" else kind


def _whole(value: Any, bound: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return None
    return int(value) if -bound <= value < bound else None
