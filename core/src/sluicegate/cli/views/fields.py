"""Reading members of objects as the API server sent them; what is absent, null or of another type reads as its zero.

Views must show any stored object, half-written and foreign ones too, so no access here ever fails.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

Object: TypeAlias = dict[str, Any]

_DECIMAL = re.compile(r"[+-]?[0-9]{1,4000}")
_INT64: Final = 2**63


def member(source: Any, *path: str) -> Any:
    """The value at `path`, None where any part of the way is missing."""
    for name in path:
        if not isinstance(source, dict):
            return None
        source = source.get(name)
    return source


def text(source: Any, *path: str) -> str:
    """The string at `path`, else an empty one."""
    value = member(source, *path)
    return value if isinstance(value, str) else ""


def number(source: Any, *path: str, default: int = 0) -> int:
    """The whole number at `path`, else `default`."""
    value = member(source, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def flag(source: Any, *path: str) -> bool:
    """Whether the value at `path` is true."""
    return member(source, *path) is True


def items(source: Any, *path: str) -> list[Any]:
    """The list at `path`, else an empty one."""
    value = member(source, *path)
    return value if isinstance(value, list) else []


def name_of(source: Any) -> str:
    """`metadata.name`."""
    return text(source, "metadata", "name")


def decimal(value: str) -> int | None:
    """The 64-bit integer that `value` spells with digits and an optional sign, None if it is anything else."""
    if not _DECIMAL.fullmatch(value) or not -_INT64 <= int(value) < _INT64:
        return None
    return int(value)
