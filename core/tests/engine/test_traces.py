"""What Argo Rollouts did on a real cluster, the engine does too: whole roll-outs, rest point by rest point."""

from datetime import timedelta
from typing import Any

import pytest
from tests.traces.comparison import (
    OUTSIDE_THE_ENGINE,
    Event,
    Resize,
    Step,
    Trace,
    differences,
    joined,
    joined_events,
    observed_state,
    traces,
    without_repeats,
)

from .world import World

TRACES = traces("01", "02", "03", "04")
COURSES = ("currentStepIndex", "stableRS", "phase", "message")


def replay(world: World, step: Step) -> list[dict[str, Any]]:
    """Do what the user did and let the world come to rest; each status on the way, first the one before."""
    world.pass_time(4)
    before = world.status
    for verb, path, body in step.requests:
        world.request(verb, path.removeprefix("rollouts/shop").strip("/"), body)
    return [before, *world.settle()]


@pytest.mark.parametrize("trace", TRACES, ids=[trace.name for trace in TRACES])
def test_the_story_goes_as_recorded(trace: Trace) -> None:
    world = World(dict(trace.rollout), ready_after=timedelta(seconds=2))
    for step in trace.steps:
        world.forget()
        course = replay(world, step)
        assert differences(step.state, observed_state(world.rollout, world.replica_sets.values())) == [], step.rest
        if step.events is not None and step.resizes is not None:
            assert resizes(world) == joined(step.resizes), step.rest
            assert events(world) == joined_events(step.events, OUTSIDE_THE_ENGINE), step.rest
            for key in COURSES:
                taken = without_repeats(status.get(key) for status in course)
                assert taken == step.course(key, course[0].get(key)), (step.rest, key)


def resizes(world: World) -> list[Resize]:
    return joined(Resize(resize.name, resize.before, resize.after) for resize in world.resizes)


def events(world: World) -> list[Event]:
    return joined_events(Event(event.type, event.reason, event.message) for event in world.events)
