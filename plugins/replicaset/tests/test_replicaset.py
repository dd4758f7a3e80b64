"""The split of a weight into pods is the incumbent's to the pod, and keeps the contract of every such plugin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluicegate.plugins import PodCounts
from sluicegate.testing.conformance import PodCountRouterContract
from sluicegate_replicaset import ReplicaSetRouter

# Rows of replicas, weight out of 100, surge, canary, stable, as Argo Rollouts 1.10 answers.
IDEAL = json.loads((Path(__file__).parent / "ideal.json").read_text())


def is_half_a_pod_short_of_all(weight: int, max_weight: int, replicas: int, max_surge: int) -> bool:
    return max_surge == 0 and replicas > 1 and 2 * replicas * (max_weight - weight) == max_weight


class TestReplicaSetRouter(PodCountRouterContract):
    router = ReplicaSetRouter()

    def is_exempt(self, weight: int, max_weight: int, replicas: int, max_surge: int) -> bool:
        return is_half_a_pod_short_of_all(weight, max_weight, replicas, max_surge)


@pytest.mark.parametrize(("replicas", "weight"), [(2, 75), (5, 90), (10, 95), (50, 99)])
def test_without_surge_a_canary_half_a_pod_short_of_all_gets_none_as_in_argo_rollouts(
    replicas: int, weight: int
) -> None:
    assert is_half_a_pod_short_of_all(weight, 100, replicas, 0)
    assert ReplicaSetRouter().split(weight, 100, replicas, 0) == PodCounts(canary=0, stable=replicas)
    assert ReplicaSetRouter().split(weight, 100, replicas, 1).canary > 0


@pytest.mark.parametrize(
    ("replicas", "weight", "surge", "canary", "stable"),
    IDEAL,
    ids=["replicas {} weight {} surge {}".format(*row) for row in IDEAL],
)
def test_the_split_is_that_of_argo_rollouts(replicas: int, weight: int, surge: int, canary: int, stable: int) -> None:
    assert ReplicaSetRouter().split(weight, 100, replicas, surge) == PodCounts(canary=canary, stable=stable)


@pytest.mark.parametrize(
    ("replicas", "weight", "surge", "canary", "stable"),
    [
        pytest.param(10, 41, 0, 4, 6, id="40 % is nearer than 50 %"),
        pytest.param(10, 45, 0, 5, 5, id="a tie goes to the larger canary"),
        pytest.param(10, 45, 1, 5, 6, id="a surge pod brings it nearer"),
        pytest.param(10, 15, 0, 2, 8, id="tie at 10"),
        pytest.param(10, 24, 1, 3, 8, id="27.3 % is nearer than 20 %"),
        pytest.param(10, 23, 1, 2, 8, id="20 % is nearer than 27.3 %"),
        pytest.param(10, 1, 0, 1, 9, id="a shared canary keeps a pod"),
        pytest.param(10, 99, 0, 9, 1, id="a shared stable keeps a pod"),
        pytest.param(10, 99, 1, 10, 1, id="stable keeps the surge pod"),
        pytest.param(3, 50, 0, 2, 1, id="tie at 3"),
        pytest.param(3, 50, 1, 2, 2, id="exact with the surge pod"),
        pytest.param(3, 33, 1, 1, 2, id="33.3 % is nearer than 25 %"),
        pytest.param(1, 49, 0, 0, 1, id="one pod, below half"),
        pytest.param(1, 50, 0, 1, 0, id="one pod, half"),
        pytest.param(1, 1, 1, 1, 1, id="one pod and a surge pod run both"),
        pytest.param(1, 100, 1, 1, 0, id="full weight takes no surge pod"),
        pytest.param(5, 10, 2, 1, 5, id="a sixth is nearer than a fifth"),
        pytest.param(4, 60, 1, 3, 2, id="exactly 60 % of 5"),
        pytest.param(20, 5, 1, 1, 19, id="exact without the surge pod"),
        pytest.param(2, 99, 1, 2, 1, id="2 of 3"),
        pytest.param(0, 50, 1, 0, 0, id="no replicas"),
    ],
)
def test_the_table_of_the_reference(replicas: int, weight: int, surge: int, canary: int, stable: int) -> None:
    assert ReplicaSetRouter().split(weight, 100, replicas, surge) == PodCounts(canary=canary, stable=stable)


def test_weights_out_of_another_total_count_as_shares() -> None:
    router = ReplicaSetRouter()
    assert router.split(125, 1000, 8, 0) == router.split(1, 8, 8, 0) == PodCounts(canary=1, stable=7)


def test_it_takes_no_settings() -> None:
    assert ReplicaSetRouter().parse_config({}, path="p").model_dump() == {}
