"""How one version of an object follows another: which metadata the server owns, what raises generation, how deletion
is marked.

Pure functions of values; the store decides when they apply.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sluicegate.local.objects import Kind, Object, timestamp

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
_DEFAULT_POD_GRACE_SECONDS = 30
_SERVER_OWNED = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
_OMITTED_WHEN_EMPTY = ("labels", "annotations", "finalizers", "ownerReferences")
_GROUPS_WITHOUT_GENERATION = ("", "coordination.k8s.io", "events.k8s.io")


class Traits(NamedTuple):
    """What differs between kinds: whether they have a status subresource, and a generation."""

    status: bool = True
    generation: bool = True


def builtin_traits(kind: Kind) -> Traits:
    """Return the traits of a kind of Kubernetes' own; custom resources declare theirs to the store."""
    return Traits(generation=kind[0] not in _GROUPS_WITHOUT_GENERATION)


def first(obj: Object, traits: Traits, *, name: str, namespace: str, uid: str, now: datetime) -> Object:
    """Return an object as it is stored when created."""
    metadata = _tidy(obj.get("metadata") or {})
    for member in _SERVER_OWNED[3:]:
        metadata.pop(member, None)
    metadata.update(name=name, uid=uid, creationTimestamp=timestamp(now))
    if namespace:
        metadata["namespace"] = namespace
    if traits.generation:
        metadata["generation"] = 1
    return {**obj, "metadata": metadata}


def following(current: Object, new: Object, traits: Traits, subresource: str) -> Object:
    """Return what a write of `new` over `current` leaves, without its new resourceVersion; equal to `current` if
    nothing changed."""
    if subresource == "status":
        return _with_status(current, new)
    result = {**new, "apiVersion": current["apiVersion"], "kind": current["kind"]}
    result["metadata"] = _with_owned_metadata(current["metadata"], new.get("metadata") or {})
    if traits.status:
        result = _with_status(result, current)
    if traits.generation and _content(result, traits) != _content(current, traits):
        result["metadata"]["generation"] = current["metadata"].get("generation", 0) + 1
    return result


def _with_status(obj: Object, source: Object) -> Object:
    result = {**obj, "status": source.get("status")}
    if result["status"] is None:
        del result["status"]
    return result


def _with_owned_metadata(current: Object, new: Object) -> Object:
    metadata = {member: value for member, value in _tidy(new).items() if member not in _SERVER_OWNED}
    owned = {member: current[member] for member in _SERVER_OWNED if member in current}
    return {**metadata, **owned}


def _tidy(metadata: Object) -> Object:
    """Leave out what an encoder of the real types would: empty maps and lists, and field managers, which only
    server-side apply reads."""
    return {
        member: value
        for member, value in metadata.items()
        if member != "managedFields" and value is not None and not (member in _OMITTED_WHEN_EMPTY and not value)
    }


def _content(obj: Object, traits: Traits) -> Object:
    outside = ("metadata", "status") if traits.status else ("metadata",)
    return {member: value for member, value in obj.items() if member not in outside}


def finalizers(obj: Object) -> list[str]:
    """Return what still holds an object back from going: its finalizers, and those in the spec of a namespace."""
    held: list[str] = list(obj["metadata"].get("finalizers") or ())
    if obj["kind"] == "Namespace":
        held += (obj.get("spec") or {}).get("finalizers") or ()
    return held


def is_gone(obj: Object) -> bool:
    """Return whether nothing holds back a deletion any more."""
    metadata = obj["metadata"]
    marked = "deletionTimestamp" in metadata and not metadata.get("deletionGracePeriodSeconds")
    return marked and not finalizers(obj)


def grace_period(obj: Object, asked: int | None) -> int:
    """Return the seconds that an object has to end by itself: those of a Pod that has been given a node, else 0."""
    spec = obj.get("spec") or {}
    if obj["kind"] != "Pod" or not spec.get("nodeName"):
        return 0
    if asked is not None:
        return asked
    return int(spec.get("terminationGracePeriodSeconds", _DEFAULT_POD_GRACE_SECONDS))


def deleting(current: Object, *, propagation: str, grace: int, now: datetime) -> Object:
    """Return an object marked for deletion; a later mark may shorten the grace period, never lengthen it."""
    metadata = dict(current["metadata"])
    metadata["finalizers"] = _propagated(metadata.get("finalizers") or [], propagation)
    if not metadata["finalizers"]:
        del metadata["finalizers"]
    remaining = metadata.get("deletionGracePeriodSeconds")
    if remaining is None or grace < remaining:
        metadata["deletionGracePeriodSeconds"] = grace
        metadata["deletionTimestamp"] = timestamp(now + timedelta(seconds=grace))
        if remaining is None and "generation" in metadata:
            metadata["generation"] += 1
    result = {**current, "metadata": metadata}
    if current["kind"] == "Namespace":
        result["status"] = {**(current.get("status") or {}), "phase": "Terminating"}
    return result


def _propagated(present: list[str], propagation: str) -> list[str]:
    kept = [name for name in present if name not in (ORPHAN, FOREGROUND)]
    added = {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}.get(propagation, [])
    return kept + added
