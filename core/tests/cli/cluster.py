"""A Kubernetes API on loopback that holds the objects of a case and writes down what is sent to it.

It knows objects of a few kinds and nothing of what they mean. It runs in a thread of its own, since a command line runs
its own event loop.
"""

from __future__ import annotations

import asyncio
import copy
import json
import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sluicegate.api.merge import apply_merge_patch

if TYPE_CHECKING:
    from collections.abc import Iterator

Object = dict[str, Any]
Key = tuple[str, str, str]

GROUPS = {
    "rollouts": "argoproj.io",
    "experiments": "argoproj.io",
    "analysisruns": "argoproj.io",
    "analysistemplates": "argoproj.io",
    "clusteranalysistemplates": "argoproj.io",
    "replicasets": "apps",
    "deployments": "apps",
    "pods": "",
    "podtemplates": "",
    "namespaces": "",
}


class FakeCluster:
    """The API server.

    `requests` holds the writes in the notation of the recorded cases, `lists` path and query of each list. `no_status`
    answers patches of a status with 404, `conflicts` so many updates with 409; `unserved` are kinds it does not know.
    """

    def __init__(self) -> None:
        self.address = ""
        self.requests: list[Object] = []
        self.lists: list[tuple[str, dict[str, str]]] = []
        self.no_status = False
        self.conflicts = 0
        self.unserved: set[str] = set()
        self._version = 1
        self._objects: dict[Key, Object] = {}
        self._after_watch: defaultdict[str, list[Object]] = defaultdict(list)
        self._watchers: list[tuple[str, asyncio.Queue[Object]]] = []
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._ended = asyncio.Event()

    @contextmanager
    def serving(self) -> Iterator[FakeCluster]:
        """Serve on a free port of 127.0.0.1."""
        thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        thread.start()
        self._started.wait()
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._ended.set)
            thread.join()
            self._loop.close()

    def add(self, *objects: Object) -> None:
        """Hold these objects from the start."""
        for obj in objects:
            self._store(obj)

    def change_after_watch(self, plural: str, *objects: Object) -> None:
        """Once someone watches `plural`, replace these objects one after another."""
        self._after_watch[plural] += objects

    def stored(self, plural: str, name: str, namespace: str) -> Object:
        """An object as it is now."""
        return self._objects[plural, namespace, name]

    def replace(self, obj: Object) -> None:
        """Replace an object while the API serves, and tell those who watch."""
        self._loop.call_soon_threadsafe(self._change, obj)

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._started.set()
        await self._ended.wait()
        for _, events in self._watchers:
            events.put_nowait({})
        await runner.cleanup()

    def _store(self, obj: Object) -> Object:
        self._version += 1
        stored = copy.deepcopy(obj)
        stored["metadata"]["resourceVersion"] = str(self._version)
        self._objects[self._key(stored)] = stored
        return stored

    def _change(self, obj: Object) -> Object:
        known = self._key(obj) in self._objects
        stored = self._store(obj)
        for plural, events in self._watchers:
            if plural == self._key(obj)[0]:
                events.put_nowait({"type": "MODIFIED" if known else "ADDED", "object": stored})
        return stored

    @staticmethod
    def _key(obj: Object) -> Key:
        return f"{obj['kind'].lower()}s", obj["metadata"].get("namespace", ""), obj["metadata"]["name"]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        key, subresource = _parse(request.path)
        plural, _, name = key
        if plural in self.unserved:
            return _failure(404, "NotFound", "the server could not find the requested resource")
        if request.method == "POST":
            return self._create(key, await request.json())
        if not name:
            query = dict(request.query)
            return await (self._watch(request, key, query) if query.get("watch") else self._list(request, key, query))
        if request.method == "PUT" and self.conflicts:
            self.conflicts -= 1
            return _failure(
                409, "Conflict", f"Operation cannot be fulfilled on {_named(key)}: the object has been modified"
            )
        body = await request.json() if request.method != "GET" else None
        if request.method != "GET":
            self._record(request.method, key, subresource, body, request.content_type)
        if key not in self._objects or (subresource == "status" and self.no_status):
            return _failure(404, "NotFound", f"{_named(key)} not found")
        return web.json_response(self._apply(request.method, key, body))

    def _create(self, key: Key, body: Object) -> web.Response:
        plural, namespace, _ = key
        self.requests.append({"verb": "create", "resource": plural, "namespace": namespace, "object": body})
        metadata = body["metadata"]
        name = metadata.get("name") or f"{metadata['generateName']}x7k2p"
        return web.json_response(self._change({**body, "metadata": {**metadata, "name": name}}), status=201)

    def _apply(self, method: str, key: Key, body: Any) -> Object:
        if method == "GET":
            return self._objects[key]
        if isinstance(body, list):
            return self._change(_replaced(self._objects[key], body))
        return self._change(body if method == "PUT" else apply_merge_patch(self._objects[key], body))

    def _record(self, method: str, key: Key, subresource: str, body: Any, content_type: str) -> None:
        plural, _, name = key
        if method == "PUT":
            self.requests.append({"verb": "update", "resource": plural, "object": body})
            return
        patch = {"verb": "patch", "resource": plural, "name": name, "body": body}
        patch |= {"subresource": subresource} if subresource else {}
        patch |= {} if content_type == "application/merge-patch+json" else {"type": content_type}
        self.requests.append(patch)

    async def _list(self, request: web.Request, key: Key, query: dict[str, str]) -> web.Response:
        self.lists.append((request.path, query))
        found = self._matching(key, query)
        return web.json_response({"items": found, "metadata": {"resourceVersion": str(self._version)}})

    def _matching(self, key: Key, query: dict[str, str]) -> list[Object]:
        plural, namespace, _ = key
        name = query.get("fieldSelector", "").removeprefix("metadata.name=")
        return [
            obj
            for other, obj in sorted(self._objects.items())
            if other[0] == plural and namespace in ("", other[1]) and name in ("", other[2])
        ]

    async def _watch(self, request: web.Request, key: Key, query: dict[str, str]) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "application/json"
        await response.prepare(request)
        events: asyncio.Queue[Object] = asyncio.Queue()
        for obj in self._matching(key, query):
            if int(obj["metadata"]["resourceVersion"]) > int(query["resourceVersion"]):
                events.put_nowait({"type": "MODIFIED", "object": obj})
        self._watchers.append((key[0], events))
        for obj in self._after_watch.pop(key[0], []):
            self._change(obj)
        while event := await events.get():
            await response.write(json.dumps(event).encode() + b"\n")
        return response


def _replaced(obj: Object, operations: list[Object]) -> Object:
    """The object after a JSON patch that only replaces members; the API refuses one that is not there."""
    changed = copy.deepcopy(obj)
    for operation in operations:
        assert operation["op"] == "replace"
        *way, last = operation["path"].strip("/").split("/")
        holder = changed
        for name in way:
            holder = holder[name]
        assert last in holder, f"{operation['path']} does not exist"
        holder[last] = operation["value"]
    return changed


def _parse(path: str) -> tuple[Key, str]:
    parts = path.strip("/").split("/")
    parts = parts[3:] if parts[0] == "apis" else parts[2:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 2:
        namespace, parts = parts[1], parts[2:]
    name, subresource = [*parts[1:], "", ""][:2]
    return (parts[0], namespace, name), subresource


def _named(key: Key) -> str:
    plural, _, name = key
    return f'{plural}.{GROUPS[plural]} "{name}"' if GROUPS[plural] else f'{plural} "{name}"'


def _failure(code: int, reason: str, message: str) -> web.Response:
    status = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    return web.json_response(status, status=code)
