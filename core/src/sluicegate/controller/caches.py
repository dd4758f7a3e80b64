"""What the controller keeps of the cluster: Rollouts whole, ReplicaSets and Services in slim form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from sluicegate.api import names
from sluicegate.api.foreign import ObjectMeta, ReplicaSet, Service
from sluicegate.kube.reflector import Identity
from sluicegate.kube.store import Store

BY_OWNER = "owner"
NOBODY = ""
"""Stands for the UID of the owner of a ReplicaSet that has none; the API refuses an owner without a UID."""

Key = tuple[str, str]
"""Namespace and name of a Rollout."""


class StoredObject(msgspec.Struct, frozen=True):
    """An object whole: its metadata decoded, the document as it is but for `managedFields`. Never change it."""

    metadata: ObjectMeta
    document: Mapping[str, Any]


StoredRollout: TypeAlias = StoredObject
"""A Rollout as the API sent it."""


def decode_object(data: bytes) -> StoredObject:
    """An object of any kind from its JSON; raises msgspec.ValidationError where its metadata is none."""
    document = msgspec.json.decode(data, type=dict[str, Any])
    metadata = msgspec.convert(document.get("metadata"), ObjectMeta)
    document["metadata"].pop("managedFields", None)
    return StoredObject(metadata, document)


def key_of(rollout: StoredRollout) -> Key:
    """What the queue, and all that is kept of a Rollout, knows it by."""
    return (rollout.metadata.namespace, rollout.metadata.name)


def identify(obj: StoredRollout | ReplicaSet | Service) -> Identity:
    """Where an object is stored and which version it is."""
    metadata = obj.metadata
    return Identity(metadata.namespace, metadata.name, metadata.uid, metadata.resource_version)


@dataclass(frozen=True)
class Caches:
    """One store a kind."""

    rollouts: Store[StoredRollout]
    replica_sets: Store[ReplicaSet]
    services: Store[Service]

    @classmethod
    def empty(cls) -> "Caches":
        """Stores with the indexes that reconciling needs, and nothing in them."""
        caches = cls(Store(), Store(), Store())
        caches.replica_sets.add_index(BY_OWNER, _owner_keys)
        return caches

    def candidates(self, namespace: str, uid: str) -> list[ReplicaSet]:
        """The ReplicaSets of a namespace that the Rollout of this UID owns, and those there that nobody owns."""
        owned = self.replica_sets.by_index(BY_OWNER, owner_key(namespace, uid))
        return [*owned, *self.replica_sets.by_index(BY_OWNER, owner_key(namespace, NOBODY))]


def owner_key(namespace: str, uid: str) -> str:
    """The index value of an owner's ReplicaSets.

    The namespace is part of it: whoever may write ReplicaSets in one namespace can name an owner of another, and must
    not thereby get into that one's rollouts.
    """
    return f"{namespace}/{uid}"


def _owner_keys(replica_set: ReplicaSet) -> list[str]:
    owner = replica_set.metadata.controller
    return [owner_key(replica_set.metadata.namespace, owner.uid if owner else NOBODY)]


def is_handled(metadata: ObjectMeta, instance_id: str) -> bool:
    """Whether an object is this controller's: it has the controller's instance id as label, or neither has one."""
    return metadata.labels.get(names.INSTANCE_ID_LABEL) == (instance_id or None)
