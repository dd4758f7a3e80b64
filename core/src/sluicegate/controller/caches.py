"""What the controller keeps of the cluster: Rollouts whole, ReplicaSets and Services in slim form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from sluicegate.api import names
from sluicegate.api.foreign import ObjectMeta, ReplicaSet, Service
from sluicegate.kube.reflector import Identity
from sluicegate.kube.store import Store

BY_OWNER = "owner"


class StoredRollout(msgspec.Struct, frozen=True):
    """A Rollout as the API sent it: its metadata decoded, the document as it is."""

    metadata: ObjectMeta
    document: Mapping[str, Any]


def decode_rollout(data: bytes) -> StoredRollout:
    """A Rollout from its JSON; raises msgspec.ValidationError where its metadata is none."""
    document = msgspec.json.decode(data, type=dict[str, Any])
    return StoredRollout(msgspec.convert(document.get("metadata"), ObjectMeta), document)


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
        caches.replica_sets.add_index(BY_OWNER, lambda rs: [owner_key(rs)])
        return caches

    def candidates(self, namespace: str, uid: str) -> list[ReplicaSet]:
        """The ReplicaSets that the Rollout of this UID owns, and those of its namespace that nobody owns."""
        orphans = self.replica_sets.by_index(BY_OWNER, orphan_key(namespace))
        return [*self.replica_sets.by_index(BY_OWNER, uid), *orphans]


def owner_key(replica_set: ReplicaSet) -> str:
    """The index value: the controller's UID, or the namespace's orphans."""
    owner = replica_set.metadata.controller
    return owner.uid if owner else orphan_key(replica_set.metadata.namespace)


def orphan_key(namespace: str) -> str:
    """The index value of a namespace's ReplicaSets without a controller."""
    return f"orphans of {namespace}"


def is_handled(rollout: StoredRollout) -> bool:
    """Whether this controller is the one in charge: Rollouts with an instance id belong to another."""
    return names.INSTANCE_ID_LABEL not in rollout.metadata.labels
