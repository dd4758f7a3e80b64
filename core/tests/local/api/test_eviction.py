"""An eviction over HTTP: the answers that `kubectl drain` and controllers act on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.local.objects import Key

if TYPE_CHECKING:
    from sluicegate.local.store import ObjectStore

Call = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]
POD = Key("", "pods", "default", "p")
PATH = "/api/v1/namespaces/default/pods/p/eviction"
EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}


@pytest.fixture(autouse=True)
def pod(store: ObjectStore) -> None:
    """A pod that is ready."""
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
    store.create(POD, {**manifest, "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}})


async def test_an_evicted_pod_is_deleted(call: Call, store: ObjectStore) -> None:
    status, answer = await call("POST", PATH, EVICTION)

    assert (status, answer["kind"], answer["status"]) == (201, "Status", "Success")
    assert store.find(POD) is None


async def test_a_budget_that_is_used_up_is_answered_with_429(call: Call, store: ObjectStore) -> None:
    budget = {"metadata": {"name": "web"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}
    await call("POST", "/apis/policy/v1/namespaces/default/poddisruptionbudgets", budget)

    status, answer = await call("POST", PATH, EVICTION)

    assert (status, answer["reason"]) == (429, "TooManyRequests")
    assert answer["message"] == "Cannot evict pod as it would violate the pod's disruption budget."
    assert [cause["reason"] for cause in answer["details"]["causes"]] == ["DisruptionBudget"]
    assert store.find(POD)


async def test_an_eviction_can_only_be_posted_and_only_for_a_pod(call: Call) -> None:
    assert (await call("GET", PATH))[0] == 405
    assert (await call("POST", PATH.replace("pods/p", "pods/absent"), {}))[0] == 404
    assert (await call("POST", PATH.replace("/p/", "/p/x/"), EVICTION))[0] == 404
    assert (await call("POST", PATH.replace("pods", "services"), EVICTION))[0] == 404
    assert (await call("POST", PATH, {"kind": "Eviction", "metadata": {"name": "other"}}))[0] == 400


async def test_discovery_tells_of_it(call: Call) -> None:
    _, answer = await call("GET", "/api/v1")
    row = next(row for row in answer["resources"] if row["name"] == "pods/eviction")
    assert (row["group"], row["version"], row["kind"], row["verbs"]) == ("policy", "v1", "Eviction", ["create"])
