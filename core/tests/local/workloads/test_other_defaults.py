"""PodTemplates, budgets of disruption and Ingresses are stored as a real API server stores them, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from sluicegate.errors import Invalid
from sluicegate.local.defaults.others import admit_budget, admit_ingress, admit_pod_template
from sluicegate.local.store import ObjectStore

Object = dict[str, Any]


def named(**content: Any) -> Object:
    return {"metadata": {"name": "shop"}, **content}


@pytest.fixture
def store() -> ObjectStore:
    return ObjectStore()


def test_a_pod_template_gets_the_defaults_of_one(store: ObjectStore) -> None:
    template = {"spec": {"containers": [{"name": "shop", "image": "demo/shop:v1"}]}}
    stored = admit_pod_template(named(template=template), None, store)["template"]
    assert stored["spec"]["containers"][0]["terminationMessagePath"] == "/dev/termination-log"
    assert stored["spec"]["dnsPolicy"] == "ClusterFirst"


def test_a_new_budget_has_all_its_counters(store: ObjectStore) -> None:
    stored = admit_budget(named(spec={"minAvailable": 1}), None, store)
    assert stored["status"] == {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}


def test_a_budget_has_one_limit(store: ObjectStore) -> None:
    with pytest.raises(Invalid, match="minAvailable and maxUnavailable cannot be both set"):
        admit_budget(named(spec={"minAvailable": 1, "maxUnavailable": 1}), None, store)


def test_an_ingress_is_stored_as_it_is(store: ObjectStore) -> None:
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "shop", "port": {"number": 80}}}}
    spec = {"rules": [{"host": "shop.example", "http": {"paths": [path]}}]}
    stored = admit_ingress(named(spec=spec), None, store)
    assert stored == named(spec=spec, status={"loadBalancer": {}})
