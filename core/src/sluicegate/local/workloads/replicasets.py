"""The ReplicaSet controller: as many active pods as `spec.replicas`, and the counts of them in the status."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final

from sluicegate.local.defaults.pods import admit_pod
from sluicegate.local.objects import Key
from sluicegate.local.workloads.podview import (
    controller_of,
    is_active,
    is_available,
    is_ready,
    is_terminating,
    selects,
)
from sluicegate.local.workloads.scaledown import deletion_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sluicegate.local.objects import Change, Object
    from sluicegate.local.store import ObjectStore
    from sluicegate.local.workloads.events import EventSink

REPLICA_SETS: Final = ("apps", "replicasets")
PODS: Final = ("", "pods")


class ReplicaSetReconciler:
    """Creates, adopts, releases and deletes pods like Kubernetes' own controller."""

    kinds = (REPLICA_SETS, PODS)

    def __init__(self, store: ObjectStore, events: EventSink, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._events = events
        self._clock = clock

    def everything(self) -> Iterable[Key]:
        """All ReplicaSets."""
        return [_key(found) for found in self._store.list(*REPLICA_SETS)]

    def concerned(self, change: Change) -> Iterable[Key]:
        """A ReplicaSet itself; the controller of a pod; or, for a pod without one, those that select it."""
        if change.key.kind == REPLICA_SETS:
            return [change.key]
        return [key for pod in (change.object, change.previous) if pod for key in self._owners(pod)]

    def reconcile(self, key: Key) -> float | None:
        """Create or delete pods, write the status; look again when the next pod may become available."""
        replica_set = self._store.find(key)
        if replica_set is None:
            return None
        pods = self._claimed(replica_set)
        if not is_terminating(replica_set):
            pods = self._scaled(replica_set, pods)
        return self._write_status(replica_set, pods)

    def _owners(self, pod: Object) -> list[Key]:
        if controller := controller_of(pod):
            key = self._store.key_of(controller["uid"])
            return [key] if key and key.kind == REPLICA_SETS else []
        candidates = self._store.list(*REPLICA_SETS, pod["metadata"].get("namespace"))
        return [_key(found) for found in candidates if _selects(found, pod)]

    def _claimed(self, replica_set: Object) -> list[Object]:
        """The set's active pods, after adopting those that match and releasing those that no longer do."""
        active = filter(is_active, self._store.list(*PODS, replica_set["metadata"]["namespace"]))
        return [mine for pod in active if (mine := self._claim(replica_set, pod))]

    def _claim(self, replica_set: Object, pod: Object) -> Object | None:
        controller, matches = controller_of(pod), _selects(replica_set, pod)
        if controller is None:
            adoptable = matches and not is_terminating(replica_set)
            return self._store.update(_key(pod), lambda new: _adopted(new, replica_set)) if adoptable else None
        if controller["uid"] != replica_set["metadata"]["uid"]:
            return None
        if not matches and not is_terminating(replica_set):
            self._store.update(_key(pod), lambda new: _released(new, replica_set))
        return pod if matches else None

    def _scaled(self, replica_set: Object, pods: list[Object]) -> list[Object]:
        missing = replica_set["spec"]["replicas"] - len(pods)
        if missing >= 0:
            return pods + [self._create(replica_set) for _ in range(missing)]
        doomed = deletion_order(pods, self._clock())[:-missing]
        for pod in doomed:
            self._delete(replica_set, pod)
        return [pod for pod in pods if pod not in doomed]

    def _create(self, replica_set: Object) -> Object:
        key = Key("", "pods", replica_set["metadata"]["namespace"], "")
        pod = self._store.create(key, admit_pod(_new_pod(replica_set), None, self._store))
        self._events.record(replica_set, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return pod

    def _delete(self, replica_set: Object, pod: Object) -> None:
        self._store.delete(_key(pod))
        self._events.record(replica_set, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    def _write_status(self, replica_set: Object, pods: list[Object]) -> float | None:
        status = self._status(replica_set, pods)
        self._store.update(_key(replica_set), lambda new: {**new, "status": status}, subresource="status")
        waiting = status.get("readyReplicas", 0) > status.get("availableReplicas", 0)
        return 1.0 if waiting else None

    def _status(self, replica_set: Object, pods: list[Object]) -> Object:
        spec, now = replica_set["spec"], self._clock()
        labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        counts = {
            "fullyLabeledReplicas": sum(labels.items() <= pod["metadata"].get("labels", {}).items() for pod in pods),
            "readyReplicas": sum(is_ready(pod) for pod in pods),
            "availableReplicas": sum(is_available(pod, spec.get("minReadySeconds", 0), now) for pod in pods),
            "observedGeneration": replica_set["metadata"]["generation"],
        }
        return {"replicas": len(pods), **{name: count for name, count in counts.items() if count}}


def _key(obj: Object) -> Key:
    group, plural = PODS if obj["kind"] == "Pod" else REPLICA_SETS
    return Key(group, plural, obj["metadata"]["namespace"], obj["metadata"]["name"])


def _selects(replica_set: Object, pod: Object) -> bool:
    return selects(replica_set["spec"].get("selector"), pod["metadata"].get("labels"))


def _reference(replica_set: Object) -> Object:
    named = {name: replica_set["metadata"][name] for name in ("name", "uid")}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", **named, "controller": True, "blockOwnerDeletion": True}


def _new_pod(replica_set: Object) -> Object:
    template = copy.deepcopy(replica_set["spec"]["template"])
    given = template.get("metadata") or {}
    kept = {name: given[name] for name in ("labels", "annotations", "finalizers") if given.get(name)}
    metadata = {"generateName": f"{replica_set['metadata']['name']}-", **kept}
    metadata["ownerReferences"] = [_reference(replica_set)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template.get("spec") or {}}


def _adopted(pod: Object, replica_set: Object) -> Object:
    pod["metadata"].setdefault("ownerReferences", []).append(_reference(replica_set))
    return pod


def _released(pod: Object, replica_set: Object) -> Object:
    uid = replica_set["metadata"]["uid"]
    metadata = pod["metadata"]
    metadata["ownerReferences"] = [owner for owner in metadata["ownerReferences"] if owner["uid"] != uid]
    return pod
