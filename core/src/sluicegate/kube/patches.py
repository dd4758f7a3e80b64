"""Patches as values: what to send so that an object becomes what we want, and no more.

Pure functions, so that callers see (and test) a write before it is sent, and send none when there is nothing to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
STRATEGIC_MERGE_PATCH: Final = "application/strategic-merge-patch+json"


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON merge patch (RFC 7386) that turns `old` into `new`; empty when they are equal.

    A merge patch cannot store null: a key that is null in `new` ends up absent. Lists are replaced as a whole.
    """
    patch: dict[str, Any] = {key: None for key, value in old.items() if value is not None and new.get(key) is None}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            if change := merge_patch(before, value):
                patch[key] = change
        elif value is not None and (before is None or not _same(before, value)):
            patch[key] = value
    return patch


def with_resource_version(patch: Mapping[str, Any], resource_version: str) -> dict[str, Any]:
    """The same merge patch, which the API refuses with a Conflict unless the object still has this resource version."""
    metadata = {**patch.get("metadata", {}), "resourceVersion": resource_version}
    return {**patch, "metadata": metadata}


def _same(old: Any, new: Any) -> bool:
    # Python holds True equal to 1 and 1.0 equal to 1; in JSON the first pair differs.
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in new)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)
