"""One pass over a blue-green Rollout: what it decides at once, in which order, and when it is to be looked at again."""

from dataclasses import replace
from typing import Any

import pytest

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.merge import apply_merge_patch
from sluicegate.api.model import format_time
from sluicegate.api.status import PauseCondition, RolloutStatus
from sluicegate.engine.blue_green import decide
from sluicegate.engine.decision import Decision, EvictPod, PatchReplicaSet, PatchService
from sluicegate.engine.surroundings import Surroundings
from sluicegate.engine.view import View

from .builders import make_replica_set, make_service, make_view
from .owned_pods import make_pod, moment

NOW = moment(1100)
SERVICES = {"activeService": "active", "previewService": "preview"}


def stable(size: int = 2, **members: Any) -> ReplicaSet:
    return make_replica_set("s", size, size, **{"revision": 1, "desired": 2, **members})


def new(size: int = 2, available: int = 2, **members: Any) -> ReplicaSet:
    return make_replica_set("c", size, available, new=True, **{"revision": 4, "desired": 2, **members})


def view_of(*replica_sets: ReplicaSet, active: str = "s", spec: Any = None, managed: bool = True, **given: Any) -> View:
    """A Rollout of 2, in the update from `s` to `c`; `given` are further members of its strategy."""
    rollout = {
        "metadata": {"generation": 1, "annotations": {names.REVISION: "4"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "a"}},
            "strategy": {"blueGreen": {**SERVICES, **given}},
            **(spec or {}),
        },
        "status": {
            "stableRS": "s",
            "currentPodHash": "c",
            "observedGeneration": "1",
            "blueGreen": {"activeSelector": active, "previewSelector": "c"},
        },
    }
    owner = "a" if managed else None
    services = [make_service("active", active, managed_by=owner), make_service("preview", "c", managed_by=owner)]
    return make_view(rollout, replica_sets, services=services)


def targets(decision: Decision) -> list[tuple[str, str]]:
    """The writes on Services: which, and to what hash."""
    writes = (action for action in decision.actions if isinstance(action, PatchService))
    return [(write.service.metadata.name, write.patch["spec"]["selector"][names.HASH_LABEL]) for write in writes]


def test_all_happens_in_one_pass_in_its_order() -> None:
    old = make_replica_set("o", 2, 2, revision=2, desired=2, deadline="2029-12-31T00:00:00Z")
    view = view_of(stable(1, desired=1), old, new(), spec={"revisionHistoryLimit": 0})
    decision = decide(view, NOW)
    assert [type(action) for action in decision.actions] == [PatchReplicaSet, PatchReplicaSet, PatchService]
    assert targets(decision) == [("active", "c")]
    assert [event.reason for action in decision.actions for event in getattr(action, "events", ())] == [
        "ScalingReplicaSet",
        "ScalingReplicaSet",
        "SwitchService",
    ]
    assert [event.reason for event in decision.events] == ["RolloutCompleted"]
    assert decision.status is not None
    assert decision.status["stableRS"] == "c"
    assert decision.status["blueGreen"]["activeSelector"] == "c"


def test_a_service_gets_its_mark_also_when_its_hash_is_right() -> None:
    """traffic 3.1: no-op only when the hash is equal and the managed-by annotation is present."""
    view = view_of(stable(), new(), active="c", managed=False)
    marks = [action for action in decide(view, NOW).actions if isinstance(action, PatchService)]
    assert [mark.service.metadata.name for mark in marks] == ["preview", "active"]
    assert all(mark.patch["metadata"]["annotations"] == {names.MANAGED_BY: "a"} for mark in marks)


@pytest.mark.parametrize(
    ("size", "available", "desired"), [(2, 1, 2), (2, 2, 1), (1, 1, 2), (3, 3, 2)], ids=["dead", "stale", "few", "many"]
)
def test_the_switch_waits_until_the_new_version_is_saturated(size: int, available: int, desired: int) -> None:
    assert targets(decide(view_of(stable(), new(size, available, desired=desired)), NOW)) == []


def test_the_replica_set_that_serves_is_not_deleted_by_the_history_limit() -> None:
    lost = make_replica_set("o", 0, 0, revision=2, created=0)
    view = view_of(stable(), lost, new(available=0), active="o", spec={"revisionHistoryLimit": 0, "paused": True})
    assert decide(view, NOW).actions == ()


@pytest.mark.parametrize(("seconds", "requeue"), [(30, 30.001), (2000, 601)])
def test_the_end_of_a_timed_pause_is_asked_for_within_the_resync(seconds: int, requeue: float) -> None:
    """rollout 10, 17: pause expiry beyond the resync window: nothing queued for it, only for the progress deadline."""
    view = view_of(stable(), new(), autoPromotionSeconds=seconds)
    pause = PauseCondition(reason=names.BLUE_GREEN_PAUSE, start_time=NOW)
    status = view.status.model_copy(update={"controller_pause": True, "pause_conditions": [pause]})
    paused = replace(view, rollout=view.rollout.model_copy(update={"status": status}))
    assert decide(paused, NOW).requeue_after == requeue


def restarting(*old: str, **spec: Any) -> View:
    owner = new()
    pods = tuple(make_pod(owner, name, born=0) for name in old)
    view = view_of(owner, stable(0), active="c", spec={"restartAt": format_time(moment(1000)), **spec})
    return view.seeing(Surroundings(services=view.surroundings.services, pods=pods))


def evicted(decision: Decision) -> list[str]:
    return [action.pod.metadata.name for action in decision.actions if isinstance(action, EvictPod)]


def test_a_restart_does_not_end_the_pass() -> None:
    decision = decide(restarting("p1", "p2"), NOW)
    assert evicted(decision) == ["p1"]
    assert [event.reason for event in decision.events] == ["RolloutCompleted"]
    assert decision.status is not None
    assert not decision.after_evictions
    assert decision.requeue_after == 30


def test_a_refused_eviction_does_not_hold_back_the_rest_of_the_status() -> None:
    decision = decide(restarting("p1"), NOW)
    assert not decision.after_evictions
    assert decision.status is not None
    assert "restartedAt" not in decision.status


def test_a_restart_is_over_when_no_older_pod_is_left() -> None:
    decision = decide(restarting(), NOW)
    assert decision.status is not None
    assert decision.status["restartedAt"] == format_time(moment(1000))


def settled(view: View) -> View:
    """The same Rollout with the status that its pass leaves."""
    status = apply_merge_patch(view.status.to_wire(), decide(view, NOW).status or {})
    return replace(view, rollout=view.rollout.model_copy(update={"status": RolloutStatus.model_validate(status)}))


def test_the_last_eviction_is_all_that_the_status_waits_for() -> None:
    """rollout 10, 48: restartedAt is set in the pass that evicts the last ones, if none of them is refused."""
    view = restarting("p1", "p2", strategy={"blueGreen": {**SERVICES, "maxUnavailable": "100%"}})
    decision = decide(settled(view), NOW)
    assert evicted(decision) == ["p1", "p2"]
    assert decision.after_evictions
    assert decision.status is not None
    assert decision.status["restartedAt"] == format_time(moment(1000))
