"""The pods of a world in memory: they start, serve, die and go as a ReplicaSet controller and its nodes make them."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod; `ready_at` is None for one that never becomes ready."""

    born: datetime
    ready_at: datetime | None

    def serves(self, min_ready: timedelta, now: datetime) -> bool:
        """Whether it has been ready for long enough."""
        return self.ready_at is not None and self.ready_at + min_ready <= now


@dataclass
class PodRunner:
    """The pods of all ReplicaSets, by the name of their ReplicaSet."""

    ready_after: timedelta
    pods: dict[str, list[Pod]] = field(default_factory=dict)

    def match(self, name: str, wanted: int, now: datetime, *, broken: bool) -> None:
        """Start what is missing; remove what is too much: first what is not ready, then the youngest."""
        pods = sorted(self.pods.get(name, []), key=lambda pod: (pod.ready_at is None or pod.ready_at > now, pod.born))
        ready_at = None if broken else now + self.ready_after
        pods.extend(Pod(now, ready_at) for _ in range(wanted - len(pods)))
        self.pods[name] = pods[:wanted]

    def counters(self, name: str, min_ready: timedelta, now: datetime) -> dict[str, int]:
        """The counters of a ReplicaSet's status, zeros left out but for `replicas`."""
        pods = self.pods.get(name, [])
        ready = sum(pod.serves(timedelta(), now) for pod in pods)
        found = {"readyReplicas": ready, "availableReplicas": self.serving(name, min_ready, now)}
        return {"replicas": len(pods)} | {key: count for key, count in found.items() if count}

    def serving(self, name: str, min_ready: timedelta, now: datetime) -> int:
        """The pods that are available now."""
        return sum(pod.serves(min_ready, now) for pod in self.pods.get(name, []))

    def changes_after(self, now: datetime, min_ready: timedelta) -> Iterator[datetime]:
        """The times at which pods become ready or available."""
        for pod in (pod for pods in self.pods.values() for pod in pods):
            if pod.ready_at is not None:
                yield from (time for time in (pod.ready_at, pod.ready_at + min_ready) if time > now)

    def kill(self, name: str, count: int) -> None:
        """Let pods go; a ReplicaSet replaces them."""
        self.pods[name] = self.pods.get(name, [])[count:]

    def break_down(self, name: str, count: int) -> None:
        """Let pods stay but never serve again."""
        for index in range(min(count, len(self.pods.get(name, [])))):
            self.pods[name][index] = replace(self.pods[name][index], ready_at=None)

    def heal(self) -> None:
        """Let the pods of every ReplicaSet that broke down be replaced."""
        for name, pods in self.pods.items():
            self.pods[name] = [pod for pod in pods if pod.ready_at is not None]

    def forget(self, name: str) -> None:
        self.pods.pop(name, None)
