"""The objects that a view is made of: read once, or kept up to date while a verb watches."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from sluicegate.api.resources import ARGO_GROUP
from sluicegate.cli.views.fields import name_of, text
from sluicegate.errors import NotFound
from sluicegate.kube.reflector import Identity, Reflector
from sluicegate.kube.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from sluicegate.api.resources import Resource
    from sluicegate.cli.settings import Scope
    from sluicegate.cli.views.fields import Object

Snapshot: TypeAlias = "Mapping[Resource, list[Object]]"


class Query(NamedTuple):
    """Objects of one kind in the namespace, all or those that a field selector picks."""

    resource: Resource
    field_selector: str = ""


async def read(scope: Scope, queries: Sequence[Query]) -> Snapshot:
    """The objects as they are now; a kind of ours that the cluster does not know is left out."""
    found = await asyncio.gather(*(_list(scope, query) for query in queries))
    return {query.resource: objects for query, objects in zip(queries, found, strict=True) if objects is not None}


async def _list(scope: Scope, query: Query) -> list[Object] | None:
    try:
        return await scope.client.list(query.resource, scope.namespace, field_selector=query.field_selector)
    except NotFound:
        if query.resource.group != ARGO_GROUP:
            raise
        return None


class Feed:
    """Objects of several kinds in one namespace, as of the last change."""

    def __init__(self, scope: Scope, queries: Sequence[Query], on_change: Callable[[Object | None], None]) -> None:
        self._on_change = on_change
        self._stores: dict[Resource, Store[Object]] = {query.resource: Store() for query in queries}
        self._reflectors = [self._reflector(scope, query) for query in queries]

    def _reflector(self, scope: Scope, query: Query) -> Reflector[Object]:
        return Reflector(
            scope.client,
            query.resource,
            decode=msgspec.json.decode,
            identify=_identify,
            store=self._stores[query.resource],
            namespace=scope.namespace,
            field_selector=query.field_selector,
            on_change=lambda old, new: self._on_change(new),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep up with the cluster; entered when all objects have been read once."""
        tasks = [asyncio.create_task(reflector.run()) for reflector in self._reflectors]
        try:
            await asyncio.gather(*(reflector.wait_synced() for reflector in self._reflectors))
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def snapshot(self) -> Snapshot:
        """The objects as last seen."""
        return {resource: store.list() for resource, store in self._stores.items()}


def _identify(obj: Any) -> Identity:
    metadata = obj["metadata"]
    return Identity(
        namespace=text(metadata, "namespace"),
        name=name_of(obj),
        uid=text(metadata, "uid"),
        resource_version=text(metadata, "resourceVersion"),
    )
