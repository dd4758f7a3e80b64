"""A ReplicaSet that shrinks gives up its pods in the order in which Kubernetes' own controller does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluicegate.local.workloads.scaledown import deletion_cost, deletion_order

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
Object = dict[str, Any]


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(
    name: str,
    *,
    node: str = "local",
    phase: str = "Running",
    ready_for: float | None = 1000,
    created: float = 2000,
    restarts: int = 0,
    cost: str = "",
) -> Object:
    ready: Object = {"type": "Ready", "status": "False" if ready_for is None else "True"}
    ready["lastTransitionTime"] = ago(ready_for or 0)
    return {
        "metadata": {
            "name": name,
            "uid": name,
            "creationTimestamp": ago(created),
            "annotations": {"controller.kubernetes.io/pod-deletion-cost": cost} if cost else {},
        },
        "spec": {"nodeName": node},
        "status": {"phase": phase, "conditions": [ready], "containerStatuses": [{"restartCount": restarts}]},
    }


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param(pod("z", node=""), pod("a", phase="Pending", ready_for=None), id="unbound"),
        pytest.param(pod("z", phase="Pending", ready_for=None), pod("a", ready_for=None), id="pending"),
        pytest.param(pod("z", phase="Unknown", ready_for=None), pod("a", ready_for=None), id="unknown"),
        pytest.param(pod("z", ready_for=None), pod("a", cost="-5"), id="unready before the cheaper"),
        pytest.param(pod("z", cost="-5"), pod("a", ready_for=1), id="cheaper before the younger"),
        pytest.param(pod("z", ready_for=10), pod("a", ready_for=1000), id="shorter ready"),
        pytest.param(pod("z", restarts=3), pod("a", restarts=1, created=10), id="more restarts"),
        pytest.param(pod("z", created=10), pod("a", created=1000), id="newer"),
        pytest.param(pod("a", ready_for=1000), pod("z", ready_for=900), id="ages alike: by uid"),
    ],
)
def test_order(first: Object, then: Object) -> None:
    assert deletion_order([then, first], NOW) == [first, then]
    assert deletion_order([first, then], NOW) == [first, then]


@pytest.mark.parametrize(
    ("text", "cost"), [("7", 7), ("-7", -7), ("0", 0), ("+7", 0), ("07", 0), ("x", 0), ("9999999999", 0)]
)
def test_deletion_cost_is_a_plain_number_or_nothing(text: str, cost: int) -> None:
    assert deletion_cost(pod("a", cost=text)) == cost
