"""Revisions: the ReplicaSet of a new one, the annotations that number them, and who owns which ReplicaSet."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.rollout import API_VERSION, KIND, Rollout
from sluicegate.api.selectors import matches
from sluicegate.engine.affinity import affinity_patch, is_stale, with_anti_affinity
from sluicegate.engine.decision import ClaimReplicaSet, CreateReplicaSet, Event, PatchReplicaSet, PatchRollout
from sluicegate.engine.metadata import with_ephemeral_metadata
from sluicegate.engine.templates import covers_template
from sluicegate.engine.view import View, revision_of


def next_revision(view: View) -> int:
    """One more than the highest revision among the older ReplicaSets."""
    return max((revision_of(rs) for rs in view.older), default=0) + 1


def current_revision(view: View) -> int:
    """The revision that the new ReplicaSet has, or is about to get."""
    return max(revision_of(view.new_rs), next_revision(view))


def replica_set_name(view: View) -> str:
    """The name of the new ReplicaSet, whether it exists or not."""
    return view.new_rs.metadata.name if view.new_rs else f"{view.name}-{view.template_hash}"


def create_replica_set(view: View) -> tuple[CreateReplicaSet | PatchRollout, ...]:
    """Create the ReplicaSet of the template as written, without pods, then number the Rollout; events in that order."""
    name, revision = replica_set_name(view), next_revision(view)
    told = Event("NewReplicaSetCreated", f"Created ReplicaSet {name} (revision {revision})")
    manifest = _manifest(view, name, revision)
    match rollout_revision(view, revision):
        case (numbering,):
            return CreateReplicaSet(manifest), replace(numbering, events=(*numbering.events, told))
        case _:
            return (CreateReplicaSet(manifest, (told,)),)


def rollout_revision(view: View, revision: int) -> tuple[PatchRollout, ...]:
    """The write that puts the current revision on the Rollout; none when it is there."""
    if view.rollout.metadata.annotations.get(names.REVISION) == str(revision):
        return ()
    patch = {"metadata": {"annotations": {names.REVISION: str(revision)}}}
    return (PatchRollout(patch, (Event("RolloutUpdated", f"Rollout updated to revision {revision}"),)),)


def sync_revision(view: View) -> tuple[PatchReplicaSet | PatchRollout, ...]:
    """Bring the new ReplicaSet up to date, then the Rollout's revision (rollout 4.4).

    That is annotations, `minReadySeconds`, and anti-affinity: at once where it keeps off a version that is not the
    stable one, else together with a change of the others.
    """
    if view.new_rs is None:
        return ()
    revision = current_revision(view)
    patch = _revision_patch(view, view.new_rs, revision)
    writes = (PatchReplicaSet(view.new_rs, patch),) if patch else ()
    return (*writes, *rollout_revision(view, revision))


def name_taken(view: View, existing: ReplicaSet) -> bool:
    """Whether a ReplicaSet of the wanted name is another one: not ours, or with another template.

    One of ours may hold more than was wanted: a webhook, or a newer API server, has filled it in.
    """
    owner = existing.metadata.controller
    ours = owner is not None and owner.uid == view.rollout.metadata.uid
    return not ours or not covers_template(existing, view.rollout.spec.template or {})


def relabel(view: View, existing: ReplicaSet) -> PatchReplicaSet | None:
    """Put the hash label back on our own ReplicaSet that lost it, and so is not seen; None when it has it."""
    if names.HASH_LABEL in existing.metadata.labels:
        return None
    return PatchReplicaSet(existing, {"metadata": {"labels": {names.HASH_LABEL: view.template_hash}}})


def is_owned(rollout: Rollout, replica_set: ReplicaSet) -> bool:
    """Whether the Rollout is the ReplicaSet's controller and still selects it."""
    owner = replica_set.metadata.controller
    return (
        owner is not None
        and owner.uid == rollout.metadata.uid
        and matches(rollout.spec.selector, replica_set.metadata.labels)
    )


def claims(rollout: Rollout, candidates: Iterable[ReplicaSet]) -> tuple[ClaimReplicaSet, ...]:
    """ReplicaSets to adopt (they match, carry a hash, and nobody owns them) and to release (they match no longer)."""
    return tuple(claim for rs in candidates if (claim := _claim(rollout, rs)) is not None)


