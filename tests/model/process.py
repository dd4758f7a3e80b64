"""One life of the controller in the model: the real Manager and reconciler, with watches that are fed by hand, and with
a work queue in virtual time.

What a watch brings late, or not at all for a while, is a feed that is `lost`; what a kill takes is the whole object.
"""

import builtins
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from tests.model.cluster import NAMESPACE, Cluster, ControllerClient
from tests.model.pods import Pods

from sluicegate.api.foreign import Pod
from sluicegate.api.resources import PODS, Resource
from sluicegate.controller.caches import Key
from sluicegate.controller.manager import LAST_RETRY_SECONDS, Manager, Settings
from sluicegate.controller.rollouts import ReconcileFailed, Result, RolloutReconciler
from sluicegate.controller.watched import KindCache, WatchedKind
from sluicegate.controller.watches import Watches
from sluicegate.errors import SluicegateError
from sluicegate.kube.recorder import ObjectReference
from sluicegate.kube.reflector import Reflector
from sluicegate.plugins.guard import Guard
from sluicegate.plugins.registry import LoadedPlugin, PluginRecord, Registry
from sluicegate.testing.recording import RecordingRouter
from sluicegate_replicaset import ReplicaSetRouter

if TYPE_CHECKING:
    import msgspec

    from sluicegate.kube.client import Client
    from sluicegate.kube.workqueue import WorkQueue

ROLLOUT: Final = "shop"
KEY: Final[Key] = (NAMESPACE, ROLLOUT)
FIRST_RETRY_SECONDS: Final = 0.005

_REGISTRY: Final = Registry(
    [LoadedPlugin(PluginRecord(name="model", distribution="", version=""), (RecordingRouter(), ReplicaSetRouter()))]
)
_MISTAKES: Final = (TypeError, AttributeError, KeyError, IndexError, AssertionError)


class Crashed(BaseException):
    """A pass failed as code fails that is wrong, which the Manager and the guard of plugins would just log."""


class _Reconciler(RolloutReconciler):
    """The reconciler, whose mistakes end the test."""

    async def reconcile(self, key: Key) -> Result:
        try:
            return await super().reconcile(key)
        except (ReconcileFailed, SluicegateError) as error:
            if any(isinstance(cause, _MISTAKES) for cause in _causes(error)):
                raise Crashed from error
            raise
        except Exception as error:
            raise Crashed from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class _Queue:
    """The work queue of one Rollout in virtual time: when it is due, None while nobody wants it looked at."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._failures = 0
        self.due: datetime | None = None

    def add(self, key: Key) -> None:
        self.add_after(key, 0)

    def add_after(self, key: Key, seconds: float) -> None:
        moment = self._now() + timedelta(seconds=seconds)
        self.due = moment if self.due is None else min(self.due, moment)

    def add_rate_limited(self, key: Key) -> None:
        self.add_after(key, min(FIRST_RETRY_SECONDS * 2.0 ** min(self._failures, 30), LAST_RETRY_SECONDS))
        self._failures += 1

    def forget(self, key: Key) -> None:
        self._failures = 0


class _PlayedCache(KindCache[Any]):
    """The cache of a watched kind, filled when it starts and by the process from then on."""

    feed: Callable[[Reflector[Any]], None]
    seconds: Callable[[], float]

    def start(self) -> None:
        self.feed(self.reflector)
        self._known.set()

    @property
    def reflector(self) -> Reflector[Any]:
        return self._reflector

    def _now(self) -> float:
        return self.seconds()


class _PodCache(_PlayedCache):
    """The pods as they are."""

    pods: Pods

    def start(self) -> None:
        self._known.set()

    def select(self, namespace: str, label_selector: str) -> builtins.list[Pod]:
        label, _, value = label_selector.partition("=")
        return self.pods.as_objects(label, value)


class _PlayedWatches(Watches):
    """`Watches` whose caches nothing but the process fills."""

    process: "Process"

    @property
    def reflectors(self) -> builtins.list[Reflector[Any]]:
        return [cache.reflector for cache in self._caches.values() if isinstance(cache, _PlayedCache)]

    def _cache(self, kind: WatchedKind[Any]) -> KindCache[Any]:
        if kind not in self._caches:
            made = _PodCache if kind.resource == PODS else _PlayedCache
            cache = made(self._client, kind, self._namespace, lambda old, new: self._changed(kind, old, new))
            cache.feed, cache.seconds = self.process.feed, self.process.seconds
            if isinstance(cache, _PodCache):
                cache.pods = self.process.pods
            self._caches[kind] = cache
            cache.start()
        return self._caches[kind]


class _PlayedManager(Manager):
    """The Manager with the queue and the watches of a process."""

    def __init__(self, process: "Process", client: "Client") -> None:
        super().__init__(client, _REGISTRY, Settings(), recorder=process, clock=lambda: process.now)
        self._queue = cast("WorkQueue[Key]", process.queue)
        self._watches = _PlayedWatches(client, process.queue.add)
        self._watches.process = process
        self.watches, self.caches, self.reflectors = self._watches, self._caches, self._reflectors()
        self.reconciler = _Reconciler(
            client,
            self._caches,
            self._watches,
            _REGISTRY,
            process,
            clock=lambda: process.now,
            monotonic=process.seconds,
            guard=Guard(now=process.seconds),
        )

    async def look(self) -> None:
        """The turn of a worker."""
        await self._reconcile(KEY)


class Process:
    """A running controller: what its caches show, and when it will look at the Rollout again.

    `events` are the reasons of those it recorded. `before_pass` is called when a pass begins, with the caches as they
    are then.
    """

    def __init__(self, cluster: Cluster, pods: Pods) -> None:
        self.cluster = cluster
        self.pods = pods
        self.lost: set[Resource] = set()
        self.before_pass: Callable[[], None] = lambda: None
        self.events: list[str] = []
        self.queue = _Queue(lambda: self.now)
        self._manager = _PlayedManager(self, cast("Client", ControllerClient(cluster)))
        self.caches = self._manager.caches
        self.deliver()

    @property
    def now(self) -> datetime:
        return self.cluster.clock()

    def seconds(self) -> float:
        """The monotonic clock."""
        return self.now.timestamp()

    def record(self, reference: ObjectReference, type: str, reason: str, message: str) -> None:
        """Take an event, as the recorder of a process does."""
        self.events.append(reason)

    def deliver(self) -> None:
        """Let the watches bring what has changed, all but those that are lost."""
        for reflector in (*self._manager.reflectors, *self._manager.watches.reflectors):
            if reflector._resource not in self.lost:
                self.feed(reflector)

    def feed(self, reflector: Reflector[Any]) -> None:
        """Have a reflector take what there is, as after a fresh list."""
        found = {document["metadata"]["name"]: document for document in self.cluster.list(reflector._resource)}
        for namespace, name in reflector._store.names():
            if name not in found:
                reflector._remove(namespace, name)
        for name, document in found.items():
            old = reflector._store.get(NAMESPACE, name)
            if old is None or old.metadata.resource_version != document["metadata"]["resourceVersion"]:
                reflector._take(cast("msgspec.Raw", document.encoded))

    @property
    def due(self) -> datetime | None:
        return self.queue.due

    @property
    def is_due(self) -> bool:
        return self.due is not None and self.due <= self.now

    async def reconcile(self) -> None:
        """One turn of a worker: a pass, and when to look again."""
        self.queue.due = None
        self.before_pass()
        try:
            await self._manager.look()
        except Crashed as error:
            raise AssertionError(f"the pass crashed: {error.__cause__!r}") from error.__cause__
