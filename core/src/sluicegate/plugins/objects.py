"""What a router may see and do of the cluster: references to objects, and the five calls it has.

The core implements `Objects` and binds it to the Rollout's namespace, so that no tenant's manifest reaches another's
objects through a plugin.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluicegate.api.resources import Resource

Manifest = dict[str, Any]


def copied(manifest: Mapping[str, Any]) -> Manifest:
    """A copy that shares nothing with the manifest, which holds plain JSON data; many times as fast as `deepcopy`."""
    return {key: _copied(value) for key, value in manifest.items()}


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return copied(value)
    return [_copied(item) for item in value] if isinstance(value, list) else value


class Lifecycle(Enum):
    """Who makes an object that a router writes, and who takes it away."""

    EDITED = "edited"
    """The user's: it must exist, and is never created or deleted."""
    OWNED = "owned"
    """The router's: created with a controller reference to the Rollout, refused if another controls it, deleted when no
    longer rendered."""
    CREATED = "created"
    """The router's, without an owner reference: created when rendered, deleted when no longer rendered."""


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """One object by name. Without `namespace` it is in the Rollout's."""

    resource: Resource
    name: str
    namespace: str = ""
    lifecycle: Lifecycle = Lifecycle.EDITED


@dataclass(frozen=True, slots=True)
class ObjectSelection:
    """All objects that a label selector (as a string; empty = all) matches. Without `namespace`, in the Rollout's."""

    resource: Resource
    label_selector: str = ""
    namespace: str = ""


class Objects(Protocol):
    """The cluster's objects as a router may reach them.

    All methods raise `sluicegate.errors.ApiError` for what the API answers, `ConnectError` if it does not, and
    `Forbidden` for Secrets and for what is not in the Rollout's namespace. What they return is the caller's to change.
    """

    async def get(self, reference: ObjectReference) -> Manifest:
        """Read one object; raises NotFound."""

    async def list(self, selection: ObjectSelection) -> list[Manifest]:
        """Read all objects of a selection."""

    async def create(self, reference: ObjectReference, wanted: Manifest) -> Manifest:
        """Create an object, and return it as stored; raises AlreadyExists."""

    async def update(self, reference: ObjectReference, observed: Manifest, wanted: Manifest) -> Manifest:
        """Send the JSON merge patch from `observed` to `wanted`; raises Conflict if `observed` is no longer current."""

    async def delete(self, reference: ObjectReference, observed: Manifest) -> None:
        """Delete the object that was observed (and no successor of its name); one that is gone already is no error."""
