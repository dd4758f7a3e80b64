"""The recorded stories with a whole controller, our command line and a cluster: the same at every rest point."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from tests.clusters.controllers import Recording
from tests.clusters.namespace import Namespace, Seen
from tests.clusters.programs import Shell

from sluicegate.api.resources import REPLICA_SETS, ROLLOUTS

from .comparison import Event, Resize, Step, Trace, differences, observed_state, traces, without_repeats
from .rolling import rolled, rolled_events

TRACES = traces("01", "02", "03", "04")
COURSES = ("currentStepIndex", "stableRS", "phase", "message")
BY_COUNTERS = {
    "more replicas need to be updated",
    "updated replicas are still becoming available",
    "old replicas are pending termination",
}
"""Messages that follow the counters. How these move in between is incidental on a cluster, where pods become ready one
by one; the replay by the engine alone has them all in order."""
LATE_SECONDS = 20
"""How much longer than to a rest the cluster may take to come to the right one: pods are played, pauses timed."""


async def act(step: Step, namespace: Namespace, shell: Shell) -> None:
    """Do what the user did; what the command line cannot do yet is sent as it was recorded."""
    for action in step.document["actions"]:
        if isinstance(action, str):
            continue
        if action["cli"].split()[0] == "undo":
            await send_recorded(step, namespace)
        else:
            said = await shell.says(f"kubectl-argo-rollouts {action['cli']}")
            assert said == action["says"] + "\n"


async def send_recorded(step: Step, namespace: Namespace) -> None:
    for verb, path, body in step.requests:
        assert (verb, path) == ("patch", "rollouts/shop")
        await namespace.client.patch(ROLLOUTS, namespace.name, "shop", body)


async def rest(step: Step, namespace: Namespace) -> list[str]:
    """Wait for the rest point; in what it differs from the recorded one."""
    await namespace.until_rest()
    found = difference(step, namespace)
    until = asyncio.get_running_loop().time() + LATE_SECONDS
    while found and asyncio.get_running_loop().time() < until:
        await namespace.until_rest()
        found = difference(step, namespace)
    return found


def difference(step: Step, namespace: Namespace) -> list[str]:
    return differences(step.state, observed_state(namespace.rollout, namespace.replica_sets))


def course(key: str, before: Any, seen: list[Seen]) -> list[Any]:
    """The values that a member of the status took, one after another."""
    versions = [item.object.get("status", {}).get(key) for item in seen if item.plural == ROLLOUTS.plural]
    return settled_course([before, *versions])


def settled_course(values: Iterable[Any]) -> list[Any]:
    """The values less repeats, with messages that follow the counters as one."""
    return without_repeats("by counters" if value in BY_COUNTERS else value for value in values)


def resizes(sizes: dict[str, int], seen: list[Seen]) -> list[Resize]:
    """The changes of wanted sizes, in order; `sizes` are those from before and are brought up to date."""
    found = []
    for item in seen:
        if item.plural == REPLICA_SETS.plural:
            name, size = item.object["metadata"]["name"], item.object["spec"]["replicas"]
            if size != sizes.get(name, 0):
                found.append(Resize(name, sizes.get(name, 0), size))
            sizes[name] = size
    return rolled(found)


@pytest.mark.needs("plays_pods")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("trace", TRACES, ids=[trace.name for trace in TRACES])
async def test_the_story_goes_as_recorded(
    trace: Trace, namespace: Namespace, controller: Recording, shell: Shell
) -> None:
    sizes: dict[str, int] = {}
    await namespace.create(*trace.objects)
    for step in trace.steps:
        before = dict(namespace.status)
        emitted, seen = len(controller.events), len(namespace.seen)
        await act(step, namespace, shell)
        assert await rest(step, namespace) == [], step.rest
        resized = resizes(sizes, namespace.seen[seen:])
        if step.events is None or step.resizes is None:
            continue
        assert resized == rolled(step.resizes), step.rest
        events = [Event(*event) for event in controller.events[emitted:]]
        assert rolled_events(events) == rolled_events(step.events), step.rest
        for key in COURSES:
            taken = course(key, before.get(key), namespace.seen[seen:])
            assert taken == settled_course(step.course(key, before.get(key)) or ()), (step.rest, key)
