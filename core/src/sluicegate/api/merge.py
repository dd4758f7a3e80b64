"""JSON merge patches (RFC 7386): the difference between two documents, and what a patch makes of one."""

from collections.abc import Mapping
from typing import Any


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON merge patch (RFC 7386) that turns `old` into `new`; empty when they are equal.

    A merge patch cannot store null: a key that is null in `new` ends up absent. Lists are replaced as a whole.
    """
    patch: dict[str, Any] = {key: None for key, value in old.items() if value is not None and new.get(key) is None}
    for key, value in new.items():
        before = old.get(key)
        if value is before:
            # As `apply_merge_patch` leaves what a patch does not touch.
            continue
        if isinstance(before, dict) and isinstance(value, dict):
            if change := merge_patch(before, value):
                patch[key] = change
        elif value is not None and (before is None or not _same(before, value)):
            patch[key] = value
    return patch


def apply_merge_patch(document: Any, patch: Any) -> Any:
    """What a merge patch makes of a document; a null in the patch removes a member. What is unchanged is shared."""
    if not isinstance(patch, Mapping):
        return patch
    patched = dict(document) if isinstance(document, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            patched.pop(key, None)
        else:
            patched[key] = apply_merge_patch(patched.get(key), value)
    return patched


def _same(old: Any, new: Any) -> bool:
    # Python holds True equal to 1 and 1.0 equal to 1; in JSON the first pair differs.
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in new)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)
