"""An API that fails: what was refused or lost is done again, nothing is lost, and nothing is done twice."""

from typing import Any

import pytest
from tests.clusters.controllers import Recording
from tests.clusters.namespace import Namespace, shop
from tests.clusters.wire import Fault, Loss, Refusal, Sent, Wire

CREATION_FAILED = "Failed to create new replica set"
STEPS: list[dict[str, Any]] = [{"setWeight": 40}, {"pause": {"duration": 1}}]
FAULTS: dict[str, Fault] = {
    "409": Refusal(409, "Conflict"),
    "429": Refusal(429, "TooManyRequests", retry_after=1),
    "500": Refusal(500, "InternalError"),
    "request lost": Loss.OF_THE_REQUEST,
    "answer lost": Loss.OF_THE_ANSWER,
}


@pytest.fixture
async def healthy(namespace: Namespace, controller: Recording) -> Recording:
    """A Rollout whose first roll-out is done; the events since."""
    await namespace.create(shop(steps=STEPS))
    await namespace.until_phase("Healthy")
    await namespace.until_rest()
    controller.events.clear()
    return controller


async def updated(namespace: Namespace, recording: Recording) -> None:
    """The update ends as it does without faults, with two ReplicaSets, and nothing is told twice.

    An event can be missing: that of a write whose answer was lost, as when the controller had been killed.
    """
    await namespace.until_phase("Healthy")
    await namespace.until_rest()
    assert namespace.sizes == {"yellow": 5}
    assert len(namespace.replica_sets) == 2
    assert "collisionCount" not in namespace.status
    reasons = recording.reasons()
    for once in ("RolloutPaused", "RolloutCompleted"):
        assert reasons.count(once) <= 1, reasons


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_writes_that_fail_are_done_again(
    fault: Fault, namespace: Namespace, healthy: Recording, wire: Wire
) -> None:
    """Each of the first writes of an update, that of the new ReplicaSet too, fails twice before it goes well."""
    for index in (0, 2, 4, 6):
        wire.fail(nth_write(index), fault, fault)

    await namespace.set_image("yellow")

    await updated(namespace, healthy)
    assert wire.faults == []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_creation_that_fails_makes_one_replica_set(
    fault: Fault, namespace: Namespace, healthy: Recording, wire: Wire
) -> None:
    wire.fail(lambda sent: sent.creates, fault)

    await namespace.set_image("yellow")

    await updated(namespace, healthy)
    created = [seen for seen in namespace.seen if seen.plural == "replicasets" and seen.type == "ADDED"]
    assert len(created) == 2


async def test_dropped_watches_are_taken_up_again(namespace: Namespace, healthy: Recording, wire: Wire) -> None:
    wire.drop_watches()
    await namespace.set_image("yellow")
    await namespace.until(lambda: namespace.status.get("currentStepIndex") == 0, "the update has begun")
    wire.drop_watches()
    await namespace.until_phase("Paused", "CanaryPauseStep")
    wire.drop_watches()

    await updated(namespace, healthy)


async def test_watch_that_is_refused_is_asked_for_again(namespace: Namespace, healthy: Recording, wire: Wire) -> None:
    wire.fail(lambda sent: sent.watches, *[Refusal(500, "InternalError")] * 3, *[Refusal(410, "Expired")] * 3)
    wire.drop_watches()

    await namespace.set_image("yellow")

    await updated(namespace, healthy)
    assert wire.faults == []


def nth_write(index: int) -> Any:
    """Fits every write but the first `index` ones that it is asked about."""
    left = [index]

    def fits(sent: Sent) -> bool:
        if not sent.writes:
            return False
        left[0] -= 1
        return left[0] < 0

    return fits


async def test_creation_that_is_refused_is_told(namespace: Namespace, healthy: Recording, wire: Wire) -> None:
    wire.fail(lambda sent: sent.creates, Refusal(403, "Forbidden"))

    await namespace.set_image("yellow")

    await updated(namespace, healthy)
    assert "ReplicaSetCreateError" in healthy.reasons()
    assert any(CREATION_FAILED in message for message in progress_messages(namespace))


async def test_write_that_is_refused_after_the_creation_is_not_told_as_a_failed_creation(
    namespace: Namespace, healthy: Recording, wire: Wire
) -> None:
    before = len(wire.sent)

    def follows_the_creation(sent: Sent) -> bool:
        return sent.method == "PATCH" and any(earlier.creates for earlier in wire.sent[before:])

    wire.fail(follows_the_creation, Refusal(403, "Forbidden"))

    await namespace.set_image("yellow")

    await updated(namespace, healthy)
    assert wire.faults == []
    assert "ReplicaSetCreateError" not in healthy.reasons()
    assert not any(CREATION_FAILED in message for message in progress_messages(namespace))


def progress_messages(namespace: Namespace) -> set[str]:
    """What the condition Progressing has said so far."""
    statuses = (seen.object.get("status", {}) for seen in namespace.seen if seen.plural == "rollouts")
    conditions = (condition for status in statuses for condition in status.get("conditions", ()))
    return {condition["message"] for condition in conditions if condition["type"] == "Progressing"}
