"""How defaults are set: in a field that is absent, or (where Kubernetes has no pointer) in one that holds a zero."""

from typing import Any

Object = dict[str, Any]


def fill_absent(target: Object, **values: Any) -> None:
    """Set each field that is absent or null; an explicit zero stays."""
    for name, value in values.items():
        if target.get(name) is None:
            target[name] = value


def fill_empty(target: Object, **values: Any) -> None:
    """Set each field that is absent, null, 0 or an empty string."""
    for name, value in values.items():
        if target.get(name) in (None, "", 0):
            target[name] = value


def members(target: Object, name: str) -> list[Object]:
    """The objects in the list of that name; none when it is absent."""
    return [item for item in target.get(name) or [] if isinstance(item, dict)]


def member(target: Object, *path: str) -> Object | None:
    """The object at that path, None when any part of it is absent or is no object."""
    for name in path:
        found = target.get(name)
        if not isinstance(found, dict):
            return None
        target = found
    return target
