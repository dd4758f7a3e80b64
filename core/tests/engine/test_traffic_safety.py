"""In a routed update no version is made smaller than the traffic it has, nor given traffic that it cannot carry.

What a pod that dies leaves uncarried is nobody's choice; here it is looked at what the engine itself asks for.
"""

from typing import Any

import pytest

from .manifests import canary_manifest
from .world import World

SERVICES = ("stable", "canary")
PAUSE: dict[str, Any] = {"pause": {}}


class CarriedWorld(World):
    """A `World` that looks after each write whether every version can carry its traffic, by size."""

    def reconcile(self, *, writes: int | None = None) -> Any:
        before = len(self.writes)
        decision = super().reconcile(writes=writes)
        if len(self.writes) > before:
            self.look()
        return decision

    def look(self) -> None:
        if not self.routes:
            return
        routes = self.routes[-1]
        for destination in (routes.canary, routes.stable):
            pods = -(-destination.weight * self.spec["replicas"] // routes.max_weight)
            size = self._size_of(destination.pod_template_hash)
            assert size >= pods, f"{destination} has {size} pods, needs {pods}: {self.writes[-6:]}"

    def _size_of(self, hash_: str) -> int:
        labels = "rollouts-pod-template-hash"
        found = (rs for rs in self.replica_sets.values() if rs["metadata"]["labels"][labels] == hash_)
        return sum(rs["spec"]["replicas"] for rs in found)

    def version_of(self, tag: str) -> str:
        hash_: str = self.replica_set(tag)["metadata"]["labels"]["rollouts-pod-template-hash"]
        return hash_


def serving(*steps: dict[str, Any], replicas: int = 10, **canary: Any) -> CarriedWorld:
    """A world whose v1 serves, routed."""
    manifest = canary_manifest(
        replicas=replicas,
        steps=steps,
        stableService="stable",
        canaryService="canary",
        trafficRouting={"nginx": {"stableIngress": "a"}},
        **canary,
    )
    world = CarriedWorld(manifest)
    for name in SERVICES:
        world.add_service(name)
    world.settle()
    return world


def update(world: CarriedWorld, tag: str = "v2") -> None:
    world.set_image(tag)
    world.settle()


def promote(world: CarriedWorld) -> None:
    world.patch_status({"pauseConditions": None})
    world.settle()


@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "dynamic"])
def test_the_weight_falls_before_the_pods_do(dynamic: bool) -> None:
    world = serving({"setWeight": 100}, PAUSE, {"setWeight": 20}, PAUSE, dynamicStableScale=dynamic)
    update(world)
    promote(world)
    assert world.routes[-1].canary.weight == 20
    assert world.sizes == {"v1": 8 if dynamic else 10, "v2": 2}


def test_an_abort_keeps_the_canary_until_stable_can_take_its_weight() -> None:
    """With abortScaleDownDelaySeconds 0 Argo Rollouts takes the pods while the weight is on them."""
    world = serving({"setWeight": 50}, PAUSE, abortScaleDownDelaySeconds=0)
    update(world)
    world.pods.break_down(world.named("v1"), 1)
    world.sync()
    world.patch_status({"abort": True})
    world.settle()
    assert (world.routes[-1].canary.weight, world.sizes) == (50, {"v1": 10, "v2": 5})
    world.pods.heal()
    world.sync()
    world.settle()
    assert world.routes[-1].canary.weight == 0


def test_the_weight_of_the_version_before_does_not_come_to_one_without_pods_by_an_abort() -> None:
    world = serving({"setWeight": 40}, PAUSE, dynamicStableScale=True)
    update(world)
    world.set_image("v3-error")
    world.settle()
    world.patch_status({"abort": True})
    world.settle()
    assert world.routes[-1].canary.weight == 0
    assert all(r.canary.weight == 0 or r.canary.pod_template_hash == world.version_of("v2") for r in world.routes[1:])


@pytest.mark.parametrize("full", [False, True], ids=["step", "full promotion"])
def test_a_new_image_right_after_the_promotion_finds_the_new_stable_version_whole(full: bool) -> None:
    """The weights recorded last are those of the former stable version, which has none any more."""
    world = serving({"setWeight": 100}, dynamicStableScale=True)
    world.set_image("v2")
    while world.status["stableRS"] != world.status["currentPodHash"] or "v2" not in map(world.tag, world.replica_sets):
        world.step()
        world.pass_time(1)
        world.sync()
    world.set_image("v3")
    if full:
        world.patch_status({"promoteFull": True})
    world.settle()
    assert world.sizes == {"v3": 10}


def test_weight_comes_to_no_stable_version_that_has_no_pod() -> None:
    """By its rounding the incumbent lets 90 % go to a stable version of no pods where one pod carries all."""
    world = serving({"setWeight": 100}, PAUSE, {"setWeight": 10}, PAUSE, replicas=1, dynamicStableScale=True)
    update(world)
    promote(world)
    assert (world.routes[-1].canary.weight, world.sizes) == (10, {"v1": 1, "v2": 1})


def test_the_canary_service_does_not_go_back_to_a_stable_version_without_pods() -> None:
    world = serving({"setWeight": 50}, PAUSE)
    update(world)
    world.pods.break_down(world.named("v1"), 10)
    world.sync()
    world.patch_status({"abort": True})
    world.settle()
    assert world.selected("canary") == world.version_of("v2")
    world.pods.heal()
    world.sync()
    world.settle()
    assert world.selected("canary") == world.version_of("v1")


def test_the_stable_service_of_a_canary_without_routing_always_has_a_pod() -> None:
    """Argo Rollouts takes the last pod behind it before it is switched."""
    world = World(canary_manifest(replicas=5, stableService="stable", steps=[{"setWeight": 40}], maxUnavailable=0))
    world.add_service("stable")
    world.settle()
    world.set_image("v2")
    for _ in range(60):
        world.step()
        world.pass_time(1)
        world.sync()
        selected = next(name for name in world.replica_sets if name.endswith(world.selected("stable")))
        assert world.pods.serving(selected, world.min_ready, world.now) >= 1, world.writes[-8:]
    assert world.sizes == {"v2": 5}
    assert world.status["phase"] == "Healthy"
