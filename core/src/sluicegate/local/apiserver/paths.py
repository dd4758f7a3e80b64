"""Reading and writing one member deep inside an object: dotted paths, and the JSONPath subset of printer columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sluicegate.local.objects import Object

_STEP = re.compile(
    r"""\.(?P<name>(?:[^.\[\]\\]|\\.)+)
      | \[\?\(@\.(?P<member>[\w.-]+)\s*==\s*(?P<quote>["'])(?P<wanted>.*?)(?P=quote)\)\]
      | \[(?P<index>\d+|\*)\]
      | \[(?P<mark>["'])(?P<key>.*?)(?P=mark)\]""",
    re.VERBOSE,
)


def lookup(obj: Any, path: str) -> Any:
    """Return the member at a dotted path such as `status.phase`, None if there is none."""
    for name in path.strip(".").split("."):
        if not isinstance(obj, dict):
            return None
        obj = obj.get(name)
    return obj


def assign(obj: Object, path: str, value: Any) -> None:
    """Set the member at a dotted path, making the objects on the way."""
    *parents, last = path.strip(".").split(".")
    for name in parents:
        obj = obj.setdefault(name, {})
    obj[last] = value


def select(obj: Any, jsonpath: str) -> list[Any]:
    """Return all values that a simple JSONPath (names, indexes, `[?(@.type=="Ready")]`) finds."""
    found = [obj]
    for step in _STEP.finditer(jsonpath):
        found = [value for parent in found for value in _follow(parent, step)]
    return found


def _follow(parent: Any, step: re.Match[str]) -> list[Any]:
    if step["wanted"] is not None:
        items = parent if isinstance(parent, list) else []
        return [item for item in items if str(lookup(item, step["member"])) == step["wanted"]]
    if step["index"] is not None:
        items = parent if isinstance(parent, list) else []
        return items if step["index"] == "*" else items[int(step["index"]) :][:1]
    name = step["key"] if step["key"] is not None else re.sub(r"\\(.)", r"\1", step["name"])
    return [parent[name]] if isinstance(parent, dict) and parent.get(name) is not None else []
