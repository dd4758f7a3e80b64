"""The cluster's objects in memory: the calls of `sluicegate.plugins.Objects`, with the API's conflicts and refusals."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from sluicegate.errors import AlreadyExists, Conflict, Forbidden, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sluicegate.plugins import Manifest, ObjectReference, ObjectSelection

_Key = tuple[str, str, str]


class MemoryObjects:
    """Holds manifests of one namespace and implements `sluicegate.plugins.Objects` on them.

    Attributes: `writes` (each request that writes, as `verb Kind/namespace/name`, refused ones too), `refuse` (is asked
    before each write with that text; what it raises is the API's answer).
    """

    def __init__(self, manifests: Iterable[Manifest] = (), *, namespace: str = "default") -> None:
        self.namespace = namespace
        self.writes: list[str] = []
        self.refuse: Callable[[str], None] = lambda write: None
        self._version = 0
        self._objects: dict[_Key, Manifest] = {}
        for manifest in manifests:
            self.put(manifest)

    def put(self, manifest: Manifest) -> Manifest:
        """Store a manifest as another client's write would, and return it as stored."""
        metadata = {"namespace": self.namespace, **manifest["metadata"]}
        key = (manifest["kind"], metadata["namespace"], metadata["name"])
        self._version += 1
        metadata |= {"uid": metadata.get("uid", f"uid-{self._version}"), "resourceVersion": str(self._version)}
        self._objects[key] = copy.deepcopy({**manifest, "metadata": metadata})
        return copy.deepcopy(self._objects[key])

    def documents(self) -> list[Manifest]:
        """All objects as stored, by kind, namespace and name."""
        return [copy.deepcopy(self._objects[key]) for key in sorted(self._objects)]

    async def get(self, reference: ObjectReference) -> Manifest:
        """Read one object; raises NotFound or Forbidden."""
        return copy.deepcopy(self._find(self._key(reference)))

    async def list(self, selection: ObjectSelection) -> list[Manifest]:
        """Read all objects of a selection, which may name equal labels only (`a=b,c=d`)."""
        namespace = self._own(selection.namespace)
        return [
            copy.deepcopy(manifest)
            for (kind, where, _), manifest in self._objects.items()
            if (kind, where) == (selection.resource.kind, namespace) and _selects(selection.label_selector, manifest)
        ]

    async def create(self, reference: ObjectReference, wanted: Manifest) -> Manifest:
        """Store a new object; raises AlreadyExists."""
        key = self._write("create", reference)
        if key in self._objects:
            raise AlreadyExists(f"{_text(key)} already exists", status=409, reason="AlreadyExists")
        return self.put(wanted)

    async def update(self, reference: ObjectReference, observed: Manifest, wanted: Manifest) -> Manifest:
        """Store `wanted` in place of `observed`; raises Conflict if that is not what is stored."""
        self._check_version(self._write("update", reference), observed)
        return self.put(wanted)

    async def delete(self, reference: ObjectReference, observed: Manifest) -> None:
        """Remove the object if it is still the one observed."""
        key = self._write("delete", reference)
        if key in self._objects and self._objects[key]["metadata"]["uid"] == observed["metadata"]["uid"]:
            del self._objects[key]

    def _write(self, verb: str, reference: ObjectReference) -> _Key:
        key = self._key(reference)
        self.writes.append(f"{verb} {_text(key)}")
        self.refuse(self.writes[-1])
        return key

    def _check_version(self, key: _Key, observed: Manifest) -> None:
        if self._find(key)["metadata"]["resourceVersion"] != observed["metadata"]["resourceVersion"]:
            raise Conflict(f"{_text(key)} has changed since it was read", status=409, reason="Conflict")

    def _find(self, key: _Key) -> Manifest:
        if key not in self._objects:
            raise NotFound(f"{_text(key)} not found", status=404, reason="NotFound")
        return self._objects[key]

    def _key(self, reference: ObjectReference) -> _Key:
        return reference.resource.kind, self._own(reference.namespace), reference.name

    def _own(self, namespace: str) -> str:
        if namespace not in ("", self.namespace):
            raise Forbidden(
                f"namespace {namespace} is not the Rollout's, {self.namespace}", status=403, reason="Forbidden"
            )
        return self.namespace


def _text(key: _Key) -> str:
    return "/".join(key)


def _selects(selector: str, manifest: Manifest) -> bool:
    labels = manifest["metadata"].get("labels") or {}
    wanted = dict(term.split("=", 1) for term in selector.split(",") if term)
    return wanted.items() <= labels.items()
