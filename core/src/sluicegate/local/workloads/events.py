"""Events of the built-in controllers, written straight to the store; repeats are counted up."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from sluicegate.local.objects import Key, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sluicegate.local.objects import Object
    from sluicegate.local.store import ObjectStore

REMEMBERED: Final = 1000


class EventSink:
    """Records events for one component, e.g. `kubelet`; `host` is the node it runs on, if it is one of a node."""

    def __init__(self, store: ObjectStore, component: str, clock: Callable[[], datetime], host: str = "") -> None:
        self._store = store
        self._component = component
        self._clock = clock
        self._host = host
        self._recorded: dict[tuple[str, str, str], Key] = {}

    def record(self, about: Object, kind: str, reason: str, message: str) -> None:
        """Record an event of type `kind` (Normal or Warning) about a stored object."""
        identity = (about["metadata"]["uid"], reason, message)
        known = self._recorded.get(identity)
        if known and self._store.find(known):
            self._store.update(known, self._repeated)
            return
        metadata = about["metadata"]
        name = f"{metadata['name']}.{secrets.token_hex(8)}"
        key = Key("", "events", metadata.get("namespace") or "default", name)
        self._store.create(key, self._new(about, kind, reason, message))
        self._recorded[identity] = key
        if len(self._recorded) > REMEMBERED:
            del self._recorded[next(iter(self._recorded))]

    def _repeated(self, event: Object) -> Object:
        return {**event, "count": event["count"] + 1, "lastTimestamp": timestamp(self._clock())}

    def _new(self, about: Object, kind: str, reason: str, message: str) -> Object:
        now, metadata = timestamp(self._clock()), about["metadata"]
        copied = {name: metadata[name] for name in ("namespace", "name", "uid", "resourceVersion") if name in metadata}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {},
            "involvedObject": {"apiVersion": about["apiVersion"], "kind": about["kind"], **copied},
            "reason": reason,
            "message": message,
            "type": kind,
            "source": {"component": self._component, **({"host": self._host} if self._host else {})},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }
