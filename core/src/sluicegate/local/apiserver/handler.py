"""From request to answer: finds what a path is about and hands each verb to who carries it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from sluicegate.errors import ApiError
from sluicegate.local import failures
from sluicegate.local.apiserver import evictions, names, negotiation, reads, scale, statuses, tables, targets, watches
from sluicegate.local.apiserver.documents import Documents
from sluicegate.local.apiserver.negotiation import flag
from sluicegate.local.apiserver.resources import ACCESS_REVIEWS, Registry, Served
from sluicegate.local.apiserver.writes import WriteOptions, Writer, write_options

if TYPE_CHECKING:
    from sluicegate.local.admission import Admissions
    from sluicegate.local.apiserver.targets import Target
    from sluicegate.local.apiserver.watches import Watch
    from sluicegate.local.objects import Document, Object
    from sluicegate.local.store import ObjectStore

_OBJECT_VERBS = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_COLLECTION_VERBS = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}


class Handler:
    """Answers requests from one store; `watches` are those that are open."""

    def __init__(self, store: ObjectStore, registry: Registry, admissions: Admissions) -> None:
        self._store = store
        self._registry = registry
        self._writer = Writer(store, admissions)
        self._documents = Documents(registry)
        self.watches: dict[Watch, web.BaseRequest] = {}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return the answer to a request; failures of the request are answers too."""
        target = targets.parse(request.rel_url.raw_path)
        served = self._registry.find(target.group, target.version, target.plural) if target else None
        try:
            if served and target:
                return await self._resource(request, served, target)
            return await self._document(request, target)
        except ApiError as error:
            return error_response(error, served, target)

    async def _document(self, request: web.BaseRequest, target: Target | None) -> web.Response:
        if request.method != "GET":
            raise failures.no_such_path()
        accept = request.headers.get("Accept", "")
        found = await self._documents.answer(request.path, accept, request.host)
        if found is None and target and (target.group or target.version) and not target.plural:
            found = self._documents.group(target)
        if found is None:
            raise failures.no_such_path()
        body, content_type = found
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _resource(self, request: web.BaseRequest, served: Served, target: Target) -> web.StreamResponse:
        _check_place(served, target)
        if target.subresource == "eviction" and request.method == "POST":
            evictions.evict(self._store, target, await _body(request))
            return json_response(statuses.created(), status=201)
        verbs = {} if target.subresource == "eviction" else _OBJECT_VERBS if target.name else _COLLECTION_VERBS
        verb = verbs.get(request.method, "")
        if verb not in served.verbs or (verb == "create" and served.resource.namespaced and not target.namespace):
            raise failures.not_allowed("the server does not allow this method on the requested resource")
        match verb:
            case "get" | "list" if flag(request.query, "watch"):
                return await self._watch(request, served, target)
            case "get":
                return self._get(request, served, target)
            case "list":
                return self._list(request, served, target)
        body = await _body(request)
        if verb in ("delete", "deletecollection"):
            return self._delete(request, served, target, body)
        if served.resource == ACCESS_REVIEWS:
            body = names.identify(body, served, target)
            return json_response({**body, "status": {"allowed": True}}, status=201)
        return await self._write(request, served, target, body)

    def _get(self, request: web.BaseRequest, served: Served, target: Target) -> web.Response:
        found = self._store.get(target.key)
        if target.subresource == "scale":
            return json_response(scale.scale_of(found, served))
        if negotiation.wants_table(request.headers.get("Accept", "")):
            return json_response(tables.table(served, [found], {}, include=_include(request)))
        return json_response(found.encoded)

    def _list(self, request: web.BaseRequest, served: Served, target: Target) -> web.Response:
        page = reads.page(self._store, served, target, request.query)
        if negotiation.wants_table(request.headers.get("Accept", "")):
            return json_response(tables.table(served, page.items, page.metadata, include=_include(request)))
        return json_response(page.encode(served))

    async def _watch(self, request: web.BaseRequest, served: Served, target: Target) -> web.StreamResponse:
        table = negotiation.wants_table(request.headers.get("Accept", ""))
        watch = watches.open_watch(self._store, served, target, request.query, table=table)
        response = web.StreamResponse(headers={"Content-Type": negotiation.JSON})
        response.enable_chunked_encoding()
        self.watches[watch] = request
        try:
            await response.prepare(request)
            async for lines in watch.lines():
                if lines:
                    await response.write(lines)
            await response.write_eof()
        finally:
            watch.close()
            del self.watches[watch]
        return response

    async def _write(self, request: web.BaseRequest, served: Served, target: Target, body: Any) -> web.Response:
        options = await self._write_options(request, served)
        try:
            document = self._written(request, served, target, body, options)
        except ApiError as error:
            # No path names an object that is not there yet.
            return error_response(error, served, target._replace(name=target.name or _name_in(body)))
        status = 201 if request.method == "POST" else 200
        if target.subresource == "scale":
            return json_response(scale.scale_of(document, served), status=status)
        return json_response(document.encoded, status=status, warnings=options.warnings)

    def _written(
        self, request: web.BaseRequest, served: Served, target: Target, body: Any, options: WriteOptions
    ) -> Document:
        match request.method:
            case "POST":
                return self._writer.create(served, target, body, options)
            case "PUT":
                return self._writer.replace(served, target, body, options)
        return self._writer.patch(served, target, _media_type(request), body, options)

    async def _write_options(self, request: web.BaseRequest, served: Served) -> WriteOptions:
        options = write_options(request.query)
        # Making the schema of a built-in kind costs an import; clients that do not ask for field validation are
        # programs with typed objects, which have no unknown fields.
        if not served.is_custom and request.query.get("fieldValidation") in ("Warn", "Strict"):
            options.schema = await self._documents.builtin_schema(served)
        return options

    def _delete(self, request: web.BaseRequest, served: Served, target: Target, body: Any) -> web.Response:
        if target.name:
            deleted = self._writer.delete(target, body, request.query)
            gone = self._store.find(target.key) is None
            return json_response(statuses.success(served, deleted) if gone else deleted.encoded)
        page = reads.page(self._store, served, target, request.query)
        for item in page.items:
            metadata = item["metadata"]
            one = target._replace(namespace=metadata.get("namespace", ""), name=metadata["name"])
            self._writer.delete(one, body, request.query)
        return json_response(page.encode(served))


