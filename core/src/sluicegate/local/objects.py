"""The values that the object store keeps and hands out: keys, documents and changes.

A document is immutable by convention: whoever wants another one builds it, or changes a `private_copy`. That is what
lets lists and watches send the same cached bytes to everybody.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

Object = dict[str, Any]
Kind = tuple[str, str]
"""API group and plural, e.g. `("apps", "replicasets")`; the core group is `""`."""


class Key(NamedTuple):
    """Where an object is stored; `namespace` is empty for cluster-scoped kinds."""

    group: str
    plural: str
    namespace: str
    name: str

    @property
    def kind(self) -> Kind:
        """The group and plural alone."""
        return self.group, self.plural

    @property
    def resource(self) -> str:
        """The resource as messages name it, e.g. `pods` or `rollouts.argoproj.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


class Change(NamedTuple):
    """One write, as watchers see it; `previous` is what was stored before it, None for ADDED."""

    type: str
    key: Key
    object: Document
    previous: Document | None
    resource_version: int


class Document(dict[str, Any]):
    """A stored object, with its JSON encoding kept once it has been asked for. Never mutate one."""

    __slots__ = ("_encoded",)
    _encoded: bytes

    @property
    def encoded(self) -> bytes:
        """The object as JSON."""
        try:
            return self._encoded
        except AttributeError:
            self._encoded = msgspec.json.encode(self)
            return self._encoded

    def private_copy(self) -> Object:
        """Return a deep copy that the caller may change."""
        copied: Object = msgspec.json.decode(self.encoded)
        return copied


def timestamp(moment: datetime) -> str:
    """Render a time as Kubernetes does: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def owner_uids(obj: Object) -> list[str]:
    """Return the uids of all owner references of an object."""
    return [reference.get("uid", "") for reference in obj["metadata"].get("ownerReferences") or ()]
