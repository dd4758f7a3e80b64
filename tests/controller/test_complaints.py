"""What the controller's log says of a Rollout that it cannot bring forward: one line, with the reason."""

import logging

import pytest
from tests.clusters.controllers import Recording
from tests.clusters.namespace import Namespace, shop
from tests.clusters.wire import Refusal, Wire

UNREADABLE = (
    "the Rollout cannot be read: status.currentStepIndex: Invalid value: 1000000000000: must be a 32-bit integer"
)


async def test_status_that_cannot_be_read_is_named(
    namespace: Namespace, controller: Recording, caplog: pytest.LogCaptureFixture
) -> None:
    await namespace.create(shop(replicas=1, steps=[{"setWeight": 20}]))
    await namespace.until_phase("Healthy")
    await namespace.until_rest()

    await namespace.edit_status({"currentStepIndex": 10**12})
    await namespace.until_rest()

    assert warnings(caplog) == [f"{namespace.name}/shop: {UNREADABLE}"]
    assert not any(record.exc_info for record in caplog.records)

    await namespace.edit_status({"currentStepIndex": 0})
    await namespace.until(lambda: namespace.status.get("currentStepIndex") == 1, "it is taken up again")


async def test_conflicts_that_go_on_are_told_once(
    namespace: Namespace, controller: Recording, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    wire.fail(lambda sent: sent.writes, *[Refusal(409, "Conflict")] * 11)

    await namespace.create(shop(replicas=1))
    await namespace.until_phase("Healthy")

    assert wire.faults == []
    assert warnings(caplog) == [
        f"{namespace.name}/shop: 10 conflicts in a row, the last: a fault of the test: Conflict"
    ]


async def test_few_conflicts_are_no_news(
    namespace: Namespace, controller: Recording, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    for tag in ("blue", "yellow"):
        wire.fail(lambda sent: sent.writes, *[Refusal(409, "Conflict")] * 6)
        await (namespace.set_image(tag) if namespace.find_rollout() else namespace.create(shop(replicas=1)))
        await namespace.until(lambda tag=tag: namespace.sizes == {tag: 1}, f"{tag} runs")  # type: ignore[misc]
        await namespace.until_phase("Healthy")

    assert wire.faults == []
    assert warnings(caplog) == []


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the controller itself has logged as worth a look."""
    found = (record for record in caplog.records if record.name.startswith("sluicegate.controller"))
    return [record.getMessage() for record in found if record.levelno >= logging.WARNING]
