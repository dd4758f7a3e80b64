"""Random stories for the properties: Rollouts of all shapes, and what users, pods and controllers do to them."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from .manifests import canary_manifest
from .world import World

Operation = tuple[Any, ...]

PERCENT = st.sampled_from([0, 20, 34, 50, 75, 90, 100])
STEPS: st.SearchStrategy[list[dict[str, object]]] = st.lists(
    st.one_of(
        PERCENT.map(lambda weight: {"setWeight": weight}),
        st.just({"pause": {}}),
        st.sampled_from([1, 2]).map(lambda seconds: {"pause": {"duration": seconds}}),
    ),
    max_size=4,
)
FENCES = st.tuples(
    st.one_of(st.integers(0, 3), st.sampled_from(["25%", "50%"])),
    st.one_of(st.integers(0, 3), st.sampled_from(["25%", "50%"])),
)
_USER: Sequence[Operation] = [
    *(("set_image", tag) for tag in ("v1", "v2", "v3", "error")),
    *[("promote",)] * 6,
    ("promote_full",),
    ("abort",),
    ("retry",),
    ("set_steps", [{"setWeight": 40}, {"pause": {}}, {"setWeight": 60}]),
    ("set_steps", [{"setWeight": 80}]),
]
MACHINE: Sequence[Operation] = [
    *[("go_on",)] * 12,
    *[("step",)] * 6,
    *[("reconcile",)] * 6,
    *(("sync_one", index) for index in range(3)),
    ("pass_time", 2),
]


def stories(*more: Operation) -> st.SearchStrategy[list[Operation]]:
    """What happens once a new image is set, in any order; `more` are operations beside those of users and machines."""
    operations = st.lists(st.sampled_from([*_USER, *MACHINE, *more]), min_size=12, max_size=24)
    return st.tuples(st.sampled_from(["v2", "error"]), operations).map(
        lambda drawn: [("set_image", drawn[0]), *drawn[1]]
    )


DEATH: Sequence[Operation] = [
    (verb, index, count) for verb in ("kill", "break_down") for index in range(3) for count in (1, 3)
]


CHANGES: st.SearchStrategy[Operation] = st.sampled_from(
    [*_USER, ("scale", 3), ("scale", 7), ("scale", 0), ("pause",), ("unpause",), ("undo", "v1")]
)
"""What a user does to a Rollout at rest."""


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Any]:
    """A canary of up to eight pods with any fences and steps, on version v1."""
    surge, unavailable = draw(FENCES)
    manifest = canary_manifest(
        replicas=draw(st.integers(1, 8)), steps=draw(STEPS), maxSurge=surge, maxUnavailable=unavailable
    )
    manifest["spec"] |= draw(st.sampled_from([{}, {}, {"rollbackWindow": {"revisions": 1}}, {"minReadySeconds": 1}]))
    return manifest


def perform(world: World, operation: Operation) -> None:
    """Do one operation of a story; one on a ReplicaSet that does not exist does nothing."""
    verb, *arguments = operation
    if verb == "go_on":
        for _ in range(4):
            world.step()
            world.pass_time(1)
        return
    if verb in ("sync_one", "kill", "break_down"):
        name = _existing(list(world.replica_sets), arguments[0])
        if name is not None:
            _to_pods(world, verb, name, arguments[1:])
        return
    getattr(world, verb)(*arguments)


def _existing(names: Sequence[str], index: int) -> str | None:
    return names[index] if index < len(names) else None


def _to_pods(world: World, verb: str, name: str, arguments: Sequence[int]) -> None:
    if verb == "sync_one":
        world.sync_one(name)
    elif verb == "kill":
        world.pods.kill(name, arguments[0])
    else:
        world.pods.break_down(name, arguments[0])
