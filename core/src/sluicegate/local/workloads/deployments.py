"""The Deployment controller: one ReplicaSet for each pod template, and the way from one template to the next.

As Kubernetes' own, but for two things: a Deployment that is scaled in the middle of an update goes on with the update
(upstream first scales all its ReplicaSets in proportion), and the hash of a template is another one than upstream's.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final

from sluicegate.api.hashing import pod_template_hash
from sluicegate.local.objects import Key
from sluicegate.local.workloads.deploymentstatus import (
    PROGRESSING,
    counted_status,
    seconds_left,
    with_condition,
    with_progress,
)
from sluicegate.local.workloads.podview import condition, controller_of, created_at, is_terminating, phase, selects
from sluicegate.local.workloads.rollingupdate import (
    ROLLING_UPDATE,
    counted,
    grown,
    is_complete,
    limits,
    shrunk,
    size,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sluicegate.local.objects import Change, Object
    from sluicegate.local.store import ObjectStore
    from sluicegate.local.workloads.events import EventSink

DEPLOYMENTS: Final = ("apps", "deployments")
REPLICA_SETS: Final = ("apps", "replicasets")
PODS: Final = ("", "pods")
HASH: Final = "pod-template-hash"
REVISION: Final = "deployment.kubernetes.io/revision"
DESIRED: Final = "deployment.kubernetes.io/desired-replicas"
MAXIMUM: Final = "deployment.kubernetes.io/max-replicas"
OWN_ANNOTATIONS: Final = (REVISION, DESIRED, MAXIMUM, "kubectl.kubernetes.io/last-applied-configuration")


class DeploymentReconciler:
    """Creates, adopts, scales and deletes ReplicaSets."""

    kinds = (DEPLOYMENTS, REPLICA_SETS, PODS)

    def __init__(self, store: ObjectStore, events: EventSink, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._events = events
        self._clock = clock

    def everything(self) -> Iterable[Key]:
        """All Deployments."""
        return [_key(found) for found in self._store.list(*DEPLOYMENTS)]

    def concerned(self, change: Change) -> Iterable[Key]:
        """A Deployment itself; those that a ReplicaSet belongs or could belong to; for a pod that is gone, its own."""
        if change.key.kind == DEPLOYMENTS:
            return [change.key]
        found: Object | None = change.object
        if change.key.kind == PODS:
            found = self._controller(found, REPLICA_SETS) if found and change.type == "DELETED" else None
        return self._owners(found) if found else ()

    def reconcile(self, key: Key) -> float | None:
        """Take the next step of the update, write the status; look again when it may have stood still for too long."""
        deployment = self._store.find(key)
        if deployment is None:
            return None
        replica_sets = self._claimed(deployment)
        if is_terminating(deployment):
            return None
        progressing = self._noted_pause(deployment)
        deployment = self._store.get(key)
        if not progressing:
            self._scale_alone(deployment, replica_sets)
            return self._write_status(deployment, progressing=False)
        self._update(deployment, replica_sets)
        return self._write_status(self._store.get(key), progressing=True)

    # Whose ReplicaSet is whose.

    def _controller(self, obj: Object, kind: tuple[str, str]) -> Object | None:
        owner = controller_of(obj)
        key = self._store.key_of(owner["uid"]) if owner else None
        return self._store.find(key) if key and key.kind == kind else None

    def _owners(self, replica_set: Object) -> list[Key]:
        if controller_of(replica_set):
            owner = self._controller(replica_set, DEPLOYMENTS)
            return [_key(owner)] if owner else []
        candidates = self._store.list(*DEPLOYMENTS, replica_set["metadata"].get("namespace"))
        return [_key(found) for found in candidates if _selects(found, replica_set)]

    def _claimed(self, deployment: Object) -> list[Object]:
        """The Deployment's ReplicaSets, oldest first, after adopting those that match and have no owner."""
        found = self._store.list(*REPLICA_SETS, deployment["metadata"]["namespace"])
        return sorted((mine for rs in found if (mine := self._claim(deployment, rs))), key=created_at)

    def _claim(self, deployment: Object, replica_set: Object) -> Object | None:
        owner, matches = controller_of(replica_set), _selects(deployment, replica_set)
        if owner is None and matches and not is_terminating(replica_set) and not is_terminating(deployment):
            return self._store.update(_key(replica_set), lambda new: _adopted(new, deployment))
        mine = owner is not None and owner["uid"] == deployment["metadata"]["uid"] and matches
        return replica_set if mine else None

    # One step of the way.

    def _update(self, deployment: Object, replica_sets: list[Object]) -> None:
        new = _newest(deployment, replica_sets)
        old = [found for found in replica_sets if found is not new]
        rolling = deployment["spec"]["strategy"]["type"] == ROLLING_UPDATE
        if not rolling and (self._scale_to(deployment, dict.fromkeys(_names(old), 0)) or self._running(old)):
            return
        new = self._kept_up(deployment, new, old) if new else self._create(deployment, old)
        if self._scale_to(deployment, {new["metadata"]["name"]: grown(deployment, size(new), old)}):
            return
        if rolling and total(old) and self._scale_to(deployment, shrunk(deployment, new, old)):
            return
        if is_complete(deployment, counted_status(deployment, new, [new, *old], self._clock())):
            self._delete_oldest(deployment, old)

    def _create(self, deployment: Object, old: list[Object]) -> Object:
        revision = 1 + max(map(_revision, old), default=0)
        new = _new_replica_set(deployment, revision, grown(deployment, 0, old))
        created = self._store.create(_key(new), new)
        name = created["metadata"]["name"]
        if size(created):
            message = f"Scaled up replica set {name} from 0 to {size(created)}"
            self._events.record(deployment, "Normal", "ScalingReplicaSet", message)
        self._set_progressing(deployment, "True", "NewReplicaSetCreated", f'Created new replica set "{name}"')
        self._annotate(deployment, revision)
        return created

    def _kept_up(self, deployment: Object, new: Object, old: list[Object]) -> Object:
        """The ReplicaSet of the newest template with what it takes over from the Deployment, as its newest revision."""
        revision = max(_revision(new), 1 + max(map(_revision, old), default=0))
        if condition(deployment, PROGRESSING) is None:
            message = f'Found new replica set "{new["metadata"]["name"]}"'
            self._set_progressing(deployment, "True", "FoundNewReplicaSet", message)
        self._annotate(deployment, revision)
        return self._store.update(_key(new), lambda found: _taken_over(found, deployment, revision))

    def _scale_alone(self, deployment: Object, replica_sets: list[Object]) -> None:
        """Scale a paused Deployment, if there is one ReplicaSet that can take all of it."""
        newest = _newest(deployment, replica_sets)
        active = [found for found in replica_sets if size(found)] or ([newest] if newest else replica_sets[-1:])
        if len(active) == 1:
            self._scale_to(deployment, {active[0]["metadata"]["name"]: deployment["spec"]["replicas"]})

    def _scale_to(self, deployment: Object, sizes: dict[str, int]) -> bool:
        """Give ReplicaSets their sizes; whether any had another one."""
        changed = [self._scale(deployment, name, wanted) for name, wanted in sizes.items()]
        return any(changed)

    def _scale(self, deployment: Object, name: str, wanted: int) -> bool:
        key = Key(*REPLICA_SETS, deployment["metadata"]["namespace"], name)
        before = size(self._store.get(key))
        self._store.update(key, lambda found: _resized(found, deployment, wanted))
        if before == wanted:
            return False
        message = f"Scaled {'up' if wanted > before else 'down'} replica set {name} from {before} to {wanted}"
        self._events.record(deployment, "Normal", "ScalingReplicaSet", message)
        return True

    def _running(self, old: list[Object]) -> bool:
        uids = {found["metadata"]["uid"] for found in old}
        pods = self._store.list(*PODS, old[0]["metadata"]["namespace"]) if old else []
        theirs = [pod for pod in pods if (controller_of(pod) or {}).get("uid") in uids]
        return any(phase(pod) not in ("Succeeded", "Failed") for pod in theirs)

    def _delete_oldest(self, deployment: Object, old: list[Object]) -> None:
        limit = deployment["spec"]["revisionHistoryLimit"]
        unused = [found for found in old if not is_terminating(found)]
        for found in sorted(unused, key=_revision)[: max(0, len(unused) - limit)]:
            if not size(found) and not counted(found, "replicas"):
                self._store.delete(_key(found))

    # What the Deployment says of itself.

    def _noted_pause(self, deployment: Object) -> bool:
        """Write down that the Deployment was paused or resumed; whether it goes on."""
        paused = bool(deployment["spec"].get("paused"))
        noted = (condition(deployment, PROGRESSING) or {}).get("reason") == "DeploymentPaused"
        if paused and not noted:
            self._set_progressing(deployment, "Unknown", "DeploymentPaused", "Deployment is paused")
        if noted and not paused:
            self._set_progressing(deployment, "Unknown", "DeploymentResumed", "Deployment is resumed")
        return not paused

    def _set_progressing(self, deployment: Object, value: str, reason: str, message: str) -> None:
        def edit(found: Object) -> Object:
            status = found.get("status") or {}
            changed = with_condition(status, PROGRESSING, value, reason, message, self._clock())
            return {**found, "status": changed}

        self._store.update(_key(deployment), edit, subresource="status")

    def _annotate(self, deployment: Object, revision: int) -> None:
        def edit(found: Object) -> Object:
            found["metadata"].setdefault("annotations", {})[REVISION] = str(revision)
            return found

        self._store.update(_key(deployment), edit)

    def _write_status(self, deployment: Object, *, progressing: bool) -> float | None:
        now, replica_sets = self._clock(), self._claimed(deployment)
        new = _newest(deployment, replica_sets)
        status = counted_status(deployment, new, replica_sets, now)
        if progressing:
            status = with_progress(deployment, status, new, now)
        written = self._store.update(_key(deployment), lambda found: {**found, "status": status}, subresource="status")
        left = seconds_left(written, now)
        return max(1.0, left) if left is not None else None


