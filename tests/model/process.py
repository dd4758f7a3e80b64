"""One life of the controller in the model: the real reconciler on caches that are fed by hand, with a queue in virtual
time.

What a watch brings late, or not at all for a while, is a feed that is `lost`; what a kill takes is the whole object.
"""

import builtins
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from tests.model.cluster import NAMESPACE, Cluster, ControllerClient
from tests.model.pods import Pods

from sluicegate.api.foreign import Pod, decode_replica_set, decode_service
from sluicegate.api.resources import INGRESSES, PODS, REPLICA_SETS, ROLLOUTS, SERVICES, Resource
from sluicegate.controller.caches import Caches, Key, decode_rollout, identify
from sluicegate.controller.interests import ByName, Interests
from sluicegate.controller.orphans import named_services
from sluicegate.controller.own_writes import OwnWrites
from sluicegate.controller.rollouts import ReconcileFailed, RolloutReconciler
from sluicegate.controller.watches import StoredObject, Watches, decode_object
from sluicegate.errors import SluicegateError
from sluicegate.kube.recorder import ObjectReference
from sluicegate.kube.store import Store
from sluicegate.local.objects import Document, Object
from sluicegate.plugins.guard import Guard
from sluicegate.plugins.registry import LoadedPlugin, PluginRecord, Registry
from sluicegate.testing.recording import RecordingRouter
from sluicegate_replicaset import ReplicaSetRouter

if TYPE_CHECKING:
    from sluicegate.kube.client import Client

ROLLOUT: Final = "shop"
KEY: Final[Key] = (NAMESPACE, ROLLOUT)
FIRST_RETRY: Final = timedelta(milliseconds=5)
LAST_RETRY: Final = timedelta(seconds=10)

_REGISTRY: Final = Registry(
    [LoadedPlugin(PluginRecord(name="model", distribution="", version=""), (RecordingRouter(), ReplicaSetRouter()))]
)


class PlayedWatches:
    """`Watches` without reflectors: objects from feeds, with the controller's own writes seen at once, and pods."""

    def __init__(self, pods: Pods, monotonic: Callable[[], float]) -> None:
        self.stores: dict[Resource, Store[StoredObject]] = {INGRESSES: Store(), SERVICES: Store()}
        self._own = {resource: OwnWrites[StoredObject]() for resource in self.stores}
        self._interests = Interests()
        self._pods = pods
        self._monotonic = monotonic

    def begin(self, reader: Key) -> None:
        self._interests.begin(reader)

    def forget(self, reader: Key) -> None:
        self._interests.forget(reader)

    async def get(self, reader: Key, kind: Resource, namespace: str, name: str) -> StoredObject | None:
        self._interests.add(reader, ByName(kind, namespace, name))
        shown = self.stores[kind].get(namespace, name)
        return self._own[kind].over((namespace, name), shown, self._monotonic())

    async def list(self, reader: Key, kind: Any, namespace: str, label_selector: str = "") -> builtins.list[Pod]:
        assert kind.resource == PODS, f"the model has no {kind}"
        label, _, value = label_selector.partition("=")
        return self._pods.as_objects(label, value)

    def written(self, kind: Resource, document: Object) -> None:
        self._own[kind].remember(decode_object(Document(document).encoded), self._monotonic())

    def deleted(self, kind: Resource, observed: Object) -> None:
        raise AssertionError("no router of the model deletes anything")

    def changed(self, kind: Resource, old: StoredObject | None, new: StoredObject | None) -> bool:
        """Take a change of the feed; whether the Rollout has read that object."""
        self._own[kind].caught_up(old, new)
        return KEY in self._interests.readers(kind, old, new)


@dataclass
class Process:
    """A running controller: what its caches show, and when it will look at the Rollout again.

    `events` are the reasons of those it recorded. `before_pass` is called when a pass begins, with the caches as they
    are then.
    """

    cluster: Cluster
    pods: Pods
    lost: set[Resource] = field(default_factory=set)
    before_pass: Callable[[], None] = lambda: None
    events: list[str] = field(default_factory=list)
    due: datetime | None = None
    passes: int = 0
    _failures: int = 0

    def __post_init__(self) -> None:
        self.born = self.now
        self.caches = Caches.empty()
        self.watches = PlayedWatches(self.pods, self._monotonic)
        self.reconciler = RolloutReconciler(
            cast("Client", ControllerClient(self.cluster)),
            self.caches,
            cast("Watches", self.watches),
            _REGISTRY,
            self,
            clock=lambda: self.now,
            monotonic=self._monotonic,
            guard=Guard(now=self._monotonic),
        )
        self.deliver(fresh=True)

    @property
    def now(self) -> datetime:
        return self.cluster.clock()

    def _monotonic(self) -> float:
        return self.now.timestamp()

    def record(self, reference: ObjectReference, type: str, reason: str, message: str) -> None:
        """Take an event, as the recorder of a process does."""
        self.events.append(reason)

    def deliver(self, *, fresh: bool = False) -> None:
        """Let the watches bring what has changed, all but those that are lost; `fresh` is the list of a new process."""
        caches, watched = self.caches, self.watches.stores
        feeds: list[tuple[Resource, Store[Any], Callable[[bytes], Any], Callable[[Any, Any], bool]]] = [
            (ROLLOUTS, caches.rollouts, decode_rollout, lambda old, new: True),
            (REPLICA_SETS, caches.replica_sets, decode_replica_set, lambda old, new: True),
            (SERVICES, caches.services, decode_service, self._is_named),
            *(
                (resource, store, decode_object, partial(self.watches.changed, resource))
                for resource, store in watched.items()
            ),
        ]
        for resource, store, decode, concerns in feeds:
            if fresh or resource not in self.lost:
                found = {document["metadata"]["name"]: document for document in self.cluster.list(resource)}
                for old, new in _feed(store, found, decode):
                    if concerns(old, new):
                        self.due = self.now

    def _is_named(self, old: Any, new: Any) -> bool:
        rollout = self.caches.rollouts.get(*KEY)
        return rollout is not None and (new or old).metadata.name in named_services(rollout.document)

    @property
    def is_due(self) -> bool:
        return self.due is not None and self.due <= self.now

    async def reconcile(self) -> None:
        """One turn of a worker: a pass, and when to look again, as the Manager has it."""
        self.due = None
        self.passes += 1
        self.before_pass()
        try:
            result = await self.reconciler.reconcile(KEY)
        except (ReconcileFailed, SluicegateError):
            self._look_after(min(FIRST_RETRY * 2.0 ** min(self._failures, 30), LAST_RETRY))
            self._failures += 1
            return
        if not result.waits:
            self._failures = 0
        if result.requeue_after is not None:
            self._look_after(timedelta(seconds=result.requeue_after))

    def _look_after(self, delay: timedelta) -> None:
        moment = self.now + delay
        self.due = moment if self.due is None else min(self.due, moment)


def _feed(
    store: Store[Any], found: Mapping[str, Document], decode: Callable[[bytes], Any]
) -> Iterator[tuple[Any | None, Any | None]]:
    """Make a cache show what there is; each change as it is made."""
    for _, name in store.names():
        if name not in found:
            old = store.get(NAMESPACE, name)
            store.remove(NAMESPACE, name)
            yield old, None
    for name, document in found.items():
        old = store.get(NAMESPACE, name)
        if old is None or identify(old).resource_version != document["metadata"]["resourceVersion"]:
            new = decode(document.encoded)
            store.put(NAMESPACE, name, new)
            yield old, new
