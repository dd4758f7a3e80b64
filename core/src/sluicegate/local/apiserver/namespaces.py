"""What a namespace is born with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluicegate.local.objects import Key, Object

if TYPE_CHECKING:
    from sluicegate.local.store import ObjectStore

INITIAL = ("default", "kube-system")


def complete(namespace: Object, old: Object | None, store: ObjectStore) -> Object:
    """Admit a namespace: a new one gets its label, the finalizer that empties it when it is deleted, and its phase."""
    if old is not None:
        return {**namespace, "spec": old.get("spec") or {}}
    metadata = dict(namespace["metadata"])
    metadata["labels"] = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata["name"]}
    return {**namespace, "metadata": metadata, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}


def ensure_initial(store: ObjectStore) -> None:
    """Create the namespaces that every cluster has, where they are not there yet."""
    for name in INITIAL:
        key = Key("", "namespaces", "", name)
        if store.find(key) is None:
            manifest: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            store.create(key, complete(manifest, None, store))
