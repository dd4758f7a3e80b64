"""Pod templates and canary steps as the typed Go API holds them: known members, in declaration order, zeros left out.

`data/encoding.json` lists, for every struct that can occur, its members in the order in which Go writes them, their
type and whether `omitempty` applies. The hashes and the values in error messages are made from that. What the CRD's
schema lets through but the types cannot hold is reported as a `Misfit`; a member of a wrong type counts as absent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from importlib import resources
from typing import Any, Final

from sluicegate.api.model import INT32_DETAIL, format_time, is_int32
from sluicegate.api.quantity import QUANTITY_DETAIL, canonical_quantity

ABSENT: Final = object()
"""What a member decodes to that is not there or has the wrong type."""


@dataclass(frozen=True)
class Member:
    """One member of a struct: its JSON name, Go type, and whether a zero value is left out."""

    name: str
    type: str
    omits_zero: bool

    @cached_property
    def is_optional(self) -> bool:
        """Whether a value that is not there is left out; so it is with nearly all members of a pod."""
        return self.omits_zero and _is_left_out(ABSENT, self.type)


@dataclass(frozen=True, slots=True)
class Misfit:
    """A value that the schema lets through and the type cannot hold."""

    path: str
    value: Any
    detail: str


@dataclass(slots=True)
class Decoder:
    """Decodes plain JSON data as one Go type after the other, and collects the misfits it meets."""

    misfits: list[Misfit] = field(default_factory=list)

    def decode(self, value: Any, type: str, path: str = "") -> Any:
        """The value as that type would be written, or ABSENT where it is null or of another type."""
        if value is None:
            return ABSENT
        type = type.removeprefix("*")
        if type.startswith("[]"):
            return self._list(value, type[2:], path)
        if type.startswith("map[string]"):
            return self._map(value, type[11:], path)
        scalar = _SCALARS.get(type)
        return scalar(self, value, path) if scalar else self._struct(value, type, path)

    def _list(self, value: Any, type: str, path: str) -> Any:
        if not isinstance(value, list):
            return ABSENT
        return [_or_zero(self.decode(item, type, f"{path}[{i}]"), type) for i, item in enumerate(value)]

    def _map(self, value: Any, type: str, path: str) -> Any:
        if not isinstance(value, Mapping):
            return ABSENT
        items = ((key, self.decode(item, type, f"{path}[{key}]")) for key, item in sorted(value.items()))
        return {key: _or_zero(item, type) for key, item in items}

    def _struct(self, value: Any, type: str, path: str) -> Any:
        if not isinstance(value, Mapping):
            return ABSENT
        decoded = {}
        for member in structs()[type]:
            given = value.get(member.name)
            if given is None and member.is_optional:
                continue
            item = self.decode(given, member.type, f"{path}.{member.name}".lstrip("."))
            if not (member.omits_zero and _is_left_out(item, member.type)):
                decoded[member.name] = _or_zero(item, member.type)
        return decoded

    def _int32(self, value: Any, path: str) -> Any:
        if not _is_whole(value):
            return ABSENT
        if not is_int32(int(value)):
            self.misfits.append(Misfit(path, value, INT32_DETAIL))
        return int(value)

    def _int_or_string(self, value: Any, path: str) -> Any:
        return value if isinstance(value, str) else self._int32(value, path)

    def _quantity(self, value: Any, path: str) -> Any:
        try:
            return canonical_quantity(value)
        except ValueError:
            self.misfits.append(Misfit(path, value, QUANTITY_DETAIL))
            return ABSENT


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1


def _time(_: Decoder, value: Any, __: str) -> Any:
    try:
        return format_time(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return ABSENT


_SCALARS: Final[dict[str, Callable[[Decoder, Any, str], Any]]] = {
    "string": lambda _, value, __: value if isinstance(value, str) else ABSENT,
    "bool": lambda _, value, __: value if isinstance(value, bool) else ABSENT,
    "int64": lambda _, value, __: int(value) if _is_whole(value) else ABSENT,
    "int32": Decoder._int32,
    "intOrString": Decoder._int_or_string,
    "quantity": Decoder._quantity,
    "time": _time,
    "raw": lambda _, value, __: value,
}
_ZEROS: Final[dict[str, Any]] = {
    "string": "",
    "bool": False,
    "int32": 0,
    "int64": 0,
    "intOrString": 0,
    "quantity": "0",
    "time": None,
    "raw": None,
}


def _or_zero(item: Any, type: str) -> Any:
    if item is not ABSENT:
        return item
    if type.startswith(("*", "[]", "map")):
        return None
    return _ZEROS[type] if type in _ZEROS else Decoder().decode({}, type)


def _is_left_out(item: Any, type: str) -> bool:
    if item is ABSENT:
        return type in _OMITTED_WHEN_ABSENT or type.startswith(("*", "[]", "map"))
    return not item and (type in _OMITTED_WHEN_ZERO or type.startswith(("[]", "map")))


_OMITTED_WHEN_ZERO: Final = frozenset({"string", "bool", "int32", "int64"})
_OMITTED_WHEN_ABSENT: Final = _OMITTED_WHEN_ZERO | {"time", "raw"}


@cache
def structs() -> dict[str, list[Member]]:
    """Every struct of a pod template or a step by its Go name: its members in declaration order."""
    text = resources.files("sluicegate.api").joinpath("data/encoding.json").read_text(encoding="utf-8")
    return {
        name: [Member(member["name"], member["type"], member.get("omitempty", False)) for member in members]
        for name, members in json.loads(text).items()
    }


def encode(value: Any, type: str) -> Any:
    """Plain data as a Go type writes it, None for null; for hashes and for values in messages."""
    return _or_zero(Decoder().decode(value, type), type)
