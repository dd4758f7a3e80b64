"""The objects a router read, and the changes that lead from them to what it renders."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from sluicegate.api.merge import merge_patch
from sluicegate.api.resources import ROLLOUTS
from sluicegate.errors import NotFound, PluginError
from sluicegate.plugins.objects import Lifecycle, Manifest, ObjectReference, ObjectSelection, copied

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sluicegate.api.resources import Resource
    from sluicegate.api.rollout import Rollout
    from sluicegate.plugins.objects import Objects

Read = ObjectReference | ObjectSelection


class Verb(StrEnum):
    """What a change does to an object."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One write that makes an object as rendered; `observed` is None for a create, `wanted` for a delete."""

    verb: Verb
    reference: ObjectReference
    observed: Manifest | None
    wanted: Manifest | None


class _Identity(NamedTuple):
    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


@dataclass(slots=True)
class Observed:
    """The Rollout, and the objects that `reads` named, as they are now.

    Every access gives a private copy, so a router may change what it got and return it.
    """

    rollout: Rollout
    _router: str
    _objects: dict[_Identity, tuple[ObjectReference, Manifest | None]] = field(default_factory=dict)
    _selections: dict[ObjectSelection, list[_Identity]] = field(default_factory=dict)

    def __getitem__(self, reference: ObjectReference) -> Manifest:
        """The object; raises NotFound if it does not exist, KeyError if `reads` did not name it."""
        manifest = self.get(reference)
        if manifest is None:
            raise self._missing(reference)
        return manifest

    def get(self, reference: ObjectReference) -> Manifest | None:
        """The object, or None if it does not exist; raises KeyError if `reads` did not name it."""
        manifest = self._find(self._identify(reference))[1]
        return None if manifest is None else copied(manifest)

    def select(self, selection: ObjectSelection) -> list[Manifest]:
        """The objects of a selection, sorted by name; raises KeyError if `reads` did not name it."""
        found = (self._objects[identity][1] for identity in self._selections[selection])
        return [copied(manifest) for manifest in found if manifest is not None]

    def changes(self, rendered: Iterable[Manifest]) -> Iterator[Change]:
        """What makes the cluster as rendered: in the order rendered, deletes last, nothing for what is equal.

        Lazy: the next manifest is drawn when the change before has been taken. Labels, annotations and all outside
        `metadata` and `status` are compared, null as absent; the rest is the API server's and stays. Raises NotFound
        for an object that is the user's and does not exist, PluginError for one to be owned that another owns, KeyError
        for one that `reads` did not name.
        """
        kept = set()
        for manifest in rendered:
            identity = self._identity(manifest)
            kept.add(identity)
            yield from self._difference(*self._find(identity), manifest)
        for identity, (reference, observed) in self._objects.items():
            if identity not in kept and observed is not None and self._is_ours(reference, observed):
                yield Change(Verb.DELETE, reference, observed, None)

    async def read(self, objects: Objects, read: Read) -> None:
        """Read one object or selection into this view."""
        if isinstance(read, ObjectSelection):
            self._selections[read] = sorted(self._add_selected(read, found) for found in await objects.list(read))
        else:
            self._objects[self._identify(read)] = (read, await _get(objects, read))

    def _add_selected(self, selection: ObjectSelection, manifest: Manifest) -> _Identity:
        reference = ObjectReference(selection.resource, manifest["metadata"]["name"], selection.namespace)
        identity = self._identify(reference)
        self._objects.setdefault(identity, (reference, _typed(manifest, selection.resource)))
        return identity

    def _difference(
        self, reference: ObjectReference, observed: Manifest | None, manifest: Manifest
    ) -> Iterator[Change]:
        if observed is None:
            yield Change(Verb.CREATE, reference, None, self._new(reference, manifest))
            return
        if reference.lifecycle is Lifecycle.OWNED and not self._is_ours(reference, observed):
            raise self._foreign(reference)
        wanted = _settled(manifest, observed)
        if merge_patch(_settled(observed, observed), wanted):
            yield Change(Verb.UPDATE, reference, observed, wanted)

    def _new(self, reference: ObjectReference, manifest: Manifest) -> Manifest:
        if reference.lifecycle is Lifecycle.EDITED:
            raise self._missing(reference)
        metadata = {**manifest["metadata"], "namespace": self._identify(reference).namespace}
        if reference.lifecycle is Lifecycle.OWNED:
            metadata["ownerReferences"] = [_owner_reference(self.rollout)]
        return {**manifest, "metadata": metadata}

    def _is_ours(self, reference: ObjectReference, observed: Manifest) -> bool:
        if reference.lifecycle is Lifecycle.OWNED:
            return _controller_uid(observed) == self.rollout.metadata.uid
        return reference.lifecycle is Lifecycle.CREATED

    def _find(self, identity: _Identity) -> tuple[ObjectReference, Manifest | None]:
        if identity not in self._objects:
            raise KeyError(f"{identity} is not among what `reads` of router `{self._router}` returned")
        return self._objects[identity]

    def _identify(self, reference: ObjectReference) -> _Identity:
        namespace = reference.namespace or self.rollout.metadata.namespace
        return _Identity(reference.resource.api_version, reference.resource.kind, namespace, reference.name)

    def _identity(self, manifest: Manifest) -> _Identity:
        metadata = manifest["metadata"]
        namespace = metadata.get("namespace") or self.rollout.metadata.namespace
        return _Identity(manifest["apiVersion"], manifest["kind"], namespace, metadata["name"])

    def _missing(self, reference: ObjectReference) -> NotFound:
        return NotFound(f"{self._identify(reference)} does not exist", status=404, reason="NotFound")

    def _foreign(self, reference: ObjectReference) -> PluginError:
        message = (
            f"{self._identify(reference)} belongs to a different object, not to Rollout {self.rollout.metadata.name}: "
            "rename or delete it"
        )
        return PluginError(message, plugin=self._router, operation="apply")


async def _get(objects: Objects, reference: ObjectReference) -> Manifest | None:
    try:
        return _typed(await objects.get(reference), reference.resource)
    except NotFound:
        return None


def _typed(manifest: Manifest, resource: Resource) -> Manifest:
    """A list of the API leaves out apiVersion and kind of its items."""
    return {"apiVersion": resource.api_version, "kind": resource.kind, **manifest}


def _settled(manifest: Manifest, observed: Manifest) -> Manifest:
    """The manifest with what the API server or other controllers keep in the observed object."""
    metadata = {key: value for key, value in observed["metadata"].items() if key not in ("labels", "annotations")}
    for key in ("labels", "annotations"):
        if entries := manifest["metadata"].get(key):
            metadata[key] = entries
    settled = {key: value for key, value in manifest.items() if key != "status"} | {"metadata": metadata}
    return settled | ({"status": observed["status"]} if "status" in observed else {})


def _controller_uid(manifest: Manifest) -> str | None:
    owners = manifest["metadata"].get("ownerReferences") or []
    return next((owner["uid"] for owner in owners if owner.get("controller")), None)


def _owner_reference(rollout: Rollout) -> dict[str, str | bool]:
    return {
        "apiVersion": ROLLOUTS.api_version,
        "kind": ROLLOUTS.kind,
        "name": rollout.metadata.name,
        "uid": rollout.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
