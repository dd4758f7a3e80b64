"""Ephemeral metadata: what pods are told of their role, put on and taken off without a new revision (rollout 4.7)."""

from collections.abc import Iterator, Mapping
from typing import Any

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.merge import merge_patch
from sluicegate.api.metadata import MetadataPatch
from sluicegate.api.selectors import matches
from sluicegate.engine.decision import PatchPod, PatchReplicaSet
from sluicegate.engine.injection import Injection, Tables, inject, merged, recorded, undo, with_tables
from sluicegate.engine.view import View, size


def needs_pods(view: View) -> bool:
    """Whether some ReplicaSet with pods has, or is to have, ephemeral metadata."""
    return any(size(replica_set) > 0 and _concerned(view, replica_set) for replica_set in view.replica_sets)


def ephemeral_writes(view: View) -> tuple[PatchReplicaSet | PatchPod, ...]:
    """Bring templates and pods in line with their roles: a ReplicaSet first, so that new pods are right, then its pods.

    Only what is recorded as injected is ever removed. The record keeps what is to be removed until no pod has it, so
    that a process that dies in between leaves nothing behind.
    """
    ordered = (view.new_rs, view.separate_stable, *view.others)
    return tuple(write for rs in ordered if rs is not None and _concerned(view, rs) for write in _writes(view, rs))


def with_ephemeral_metadata(view: View, template: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The template of a ReplicaSet about to be created, born with its metadata, and the annotation that records it."""
    metadata = template.get("metadata") or {}
    changed, injection = inject(metadata, _harmless(view, metadata, _new_role(view)))
    text = injection.text()
    return {**template, "metadata": changed}, {} if text is None else {names.EPHEMERAL_METADATA: text}


def _concerned(view: View, replica_set: ReplicaSet) -> bool:
    role = _role(view, replica_set)
    return bool(role.labels or role.annotations) or names.EPHEMERAL_METADATA in replica_set.metadata.annotations


def _role(view: View, replica_set: ReplicaSet) -> MetadataPatch:
    if replica_set is view.new_rs:
        return _new_role(view)
    return _configured(view)[1] if replica_set is view.stable_rs else MetadataPatch()


def _new_role(view: View) -> MetadataPatch:
    updating, stable = _configured(view)
    return stable if view.promoted or not view.status.stable_rs else updating


def _configured(view: View) -> tuple[MetadataPatch, MetadataPatch]:
    """The metadata of the version that is coming in, and of the one that is stable."""
    if view.blue_green is None:
        updating, stable = view.canary.canary_metadata, view.canary.stable_metadata
    else:
        updating, stable = view.blue_green.preview_metadata, view.blue_green.active_metadata
    return updating or MetadataPatch(), stable or MetadataPatch()


def _harmless(view: View, metadata: Mapping[str, Any], role: MetadataPatch) -> Tables:
    """What of the metadata may be put on: no label that takes a pod away from its ReplicaSet.

    Argo Rollouts tries, and the API server refuses the ReplicaSet for ever.
    """
    own, selector = metadata.get("labels") or {}, view.rollout.spec.selector
    labels = {
        key: value
        for key, value in role.labels.items()
        if key != names.HASH_LABEL and (selector is None or matches(selector, {**own, key: value}))
    }
    return {"labels": labels, "annotations": role.annotations}


def _writes(view: View, replica_set: ReplicaSet) -> Iterator[PatchReplicaSet | PatchPod]:
    before, template = recorded(replica_set), replica_set.spec.template.get("metadata") or {}
    bare = undo(template, before)
    wanted = _harmless(view, bare, _role(view, replica_set))
    changed, after = inject(bare, wanted)
    pods = tuple(_pod_writes(view, replica_set, before, wanted))
    record = before.without(wanted).joined(after) if pods else after
    old, new = _document(template, _record(replica_set)), _document(changed, record.text())
    if patch := merge_patch(old, new):
        yield PatchReplicaSet(replica_set, patch)
    yield from pods


def _pod_writes(view: View, replica_set: ReplicaSet, before: Injection, wanted: Tables) -> Iterator[PatchPod]:
    for pod in view.surroundings.pods if size(replica_set) > 0 else ():
        owner = pod.metadata.controller
        if owner is not None and owner.uid == replica_set.metadata.uid:
            present = {"labels": pod.metadata.labels, "annotations": pod.metadata.annotations}
            bare = undo(present, before)
            if patch := merge_patch(present, with_tables(bare, merged(bare, wanted))):
                yield PatchPod(pod, {"metadata": patch})


def _record(replica_set: ReplicaSet) -> str | None:
    return replica_set.metadata.annotations.get(names.EPHEMERAL_METADATA)


def _document(metadata: Mapping[str, Any], record: str | None) -> dict[str, Any]:
    annotations = {names.EPHEMERAL_METADATA: record}
    return {"metadata": {"annotations": annotations}, "spec": {"template": {"metadata": dict(metadata)}}}
