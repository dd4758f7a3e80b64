"""Kubernetes Events about what happened to an object: told at once, sent behind, never in anyone's way.

As client-go does it: a repeat raises the count of the event that is there, and an object that has much to tell is heard
for 25 events and then for one every five minutes. What cannot be queued or sent is dropped with a line in the log.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from sluicegate.api.resources import EVENTS
from sluicegate.errors import AlreadyExists, ApiError, ConfigError, ConnectError, NotFound, ServerError, TooManyRequests
from sluicegate.kube.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sluicegate.kube.client import Client

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")

logger = logging.getLogger(__name__)

QUEUE_LIMIT: Final = 1000
REMEMBERED: Final = 4096
BURST: Final = 25
SECONDS_PER_EVENT: Final = 300.0
ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectReference:
    """The object an event is about; `namespace` is empty for cluster-scoped kinds."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str = ""
    resource_version: str = ""

    def as_json(self) -> dict[str, str]:
        """The `involvedObject` of an Event, empty fields left out."""
        fields = {
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "uid": self.uid,
            "apiVersion": self.api_version,
            "resourceVersion": self.resource_version,
        }
        return {key: value for key, value in fields.items() if value}

    def without_version(self) -> tuple[str, ...]:
        """What stays the same while the object changes."""
        return (self.api_version, self.kind, self.namespace, self.name, self.uid)


@dataclass(frozen=True, slots=True)
class _Occurrence:
    reference: ObjectReference
    type: str
    reason: str
    message: str
    at: datetime
    stamp: int

    def same_as(self) -> tuple[object, ...]:
        return (self.reference.without_version(), self.type, self.reason, self.message)


class _Recent(Generic[K, V]):
    """The values of the keys used last, up to a number of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._limit:
            self._values.popitem(last=False)


class _Allowance:
    """How many events each object may still send: a burst, refilled slowly."""

    def __init__(self) -> None:
        self._left: _Recent[tuple[str, ...], tuple[float, float]] = _Recent(REMEMBERED)

    def take(self, reference: ObjectReference, now: float) -> bool:
        left, since = self._left.get(reference.without_version()) or (float(BURST), now)
        left = min(BURST, left + (now - since) / SECONDS_PER_EVENT)
        allowed = left >= 1
        self._left.put(reference.without_version(), (left - allowed, now))
        return allowed


class EventRecorder:
    """Sends Events in the name of a component; `record` may be called at any time, `run` does the sending."""

    def __init__(self, client: Client, component: str) -> None:
        self._client = client
        self._component = component
        self._queue: deque[_Occurrence] = deque()
        self._filled = asyncio.Event()
        self._sending = asyncio.Lock()
        self._sent: _Recent[tuple[object, ...], dict[str, Any]] = _Recent(REMEMBERED)
        self._allowance = _Allowance()
        self._last_stamp = 0

    def record(self, reference: ObjectReference, type: str, reason: str, message: str) -> None:
        """Tell that something happened to an object; `type` is Normal or Warning. Never waits and never fails."""
        if len(self._queue) >= QUEUE_LIMIT:
            logger.warning("event queue is full; dropped %s of %s: %s", reason, reference.name, message)
            return
        self._queue.append(_Occurrence(reference, type, reason, message, datetime.now(UTC), self._stamp()))
        self._filled.set()

    async def run(self) -> None:
        """Send what is recorded, until cancelled."""
        while True:
            await self._filled.wait()
            await self.flush()

    async def flush(self, *, at_most: float | None = None) -> None:
        """Send all that is recorded so far and wait until that is done; for the end, with or without `run`.

        After `at_most` seconds what is left is dropped, with a line in the log.
        """
        try:
            async with asyncio.timeout(at_most):
                await self._send_all()
        except TimeoutError:
            logger.warning("%d events were not sent within %g s and are dropped", len(self._queue), at_most)
            self._queue.clear()

    async def _send_all(self) -> None:
        async with self._sending:
            while self._queue:
                # Left in the queue until done, so that a flush after a cancelled run sends it.
                await self._send(self._queue[0])
                self._queue.popleft()
            self._filled.clear()

    async def _send(self, occurrence: _Occurrence) -> None:
        if not self._allowance.take(occurrence.reference, asyncio.get_running_loop().time()):
            logger.debug("too many events of %s; dropped %s", occurrence.reference.name, occurrence.reason)
            return
        event = self._event(occurrence)
        backoff = Backoff(first=0.5, cap=5.0)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._write(event)
            except (ConfigError, ConnectError, ServerError, TooManyRequests) as error:
                if attempt == ATTEMPTS:
                    logger.warning(
                        "event %s of %s was not sent: %s", occurrence.reason, occurrence.reference.name, error
                    )
                    return
                await asyncio.sleep(backoff.next())
            except ApiError as error:
                logger.warning("event %s of %s was refused: %s", occurrence.reason, occurrence.reference.name, error)
                return
            else:
                self._sent.put(occurrence.same_as(), event)
                return

    def _event(self, occurrence: _Occurrence) -> dict[str, Any]:
        """The Event to create, or the one sent before with one more counted."""
        sent = self._sent.get(occurrence.same_as())
        now = occurrence.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        if sent is not None:
            return {**sent, "count": sent["count"] + 1, "lastTimestamp": now}
        reference = occurrence.reference
        return {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {
                "name": f"{reference.name}.{occurrence.stamp:x}",
                "namespace": reference.namespace or "default",
            },
            "involvedObject": reference.as_json(),
            "reason": occurrence.reason,
            "message": occurrence.message,
            "source": {"component": self._component},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": occurrence.type,
            "reportingComponent": self._component,
            "reportingInstance": "",
        }

    async def _write(self, event: dict[str, Any]) -> None:
        namespace, name = event["metadata"]["namespace"], event["metadata"]["name"]
        if event["count"] > 1:
            change = {key: event[key] for key in ("count", "lastTimestamp")}
            try:
                await self._client.patch(EVENTS, namespace, name, change)
                return
            except NotFound:
                logger.debug("event %s has aged away and is sent anew", name)
        try:
            await self._client.create(EVENTS, namespace, event)
        except AlreadyExists:
            logger.debug("event %s had been sent, but its answer was lost", name)

    def _stamp(self) -> int:
        """Nanoseconds of now, never twice the same."""
        self._last_stamp = max(self._last_stamp + 1, time.time_ns())
        return self._last_stamp
