"""Cascading deletion: dependents follow their owners, namespaces and definitions take their contents with them.

It works from the store's changes alone and looks at the present state each time, so that it can start at any moment and
miss nothing: what it finds half done after a restart it finishes.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from sluicegate.api.resources import CRDS
from sluicegate.errors import Expired
from sluicegate.local import versions
from sluicegate.local.apiserver import crds
from sluicegate.local.objects import Key, owner_uids
from sluicegate.local.versions import FOREGROUND, ORPHAN

if TYPE_CHECKING:
    from sluicegate.local.objects import Change, Document, Object
    from sluicegate.local.store import ObjectStore

RETRY_SECONDS: Final = 1.0
_NAMESPACES = ("", "namespaces")
_log = logging.getLogger(__name__)


class GarbageCollector:
    """Deletes what nobody owns any more, and finishes the deletions that wait for others."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def run(self) -> None:
        """Collect until cancelled."""
        while True:
            subscription = self._store.subscribe()
            try:
                for key in self._store.all_keys():
                    self._look_at(key)
                async for change in subscription:
                    self._follow(change)
                return
            except Expired:
                continue
            except Exception:
                # What is half done is found again by looking at everything.
                _log.exception("cannot collect garbage; trying again")
                await asyncio.sleep(RETRY_SECONDS)
            finally:
                subscription.close()

    def _follow(self, change: Change) -> None:
        if change.type != "DELETED":
            self._look_at(change.key)
            return
        for dependent in self._store.dependents(change.object["metadata"]["uid"]):
            self._look_at(dependent)
        for uid in owner_uids(change.object):
            self._look_at(self._store.key_of(uid))
        self._look_at(Key(*_NAMESPACES, "", change.key.namespace))
        self._look_at(crds.key(change.key.resource))

    def _look_at(self, key: Key | None) -> None:
        found = self._store.find(key) if key else None
        if key is None or found is None:
            return
        if "deletionTimestamp" in found["metadata"]:
            self._finish_deletion(key, found)
        elif owner_uids(found):
            self._check_owners(key, found)

    def _check_owners(self, key: Key, dependent: Document) -> None:
        """An object goes with the last of its owners; it forgets owners that are gone or wait for it to go."""
        references = dependent["metadata"]["ownerReferences"]
        present = [(reference, self._owner(key, reference)) for reference in references]
        solid = [reference for reference, owner in present if owner and not _waits_for_dependents(owner)]
        waiting = [reference for reference, owner in present if owner and _waits_for_dependents(owner)]
        if solid and len(solid) < len(references):
            self._store.update(key, lambda obj: _with_owners(obj, solid))
        elif not solid:
            cascades = bool(waiting and self._store.dependents(dependent["metadata"]["uid"]))
            self._store.delete(key, propagation="Foreground" if cascades else _own_propagation(dependent))

    def _owner(self, key: Key, reference: Object) -> Document | None:
        at = self._store.key_of(reference.get("uid", ""))
        if at is None or at.namespace not in ("", key.namespace):
            return None
        return self._store.find(at)

    def _finish_deletion(self, key: Key, found: Document) -> None:
        waiting_for = found["metadata"].get("finalizers") or ()
        if ORPHAN in waiting_for:
            self._orphan_dependents(found)
            self._release(key, ORPHAN)
        elif FOREGROUND in waiting_for:
            self._delete_dependents(key, found)
        if key.kind == _NAMESPACES:
            self._empty_namespace(key)
        elif key.kind == (CRDS.group, CRDS.plural):
            self._empty_definition(key, found)

    def _orphan_dependents(self, owner: Document) -> None:
        uid = owner["metadata"]["uid"]
        for dependent in self._store.dependents(uid):
            self._store.update(dependent, lambda obj: _without_owner(obj, uid))

    def _delete_dependents(self, key: Key, owner: Document) -> None:
        uid = owner["metadata"]["uid"]
        for dependent in self._store.dependents(uid):
            found = self._store.get(dependent)
            if "deletionTimestamp" not in found["metadata"]:
                self._check_owners(dependent, found)
        if not any(_blocks(self._store.get(dependent), uid) for dependent in self._store.dependents(uid)):
            self._release(key, FOREGROUND)

    def _release(self, key: Key, finalizer: str) -> None:
        if self._store.find(key):
            self._store.update(key, lambda obj: _without_finalizer(obj, finalizer))

    def _empty_namespace(self, key: Key) -> None:
        contents = [inside for inside in self._store.all_keys() if inside.namespace == key.name]
        for inside in contents:
            self._store.delete(inside)
        if not any(self._store.find(inside) for inside in contents) and self._store.find(key):
            self._store.update(key, lambda obj: {**obj, "spec": {**obj["spec"], "finalizers": []}})

    def _empty_definition(self, key: Key, crd: Document) -> None:
        kind = crd["spec"]["group"], crd["spec"]["names"]["plural"]
        for obj in self._store.list(*kind):
            metadata = obj["metadata"]
            self._store.delete(Key(*kind, metadata.get("namespace", ""), metadata["name"]))
        if not self._store.list(*kind):
            self._release(key, crds.CLEANUP_FINALIZER)


def _waits_for_dependents(owner: Document) -> bool:
    metadata = owner["metadata"]
    return "deletionTimestamp" in metadata and FOREGROUND in (metadata.get("finalizers") or ())


def _blocks(dependent: Document, uid: str) -> bool:
    references = dependent["metadata"].get("ownerReferences") or ()
    return any(reference.get("uid") == uid and reference.get("blockOwnerDeletion") for reference in references)


def _own_propagation(obj: Document) -> str:
    finalizers = versions.finalizers(obj)
    if ORPHAN in finalizers:
        return "Orphan"
    return "Foreground" if FOREGROUND in finalizers else "Background"


def _with_owners(obj: Object, references: list[Object]) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": references}}


def _without_owner(obj: Object, uid: str) -> Object:
    references = obj["metadata"].get("ownerReferences") or ()
    return _with_owners(obj, [reference for reference in references if reference.get("uid") != uid])


def _without_finalizer(obj: Object, finalizer: str) -> Object:
    finalizers = [name for name in obj["metadata"].get("finalizers") or () if name != finalizer]
    return {**obj, "metadata": {**obj["metadata"], "finalizers": finalizers}}
