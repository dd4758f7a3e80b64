"""What a Rollout refers to, by name, and what has been found of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from sluicegate.api.resources import Resource


class Reference(NamedTuple):
    """One object that a Rollout refers to, directly or through another; `namespace` is empty for cluster-wide kinds."""

    resource: Resource
    namespace: str
    name: str


Known: TypeAlias = Mapping[Reference, Mapping[str, Any] | None]
"""What was looked up: the object as JSON data, None for one that does not exist."""


def member(document: Any, *path: str) -> Any:
    """The value at a path of plain JSON data; None where it, or anything on the way, is missing or no object."""
    for name in path:
        if not isinstance(document, Mapping):
            return None
        document = document.get(name)
    return document


def items(document: Any, *path: str) -> list[Any]:
    """The list at a path of plain JSON data; empty where there is none."""
    found = member(document, *path)
    return found if isinstance(found, list) else []


def name_of(document: Mapping[str, Any]) -> str:
    """The name in an object's metadata."""
    return str(member(document, "metadata", "name") or "")
