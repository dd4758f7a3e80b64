"""The API of the model: one object store in memory, and the controller's connection to it, which can be made to fail.

The store is the embedded cluster's, so that versions, generations, the status subresource and conflicts are what they
are there. There is no socket and no waiting: a request is a function call.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from sluicegate.api.merge import apply_merge_patch
from sluicegate.api.pod_defaults import defaulted_template
from sluicegate.api.resources import INGRESSES, REPLICA_SETS, ROLLOUTS, SERVICES, Resource
from sluicegate.errors import ApiError, Conflict, ConnectError, ServerError
from sluicegate.local.objects import Document, Key, Object
from sluicegate.local.store import ObjectStore
from sluicegate.local.versions import Traits

NAMESPACE: Final = "default"
KINDS: Final = (ROLLOUTS, REPLICA_SETS, SERVICES, INGRESSES)


class Fault(StrEnum):
    """What becomes of one write of the controller."""

    CONFLICT = "409"
    FAILURE = "500"
    LOST_ANSWER = "answer lost"
    """The write is made, and the connection breaks before the answer."""
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"


class Killed(BaseException):
    """The controller's process ends here, whatever it was about to do."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write of the controller that changed the store; `before` is None for a new object, `after` for one gone."""

    resource: Resource
    name: str
    before: Document | None
    after: Document | None

    def __str__(self) -> str:
        verb = "create" if self.before is None else "delete" if self.after is None else "change"
        return f"{verb} {self.resource.kind} {self.name}"


@dataclass
class Cluster:
    """The objects of one namespace.

    `faults` come over the next writes of the controller, one each, None letting a write through. `before_write` is
    called ahead of every such write, `on_write` after those that changed something.
    """

    clock: Callable[[], datetime]
    faults: list[Fault | None] = field(default_factory=list)
    before_write: Callable[[], None] = lambda: None
    on_write: Callable[[Write], None] = lambda write: None
    on_evict: Callable[[str, str], None] = lambda name, uid: None
    on_pod_patch: Callable[[str, Object], None] = lambda name, patch: None

    def __post_init__(self) -> None:
        self.store = ObjectStore(clock=self.clock)
        self.store.declare(ROLLOUTS.group, ROLLOUTS.plural, Traits(status=True, generation=True))

    # What everybody but the controller does.

    def find(self, resource: Resource, name: str) -> Document | None:
        return self.store.find(key_of(resource, name))

    def get(self, resource: Resource, name: str) -> Document:
        return self.store.get(key_of(resource, name))

    def list(self, resource: Resource) -> list[Document]:
        return self.store.list(resource.group, resource.plural, NAMESPACE)

    def create(self, resource: Resource, body: Object) -> Document:
        if resource == REPLICA_SETS:
            body = {**body, "spec": {**body["spec"], "template": defaulted_template(body["spec"]["template"])}}
        typed = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
        return self.store.create(key_of(resource, body["metadata"]["name"]), typed)

    def patch(self, resource: Resource, name: str, patch: Object, subresource: str = "") -> Document:
        def change(current: Object) -> Object:
            changed: Object = apply_merge_patch(current, patch)
            return changed

        return self.store.update(key_of(resource, name), change, subresource=subresource)


class ControllerClient:
    """The methods of `kube.Client` that the controller uses on a Rollout, each a call into the store."""

    address = "memory"
    source = "the test"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        return self._cluster.get(resource, name).private_copy()

    async def get_bytes(self, resource: Resource, namespace: str | None, name: str) -> bytes:
        return self._cluster.get(resource, name).encoded

    async def create(self, resource: Resource, namespace: str | None, body: Object) -> Object:
        return self._write(resource, body["metadata"]["name"], lambda: self._cluster.create(resource, body))

    async def patch(
        self, resource: Resource, namespace: str | None, name: str, body: Object, *, subresource: str = ""
    ) -> Object:
        if resource.plural == "pods":
            self._fail_by(None, lambda: self._cluster.on_pod_patch(name, body))
            return {}
        return self._write(resource, name, lambda: self._cluster.patch(resource, name, body, subresource))

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str = "Background",
    ) -> None:
        self._write(
            resource,
            name,
            lambda: self._cluster.store.delete(key_of(resource, name), uid=uid, resource_version=resource_version),
        )

    async def evict(self, namespace: str, pod: str, *, uid: str) -> None:
        self._fail_by(None, lambda: self._cluster.on_evict(pod, uid))

    def _write(self, resource: Resource, name: str, write: Callable[[], Document]) -> Object:
        answer: list[Document] = []

        def make() -> None:
            before = self._cluster.find(resource, name)
            answer.append(write())
            after = self._cluster.find(resource, name)
            if before is not after:
                self._cluster.on_write(Write(resource, name, before, after))

        self._fail_by(key_of(resource, name), make)
        return answer[0].private_copy()

    def _fail_by(self, key: Key | None, make: Callable[[], None]) -> None:
        self._cluster.before_write()
        fault = self._cluster.faults.pop(0) if self._cluster.faults else None
        if fault is Fault.KILLED_BEFORE:
            raise Killed
        if fault in (Fault.CONFLICT, Fault.FAILURE):
            raise _refusal(fault, key)
        make()
        if fault is Fault.KILLED_AFTER:
            raise Killed
        if fault is Fault.LOST_ANSWER:
            raise ConnectError("the connection broke", address=self.address, source=self.source)


def key_of(resource: Resource, name: str) -> Key:
    return Key(resource.group, resource.plural, NAMESPACE, name)


def annotations_of(document: Object) -> dict[str, str]:
    found: dict[str, str] = document["metadata"].get("annotations") or {}
    return found


def images_of(document: Object) -> Iterator[str]:
    yield from (container["image"] for container in document["spec"]["template"]["spec"]["containers"])


def _refusal(fault: Fault, key: Key | None) -> ApiError:
    if fault is Fault.CONFLICT:
        return Conflict(f"{key} was changed meanwhile", status=409, reason="Conflict")
    return ServerError(f"{key}: the server failed", status=500, reason="InternalError")
