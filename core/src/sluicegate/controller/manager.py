"""One controller process: reflectors that fill the caches, a queue of Rollouts, and workers that reconcile them."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet, Service, decode_replica_set, decode_service
from sluicegate.api.resources import REPLICA_SETS, ROLLOUTS, SERVICES, Resource
from sluicegate.api.rollout import KIND
from sluicegate.controller.caches import (
    Caches,
    Key,
    StoredRollout,
    decode_object,
    identify,
    is_handled,
    key_of,
)
from sluicegate.controller.execute import Recorder
from sluicegate.controller.orphans import OrphanedServices, named_services, services_left
from sluicegate.controller.rollouts import ReconcileFailed, Result, RolloutReconciler, reference_of
from sluicegate.controller.watches import Watches
from sluicegate.engine.delays import RESYNC_SECONDS
from sluicegate.errors import Conflict, SluicegateError
from sluicegate.kube.client import Client
from sluicegate.kube.recorder import EventRecorder
from sluicegate.kube.reflector import Reflector
from sluicegate.kube.store import Store
from sluicegate.kube.workqueue import QueueShutDown, WorkQueue
from sluicegate.plugins.registry import Registry

logger = logging.getLogger(__name__)

Cached = TypeVar("Cached", StoredRollout, ReplicaSet, Service)

COMPONENT = "rollouts-controller"
LAST_RETRY_SECONDS = 10.0
LAST_EVENTS_SECONDS = 1.0
"""What the end of the process may take for events still to be sent; an API that is away must not hold it up."""
CONFLICTS_TO_TELL = 10
"""A few conflicts in a row are everyday life; so many mean that something keeps a Rollout from being reconciled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a controller runs: `namespace` None means all; `workers` Rollouts are reconciled at a time.

    With an `instance_id` it sees the Rollouts and templates that are labelled with it, without one those without.
    """

    namespace: str | None = None
    workers: int = 10
    instance_id: str = ""


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


class Manager:
    """Runs the controller of one cluster until it is cancelled."""

    def __init__(
        self,
        client: Client,
        registry: Registry,
        settings: Settings,
        *,
        recorder: Recorder | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._client = client
        self._caches = Caches.empty()
        self._events = EventRecorder(client, COMPONENT)
        self._recorder: Recorder = recorder or self._events
        self._queue: WorkQueue[Key] = WorkQueue(last_retry=LAST_RETRY_SECONDS)
        self._complaints: dict[Key, str] = {}
        self._conflicts: Counter[Key] = Counter()
        self._services: WorkQueue[Key] = WorkQueue(last_retry=LAST_RETRY_SECONDS)
        self._orphans = OrphanedServices(client, self._caches)
        self._watches = Watches(client, self._queue.add, settings.namespace)
        self.reconciler = RolloutReconciler(
            client,
            self._caches,
            self._watches,
            registry,
            self._recorder,
            clock=clock,
            monotonic=time.monotonic,
            instance_id=settings.instance_id,
        )

    async def run(self) -> None:
        """Fill the caches, then reconcile; ends only by cancellation, or with the error that no retry can mend."""
        reflectors = self._reflectors()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._events.run())
                for reflector in reflectors:
                    tasks.create_task(reflector.run())
                for reflector in reflectors:
                    await reflector.wait_synced()
                logger.info("caches are filled, reconciling with %d workers", self._settings.workers)
                for _ in range(self._settings.workers):
                    tasks.create_task(self._work())
                tasks.create_task(self._release_services())
                tasks.create_task(self._resync())
        finally:
            self._queue.shutdown()
            self._services.shutdown()
            await self._watches.close()
            await self._events.flush(at_most=LAST_EVENTS_SECONDS)

    def _reflectors(self) -> tuple[Reflector[Any], ...]:
        caches = self._caches
        return (
            self._reflector(ROLLOUTS, decode_object, caches.rollouts, self._rollout_changed),
            self._reflector(
                REPLICA_SETS, decode_replica_set, caches.replica_sets, self._replica_set_changed, names.HASH_LABEL
            ),
            self._reflector(SERVICES, decode_service, caches.services, self._service_changed),
        )

    def _reflector(
        self,
        resource: Resource,
        decode: Callable[[bytes], Cached],
        store: Store[Cached],
        on_change: Callable[[Cached | None, Cached | None], None],
        label_selector: str = "",
    ) -> Reflector[Cached]:
        return Reflector(
            self._client,
            resource,
            decode=decode,
            identify=identify,
            store=store,
            on_change=on_change,
            namespace=self._settings.namespace,
            label_selector=label_selector,
        )

    def _rollout_changed(self, old: StoredRollout | None, new: StoredRollout | None) -> None:
        found = new or old
        if found is None:
            return
        key = key_of(found)
        # Also of a Rollout that was handed over: what is kept of it is dropped in the pass.
        if new is None or not self.reconciler.rests_at(key, new.metadata.resource_version):
            self._queue.add(key)
        for service in services_left(old, new):
            self._services.add((key[0], service))
        if not is_handled(found.metadata, self._settings.instance_id):
            return
        if old is None:
            text = f"Rollout resource added to informer: {key[0]}/{key[1]}"
            self._recorder.record(reference_of(found), "Normal", "RolloutAddedToInformer", text)
        if new is None:
            text = f"Rollout {key[1]}/{key[0]} is deleted."
            self._recorder.record(reference_of(found), "Normal", "RolloutDeleted", text)

    def _replica_set_changed(self, old: ReplicaSet | None, new: ReplicaSet | None) -> None:
        for replica_set in filter(None, (old, new)):
            for key in self._rollouts_of(replica_set):
                self._queue.add(key)

    def _rollouts_of(self, replica_set: ReplicaSet) -> Iterable[Key]:
        """The Rollout that owns it; of an orphan, those of its namespace, one of which may adopt it."""
        namespace, owner = replica_set.metadata.namespace, replica_set.metadata.controller
        if owner is not None:
            return [(namespace, owner.name)] if owner.kind == KIND else []
        return [key_of(rollout) for rollout in self._caches.rollouts.list(namespace)]

    def _service_changed(self, old: Service | None, new: Service | None) -> None:
        service = new or old
        if service is None:
            return
        namespace, name = service.metadata.namespace, service.metadata.name
        self._services.add((namespace, name))
        for rollout in self._caches.rollouts.list(namespace):
            if name in named_services(rollout.document):
                self._queue.add(key_of(rollout))

    async def _work(self) -> None:
        while True:
            try:
                key = await self._queue.get()
            except QueueShutDown:
                return
            try:
                await self._reconcile(key)
            finally:
                self._queue.done(key)

    async def _release_services(self) -> None:
        while True:
            try:
                key = await self._services.get()
            except QueueShutDown:
                return
            try:
                await self._orphans.release(key)
            except SluicegateError as error:
                logger.log(logging.DEBUG if isinstance(error, Conflict) else logging.WARNING, "%s/%s: %s", *key, error)
                self._services.add_rate_limited(key)
            else:
                self._services.forget(key)
            finally:
                self._services.done(key)

    async def _reconcile(self, key: Key) -> None:
        try:
            result = await self.reconciler.reconcile(key)
        except Conflict as error:
            self._count_conflict(key, error)
            self._queue.add_rate_limited(key)
        except (ReconcileFailed, SluicegateError) as error:
            self._complain(key, str(error))
            self._queue.add_rate_limited(key)
        except Exception:
            logger.exception("%s/%s: the pass failed", *key)
            self._queue.add_rate_limited(key)
        else:
            self._end_well(key, result)

    def _end_well(self, key: Key, result: Result) -> None:
        # A pass that only waited says nothing about the failures before it.
        if not result.waits:
            self._queue.forget(key)
            self._complaints.pop(key, None)
            self._conflicts.pop(key, None)
        if result.requeue_after is not None:
            self._queue.add_after(key, result.requeue_after)

    def _count_conflict(self, key: Key, error: Conflict) -> None:
        """Log those that go on and on, once."""
        self._conflicts[key] += 1
        logger.debug("%s/%s: deciding again: %s", *key, error)
        if self._conflicts[key] == CONFLICTS_TO_TELL:
            logger.warning("%s/%s: %d conflicts in a row, the last: %s", *key, CONFLICTS_TO_TELL, error)

    def _complain(self, key: Key, text: str) -> None:
        """Log a failure once, not at each of its retries."""
        if self._complaints.get(key) != text:
            logger.warning("%s/%s: %s", *key, text)
        self._complaints[key] = text

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(RESYNC_SECONDS)
            for rollout in self._caches.rollouts.list():
                self._queue.add(key_of(rollout))
