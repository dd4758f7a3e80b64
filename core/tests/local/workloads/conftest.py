"""A store with a clock that tests move by hand, manifests, and a way to wait for a state without sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluicegate.local.addresses import AddressPool
from sluicegate.local.defaults.pods import admit_pod, admit_replica_set
from sluicegate.local.defaults.services import admit_service
from sluicegate.local.objects import Key
from sluicegate.local.store import ObjectStore

Object = dict[str, Any]
Until = Callable[[Callable[[], bool]], Awaitable[None]]
REPLICA_SETS = ("apps", "replicasets")


class Clock:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class World:
    """A store, and short ways to put things into it and to read them."""

    def __init__(self, store: ObjectStore, clock: Clock) -> None:
        self.store = store
        self.clock = clock

    def replica_set(self, name: str, colour: str = "blue", replicas: int = 1, **spec: Any) -> Object:
        labels = {"app": "web", "colour": colour}
        container = {"name": "app", "image": f"argoproj/rollouts-demo:{colour}", "ports": [{"containerPort": 8080}]}
        manifest: Object = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name}}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        manifest["spec"] = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, **spec}
        key = Key(*REPLICA_SETS, "default", name)
        return self.store.create(key, admit_replica_set(manifest, None, self.store))

    def service(self, name: str = "web", **spec: Any) -> Object:
        manifest: Object = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"}}
        ports = [{"port": 80, "targetPort": 8080}]
        manifest["spec"] = {"type": "NodePort", "selector": {"app": "web"}, "ports": ports, **spec}
        key = Key("", "services", "default", name)
        return self.store.create(key, admit_service(manifest, None, self.store))

    def pod(self, name: str, labels: dict[str, str], **spec: Any) -> Object:
        manifest: Object = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}}
        container = {"name": "app", "image": "argoproj/rollouts-demo:blue", "ports": [{"containerPort": 8080}]}
        manifest["spec"] = {"containers": [container], **spec}
        key = Key("", "pods", "default", name)
        return self.store.create(key, admit_pod(manifest, None, self.store))

    def scale(self, name: str, replicas: int) -> None:
        key = Key(*REPLICA_SETS, "default", name)
        self.store.update(key, lambda old: {**old, "spec": {**old["spec"], "replicas": replicas}})

    def set_ready(self, name: str, ready: bool = True, ip: str = "127.10.0.2") -> None:
        """Write into a pod's status what a kubelet would."""
        since = self.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        ready_condition = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": since}
        status = {"phase": "Running", "podIP": ip, "conditions": [ready_condition]}
        key = Key("", "pods", "default", name)
        self.store.update(key, lambda old: {**old, "status": status}, subresource="status")
        self.store.update(key, lambda old: {**old, "spec": {**old["spec"], "nodeName": "local"}})

    def status(self, name: str) -> Object:
        found: Object = self.store.get(Key(*REPLICA_SETS, "default", name))["status"]
        return found

    def pods(self) -> list[Object]:
        return list(self.store.list("", "pods"))

    def pod_names(self) -> list[str]:
        return [pod["metadata"]["name"] for pod in self.pods()]

    def events(self, reason: str) -> list[str]:
        return [event["message"] for event in self.store.list("", "events") if event["reason"] == reason]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> Iterator[World]:
    store = ObjectStore(clock=clock)
    yield World(store, clock)
    store.close()


@pytest.fixture
def until(world: World) -> Until:
    """Wait until a condition holds, looking again after every write to the store; fails after 20 seconds."""

    async def wait(condition: Callable[[], bool]) -> None:
        changes = world.store.subscribe()
        async with asyncio.timeout(20):
            while not condition():
                await changes.take()
        changes.close()

    return wait


@pytest.fixture
def addresses() -> Iterator[AddressPool]:
    pool = AddressPool.claim()
    yield pool
    pool.close()
