"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386)."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from sluicegate.errors import Invalid
from sluicegate.local import failures

if TYPE_CHECKING:
    from sluicegate.local.objects import Object

APPLY_PATCH = "application/apply-patch+yaml"
_INDEX = re.compile("[0-9]{1,18}")


def apply_operations(target: Object, operations: Any) -> Object:
    """Return the target with the operations of a JSON patch applied, all or none.

    Raises BadRequest for a body that is no list of operations, Invalid for an operation that cannot be carried out.
    """
    if not isinstance(operations, list):
        raise failures.bad_request("error decoding patch: a JSON patch is a list of operations")
    document: Any = copy.deepcopy(target)
    for operation in operations:
        document = _apply(document, operation)
    if not isinstance(document, dict):
        raise _refused("the patched document is not an object")
    return document


def _apply(document: Any, operation: Any) -> Any:
    if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
        raise failures.bad_request(f"error decoding patch: not an operation: {operation!r}")
    kind, path = operation.get("op"), operation["path"]
    match kind:
        case "add":
            return _add(document, path, copy.deepcopy(_value(operation)))
        case "remove":
            return _remove(document, path)
        case "replace":
            return _replace(document, path, copy.deepcopy(_value(operation)))
        case "move" | "copy":
            return _transfer(document, operation, path)
        case "test":
            if _find(document, path) != operation.get("value"):
                raise _refused(f"testing value {path} failed")
            return document
    raise failures.bad_request(f"error decoding patch: unknown operation {kind!r}")


def _value(operation: Object) -> Any:
    if "value" not in operation:
        raise failures.bad_request(f"error decoding patch: operation {operation['op']!r} has no value")
    return operation["value"]


def _transfer(document: Any, operation: Object, path: str) -> Any:
    source = operation.get("from")
    if not isinstance(source, str):
        raise failures.bad_request(f"error decoding patch: operation {operation['op']!r} has no source")
    moved = copy.deepcopy(_find(document, source))
    if operation["op"] == "move":
        document = _remove(document, source)
    return _add(document, path, moved)


def _add(document: Any, path: str, value: Any) -> Any:
    if not path:
        return value
    parent, last = _parent(document, path)
    if isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(parent, last, path, limit=len(parent)), value)
    else:
        parent[last] = value
    return document


def _remove(document: Any, path: str) -> Any:
    parent, last = _parent(document, path)
    if isinstance(parent, list):
        del parent[_index(parent, last, path, limit=len(parent) - 1)]
    elif last not in parent:
        raise _refused(f"unable to remove nonexistent key: {last}: missing value")
    else:
        del parent[last]
    return document


def _replace(document: Any, path: str, value: Any) -> Any:
    if not path:
        return value
    _find(document, path)
    parent, last = _parent(document, path)
    parent[int(last) if isinstance(parent, list) else last] = value
    return document


def _find(document: Any, path: str) -> Any:
    for part in _parts(path):
        document = _step(document, part, path)
    return document


def _parent(document: Any, path: str) -> tuple[Any, str]:
    *parents, last = _parts(path) or [""]
    for part in parents:
        document = _step(document, part, path)
    if not isinstance(document, dict | list):
        raise _missing(path)
    return document, last


def _step(document: Any, part: str, path: str) -> Any:
    if isinstance(document, list):
        return document[_index(document, part, path, limit=len(document) - 1)]
    if not isinstance(document, dict) or part not in document:
        raise _missing(path)
    return document[part]


def _index(items: list[Any], part: str, path: str, *, limit: int) -> int:
    if not _INDEX.fullmatch(part) or int(part) > limit:
        raise _refused(f"unable to access invalid index: {part} in {path} of a list of {len(items)}: missing value")
    return int(part)


def _parts(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise failures.bad_request(f"error decoding patch: {path!r} is not a JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _missing(path: str) -> Invalid:
    return _refused(f"doc is missing path: {path}: missing value")


def _refused(why: str) -> Invalid:
    return Invalid(
        f"the server rejected our request due to an error in our request: {why}", status=422, reason="Invalid"
    )
