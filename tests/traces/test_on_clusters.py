"""The recorded stories with a whole controller, our command line and a cluster: the same at every rest point."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.clusters.controllers import Recording
from tests.clusters.namespace import Namespace, Seen
from tests.clusters.programs import Shell

from sluicegate.api.resources import REPLICA_SETS, ROLLOUTS, SERVICES

from .actions import act
from .comparison import HASH, Event, Resize, Step, Trace, differences, observed_state, traces, without_repeats
from .ours import with_ours
from .rolling import Switch, released_in_any_order, rolled, rolled_events

WHOLE = ["01", "02", "03", "04", "09", "09b", "13", "13b", "14", "14b", "15", "16", "17", "20", "22", "23"]
TRACES = [with_ours(trace) for trace in traces(*WHOLE)]
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


@dataclass
class Story:
    """A trace that is replayed, with what has been seen of it so far."""

    trace: Trace
    namespace: Namespace
    controller: Recording
    sizes: dict[str, int] = field(default_factory=dict)
    selectors: dict[str, str | None] = field(default_factory=dict)

    @property
    def rollout(self) -> dict[str, Any]:
        """The Rollout as last seen."""
        return self.namespace.find_rollout(self.trace.rollout["metadata"]["name"]) or {}

    async def rest(self, step: Step) -> list[str]:
        """Wait for the rest point; in what it differs from the recorded one."""
        await self.namespace.until_rest()
        found = self._difference(step)
        until = asyncio.get_running_loop().time() + LATE_SECONDS
        while found and asyncio.get_running_loop().time() < until:
            await self.namespace.until_rest()
            found = self._difference(step)
        return found

    def resizes(self, seen: list[Seen]) -> list[Resize]:
        """The changes of wanted sizes, in order, since the last call."""
        found = []
        for item in seen:
            if item.plural == REPLICA_SETS.plural and _is_of_rollout(item.object):
                name, size = item.object["metadata"]["name"], item.object["spec"]["replicas"]
                if size != self.sizes.get(name, 0):
                    found.append(Resize(name, self.sizes.get(name, 0), size))
                self.sizes[name] = size
        return rolled(found)

    def switches(self, seen: list[Seen]) -> list[Switch]:
        """The changes of the hashes that Services select, in order, since the last call."""
        found = []
        for item in seen:
            if item.plural == SERVICES.plural:
                name, hashed = item.object["metadata"]["name"], item.object["spec"]["selector"].get(HASH)
                if hashed != self.selectors.get(name):
                    found.append((name, hashed))
                self.selectors[name] = hashed
        return found

    def _difference(self, step: Step) -> list[str]:
        namespace = self.namespace
        observed = observed_state(self.rollout, namespace.replica_sets, namespace.services, namespace.deployments)
        return differences(step.state, observed)


def course(key: str, before: Any, seen: list[Seen]) -> list[Any]:
    """The values that a member of the status took, one after another."""
    versions = [item.object.get("status", {}).get(key) for item in seen if item.plural == ROLLOUTS.plural]
    return settled_course([before, *versions])


def settled_course(values: Iterable[Any]) -> list[Any]:
    """The values less repeats, with messages that follow the counters as one."""
    return without_repeats("by counters" if value in BY_COUNTERS else value for value in values)


def _is_of_rollout(replica_set: dict[str, Any]) -> bool:
    owners = replica_set["metadata"].get("ownerReferences", ())
    return any(owner["kind"] == ROLLOUTS.kind for owner in owners)


def check_way(story: Story, step: Step, before: dict[str, Any], seen: list[Seen], emitted: list[Any]) -> None:
    """Compare what happened on the way to the rest point, as far as that was recorded."""
    resized, switched = story.resizes(seen), story.switches(seen)
    if step.events is not None:
        assert rolled_events(Event(*event) for event in emitted) == rolled_events(step.events), step.rest
    if step.resizes is None:
        return
    assert resized == rolled(step.resizes), step.rest
    assert released_in_any_order(switched) == released_in_any_order(step.switches or ()), step.rest
    for key in COURSES:
        taken = course(key, before.get(key), seen)
        assert taken == settled_course(step.course(key, before.get(key)) or ()), (step.rest, key)


@pytest.mark.needs("plays_pods")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("trace", TRACES, ids=[trace.name for trace in TRACES])
async def test_the_story_goes_as_recorded(
    trace: Trace, namespace: Namespace, controller: Recording, shell: Shell
) -> None:
    story = Story(trace, namespace, controller)
    for step in trace.steps:
        before = story.rollout.get("status", {})
        emitted, seen = len(controller.events), len(namespace.seen)
        for action in step.document["actions"]:
            await act(action, trace, namespace, shell)
        if found := await story.rest(step):
            pytest.fail("\n".join([f"at rest {step.rest!r}", *found]))
        check_way(story, step, before, namespace.seen[seen:], controller.events[emitted:])


@pytest.mark.needs("plays_pods")
@pytest.mark.timeout(300)
async def test_old_replica_sets_go_as_recorded(namespace: Namespace, controller: Recording, shell: Shell) -> None:
    """Trace 18 without its analysis: which ReplicaSets there are, and how they are resized, does not depend on it."""
    (recorded,) = traces("18")
    trace = replace(recorded, objects=[_without_steps(recorded.rollout)])
    story = Story(trace, namespace, controller)
    for step in trace.steps:
        seen = len(namespace.seen)
        for action in step.document["actions"]:
            await act(action, trace, namespace, shell)
        await namespace.until_rest()
        observed = observed_state(story.rollout, namespace.replica_sets)
        assert differences(step.state["replicaSets"], observed["replicaSets"]) == [], step.rest
        resized = story.resizes(namespace.seen[seen:])
        assert step.resizes is None or resized == rolled(step.resizes), step.rest


def _without_steps(rollout: Any) -> dict[str, Any]:
    return {**rollout, "spec": {**rollout["spec"], "strategy": {"canary": {}}}}
