"""What a user does while an update is on its way, and what becomes of it."""

from typing import Any

import pytest
from tests.clusters.controllers import Recording
from tests.clusters.namespace import Namespace, shop
from tests.clusters.programs import Shell
from tests.clusters.wire import Wire

STEPS: list[dict[str, Any]] = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]
PAUSED = ("Paused", "CanaryPauseStep")
ABORTED = "RolloutAborted: Rollout aborted update to revision 2"


async def paused_at_20(namespace: Namespace) -> None:
    """Five pods, one of them yellow, at the first pause."""
    await namespace.create(shop(steps=STEPS))
    await namespace.until_phase("Healthy")
    await namespace.set_image("yellow")
    await namespace.until_phase(*PAUSED)
    assert namespace.sizes == {"blue": 4, "yellow": 1}


async def test_abort_goes_back_and_retry_begins_again(namespace: Namespace, controller: Recording) -> None:
    await paused_at_20(namespace)

    await namespace.edit_status({"abort": True})
    await namespace.until_phase("Degraded", ABORTED)
    await namespace.until(lambda: namespace.sizes == {"blue": 5}, "all pods are stable")

    await namespace.edit_status({"abort": False})
    await namespace.until_phase(*PAUSED)
    assert namespace.sizes == {"blue": 4, "yellow": 1}
    assert namespace.status["currentStepIndex"] == 1


async def test_full_promotion_skips_what_is_left(namespace: Namespace, controller: Recording) -> None:
    await paused_at_20(namespace)

    await namespace.edit_status({"promoteFull": True})
    await namespace.until_phase("Healthy")

    assert namespace.sizes == {"yellow": 5}
    assert namespace.status["currentStepIndex"] == len(STEPS)
    assert "promoteFull" not in namespace.status
    assert controller.reasons().count("RolloutPaused") == 1


async def test_second_image_takes_the_place_of_the_first(namespace: Namespace, controller: Recording) -> None:
    await paused_at_20(namespace)

    await namespace.set_image("green")
    await namespace.until(lambda: namespace.sizes == {"blue": 4, "green": 1}, "the newest is the canary")
    await namespace.until_phase(*PAUSED)

    assert namespace.status["currentStepIndex"] == 1
    assert namespace.rollout["metadata"]["annotations"]["rollout.argoproj.io/revision"] == "3"


async def test_back_to_stable_takes_no_steps(namespace: Namespace, controller: Recording) -> None:
    await paused_at_20(namespace)
    stable = namespace.status["stableRS"]

    await namespace.set_image("blue")
    await namespace.until_phase("Healthy")

    assert namespace.sizes == {"blue": 5}
    assert namespace.status["stableRS"] == namespace.status["currentPodHash"] == stable
    assert namespace.status["currentStepIndex"] == len(STEPS)
    assert controller.reasons().count("RolloutPaused") == 1
    assert controller.reasons().count("SkipSteps") == 1


async def test_scaling_while_paused_keeps_the_split(namespace: Namespace, controller: Recording) -> None:
    await paused_at_20(namespace)

    await namespace.edit({"spec": {"replicas": 10}})
    await namespace.until(lambda: namespace.sizes == {"blue": 8, "yellow": 2}, "the same split of ten")
    await namespace.until_phase(*PAUSED)

    assert namespace.status["currentStepIndex"] == 1
    assert "RolloutResumed" not in controller.reasons()


@pytest.mark.needs("plays_pods")
async def test_version_that_never_starts_takes_one_pod(
    namespace: Namespace, controller: Recording, shell: Shell
) -> None:
    await namespace.create(shop(steps=STEPS))
    await namespace.until_phase("Healthy")

    await namespace.set_image("error")
    await namespace.until(lambda: namespace.sizes == {"blue": 4, "error": 1}, "the canary has its pod")
    await namespace.until_rest()
    assert (namespace.status["phase"], namespace.status["currentStepIndex"]) == ("Progressing", 0)
    assert "⚠ ImagePullBackOff" in await shell.says("kubectl-argo-rollouts get rollout shop")

    await namespace.edit_status({"abort": True})
    await namespace.until_phase("Degraded", ABORTED)
    await namespace.until(lambda: namespace.sizes == {"blue": 5}, "all pods are stable")


async def test_absent_replicas_are_written_once(namespace: Namespace, controller: Recording, wire: Wire) -> None:
    await namespace.create(shop(replicas=None))
    await namespace.until_phase("Healthy")
    await namespace.until_rest()

    assert namespace.rollout["spec"]["replicas"] == 1
    assert namespace.sizes == {"blue": 1}
    assert namespace.rollout["metadata"]["generation"] == 2


async def test_settled_rollout_costs_no_request(namespace: Namespace, controller: Recording, wire: Wire) -> None:
    await namespace.create(shop(steps=STEPS))
    await namespace.until_phase("Healthy")
    await namespace.until_rest()
    passes = len(wire.sent)

    # An annotation on the ReplicaSet makes the controller look again, and is nothing to it.
    name = namespace.replica_sets[0]["metadata"]["name"]
    await namespace.annotate_replica_set(name, {"noticed-by": "a test"})

    assert await wire.count_within(3) == 0
    assert len(wire.sent) == passes


async def test_update_takes_few_writes(namespace: Namespace, controller: Recording, wire: Wire) -> None:
    steps = [step for weight in (20, 40, 60, 80) for step in ({"setWeight": weight}, {"pause": {"duration": 1}})]
    await namespace.create(shop(steps=steps))
    await namespace.until_phase("Healthy")
    await namespace.until_rest()
    before = len(wire.sent)

    await namespace.set_image("yellow")
    await namespace.until_phase("Healthy")
    await namespace.until_rest()

    assert len([sent for sent in wire.sent[before:] if sent.writes]) <= 60
