"""Metadata put into pod templates for a while: recorded on the ReplicaSet, and taken out again without a trace.

Labels and annotations travel together here, as `Tables`: the keys are `labels` and `annotations`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.gojson import go_json
from sluicegate.api.selectors import matches

KINDS: Final = ("labels", "annotations")

Tables = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Injection:
    """What is injected into a template, and what the template itself says for the same keys."""

    values: Tables = field(default_factory=dict)
    replaced: Tables = field(default_factory=dict)

    def text(self) -> str | None:
        """The annotation that records it (rollout 4.1); None for nothing.

        `replaced` is only there where the template has values of its own; Argo Rollouts passes over it.
        """
        stored: dict[str, Any] = _filled(self.values)
        if not stored:
            return None
        replaced = _filled(self.replaced)
        return go_json(stored | ({"replaced": replaced} if replaced else {}))

    def without(self, wanted: Tables) -> "Injection":
        """The part of it whose keys are not wanted."""
        return Injection(_subtract(self.values, wanted), _subtract(self.replaced, wanted))

    def joined(self, more: "Injection") -> "Injection":
        """Both in one; the keys of `more` win."""
        return Injection(merged(self.values, more.values), merged(self.replaced, more.replaced))


class _Record(msgspec.Struct):
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    replaced: dict[str, dict[str, str]] = {}


_RECORD: Final = msgspec.json.Decoder(_Record)


def recorded(replica_set: ReplicaSet) -> Injection:
    """What a ReplicaSet says was injected into its template: nothing if it says so unreadably.

    Labels that it cannot do without stay out of it: Argo Rollouts also records what the template says itself.
    """
    text = replica_set.metadata.annotations.get(names.EPHEMERAL_METADATA)
    if text is None:
        return Injection()
    try:
        record = _RECORD.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return Injection()
    own = record.replaced.get("labels", {})
    labels = {key: value for key, value in record.labels.items() if _spares(replica_set, key, own.get(key))}
    values = {"labels": labels, "annotations": record.annotations}
    return Injection(values, _common(record.replaced, values))


def inject(metadata: Mapping[str, Any], wanted: Tables) -> tuple[dict[str, Any], Injection]:
    """Metadata of a bare template with what is wanted in it, and what to record; what is there anyway is not ours."""
    own = _tables(metadata)
    new = {kind: {k: v for k, v in wanted.get(kind, {}).items() if own[kind].get(k) != v} for kind in KINDS}
    return with_tables(metadata, merged(own, new)), Injection(new, _common(own, new))


def undo(metadata: Mapping[str, Any], injection: Injection) -> dict[str, Any]:
    """Metadata of a template or a pod as it was before the injection; other keys stay as they are."""
    bare = _subtract(_tables(metadata), injection.values)
    return with_tables(metadata, merged(bare, injection.replaced))


def without_ephemeral_metadata(replica_set: ReplicaSet) -> Mapping[str, Any]:
    """The template of a ReplicaSet without what is recorded as injected."""
    template = replica_set.spec.template
    if names.EPHEMERAL_METADATA not in replica_set.metadata.annotations:
        return template
    return {**template, "metadata": undo(template.get("metadata") or {}, recorded(replica_set))}


def with_tables(metadata: Mapping[str, Any], tables: Tables) -> dict[str, Any]:
    """The metadata with these labels and annotations; a table that is empty, and was not there before, stays away."""
    changed = {kind: dict(table) for kind, table in tables.items() if table or metadata.get(kind) is not None}
    return {**metadata, **changed}


def merged(first: Tables, second: Tables) -> Tables:
    """Both tables of each kind in one; `second` wins."""
    return {kind: {**first.get(kind, {}), **second.get(kind, {})} for kind in KINDS}


def _tables(metadata: Mapping[str, Any]) -> Tables:
    return {kind: metadata.get(kind) or {} for kind in KINDS}


def _spares(replica_set: ReplicaSet, key: str, own: str | None) -> bool:
    """Whether the ReplicaSet still selects its pods when this label goes, or goes back to a value of its own."""
    labels = (replica_set.spec.template.get("metadata") or {}).get("labels") or {}
    rest = {name: value for name, value in labels.items() if name != key}
    return matches(replica_set.spec.selector, rest if own is None else {**rest, key: own})


def _common(tables: Tables, keys: Tables) -> Tables:
    return {kind: {key: value for key, value in tables.get(kind, {}).items() if key in keys[kind]} for kind in keys}


def _subtract(tables: Tables, keys: Tables) -> Tables:
    return {
        kind: {key: value for key, value in table.items() if key not in keys.get(kind, {})}
        for kind, table in tables.items()
    }


def _filled(tables: Tables) -> dict[str, dict[str, str]]:
    return {kind: dict(sorted(table.items())) for kind in KINDS if (table := tables.get(kind))}
