"""Pods in virtual time, and the controller of ReplicaSets that makes them come and go."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.model.cluster import Cluster, images_of

from sluicegate.api.foreign import ObjectMeta, OwnerReference, Pod, PodCondition, PodStatus
from sluicegate.api.resources import REPLICA_SETS

NEVER_READY = "bad"
"""The tag of an image whose pods never become ready."""


@dataclass(frozen=True, slots=True)
class PlayedPod:
    """One pod of a ReplicaSet; `ready_at` is None for one that does not come up."""

    name: str
    born: datetime
    ready_at: datetime | None

    def is_ready(self, now: datetime) -> bool:
        return self.ready_at is not None and self.ready_at <= now


@dataclass
class Pods:
    """All pods, by the name of their ReplicaSet; new ones are ready after `ready_after`."""

    cluster: Cluster
    ready_after: timedelta = timedelta(seconds=2)
    broken: bool = False
    _pods: dict[str, list[PlayedPod]] = field(default_factory=dict)
    _count: int = 0
    _counted_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    @property
    def now(self) -> datetime:
        return self.cluster.clock()

    def sync(self) -> None:
        """The turn of the ReplicaSet controller: start what is missing, end what is too much, count."""
        self._counted_at = self.now
        found = {document["metadata"]["name"]: document for document in self.cluster.list(REPLICA_SETS)}
        self._pods = {name: pods for name, pods in self._pods.items() if name in found}
        for name, document in found.items():
            self._match(name, document)
            self._count_pods(name, document)

    def _match(self, name: str, document: Any) -> None:
        wanted = document["spec"]["replicas"]
        pods = sorted(self._pods.get(name, []), key=lambda pod: (not pod.is_ready(self.now), pod.born, pod.name))
        bad = any(image.endswith(NEVER_READY) for image in images_of(document))
        while len(pods) < wanted:
            self._count += 1
            # One after the other, so that there are moments at which only some of them serve.
            ready_at = self.now + self.ready_after * (1 + len(pods) / 4)
            pods.append(PlayedPod(f"{name}-{self._count}", self.now, None if bad else ready_at))
        self._pods[name] = pods[:wanted]

    def _count_pods(self, name: str, document: Any) -> None:
        ready, available = self.ready(name), self.available(name)
        counted: dict[str, Any] = {
            "replicas": len(self._pods.get(name, [])),
            "readyReplicas": ready or None,
            "availableReplicas": available or None,
            "observedGeneration": document["metadata"]["generation"],
        }
        self.cluster.patch(REPLICA_SETS, name, {"status": counted}, "status")

    def ready(self, name: str) -> int:
        return sum(pod.is_ready(self.now) for pod in self._pods.get(name, []))

    def available(self, name: str) -> int:
        """The pods that have been ready for the `minReadySeconds` of their ReplicaSet."""
        least = self._min_ready(name)
        return sum(_available(pod, least, self.now) for pod in self._pods.get(name, []))

    def next_change(self) -> datetime | None:
        """When the next pod becomes ready or available that the counters do not show yet."""
        return min((moment for moment in self._changes() if moment > self._counted_at), default=None)

    def _changes(self) -> Iterator[datetime]:
        for name, pods in self._pods.items():
            least = self._min_ready(name)
            for pod in pods:
                if pod.ready_at is not None:
                    yield from (pod.ready_at, pod.ready_at + least)

    def _min_ready(self, name: str) -> timedelta:
        document = self.cluster.find(REPLICA_SETS, name)
        return timedelta(seconds=(document["spec"].get("minReadySeconds") or 0) if document else 0)

    # What happens to pods.

    def crash(self, index: int, count: int, back_after: float | None) -> None:
        """Let pods of a ReplicaSet stop to serve, for ever or for a time."""
        name = self._named(index)
        back = None if back_after is None else self.now + timedelta(seconds=back_after)
        pods = self._pods.get(name, [])
        self._pods[name] = [replace(pod, ready_at=back) if at < count else pod for at, pod in enumerate(pods)]

    def evict(self, index: int, count: int) -> None:
        """Let pods of a ReplicaSet go; it replaces them."""
        name = self._named(index)
        self._pods[name] = self._pods.get(name, [])[count:]

    def heal(self) -> None:
        """Replace the pods that do not come up, but for those whose image is at fault."""
        self._pods = {name: [pod for pod in pods if pod.ready_at is not None] for name, pods in self._pods.items()}

    def evict_by_name(self, name: str, uid: str) -> None:
        for owner, pods in self._pods.items():
            self._pods[owner] = [pod for pod in pods if pod.name != name]

    def _named(self, index: int) -> str:
        names = sorted(self._pods)
        return names[index % len(names)] if names else ""

    def as_objects(self, label: str, value: str) -> list[Pod]:
        """The pods of the ReplicaSets with a label, as the API would show them."""
        return [
            _as_object(document, pod, self.now)
            for document in self.cluster.list(REPLICA_SETS)
            if document["metadata"]["labels"].get(label) == value
            for pod in self._pods.get(document["metadata"]["name"], [])
        ]


def _available(pod: PlayedPod, least: timedelta, now: datetime) -> bool:
    return pod.ready_at is not None and pod.ready_at + least <= now


def _as_object(owner: Any, pod: PlayedPod, now: datetime) -> Pod:
    reference = OwnerReference(
        api_version="apps/v1",
        kind="ReplicaSet",
        name=owner["metadata"]["name"],
        uid=owner["metadata"]["uid"],
        controller=True,
    )
    metadata = ObjectMeta(
        name=pod.name,
        namespace=owner["metadata"]["namespace"],
        uid=pod.name,
        labels=owner["spec"]["template"]["metadata"]["labels"],
        owner_references=(reference,),
        creation_timestamp=pod.born,
    )
    ready = PodCondition(type="Ready", status=str(pod.is_ready(now)), last_transition_time=pod.ready_at)
    return Pod(metadata=metadata, status=PodStatus(conditions=(ready,)))
