"""The one object store of the embedded cluster: Kubernetes' object semantics and nothing of HTTP.

It gives uids, timestamps, resource versions and generations, refuses stale writes, holds deletions back for finalizers
and grace periods, and tells watchers of every change. It lives on one event loop and is not thread-safe. Cascading
deletion, defaulting and validation are the business of others.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sluicegate.local import failures, versions
from sluicegate.local.database import Database
from sluicegate.local.history import History
from sluicegate.local.objects import Change, Document, Key, Kind, Object, owner_uids, timestamp

if TYPE_CHECKING:
    from pathlib import Path

    from sluicegate.local.history import Subscription
    from sluicegate.local.versions import Traits

Edit = Callable[[Object], Object | None]
Observer = Callable[[Change], None]
_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_LONGEST_PREFIX = 63 - _SUFFIX_LENGTH


class ObjectStore:
    """All objects of one cluster; with a data folder they outlive the process.

    What it returns is stored: never change it. Raises ConfigError if the data folder cannot be used.
    """

    def __init__(
        self, data_dir: Path | None = None, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._clock = clock if clock is not None else _utc_now
        self._objects: defaultdict[Kind, dict[Key, Document]] = defaultdict(dict)
        self._keys_by_uid: dict[str, Key] = {}
        self._dependents: defaultdict[str, set[Key]] = defaultdict(set)
        self._traits: dict[Kind, Traits] = {}
        self._observers: defaultdict[Kind, list[Observer]] = defaultdict(list)
        self._version = 0
        self._database = Database(data_dir) if data_dir else None
        if self._database:
            self._restore(self._database)
        self._history = History(floor=self._version)

    def _restore(self, database: Database) -> None:
        self._version = database.version()
        for key, data in database.load():
            self._index(key, None, Document(data))

    @property
    def resource_version(self) -> int:
        """The version of the last write; a watch from here sees everything that comes."""
        return self._version

    def timestamp(self) -> str:
        """Return the present time by the store's clock, as it stands in objects."""
        return timestamp(self._clock())

    def declare(self, group: str, plural: str, traits: Traits) -> None:
        """Say how objects of a custom kind behave."""
        self._traits[group, plural] = traits

    def traits(self, kind: Kind) -> Traits:
        """Return how objects of a kind behave."""
        return self._traits.get(kind) or versions.builtin_traits(kind)

    def observe(self, group: str, plural: str, observer: Observer) -> None:
        """Call `observer` with every change of a kind, within the write."""
        self._observers[group, plural].append(observer)

    def subscribe(self, *kinds: Kind, since: int | None = None) -> Subscription:
        """Return the changes of these kinds (of all, if none is given) from now on, or from after the version `since`.

        Raises Expired if the history does not reach back to `since`.
        """
        return self._history.subscribe(frozenset(kinds), since)

    def oldest_version(self, kind: Kind) -> int:
        """Return the oldest resource version from which the changes of a kind are still known."""
        return self._history.floor((kind,))

    def get(self, key: Key) -> Document:
        """Return the object stored under a key; raises NotFound."""
        found = self.find(key)
        if found is None:
            raise failures.not_found(key)
        return found

    def find(self, key: Key) -> Document | None:
        """Return the object stored under a key, None if there is none."""
        return self._objects[key.kind].get(key)

    def all_keys(self) -> list[Key]:
        """Return the keys of all objects of all kinds."""
        return [key for stored in self._objects.values() for key in stored]

    def key_of(self, uid: str) -> Key | None:
        """Return where the object with this uid is, None if there is none."""
        return self._keys_by_uid.get(uid)

    def dependents(self, uid: str) -> list[Key]:
        """Return the objects that name this uid as an owner."""
        return sorted(self._dependents.get(uid, ()))

    def list(self, group: str, plural: str, namespace: str | None = None) -> list[Document]:
        """Return all objects of a kind by namespace and name, or those of one namespace."""
        stored = self._objects[group, plural]
        return [stored[key] for key in sorted(key for key in stored if namespace in (None, key.namespace))]

    def create(self, key: Key, obj: Object, *, dry_run: bool = False) -> Document:
        """Store a new object and return it; with an empty name in the key, name it after its `generateName`.

        Raises AlreadyExists.
        """
        key = key if key.name else self._generated(key, obj)
        if self.find(key):
            raise failures.already_exists(key)
        now = self._clock()
        created = versions.first(
            obj, self.traits(key.kind), name=key.name, namespace=key.namespace, uid=str(uuid4()), now=now
        )
        return self._commit("ADDED", key, created, dry_run=dry_run)

    def _generated(self, key: Key, obj: Object) -> Key:
        prefix = (obj.get("metadata") or {}).get("generateName") or ""
        while True:
            suffix = "".join(secrets.choice(_SUFFIX_ALPHABET) for _ in range(_SUFFIX_LENGTH))
            candidate = key._replace(name=prefix[:_LONGEST_PREFIX] + suffix)
            if not self.find(candidate):
                return candidate

    def update(self, key: Key, change: Edit, *, subresource: str = "", dry_run: bool = False) -> Document:
        """Read, change and write an object in one go and return what is stored then.

        `change` gets a private copy and returns the new object; None, or no difference, writes nothing. With the
        subresource `status` only the status is written, else everything but the status. Raises NotFound, and Conflict
        if the returned object carries another `resourceVersion` or `uid` than the stored one.
        """
        current = self.get(key)
        new = change(current.private_copy())
        if new is None:
            return current
        _check_preconditions(key, current, new.get("metadata") or {})
        following = versions.following(current, new, self.traits(key.kind), subresource)
        if following == current:
            return current
        if versions.is_gone(following):
            return self._commit("DELETED", key, following, dry_run=dry_run)
        return self._commit("MODIFIED", key, following, dry_run=dry_run)

    def replace(self, key: Key, obj: Object, *, subresource: str = "", dry_run: bool = False) -> Document:
        """Write an object over the stored one; raises NotFound, and Conflict if its `resourceVersion` is stale."""
        return self.update(key, lambda _: obj, subresource=subresource, dry_run=dry_run)

    def delete(
        self,
        key: Key,
        *,
        propagation: str = "Background",
        grace_seconds: int | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        dry_run: bool = False,
    ) -> Document:
        """Delete an object, or mark it for deletion while finalizers or a Pod's grace period hold it back.

        Returns its last state. Raises NotFound, and Conflict if `uid` or `resource_version` is not the stored one.
        """
        current = self.get(key)
        _check_preconditions(key, current, {"uid": uid, "resourceVersion": resource_version})
        grace = versions.grace_period(current, grace_seconds)
        marked = versions.deleting(current, propagation=propagation, grace=grace, now=self._clock())
        if versions.is_gone(marked):
            return self._commit("DELETED", key, current, dry_run=dry_run)
        if marked == current:
            return current
        return self._commit("MODIFIED", key, marked, dry_run=dry_run)

    def close(self) -> None:
        """End all subscriptions and close the data folder."""
        self._history.close()
        if self._database:
            self._database.close()

    def _commit(self, kind_of_change: str, key: Key, obj: Object, *, dry_run: bool) -> Document:
        version = self._version + 1
        metadata = {**obj["metadata"], "resourceVersion": str(version)}
        if dry_run:
            return Document(obj)
        document = Document({**obj, "metadata": metadata})
        self._persist(kind_of_change, key, document, version)
        self._version = version
        previous = self.find(key)
        self._index(key, previous, None if kind_of_change == "DELETED" else document)
        self._announce(Change(kind_of_change, key, document, previous, version))
        return document

    def _persist(self, kind_of_change: str, key: Key, document: Document, version: int) -> None:
        if self._database and kind_of_change == "DELETED":
            self._database.remove(key, version)
        elif self._database:
            self._database.put(key, document.encoded, version)

    def _announce(self, change: Change) -> None:
        for observer in self._observers.get(change.key.kind, ()):
            observer(change)
        self._history.record(change)

    def _index(self, key: Key, previous: Document | None, current: Document | None) -> None:
        if previous is not None:
            self._unindex(key, previous)
        if current is None:
            return
        self._objects[key.kind][key] = current
        self._keys_by_uid[current["metadata"]["uid"]] = key
        for uid in owner_uids(current):
            self._dependents[uid].add(key)

    def _unindex(self, key: Key, previous: Document) -> None:
        del self._objects[key.kind][key]
        del self._keys_by_uid[previous["metadata"]["uid"]]
        for uid in owner_uids(previous):
            self._dependents[uid].discard(key)
            if not self._dependents[uid]:
                del self._dependents[uid]


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _check_preconditions(key: Key, current: Object, wanted: dict[str, Any]) -> None:
    stored = current["metadata"]
    if wanted.get("uid") and wanted["uid"] != stored["uid"]:
        why = f"Precondition failed: UID in precondition: {wanted['uid']}, UID in object meta: {stored['uid']}"
        raise failures.conflict(key, why)
    if wanted.get("resourceVersion") and wanted["resourceVersion"] != stored["resourceVersion"]:
        raise failures.conflict(key)
