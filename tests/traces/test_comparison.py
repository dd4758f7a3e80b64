"""The comparison with recorded traces sees what counts, and nothing else."""

import copy
from typing import Any

import pytest

from .comparison import (
    Event,
    Resize,
    differences,
    joined,
    joined_events,
    observed_state,
    traces,
    without_repeats,
)

ROLLOUT: dict[str, Any] = {
    "metadata": {"generation": 3, "annotations": {"rollout.argoproj.io/revision": "2", "team": "shop"}},
    "status": {
        "observedGeneration": "3",
        "phase": "Paused",
        "currentStepIndex": 0,
        "abort": False,
        "blueGreen": {},
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z"}],
        "conditions": [
            {"type": "Paused", "status": "True", "reason": "RolloutPaused", "message": "Rollout is paused"},
            {"type": "Healthy", "status": "False", "reason": "RolloutHealthy", "message": "Rollout is not healthy"},
        ],
    },
}
REPLICA_SET: dict[str, Any] = {
    "metadata": {"name": "shop-1", "annotations": {"rollout.argoproj.io/revision": "1"}},
    "spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": "demo/shop:v1"}]}}},
    "status": {"replicas": 2, "readyReplicas": 1},
}


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(document)
    *parents, last = path.split(".")
    inner = made
    for key in parents:
        inner = inner[key]
    inner[last] = value
    return made


def compared(rollout: dict[str, Any], replica_set: dict[str, Any] = REPLICA_SET) -> list[str]:
    return differences(observed_state(ROLLOUT, [REPLICA_SET]), observed_state(rollout, [replica_set]))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.generation", 4),
        ("status.phase", "Healthy"),
        ("status.currentStepIndex", None),
        ("status.stableRS", "abc"),
        ("status.abort", True),
        ("status.pauseConditions", []),
        ("status.conditions", []),
        ("status.abortedAt", "2026-01-01T00:00:00Z"),
        ("metadata.annotations", {"rollout.argoproj.io/revision": "3"}),
    ],
)
def test_what_counts_of_a_rollout(path: str, value: Any) -> None:
    assert len(compared(changed(ROLLOUT, path, value))) >= 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.annotations", {"rollout.argoproj.io/revision": "2"}),
        ("status.blueGreen", {"activeSelector": ""}),
        ("status.abort", None),
        ("status.pauseConditions", [{"reason": "CanaryPauseStep", "startTime": "2030-01-01T00:00:00Z"}]),
        ("status.conditions", list(reversed(ROLLOUT["status"]["conditions"]))),
    ],
)
def test_what_does_not_count_of_a_rollout(path: str, value: Any) -> None:
    assert compared(changed(ROLLOUT, path, value)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "shop-2"),
        ("spec.replicas", 3),
        ("status.readyReplicas", 2),
        ("metadata.annotations", {"rollout.argoproj.io/revision": "1", "scale-down-deadline": "2026-01-01T00:00:00Z"}),
    ],
)
def test_what_counts_of_a_replica_set(path: str, value: Any) -> None:
    assert len(compared(ROLLOUT, changed(REPLICA_SET, path, value))) >= 1


def test_a_difference_is_told_with_its_path_and_both_sides() -> None:
    assert compared(changed(ROLLOUT, "status.phase", "Healthy")) == [
        'rollout.status.phase: recorded "Paused", observed "Healthy"'
    ]


def test_single_steps_of_a_rolling_resize_are_joined_but_not_across_another_or_a_turn() -> None:
    steps = [Resize("a", 5, 4), Resize("a", 4, 3), Resize("b", 0, 1), Resize("a", 3, 2), Resize("a", 2, 3)]
    assert joined(steps) == [Resize("a", 5, 3), Resize("b", 0, 1), Resize("a", 3, 2), Resize("a", 2, 3)]


def test_events_of_a_rolling_resize_are_joined_alike() -> None:
    def scaled(before: int, after: int, name: str = "a") -> Event:
        text = f"Scaled down ReplicaSet {name} (revision 1) from {before} to {after}"
        return Event("Normal", "ScalingReplicaSet", text)

    completed = Event("Normal", "RolloutCompleted", "done")
    events = [scaled(5, 4), scaled(4, 2), scaled(2, 1, "b"), completed, scaled(1, 0, "b")]
    assert joined_events(events) == [scaled(5, 2), scaled(2, 1, "b"), completed, scaled(1, 0, "b")]
    assert completed not in joined_events(events, frozenset({"RolloutCompleted"}))


def test_a_course_has_no_repeats_and_tells_zero_from_nothing() -> None:
    assert without_repeats([8, None, None, 0, 0, 1]) == [8, None, 0, 1]


def test_a_recorded_trace_gives_its_rest_points_resizes_and_courses() -> None:
    (trace,) = traces("01")
    first, paused, done = trace.steps
    assert [step.rest for step in trace.steps] == ["first roll-out done", "paused at 20", "update done"]
    assert paused.requests[0][:2] == ("update", "rollouts/shop")
    assert paused.resizes == [Resize("shop-84c88798c9", 5, 4), Resize("shop-7587798458", 0, 1)]
    assert done.course("currentStepIndex", 1) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert first.state["replicaSets"]["shop-84c88798c9"]["pods"] == [5, 5, 5, 5]
