"""Everything served that is no object: version, health, discovery and OpenAPI."""

from __future__ import annotations

import asyncio
import platform
import secrets
from typing import TYPE_CHECKING

import msgspec

from sluicegate.local import failures, openapi
from sluicegate.local.apiserver import discovery, negotiation

if TYPE_CHECKING:
    from sluicegate.local.apiserver.resources import Registry, Served
    from sluicegate.local.apiserver.schema import Schema
    from sluicegate.local.apiserver.targets import Target
    from sluicegate.local.objects import Kind, Object

HEALTH_PATHS = ("healthz", "livez", "readyz")
KUBERNETES_VERSION = "v1.32.4+sluicegate"
_VERSION = {
    "major": "1",
    "minor": "32",
    "gitVersion": KUBERNETES_VERSION,
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2025-04-22T00:00:00Z",
    "goVersion": "",
    "compiler": platform.python_implementation(),
    "platform": f"{platform.system()}/{platform.machine()}".lower(),
}
Answer = tuple[bytes, str]
"""A body and its content type."""


class Documents:
    """Answers to `GET` of paths that name no resource; documents that take long are made once, on another thread."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._started = secrets.token_hex(8)
        self._openapi: dict[tuple[str, str, int], bytes] = {}
        self._schemas: dict[Kind, Schema] = {}

    async def answer(self, path: str, accept: str, address: str) -> Answer | None:
        """Return what is at a path, None if nothing is."""
        parts = path.strip("/").split("/")
        if parts[0] in HEALTH_PATHS:
            return b"ok", "text/plain"
        if parts == ["version"]:
            return _json(_VERSION)
        if parts in (["api"], ["apis"]):
            return self._root(accept, address, core=parts == ["api"])
        if parts[:2] == ["openapi", "v3"]:
            return await self._openapi_answer(parts[2:])
        return None

    def _root(self, accept: str, address: str, *, core: bool) -> Answer:
        if negotiation.wants_aggregated_discovery(accept):
            document = discovery.aggregated(self._registry, core=core)
            return msgspec.json.encode(document), discovery.AGGREGATED
        return _json(discovery.core_versions(address) if core else discovery.group_list(self._registry))

    def group(self, target: Target) -> Answer:
        """Return what a group, or a version of it, serves. Raises NotFound."""
        if target.version:
            found = discovery.resource_list(target.group, target.version, self._registry)
        else:
            found = discovery.group(target.group, self._registry)
        if found is None:
            raise failures.no_such_path()
        return _json(found)

    async def _openapi_answer(self, parts: list[str]) -> Answer | None:
        if not parts:
            return _json({"paths": {_place(*version): self._entry(*version) for version in self._registry.versions()}})
        for group, version in self._registry.versions():
            if parts == _place(group, version).split("/"):
                return await self._openapi_document(group, version), negotiation.JSON
        return None

    def _entry(self, group: str, version: str) -> Object:
        # The hash only has to change when the document may: with a start of the server, or with a definition.
        mark = f"{self._started}{self._registry.revision}"
        return {"serverRelativeURL": f"/openapi/v3/{_place(group, version)}?hash={mark}"}

    async def _openapi_document(self, group: str, version: str) -> bytes:
        key = (group, version, self._registry.revision)
        if key not in self._openapi:
            served = self._registry.versions()[group, version]
            self._openapi[key] = await asyncio.to_thread(_openapi_document, group, version, served)
        return self._openapi[key]

    async def builtin_schema(self, served: Served) -> Schema:
        """Return the schema of a built-in kind."""
        if served.kind not in self._schemas:
            self._schemas[served.kind] = await asyncio.to_thread(openapi.builtin_schema, served)
        return self._schemas[served.kind]


def _openapi_document(group: str, version: str, served: list[Served]) -> bytes:
    return msgspec.json.encode(openapi.document(group, version, served))


def _json(document: Object) -> Answer:
    return msgspec.json.encode(document), negotiation.JSON


def _place(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"
