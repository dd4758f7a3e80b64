"""How long the engine takes for one decision: a Rollout with ten ReplicaSets, from its objects to what to do."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from statistics import quantiles
from typing import Any, NamedTuple

from core.tests.engine.blue_green_world import blue_green_manifest
from core.tests.engine.manifests import canary_manifest
from core.tests.engine.world import World

from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.rollout import Rollout
from sluicegate.engine.decision import Decision
from sluicegate.engine.passes import begin, decide
from sluicegate.engine.prepare import prepare
from sluicegate.engine.surroundings import Surroundings
from sluicegate.engine.traffic import Verified
from sluicegate.engine.view import View
from sluicegate.engine.weights import PodCounts, split_request
from sluicegate_replicaset import ReplicaSetRouter

from .figure import Figure

REPLICA_SETS = 10
PASSES = 8
"""How many passes after a promotion are measured: more than a step takes."""
STEPS: Sequence[Mapping[str, Any]] = ({"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}})
_ROUTER = ReplicaSetRouter()


class Moment(NamedTuple):
    """What a pass gets to see."""

    rollout: Rollout
    replica_sets: list[ReplicaSet]
    surroundings: Surroundings
    now: datetime

    @classmethod
    def of(cls, world: World) -> "Moment":
        return cls(Rollout.model_validate(world.rollout), world.owned(), world.surroundings(), world.now)

    def decide(self) -> Decision:
        """Decide as the controller does, up to what is sent."""
        # The controller parses a spec once a generation, metadata and status in each pass.
        rollout = self.rollout.model_copy()
        prepared = prepare(rollout, self.replica_sets, (), self.now, self.surroundings)
        if isinstance(prepared, Decision):
            return prepared
        split = _split(prepared)
        begun = begin(prepared, split, self.now)
        return begun if isinstance(begun, Decision) else decide(begun, split, Verified(), self.now)


def decision_figures(times: int) -> Iterator[Figure]:
    """A figure a strategy: that of the slowest of the passes in and after a pause, each decided so many times."""
    for strategy, world in _worlds():
        spans = [_percentiles(moment, times) for moment in _moments(world)]
        p50, p99 = max(spans, key=lambda span: span[1])
        work = f"one decision with {REPLICA_SETS} ReplicaSets, {strategy}, p50 / p99"
        note = "p99 of the passes of a step: " + ", ".join(f"{at99:.2f}" for _, at99 in spans)
        yield Figure(work, f"{p50:.2f} / {p99:.2f} ms", "p99 1 ms", note)


def _moments(world: World) -> Iterator[Moment]:
    yield Moment.of(world)
    world.patch_status({"pauseConditions": None})
    for _ in range(PASSES):
        yield Moment.of(world)
        world.step()


def _percentiles(moment: Moment, times: int) -> tuple[float, float]:
    """The median and the 99th of 100, in milliseconds of this thread: what else the machine does is not in it."""
    seconds = []
    for _ in range(times):
        start = time.thread_time()
        moment.decide()
        seconds.append(time.thread_time() - start)
    found = quantiles(seconds, n=100)
    return 1000 * found[49], 1000 * found[98]


def _worlds() -> Iterator[tuple[str, World]]:
    routed = canary_manifest(
        steps=STEPS,
        canaryService="canary",
        stableService="stable",
        trafficRouting={"plugins": {"sluicegate/recording": {"ingress": "shop"}}},
    )
    yield "canary with a router", _updating(routed, "stable", "canary")
    yield "canary without", _updating(canary_manifest(steps=STEPS))
    yield "blue-green", _updating(blue_green_manifest(autoPromotionEnabled=False), "active", "preview")


def _updating(manifest: dict[str, Any], *services: str) -> World:
    """A world that pauses in the update to its last version; all ReplicaSets of those before are kept."""
    world = World.healthy(manifest, services=services)
    for number in range(2, REPLICA_SETS + 1):
        world.set_image(f"v{number}")
        world.settle()
        if number < REPLICA_SETS:
            world.patch_status({"promoteFull": True})
            world.settle()
            world.pass_time(60)
            world.settle()
    assert len(world.replica_sets) == REPLICA_SETS, sorted(world.replica_sets)
    assert world.status["phase"] == "Paused", world.status
    return world


def _split(view: View) -> PodCounts | None:
    if not view.basic:
        return None
    request = split_request(view)
    counts = _ROUTER.split(request.weight, request.max_weight, request.replicas, request.max_surge)
    return PodCounts(counts.canary, counts.stable)