def _claim(rollout: Rollout, replica_set: ReplicaSet) -> ClaimReplicaSet | None:
    owner = replica_set.metadata.controller
    fits = matches(rollout.spec.selector, replica_set.metadata.labels)
    if owner is None:
        adoptable = fits and names.HASH_LABEL in replica_set.metadata.labels
        if not adoptable or replica_set.metadata.deletion_timestamp is not None:
            return None
        return ClaimReplicaSet(replica_set, _owners(replica_set, add=owner_reference(rollout)), adopts=True)
    if owner.uid != rollout.metadata.uid or fits:
        return None
    return ClaimReplicaSet(replica_set, _owners(replica_set, drop=owner.uid), adopts=False)


def _owners(replica_set: ReplicaSet, *, add: Mapping[str, Any] | None = None, drop: str = "") -> dict[str, Any]:
    kept = [
        {
            "apiVersion": owner.api_version,
            "kind": owner.kind,
            "name": owner.name,
            "uid": owner.uid,
            "controller": owner.controller,
            "blockOwnerDeletion": owner.block_owner_deletion,
        }
        for owner in replica_set.metadata.owner_references
        if owner.uid != drop
    ]
    return {"metadata": {"ownerReferences": [*kept, dict(add)] if add else kept}}


def owner_reference(rollout: Rollout) -> dict[str, Any]:
    """The reference by which a ReplicaSet names its Rollout as controller."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": rollout.metadata.name,
        "uid": rollout.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _copied_annotations(view: View) -> dict[str, str]:
    annotations = view.rollout.metadata.annotations
    return {key: value for key, value in annotations.items() if key not in names.NOT_COPIED_TO_REPLICA_SETS}


def _revision_patch(view: View, replica_set: ReplicaSet, revision: int) -> dict[str, Any]:
    patch: dict[str, Any] = {}
    if changed := _changed_annotations(view, replica_set, revision):
        patch["metadata"] = {"annotations": changed}
    spec: dict[str, Any] = {}
    if replica_set.spec.min_ready_seconds != view.rollout.spec.min_ready_seconds:
        spec["minReadySeconds"] = view.rollout.spec.min_ready_seconds
    template = replica_set.spec.template
    if (patch or spec or is_stale(view, template)) and (affinity := affinity_patch(view, template)):
        spec["template"] = {"spec": affinity}
    return {**patch, "spec": spec} if spec else patch


def _changed_annotations(view: View, replica_set: ReplicaSet, revision: int) -> dict[str, str]:
    present = replica_set.metadata.annotations
    wanted = _copied_annotations(view)
    if revision_of(replica_set) < revision:
        wanted[names.REVISION] = str(revision)
        if former := present.get(names.REVISION):
            history = present.get(names.REVISION_HISTORY)
            wanted[names.REVISION_HISTORY] = f"{history},{former}" if history else former
    return {key: value for key, value in wanted.items() if present.get(key) != value}


def _manifest(view: View, name: str, revision: int) -> dict[str, Any]:
    hash_label = {names.HASH_LABEL: view.template_hash}
    rollout, template = view.rollout, with_anti_affinity(view, view.rollout.spec.template or {})
    metadata = dict(template.get("metadata") or {})
    labels = dict(metadata.get("labels") or {}) | hash_label
    template, ephemeral = with_ephemeral_metadata(view, {**template, "metadata": metadata | {"labels": labels}})
    selector = rollout.spec.selector.document() if rollout.spec.selector else {}
    selector["matchLabels"] = selector.get("matchLabels", {}) | hash_label
    numbers = {names.REVISION: str(revision), names.DESIRED_REPLICAS: str(view.replicas)}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": rollout.metadata.namespace,
            "labels": labels,
            "annotations": _copied_annotations(view) | numbers | ephemeral,
            "ownerReferences": [owner_reference(rollout)],
        },
        "spec": {
            "replicas": 0,
            "minReadySeconds": rollout.spec.min_ready_seconds,
            "selector": selector,
            "template": template,
        },
    }
