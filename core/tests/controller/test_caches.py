"""What the controller's caches hand to a pass: the ReplicaSets that concern its Rollout, and no others."""

import json

from sluicegate.api.foreign import ObjectMeta, OwnerReference, ReplicaSet
from sluicegate.controller.caches import Caches, decode_object


def keep(caches: Caches, namespace: str, name: str, owner: str | None) -> None:
    owners = () if owner is None else (OwnerReference(kind="Rollout", name="shop", uid=owner, controller=True),)
    metadata = ObjectMeta(name=name, namespace=namespace, uid=f"uid-of-{name}", owner_references=owners)
    caches.replica_sets.put(namespace, name, ReplicaSet(metadata=metadata))


def candidates(caches: Caches, namespace: str, uid: str) -> set[str]:
    return {replica_set.metadata.name for replica_set in caches.candidates(namespace, uid)}


def test_candidates_are_the_owned_ones_and_the_orphans_of_the_namespace() -> None:
    caches = Caches.empty()
    keep(caches, "ours", "owned", "uid-1")
    keep(caches, "ours", "orphan", None)
    keep(caches, "ours", "of-another", "uid-2")
    keep(caches, "theirs", "orphan-elsewhere", None)
    assert candidates(caches, "ours", "uid-1") == {"owned", "orphan"}


def test_a_replica_set_that_claims_an_owner_of_another_namespace_is_no_candidate() -> None:
    caches = Caches.empty()
    keep(caches, "theirs", "intruder", "uid-1")
    keep(caches, "theirs", "posing-as-orphan", "ours/")
    assert candidates(caches, "ours", "uid-1") == set()
    assert candidates(caches, "theirs", "uid-2") == set()


def test_a_rollout_is_kept_without_the_record_of_who_wrote_what() -> None:
    sent = {
        "metadata": {"name": "shop", "uid": "1", "managedFields": [{"manager": "kubectl"}]},
        "spec": {"replicas": 2},
    }
    stored = decode_object(json.dumps(sent).encode())
    assert stored.document == {"metadata": {"name": "shop", "uid": "1"}, "spec": {"replicas": 2}}
