"""The cache of one kind that is watched because somebody asked for it, and how that watching goes.

Unlike the caches that a controller cannot do without, this one may be of a kind that the API does not serve (its CRD is
not installed) or that the controller may not read: the first is told apart from the second, and both from a lag.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sluicegate.api.foreign import LabelSelector, ObjectMeta
from sluicegate.api.resources import Resource
from sluicegate.api.selector_text import parse_selector
from sluicegate.api.selectors import anchor, matches
from sluicegate.controller.interests import HasMetadata
from sluicegate.controller.own_writes import OwnWrites
from sluicegate.errors import ConnectError, Expired, Forbidden, NotFound, SluicegateError
from sluicegate.kube.client import Client
from sluicegate.kube.reflector import Identity, Reflector
from sluicegate.kube.store import Store

T = TypeVar("T", bound=HasMetadata)

logger = logging.getLogger(__name__)

SYNC_SECONDS: Final = 5.0
"""How long a read waits for the first list; less than a router's deadline, so that the text is this one's."""
ABSENT_SECONDS: Final = 5.0
"""How often it is tried whether a kind is served by now."""
BY_LABEL: Final = "label"


@dataclass(frozen=True)
class WatchedKind(Generic[T]):
    """A kind, and what is kept of it.

    `decode` turns an object's JSON into what is kept. Of large kinds only what `label_selector` matches is watched;
    lists that ask for one value of `indexed_label` do not look at all objects of their namespace.
    """

    resource: Resource
    decode: Callable[[bytes], T]
    label_selector: str = ""
    indexed_label: str = ""

    def __str__(self) -> str:
        resource = self.resource
        return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


class KindCache(Generic[T]):
    """Watches one kind from `start` to `stop`, and answers from what it has seen and from what was written here."""

    def __init__(
        self,
        client: Client,
        kind: WatchedKind[T],
        namespace: str | None,
        on_change: Callable[[T | None, T | None], None],
    ) -> None:
        self._client = client
        self._kind = kind
        self._on_change = on_change
        self._store: Store[T] = Store()
        self._own = OwnWrites[T]()
        self._known = asyncio.Event()
        self._refusal = ""
        self._trouble = ""
        self._told: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        if kind.indexed_label:
            self._store.add_index(BY_LABEL, self._index_values)
        self._reflector = _KindReflector(
            client,
            kind.resource,
            decode=kind.decode,
            identify=_identify,
            store=self._store,
            on_change=self._changed,
            namespace=namespace if kind.resource.namespaced else None,
            label_selector=kind.label_selector,
        )
        self._reflector.outcome = self._take_outcome

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._reflector.run(), name=f"watch of {self._kind}")

    async def stop(self) -> None:
        """End watching."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def ready(self) -> None:
        """Wait until reads can be answered: the kind has been listed once, or is known not to be served.

        Raises Forbidden if the controller may not list or watch it, ConnectError if it could not be listed yet.
        """
        if not self._known.is_set():
            await self._wait_known()
        if self._refusal:
            raise Forbidden(self._refusal, status=403, reason="Forbidden")
        if self._trouble:
            raise self._unread(self._trouble)

    def get(self, namespace: str, name: str) -> T | None:
        """The object, or None if there is none."""
        return self._own.over((namespace, name), self._store.get(namespace, name), self._now())

    def select(self, namespace: str, label_selector: str) -> list[T]:
        """The objects of a namespace that the selector matches; raises BadRequest if it is none."""
        selector = parse_selector(label_selector)
        found = {obj.metadata.name: obj for obj in self._candidates(namespace, selector)}
        for key in self._own.keys(namespace):
            if (obj := self.get(*key)) is not None:
                found[obj.metadata.name] = obj
            else:
                found.pop(key[1], None)
        return [obj for obj in found.values() if matches(selector, obj.metadata.labels)]

    def written(self, document: bytes) -> ObjectMeta:
        """Take an object as the API has just answered with it; it is shown until the watch brings it too."""
        taken = self._kind.decode(document)
        self._own.remember(taken, self._now())
        return taken.metadata

    def deleted(self, observed: T) -> None:
        """Take note that this object is gone."""
        self._own.remember_gone(observed.metadata, self._now())

    async def _wait_known(self) -> None:
        try:
            async with asyncio.timeout(SYNC_SECONDS):
                await self._known.wait()
        except TimeoutError:
            raise self._unread(f"no list within {SYNC_SECONDS:g} s") from None

    def _candidates(self, namespace: str, selector: LabelSelector) -> list[T]:
        label = anchor(selector)
        if label and label[0] == self._kind.indexed_label:
            return self._store.by_index(BY_LABEL, f"{namespace}/{label[1]}")
        return self._store.list(namespace)

    def _index_values(self, obj: T) -> list[str]:
        value = obj.metadata.labels.get(self._kind.indexed_label)
        return [] if value is None else [f"{obj.metadata.namespace}/{value}"]

    def _changed(self, old: T | None, new: T | None) -> None:
        self._own.caught_up(old, new)
        # Nobody has been answered yet who could have been answered otherwise.
        if self._known.is_set():
            self._on_change(old, new)

    def _take_outcome(self, verb: str, error: Exception | None) -> None:
        if isinstance(error, Forbidden):
            self._refusal = f"the controller may not {verb} {self._kind}: {error}"
        elif error is None or isinstance(error, NotFound):
            self._refusal = self._trouble = ""
            self._store.mark_synced()
        elif not self._store.has_synced:
            self._trouble = f"{verb}: {error}"
        self._known.set()
        self._tell(verb, error)

    def _tell(self, verb: str, error: Exception | None) -> None:
        """Log each state once, not at each retry; that a kind is not served is nobody's fault."""
        text = f"{type(error).__name__}: {error}" if error else ""
        if self._told.get(verb) == text:
            return
        self._told[verb] = text
        if isinstance(error, SluicegateError) and not isinstance(error, NotFound):
            logger.warning("%s of %s failed, trying again: %s", verb, self._kind, error)
        elif error is None or isinstance(error, NotFound):
            logger.info("%s: %s", self._kind, "not served by the API" if error else "watching")
        else:
            logger.error("%s of %s crashed, starting again", verb, self._kind, exc_info=error)

    def _unread(self, why: str) -> ConnectError:
        message = f"{self._kind} could not be read yet: {why}"
        return ConnectError(message, address=self._client.address, source=self._client.source)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


class _KindReflector(Reflector[T]):
    """A Reflector that reports each list and each failure, and takes a kind that is not served for an empty one.

    `outcome` is told the verb, and the error if it failed.
    """

    outcome: Callable[[str, Exception | None], None]

    async def run(self) -> None:
        """List and watch until cancelled; nothing else ends it."""
        while True:
            pause = await self._attempt()
            await asyncio.sleep(pause)

    async def _attempt(self) -> float:
        """List and watch until that fails; seconds until the next attempt."""
        verb = "list"
        try:
            await self._relist()
            self.outcome(verb, None)
            verb = "watch"
            await self._follow()
        except Expired as error:
            logger.debug("%s: listing afresh: %s", self._resource.plural, error)
        except NotFound as error:
            self._clear()
            self.outcome(verb, error)
            return ABSENT_SECONDS
        except Exception as error:
            self.outcome(verb, error)
        return self._backoff.next()

    def _clear(self) -> None:
        for namespace, name in self._store.names():
            self._remove(namespace, name)


def _identify(obj: Any) -> Identity:
    metadata = obj.metadata
    return Identity(metadata.namespace, metadata.name, metadata.uid, metadata.resource_version)
