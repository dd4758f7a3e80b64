"""What a router may reach of the cluster: the objects of its Rollout's namespace, and no Secrets.

A router's settings come from a tenant's manifest, and the controller may do more than the tenant: the fence is here,
before any request.
"""

from typing import Any, Final

from sluicegate.api.merge import merge_patch
from sluicegate.api.resources import SECRETS, Resource
from sluicegate.controller.caches import Key, StoredObject
from sluicegate.controller.watches import Watches
from sluicegate.errors import AlreadyExists, BadRequest, Conflict, Forbidden, NotFound
from sluicegate.kube.client import Client
from sluicegate.kube.patches import with_resource_version
from sluicegate.plugins.objects import Manifest, ObjectReference, ObjectSelection, copied

_NO_NAMES: Final = ("", ".", "..")
"""They would lead to another URL than that of an object."""


class RolloutObjects:
    """`sluicegate.plugins.Objects` for one Rollout, given as `reader`.

    Reads come from the caches of `watches`, with all that this process has written seen at once, and make the Rollout
    depend on what they read. Writes are JSON merge patches of what differs, at the version that was observed; one that
    conflicts has the object read from the API itself, so that the next read is not the same again. What is asked for
    outside the Rollout's namespace, and any Secret, is Forbidden; nothing is sent then.
    """

    def __init__(self, client: Client, watches: Watches, reader: Key) -> None:
        self._client = client
        self._watches = watches
        self._reader = reader

    @property
    def _namespace(self) -> str:
        return self._reader[0]

    async def get(self, reference: ObjectReference) -> Manifest:
        """Read one object; raises NotFound."""
        self._admit_object(reference)
        stored = await self._watches.get(self._reader, reference.resource, self._namespace, reference.name)
        if stored is None:
            raise NotFound(f"{self._shown(reference)} does not exist", status=404, reason="NotFound")
        return _manifest(reference.resource, stored)

    async def list(self, selection: ObjectSelection) -> list[Manifest]:
        """Read all objects of a selection; raises BadRequest for a label selector that is none."""
        self._admit(selection.resource, selection.namespace, f"objects matching {selection.label_selector!r}")
        found = await self._watches.list(self._reader, selection.resource, self._namespace, selection.label_selector)
        return [_manifest(selection.resource, stored) for stored in found]

    async def create(self, reference: ObjectReference, wanted: Manifest) -> Manifest:
        """Create an object, under the name and in the namespace of the reference; raises AlreadyExists."""
        self._admit_object(reference)
        metadata = {**wanted.get("metadata", {}), "name": reference.name, "namespace": self._namespace}
        try:
            answer = await self._client.create(reference.resource, self._namespace, {**wanted, "metadata": metadata})
        except AlreadyExists:
            await self._refresh(reference)
            raise
        return self._written(reference, answer)

    async def update(self, reference: ObjectReference, observed: Manifest, wanted: Manifest) -> Manifest:
        """Send the JSON merge patch from `observed` to `wanted`, if there is one.

        Raises Conflict if `observed` is no longer current, or gone.
        """
        self._admit_object(reference)
        patch = merge_patch(observed, wanted)
        if not patch:
            return copied(observed)
        patch = with_resource_version(patch, observed["metadata"]["resourceVersion"])
        try:
            answer = await self._client.patch(reference.resource, self._namespace, reference.name, patch)
        except (Conflict, NotFound) as error:
            await self._refresh(reference, observed)
            raise Conflict(f"{self._shown(reference)}: {error}", status=409, reason="Conflict") from error
        return self._written(reference, answer)

    async def delete(self, reference: ObjectReference, observed: Manifest) -> None:
        """Delete the object that was observed; one that is gone, or replaced by another of its name, is no error."""
        self._admit_object(reference)
        uid = observed["metadata"]["uid"]
        try:
            await self._client.delete(reference.resource, self._namespace, reference.name, uid=uid)
        except (Conflict, NotFound):
            await self._refresh(reference, observed)
        else:
            self._watches.deleted(reference.resource, observed)

    async def _refresh(self, reference: ObjectReference, observed: Manifest | None = None) -> None:
        """Read from the API what the cache has shown wrongly."""
        try:
            live = await self._client.get(reference.resource, self._namespace, reference.name)
        except NotFound:
            if observed:
                self._watches.deleted(reference.resource, observed)
        else:
            self._watches.written(self._reader, reference.resource, live)

    def _written(self, reference: ObjectReference, answer: Manifest) -> Manifest:
        self._watches.written(self._reader, reference.resource, answer)
        answer["metadata"].pop("managedFields", None)
        return answer

    def _admit_object(self, reference: ObjectReference) -> None:
        self._admit(reference.resource, reference.namespace, repr(reference.name))
        if reference.name in _NO_NAMES:
            message = f"{reference.resource.kind}: {reference.name!r} is no name of an object"
            raise BadRequest(message, status=400, reason="BadRequest")

    def _admit(self, resource: Resource, namespace: str, what: str) -> None:
        if not resource.namespaced:
            raise self._out_of_reach(f"{resource.kind} {what} belongs to no namespace")
        if namespace not in ("", self._namespace):
            raise self._out_of_reach(f"{resource.kind} {what} is in namespace {namespace}")
        if (resource.group, resource.plural) == (SECRETS.group, SECRETS.plural):
            raise self._out_of_reach(f"{resource.kind} {what} is a Secret")

    def _out_of_reach(self, why: str) -> Forbidden:
        rollout = f"Rollout {self._reader[1]} of namespace {self._namespace}"
        message = f"{why}: a router of {rollout} reaches objects of that namespace only, and no Secrets"
        return Forbidden(message, status=403, reason="Forbidden")

    def _shown(self, reference: ObjectReference) -> str:
        return f"{reference.resource.kind} {self._namespace}/{reference.name}"


def _manifest(resource: Resource, stored: StoredObject) -> Manifest:
    # A list of the API leaves out apiVersion and kind of its items.
    kind: dict[str, Any] = {"apiVersion": resource.api_version, "kind": resource.kind}
    return {**kind, **copied(stored.document)}
