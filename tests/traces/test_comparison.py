"""The comparison with recorded traces sees what counts, and nothing else."""

import copy
from typing import Any

import pytest

from .comparison import (
    HASH,
    Event,
    Resize,
    differences,
    joined,
    joined_events,
    observed_state,
    traces,
    without_repeats,
)
from .ours import OURS, with_ours
from .rolling import Switch, released_in_any_order

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


def test_a_selector_that_moves_is_told_with_its_service() -> None:
    (trace,) = traces("09")
    services = trace.steps[0].state["services"]
    first = {"app": "shop", HASH: "84c88798c9"}
    assert services == {key: {"selector": first, "managedBy": "shop"} for key in ("shop-active", "shop-preview")}
    assert trace.steps[3].switches == [("shop-preview", "84c88798c9"), ("shop-active", "84c88798c9")]


def test_a_service_that_did_not_change_is_still_expected() -> None:
    (trace,) = traces("09")
    paused = trace.steps[1]
    assert list(paused.document["state"]["services"]) == ["shop-preview"]
    assert set(paused.state["services"]) == {"shop-active", "shop-preview"}


@pytest.mark.parametrize(("second", "same"), [(7, False), (20, True), (21, True), (22, True), (23, False)])
def test_of_a_deadline_its_distance_counts(second: int, same: bool) -> None:
    (trace,) = traces("09")
    recorded = trace.steps[2].state["replicaSets"]["shop-84c88798c9"]
    deadline = {"scale-down-deadline": f"2026-01-01T00:00:{second:02}Z", "rollout.argoproj.io/revision": "1"}
    rollout = changed(ROLLOUT, "status.duration", {"finishedAt": "2026-01-01T00:00:13Z"})
    observed = observed_state(rollout, [changed(REPLICA_SET, "metadata.annotations", deadline)])
    assert (observed["replicaSets"]["shop-1"]["delay"] == recorded["delay"]) is same


def test_the_present_revision_in_a_history_does_not_count() -> None:
    def history(text: str) -> Any:
        annotations = {"rollout.argoproj.io/revision": "3", "rollout.argoproj.io/revision-history": text}
        state = observed_state(ROLLOUT, [changed(REPLICA_SET, "metadata.annotations", annotations)])
        return state["replicaSets"]["shop-1"].get("history")

    assert (history("1,2,2,3,3"), history("3")) == ("1,2", None)


def test_a_replica_set_of_a_deployment_goes_by_its_revision() -> None:
    annotations = {f"deployment.kubernetes.io/{name}": "0" for name in ("desired-replicas", "max-replicas")}
    annotations["deployment.kubernetes.io/revision"] = "1"
    observed = observed_state(ROLLOUT, [changed(REPLICA_SET, "metadata.annotations", annotations)])
    (trace,) = traces("14")
    recorded = trace.steps[0].state["replicaSets"]
    assert observed["replicaSets"].keys() < recorded.keys()


def test_that_the_workload_was_seen_counts_and_its_generation_does_not() -> None:
    def seen(annotation: str, status: str) -> Any:
        rollout = changed(ROLLOUT, "metadata.annotations", {"rollout.argoproj.io/workload-generation": annotation})
        return observed_state(changed(rollout, "status.workloadObservedGeneration", status), [])

    assert seen("2", "2") == seen("5", "5")
    assert differences(seen("2", "2"), seen("2", "1")) != []


def test_metadata_that_only_a_role_has_counts() -> None:
    (trace,) = traces("20")
    canary = trace.steps[1].state["replicaSets"]["shop-7587798458"]
    assert (canary["labels"], canary["annotations"]) == ({"role": "canary"}, {"note": "c"})
    template = {"metadata": {"labels": {"app": "shop", "role": "canary"}}, "spec": {"containers": [{"image": "i"}]}}
    selecting = changed(REPLICA_SET, "spec.selector", {"matchLabels": {"app": "shop"}})
    observed = observed_state(ROLLOUT, [changed(selecting, "spec.template", template)])
    assert observed["replicaSets"]["shop-1"]["labels"] == canary["labels"]


def test_the_users_own_write_of_the_status_is_part_of_the_course() -> None:
    (trace,) = traces("22")
    skipped = next(step for step in trace.steps if step.rest == "all steps skipped")
    assert skipped.course("currentStepIndex", 1) == [1, 5]


def test_what_differs_with_us_is_named_for_a_rest_point_that_exists() -> None:
    rests = {(trace.name, step.rest) for trace in traces() for step in trace.steps}
    assert set(OURS) <= rests


def test_a_rest_that_we_pass_over_leaves_its_actions_to_the_next() -> None:
    (trace,) = traces("23")
    (switched,) = [step for step in with_ours(trace).steps if step.rest == "switched"]
    assert [action["cli"] for action in switched.document["actions"]] == ["promote shop"]
    assert len(switched.requests) == 2
    assert len(with_ours(trace).steps) == len(trace.steps) - 1


def test_our_choice_takes_the_place_of_what_was_recorded() -> None:
    (trace,) = traces("13")
    rest = "deadline exceeded, aborted, nothing moves (upstream defect)"
    recorded, ours = ({step.rest: step for step in one.steps}[rest].state for one in (trace, with_ours(trace)))
    assert recorded["replicaSets"]["shop-84c88798c9"]["pods"] == [2, 2, 2, 2]
    assert ours["replicaSets"]["shop-84c88798c9"]["pods"] == [3, 3, 3, 3]
    assert "updatedReplicas" not in ours["rollout"]["status"]


def test_services_that_are_let_go_together_have_no_order() -> None:
    switches: list[Switch] = [("b", "x"), ("b", None), ("a", None), ("a", "x")]
    assert released_in_any_order(switches) == [("b", "x"), ("a", None), ("b", None), ("a", "x")]
