"""URL paths: which resource, object and subresource a request is about."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from sluicegate.local.objects import Key

_SUBRESOURCES_OF_NAMESPACES = ("status", "finalize")


class Target(NamedTuple):
    """What a path names; empty strings for the parts it does not have."""

    group: str
    version: str
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> Key:
        """Where the named object is in the store."""
        return Key(self.group, self.plural, self.namespace, self.name)


def parse(path: str) -> Target | None:
    """Return what an (encoded) path under `/api` or `/apis` names, None if it is under neither."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api":
        return _target("", parts[1:])
    if parts[0] == "apis" and len(parts) > 1:
        return _target(parts[1], parts[2:])
    return None


def _target(group: str, parts: list[str]) -> Target | None:
    version, *rest = parts or [""]
    if _is_inside_namespace(rest):
        namespace, rest = rest[1], rest[2:]
    else:
        namespace = ""
    if len(rest) > 3:
        return None
    plural, name, subresource = [*rest, "", "", ""][:3]
    return Target(group, version, plural, namespace, name, subresource)


def _is_inside_namespace(rest: list[str]) -> bool:
    if len(rest) < 3 or rest[0] != "namespaces":
        return False
    return not (len(rest) == 3 and rest[2] in _SUBRESOURCES_OF_NAMESPACES)
