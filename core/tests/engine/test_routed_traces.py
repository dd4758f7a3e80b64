"""What Argo Rollouts did with routers on a real cluster, the engine does too: sizes, Services, weights, status, events.

The routers' own objects are the routers' matter: here a router takes whatever it is handed.
"""

import copy
from datetime import timedelta
from typing import Any, Final

import pytest
from tests.traces.comparison import (
    DATA,
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
)

from .world import World

TRACES = traces(folder=DATA / "routed")

OURS: Final = {
    ("05b-canary-nginx-abort", "aborted, canary within its delay"): (
        "the incumbent switches the canary Service to and fro until the delay is over; we rest within it"
    ),
    ("05b-canary-nginx-abort", "aborted, canary scaled down"): "only here have we waited the delay out",
    ("24-delays", "aborted: canary sized by setCanaryScale at step 0, no rest (upstream defect)"): (
        "the canary Service is switched once"
    ),
    ("24-delays", "retried"): "the canary Service is switched once",
    ("24-delays", "promoted fully; the old one stays (upstream defect)"): "a delay of 0 is over at once",
}
"""Rest points whose events are others on purpose, and of two of them the sizes too."""
SIZES_DIFFER: Final = {"aborted, canary within its delay", "promoted fully; the old one stays (upstream defect)"}
WAITED_OUT: Final = {("21-ping-pong", "v2 done"), ("21-ping-pong", "v3 done")}
"""Rest points that were recorded after a delay of 3 s."""


def world_of(trace: Trace) -> World:
    world = World(copy.deepcopy(dict(trace.rollout)), ready_after=timedelta(seconds=2))
    for manifest in trace.objects:
        if manifest["kind"] == "Service":
            world.add_service(manifest["metadata"]["name"])
    return world


def replay(world: World, trace: Trace, step: Step) -> None:
    """Do what the user did and let the world come to rest."""
    actions = [action for action in step.document["actions"] if isinstance(action, dict)]
    patches: list[tuple[str, str, Any]] = [("patch", a["patch"], a["body"]) for a in actions if "patch" in a]
    requests = [*patches, *step.requests]
    world.pass_time(4 if requests else 9)
    for verb, path, body in requests:
        world.request(verb, path.removeprefix("rollouts/shop").strip("/"), body)
    world.settle()
    if (trace.name, step.rest) in WAITED_OUT:
        world.pass_time(4)
        world.settle()


@pytest.mark.parametrize("trace", TRACES, ids=[trace.name for trace in TRACES])
def test_the_story_goes_as_recorded(trace: Trace) -> None:
    world = world_of(trace)
    for step in trace.steps:
        world.forget()
        replay(world, trace, step)
        if step.rest not in SIZES_DIFFER:
            observed = observed_state(world.rollout, world.replica_sets.values(), world.services.values())
            assert differences(step.state, observed) == [], step.rest
        if step.events is not None and step.resizes is not None and (trace.name, step.rest) not in OURS:
            assert resizes(world) == joined(step.resizes), step.rest
            assert events(world) == [event for event in recorded(step) if not of_router(event)], step.rest


def test_each_choice_of_ours_is_one_of_the_recorded_rest_points() -> None:
    rests = {(trace.name, step.rest) for trace in TRACES for step in trace.steps}
    assert set(OURS) | WAITED_OUT <= rests


def resizes(world: World) -> list[Resize]:
    return joined(Resize(resize.name, resize.before, resize.after) for resize in world.resizes)


def events(world: World) -> list[Event]:
    return joined_events(Event(event.type, event.reason, event.message) for event in world.events)


def recorded(step: Step) -> list[Event]:
    return joined_events(step.events or (), OUTSIDE_THE_ENGINE)


def of_router(event: Event) -> bool:
    return "Ingress" in event.reason or "VirtualService" in event.reason or event.reason == "TrafficRoutingError"