async def _body(request: web.BaseRequest) -> Any:
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise ApiError(error.text or "too large", status=413, reason="RequestEntityTooLarge") from error
    return negotiation.decode(body, request.headers.get("Content-Type", ""))


def _check_place(served: Served, target: Target) -> None:
    subresources = {"": True, "status": served.status, "scale": served.scale, "eviction": served.eviction}
    misplaced = target.namespace and not served.resource.namespaced
    nowhere = target.name and served.resource.namespaced and not target.namespace
    if misplaced or nowhere or not subresources.get(target.subresource):
        raise failures.no_such_path()


def _name_in(body: Any) -> str:
    metadata = body.get("metadata") if isinstance(body, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""


def _include(request: web.BaseRequest) -> str:
    return request.query.get("includeObject", "Metadata")


def _media_type(request: web.BaseRequest) -> str:
    return request.headers.get("Content-Type", "").split(";")[0].strip()


def json_response(content: bytes | Object, *, status: int = 200, warnings: list[str] | None = None) -> web.Response:
    """Return an answer of JSON, with a `Warning` header for each warning."""
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    response = web.Response(body=body, status=status, headers={"Content-Type": negotiation.JSON})
    for warning in warnings or ():
        escaped = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{escaped}"')
    return response


def error_response(error: ApiError, served: Served | None = None, target: Target | None = None) -> web.Response:
    """Return the answer to a request that failed."""
    response = json_response(statuses.failure(error, served, target), status=error.status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(round(error.retry_after))
    return response