def _key(obj: Object) -> Key:
    group, plural = DEPLOYMENTS if obj["kind"] == "Deployment" else REPLICA_SETS
    return Key(group, plural, obj["metadata"]["namespace"], obj["metadata"]["name"])


def _names(replica_sets: list[Object]) -> list[str]:
    return [found["metadata"]["name"] for found in replica_sets if size(found)]


def _selects(deployment: Object, replica_set: Object) -> bool:
    return selects(deployment["spec"]["selector"], replica_set["metadata"].get("labels"))


def _revision(replica_set: Object) -> int:
    text = (replica_set["metadata"].get("annotations") or {}).get(REVISION, "")
    return int(text) if text.isdigit() else 0


def _newest(deployment: Object, replica_sets: list[Object]) -> Object | None:
    """The ReplicaSet that has the Deployment's pod template, the oldest one if there are several."""
    template = _unlabelled(deployment["spec"]["template"])
    return next((found for found in replica_sets if _unlabelled(found["spec"]["template"]) == template), None)


def _unlabelled(template: Object) -> Object:
    metadata = template.get("metadata") or {}
    labels = {name: value for name, value in (metadata.get("labels") or {}).items() if name != HASH}
    return {**template, "metadata": {**metadata, "labels": labels}}


def _reference(deployment: Object) -> Object:
    named = {name: deployment["metadata"][name] for name in ("name", "uid")}
    return {"apiVersion": "apps/v1", "kind": "Deployment", **named, "controller": True, "blockOwnerDeletion": True}


