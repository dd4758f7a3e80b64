"""Played pods: no container runs; pods go through the states of real ones after fixed delays, as kwok would play them.

For tests of what only looks at the API. Ready after 2 s (an annotation can say otherwise for one pod), gone 0.2 s after
deletion, and an image that ends in `:error` cannot be pulled. A pod that has become ready is left alone, so that a test
can change its status; only readiness gates are followed from then on.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sluicegate.api.durations import parse_duration
from sluicegate.errors import NotFound
from sluicegate.local.objects import Key, timestamp
from sluicegate.local.workloads.node import NODE
from sluicegate.local.workloads.podstatus import CREATING, ContainerState, Placement, gated, pod_status
from sluicegate.local.workloads.podview import is_active, is_terminating, phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sluicegate.local.objects import Change, Object
    from sluicegate.local.store import ObjectStore

PODS: Final = ("", "pods")
HOST_IP: Final = "127.0.0.1"
READY_AFTER: Final = "play.sluicegate.dev/ready-after"


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds until a new pod is ready, a failing pull is noticed and then put off, and a deleted pod is gone."""

    ready: float = 2.0
    pull: float = 0.5
    gone: float = 0.2


class PlayedPods:
    """Plays all pods of the store."""

    kinds = (PODS,)

    def __init__(self, store: ObjectStore, clock: Callable[[], datetime], delays: Delays) -> None:
        self._store = store
        self._clock = clock
        self._delays = delays
        self._since: dict[tuple[str, str], float] = {}
        self._addresses = 0

    def everything(self) -> Iterable[Key]:
        """All pods."""
        return [Key(*PODS, pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in self._store.list(*PODS)]

    def concerned(self, change: Change) -> Iterable[Key]:
        """The pod itself."""
        if change.type == "DELETED":
            uid = change.object["metadata"]["uid"]
            self._since = {stage: since for stage, since in self._since.items() if stage[0] != uid}
        return [change.key]

    def reconcile(self, key: Key) -> float | None:
        """Play the stage that is due, or return how long it is until the next one."""
        pod = self._store.find(key)
        if pod is None:
            return None
        if not pod["spec"].get("nodeName") and not is_terminating(pod):
            pod = self._store.update(key, lambda new: {**new, "spec": {**new["spec"], "nodeName": NODE}})
        if is_terminating(pod):
            return self._end(key, pod)
        if not is_active(pod):
            return None
        if phase(pod) == "Running":
            self._put(key, lambda new: gated(new, self._now()))
            return None
        return self._begin(key, pod)

    def _begin(self, key: Key, pod: Object) -> float | None:
        if not (pod.get("status") or {}).get("startTime"):
            self._show(key, dict.fromkeys(_names(pod), CREATING), "")
        broken = {spec["name"]: spec["image"] for spec in pod["spec"]["containers"] if spec["image"].endswith(":error")}
        return self._fail_pull(key, pod, broken) if broken else self._run(key, pod)

    def _run(self, key: Key, pod: Object) -> float | None:
        if wait := self._wait(pod, "ready", self._ready_after(pod)):
            return wait
        self._addresses += 1
        address = f"10.64.{self._addresses // 256 % 256}.{self._addresses % 256}"
        self._show(key, dict.fromkeys(_names(pod), ContainerState(started_at=self._now(), ready=True)), address)
        return None

    def _ready_after(self, pod: Object) -> float:
        asked = parse_duration((pod["metadata"].get("annotations") or {}).get(READY_AFTER, ""))
        return self._delays.ready if asked is None else asked / 1e9

    def _fail_pull(self, key: Key, pod: Object, broken: dict[str, str]) -> float | None:
        if wait := self._wait(pod, "pull", self._delays.pull):
            return wait
        put_off = self._wait(pod, "put off", self._delays.pull)
        reason = "ErrImagePull" if put_off else "ImagePullBackOff"
        states = dict.fromkeys(_names(pod), CREATING)
        for name, image in broken.items():
            states[name] = ContainerState(waiting=reason, message=f'cannot pull image "{image}"')
        self._show(key, states, "")
        return put_off

    def _end(self, key: Key, pod: Object) -> float | None:
        if wait := self._wait(pod, "gone", self._delays.gone):
            return wait
        with contextlib.suppress(NotFound):
            self._store.delete(key, grace_seconds=0)
        return None

    def _wait(self, pod: Object, stage: str, seconds: float) -> float | None:
        """How long until `stage` is due, `seconds` after this was first asked; None when it is."""
        now = asyncio.get_running_loop().time()
        since = self._since.setdefault((pod["metadata"]["uid"], stage), now)
        # A timer of the event loop may fire a clock tick early.
        return since + seconds - now if since + seconds - now > 0.001 else None

    def _now(self) -> str:
        return timestamp(self._clock())

    def _show(self, key: Key, states: dict[str, ContainerState], address: str) -> None:
        self._put(key, lambda pod: pod_status(pod, states, Placement(HOST_IP, address), self._now()))

    def _put(self, key: Key, status: Callable[[Object], Object]) -> None:
        with contextlib.suppress(NotFound):
            self._store.update(key, lambda pod: {**pod, "status": status(pod)}, subresource="status")


def _names(pod: Object) -> list[str]:
    return [spec["name"] for spec in pod["spec"]["containers"]]
