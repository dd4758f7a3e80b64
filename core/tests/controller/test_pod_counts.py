"""Splitting pods: no impossible answer of a plugin reaches the engine, and no plugin is in the way of an abort."""

from typing import Any

import pytest

from sluicegate.controller.pod_counts import split_pods
from sluicegate.engine.weights import PodCounts, SplitRequest
from sluicegate.errors import PluginError
from sluicegate.plugins import Guard, PodCountRouter
from sluicegate.plugins import PodCounts as Answer
from sluicegate.plugins.registry import LoadedPlugin, PluginRecord, Registry


class Scripted(PodCountRouter):
    """Answers what the test says."""

    name = "acme/pods"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def split(self, weight: int, max_weight: int, replicas: int, max_surge: int) -> Any:
        return self.answer


def split(answer: Any, *, weight: int = 20, replicas: int = 5, surge: int = 2) -> PodCounts:
    record = PluginRecord(name="pods", distribution="acme-pods", version="1")
    registry = Registry([LoadedPlugin(record, (Scripted(answer),))])
    return split_pods(registry, Guard(), SplitRequest(weight, 100, replicas, surge), "demo/shop")


@pytest.mark.parametrize(
    ("answer", "surge"), [(Answer(1, 4), 0), (Answer(2, 4), 0), (Answer(2, 4), 1), (Answer(0, 7), 2)]
)
def test_answers_between_the_replicas_and_the_surge_are_taken(answer: Answer, surge: int) -> None:
    assert split(answer, surge=surge) == PodCounts(answer.canary, answer.stable)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        (1, 4),
        Answer(-1, 6),
        Answer(6, -1),
        Answer(1, 3),
        Answer(4, 4),
        Answer(1.0, 4),  # type: ignore[arg-type]
        Answer(True, 4),
        Answer("1", "4"),  # type: ignore[arg-type]
    ],
    ids=str,
)
def test_other_answers_are_the_plugins_failure(answer: Any) -> None:
    with pytest.raises(PluginError) as caught:
        split(answer)
    assert str(caught.value) == (
        f"plugin `acme/pods`, split: answered {answer!r}, must be PodCounts of 5 to 7 pods in all, neither below 0"
    )
    assert (caught.value.plugin, caught.value.operation) == ("acme/pods", "split")


def test_a_long_answer_is_cut() -> None:
    with pytest.raises(PluginError) as caught:
        split("x" * 10**6)
    assert len(str(caught.value)) < 400


def test_nothing_and_all_of_the_weight_need_no_plugin() -> None:
    nobody = Registry([])
    assert split_pods(nobody, Guard(), SplitRequest(0, 100, 5, 1), "demo/shop") == PodCounts(0, 5)
    assert split_pods(nobody, Guard(), SplitRequest(100, 100, 5, 1), "demo/shop") == PodCounts(5, 0)
    with pytest.raises(PluginError, match="exactly one plugin"):
        split_pods(nobody, Guard(), SplitRequest(20, 100, 5, 1), "demo/shop")