def _adopted(replica_set: Object, deployment: Object) -> Object:
    replica_set["metadata"].setdefault("ownerReferences", []).append(_reference(deployment))
    return replica_set


def _new_replica_set(deployment: Object, revision: int, replicas: int) -> Object:
    spec, metadata = copy.deepcopy(deployment["spec"]), deployment["metadata"]
    # A Rollout of the same name and template must come to another hash; it never uses the collision count 0.
    hashed = {HASH: pod_template_hash(spec["template"], 0)}
    template, selector = spec["template"], spec["selector"]
    template["metadata"]["labels"] = {**template["metadata"].get("labels", {}), **hashed}
    selector["matchLabels"] = {**selector.get("matchLabels", {}), **hashed}
    own = {
        "name": f"{metadata['name']}-{hashed[HASH]}",
        "namespace": metadata["namespace"],
        "labels": template["metadata"]["labels"],
        "ownerReferences": [_reference(deployment)],
    }
    content = {"replicas": replicas, "selector": selector, "template": template}
    made = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": own, "spec": content, "status": {"replicas": 0}}
    return _resized(_taken_over(made, deployment, revision), deployment, replicas)


def _taken_over(replica_set: Object, deployment: Object, revision: int) -> Object:
    """The ReplicaSet with the Deployment's annotations and `minReadySeconds`."""
    annotations = replica_set["metadata"].setdefault("annotations", {})
    given = deployment["metadata"].get("annotations") or {}
    annotations.update({name: value for name, value in given.items() if name not in OWN_ANNOTATIONS})
    annotations[REVISION] = str(revision)
    if seconds := deployment["spec"].get("minReadySeconds"):
        replica_set["spec"]["minReadySeconds"] = seconds
    else:
        replica_set["spec"].pop("minReadySeconds", None)
    return replica_set


def _resized(replica_set: Object, deployment: Object, replicas: int) -> Object:
    wanted = deployment["spec"]["replicas"]
    sizes = {DESIRED: str(wanted), MAXIMUM: str(wanted + limits(deployment).surge)}
    replica_set["metadata"].setdefault("annotations", {}).update(sizes)
    replica_set["spec"]["replicas"] = replicas
    return replica_set
