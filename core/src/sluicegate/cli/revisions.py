"""The revisions of a Rollout that `undo` can go back to, and whether one is what the Rollout has already.

Pure functions of objects as stored (operations.md 1.8).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sluicegate.cli.views.fields import decimal, flag, items, member, text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sluicegate.cli.views.fields import Object

_REVISION: Final = "rollout.argoproj.io/revision"
_INJECTED: Final = "rollout.argoproj.io/ephemeral-metadata"
_HASH: Final = "rollouts-pod-template-hash"


def controlled_by(rollout: Object, replica_sets: Sequence[Object]) -> list[Object]:
    """The ReplicaSets whose controller is the Rollout."""
    uid = text(rollout, "metadata", "uid")
    return [one for one in replica_sets if uid in _controllers(one)]


def _controllers(replica_set: Object) -> list[str]:
    owners = items(replica_set, "metadata", "ownerReferences")
    return [text(owner, "uid") for owner in owners if flag(owner, "controller")]


def revision_to_restore(replica_sets: Sequence[Object], wanted: int) -> Object | None:
    """The first set of revision `wanted`, for 0 the last revision but one; None if there is none.

    A set without a revision counts as 0, and one whose revision is no number not at all.
    """
    known = [(revision, one) for one in replica_sets if (revision := _revision(one)) is not None]
    if wanted:
        return next((one for revision, one in known if revision == wanted), None)
    newest = sorted((one for one in known if one[0] >= 0), key=lambda one: -one[0])
    return newest[1][1] if len(newest) > 1 else None


def known_revisions(replica_sets: Sequence[Object]) -> list[int]:
    """The revisions there are, the newest first."""
    return sorted((revision for one in replica_sets if (revision := _revision(one)) is not None), reverse=True)


def _revision(replica_set: Object) -> int | None:
    stored = member(replica_set, "metadata", "annotations", _REVISION)
    return 0 if stored is None else decimal(stored)


def template_of(replica_set: Object) -> Object:
    """The pod template that a ReplicaSet was made of, without the labels and annotations that it got besides.

    Those are the hash of the template, and the metadata of its role (rollout.md 4.7): with them in its template, a
    Rollout would not go back to this ReplicaSet but make another.
    """
    given = _injected(replica_set)
    template = without_hash(member(replica_set, "spec", "template") or {})
    for field in ("labels", "annotations"):
        template = _without(template, field, member(given, field) or {})
    return template


def _injected(replica_set: Object) -> Any:
    try:
        return json.loads(text(replica_set, "metadata", "annotations", _INJECTED) or "{}")
    except ValueError:
        return {}


def without_hash(template: Object) -> Object:
    """A pod template without the label that makes it one of a ReplicaSet."""
    return _without(template, "labels", (_HASH,))


def _without(template: Object, field: str, keys: Collection[str]) -> Object:
    metadata = member(template, "metadata")
    stored = member(metadata, field)
    if not isinstance(stored, dict) or not stored.keys() & set(keys):
        return template
    kept = {key: value for key, value in stored.items() if key not in keys}
    others = {key: value for key, value in metadata.items() if key != field}
    return {**template, "metadata": {**others, **({field: kept} if kept else {})}}


def covered(value: Any, other: Any) -> bool:
    """Whether `other` has all that `value` says, as the incumbent compares: what is empty says nothing.

    A list says what its places hold, so the other may go on after them; an object with more members is never covered.
    """
    if value is None or (value == "" and isinstance(other, str)):
        return True
    if isinstance(value, dict):
        return isinstance(other, dict) and _object_covered(value, other)
    if isinstance(value, list):
        return isinstance(other, list) and _list_covered(value, other)
    return type(value) is type(other) and bool(value == other)


def _object_covered(value: Object, other: Object) -> bool:
    return len(value) <= len(other) and all(key in other and covered(value[key], other[key]) for key in value)


def _list_covered(value: list[Any], other: list[Any]) -> bool:
    return len(value) <= len(other) and all(covered(one, place) for one, place in zip(value, other, strict=False))
