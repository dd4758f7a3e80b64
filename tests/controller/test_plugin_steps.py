"""Steps that a plugin carries out, and what a plugin has to undo when the update is aborted."""

from typing import Any

from tests.clusters.controllers import Recording
from tests.clusters.eventually import eventually
from tests.clusters.namespace import Namespace, shop

from sluicegate.api.resources import CONFIG_MAPS

SCRIPT = "script"
STEPS: list[dict[str, Any]] = [
    {"setWeight": 20},
    {"plugin": {"name": "sluicegate/scripted", "config": {"configMap": SCRIPT}}},
    {"pause": {}},
]


async def update(namespace: Namespace, **answers: str) -> None:
    """Start an update whose second step answers like that."""
    await namespace.create({"metadata": {"name": SCRIPT}, "data": answers}, resource=CONFIG_MAPS)
    await namespace.create(shop(steps=STEPS))
    await namespace.until_phase("Healthy")
    await namespace.set_image("green")


async def calls_of(namespace: Namespace) -> str:
    script = await namespace.client.get(CONFIG_MAPS, namespace.name, SCRIPT)
    return str(script["data"].get("calls", ""))


async def test_step_is_done_when_its_plugin_is(namespace: Namespace, controller: Recording) -> None:
    await update(namespace)

    await namespace.until_phase("Paused", "CanaryPauseStep")

    assert await calls_of(namespace) == "run"
    (entry,) = namespace.status["canary"]["stepPluginStatuses"]
    assert (entry["index"], entry["operation"], entry["phase"], entry["status"]) == (
        1,
        "Run",
        "Successful",
        {"runs": 1},
    )
    await namespace.edit_status({"abort": True})
    await eventually(lambda: calls_of(namespace), lambda calls: calls == "run abort", "what it did is undone")


async def test_plugin_that_fails_aborts_the_update(namespace: Namespace, controller: Recording) -> None:
    await update(namespace, run="Failed: no such approval")

    text = "Step Plugin 2 (sluicegate/scripted) failed: no such approval"
    message = f"RolloutAborted: Rollout aborted update to revision 2: {text}"
    await namespace.until_phase("Degraded", message)
    await namespace.until(lambda: namespace.sizes == {"blue": 5}, "stable has all pods again")


async def test_step_of_a_plugin_that_is_not_there_waits_and_says_so(
    namespace: Namespace, controller: Recording
) -> None:
    await namespace.create(shop(steps=[{"setWeight": 20}, {"plugin": {"name": "acme/absent"}}]))
    await namespace.until_phase("Healthy")

    await namespace.set_image("green")

    await namespace.until(lambda: namespace.status.get("currentStepIndex") == 1, "the step is reached")
    await eventually(
        lambda: _messages(controller),
        lambda texts: any("acme/absent" in text for text in texts),
        "an event names the plugin",
    )
    assert namespace.sizes == {"blue": 4, "green": 1}


async def _messages(controller: Recording) -> list[str]:
    return [event.message for event in controller.events if event.reason == "ReconciliationError"]
