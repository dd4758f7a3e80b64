"""The time line of an update attempt, transition by transition (rollout 2.4)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluicegate.api.status import RolloutDuration
from sluicegate.engine.duration import Happenings, next_duration

from .blue_green_world import BlueGreenWorld, blue_green_manifest
from .manifests import canary_manifest
from .world import World

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(seconds=90)
RUNNING = RolloutDuration(rollout_started_at=EARLIER)
FINISHED = RolloutDuration(rollout_started_at=EARLIER, finished_at=EARLIER, completion_status="Promoted")
BEGUN = RolloutDuration(rollout_started_at=NOW)


def changed(duration: RolloutDuration, **members: object) -> RolloutDuration:
    return duration.model_copy(update=members)


@pytest.mark.parametrize(
    ("old", "happened", "new"),
    [
        (None, Happenings(), None),
        (None, Happenings(changed=True), BEGUN),
        (None, Happenings(changed=True, settled=True), None),
        (FINISHED, Happenings(), FINISHED),
        (FINISHED, Happenings(changed=True), BEGUN),
        (FINISHED, Happenings(changed=True, rollback="FastRolledBack"), BEGUN),
        (FINISHED, Happenings(changed=True, rollback="FastRolledBack", settled=True), FINISHED),
        (RUNNING, Happenings(changed=True), BEGUN),
        (RUNNING, Happenings(changed=True, rollback="RolledBack"), changed(RUNNING, completion_status="RolledBack")),
        (RUNNING, Happenings(promoted_as="Promoted"), changed(RUNNING, completion_status="Promoted")),
        (
            RUNNING,
            Happenings(promoted_as="FastPromoted", settled=True),
            changed(RUNNING, completion_status="FastPromoted", finished_at=NOW),
        ),
        (RUNNING, Happenings(settled=True), changed(RUNNING, completion_status="Promoted", finished_at=NOW)),
        (
            changed(RUNNING, completion_status="FastRolledBack"),
            Happenings(settled=True),
            changed(RUNNING, completion_status="FastRolledBack", finished_at=NOW),
        ),
        (RUNNING, Happenings(aborted=True), changed(RUNNING, completion_status="Aborted", finished_at=NOW)),
        (
            changed(RUNNING, completion_status="RolledBack"),
            Happenings(aborted=True),
            changed(RUNNING, completion_status="RolledBack", finished_at=NOW),
        ),
        (changed(FINISHED, completion_status="Aborted"), Happenings(retried=True), BEGUN),
        (RUNNING, Happenings(paused_by_human=True), changed(RUNNING, manual_pause_started_at=NOW)),
        (
            changed(RUNNING, manual_pause_started_at=EARLIER, total_manual_pause_duration_seconds=10),
            Happenings(),
            changed(RUNNING, total_manual_pause_duration_seconds=100),
        ),
    ],
)
def test_transition(old: RolloutDuration | None, happened: Happenings, new: RolloutDuration | None) -> None:
    found = next_duration(old, happened, NOW)
    assert (found and found.model_dump()) == (new and new.model_dump())


def test_back_to_stable_after_an_abort_starts_no_attempt() -> None:
    world = World.healthy(canary_manifest(steps=[{"setWeight": 20}, {"pause": {}}]))
    world.set_image("v2")
    world.settle()
    world.abort()
    world.settle()
    aborted = world.status["duration"]
    assert aborted["completionStatus"] == "Aborted"
    world.set_image("v1")
    world.settle()
    assert world.status["phase"] == "Healthy"
    assert world.status["duration"] == aborted


def test_back_to_the_previous_version_after_a_finished_update_is_an_attempt_like_any_other() -> None:
    world = World.healthy(canary_manifest(steps=[]))
    for tag in ("v2", "v1"):
        world.pass_time(60)
        world.set_image(tag)
        world.settle()
    assert world.status["duration"]["completionStatus"] == "Promoted"


def test_a_timed_pause_is_no_time_that_waits_for_a_person() -> None:
    world = World.healthy(canary_manifest(steps=[{"pause": {"duration": 2}}]))
    world.set_image("v2")
    world.settle()
    assert "totalManualPauseDurationSeconds" not in world.status["duration"]


def test_the_time_line_is_frozen_while_the_spec_is_invalid() -> None:
    world = World.healthy(canary_manifest(steps=[{"pause": {}}]))
    world.set_image("v2")
    world.settle()
    before = world.status["duration"]
    world.pass_time(100)
    _, decision = world.decide(["spec.replicas: Invalid value"])
    world.carry_out(decision)
    assert world.status["duration"] == before


@pytest.mark.parametrize(
    ("strategy", "counted"), [({"autoPromotionEnabled": False}, 7), ({"autoPromotionSeconds": 9}, 0)]
)
def test_a_blue_green_pause_counts_as_waiting_only_if_a_person_is_to_end_it(
    strategy: dict[str, Any], counted: int
) -> None:
    world = BlueGreenWorld.updating(**strategy)
    world.pass_time(7)
    world.resume()
    assert world.status["duration"].get("totalManualPauseDurationSeconds", 0) == counted


def test_a_first_blue_green_version_that_does_not_come_up_has_no_completion_status() -> None:
    world = BlueGreenWorld(blue_green_manifest())
    world.add_service("active")
    world.set_image("error")
    world.settle()
    assert set(world.status["duration"]) == {"rolloutStartedAt"}
