"""Lists: selection, paging and the bytes of the answer, joined from the cached bytes of the items."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from sluicegate.local import failures
from sluicegate.local.apiserver import negotiation, selectors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluicegate.local.apiserver.resources import Served
    from sluicegate.local.apiserver.selectors import Predicate
    from sluicegate.local.apiserver.targets import Target
    from sluicegate.local.objects import Document, Object
    from sluicegate.local.store import ObjectStore


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects of a list, and the metadata that goes with them."""

    items: list[Document]
    metadata: Object

    def encode(self, served: Served) -> bytes:
        """Return the list as JSON."""
        header = {"kind": served.list_kind, "apiVersion": served.resource.api_version, "metadata": self.metadata}
        items = b",".join(item.encoded for item in self.items)
        return msgspec.json.encode(header)[:-1] + b',"items":[' + items + b"]}"


def selection(served: Served, target: Target, query: Mapping[str, str]) -> Predicate | None:
    """Return what the selectors of a request (and the name in its path) ask of an object."""
    fields = query.get("fieldSelector", "")
    if target.name:
        fields = f"{fields},metadata.name={target.name}" if fields else f"metadata.name={target.name}"
    return selectors.predicate(query.get("labelSelector", ""), fields, custom=served.is_custom)


def page(store: ObjectStore, served: Served, target: Target, query: Mapping[str, str]) -> Page:
    """Return the objects a list request asks for. Raises Expired for a continue token or version that is too old."""
    matches = selection(served, target, query)
    items = store.list(*served.kind, namespace=target.namespace or None)
    if matches:
        items = [item for item in items if matches(item)]
    version, after = _position(store, served, query)
    if after:
        items = [item for item in items if _place(item) > after]
    limit = negotiation.number(query, "limit")
    metadata: Object = {"resourceVersion": str(version)}
    if limit and len(items) > limit:
        metadata["continue"] = _token(version, _place(items[limit - 1]))
        if not matches:
            metadata["remainingItemCount"] = len(items) - limit
        items = items[:limit]
    return Page(items, metadata)


def _place(item: Document) -> tuple[str, str]:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _position(store: ObjectStore, served: Served, query: Mapping[str, str]) -> tuple[int, tuple[str, str] | None]:
    """Later pages bear the version of the first, so that a watch from there sees what changed between the pages."""
    if not query.get("continue"):
        return _current(store, query), None
    try:
        token = base64.urlsafe_b64decode(query["continue"])
        version, namespace, name = msgspec.json.decode(token, type=tuple[int, str, str])
    except (ValueError, msgspec.DecodeError):
        raise failures.bad_request("continue key is not valid: it was not made by this server") from None
    if version < store.oldest_version(served.kind):
        raise failures.expired(
            "The provided continue parameter is too old to display a consistent list result. "
            "You must start a new list without the continue parameter."
        )
    return version, (namespace, name)


def _current(store: ObjectStore, query: Mapping[str, str]) -> int:
    asked = negotiation.number(query, "resourceVersion")
    if query.get("resourceVersionMatch") == "Exact" and asked != store.resource_version:
        raise failures.expired(f"The resourceVersion for the provided list is too old: {asked}")
    return store.resource_version


def _token(version: int, place: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([version, *place])).decode()
