"""Edge cases of the Services of a canary: row 43 of rollout 10, and the rows of traffic 5, "Services", by number.

Row 62 is in the tests of references, row 64 in those of the controller, row 66 with the routers.
"""

import json
from typing import Any

import pytest

from sluicegate.api import names
from sluicegate.engine.decision import PatchService

from .builders import make_replica_set, make_service
from .manifests import canary_manifest
from .routed import CANARY, STABLE, one_pass, routed_manifest, routed_view, routed_world, updating
from .world import World

STEPS = [{"setWeight": 20}, {"pause": {}}]
PING_PONG: dict[str, Any] = {
    "pingPong": {"pingService": "ping", "pongService": "pong"},
    "trafficRouting": {"istio": {}},
}


@pytest.mark.parametrize(
    ("adopted", "available", "switches"),
    [(False, 1, False), (False, 3, True), (True, 1, True), (True, 0, False), (False, 0, False)],
)
def test_rollout_43_traffic_61_an_unadopted_service_is_switched_to_all_pods_an_adopted_one_to_any_none_to_no_pod(
    adopted: bool, available: int, switches: bool
) -> None:
    """An unadopted Service and a ReplicaSet with 1 of 3 available: no switch; adopted: switch; 0 available: never."""
    replica_sets = [make_replica_set("s", 3, 3), make_replica_set("c", 3, available, new=True, revision=2)]
    services = [make_service(CANARY, "s", managed_by="a" if adopted else None)]
    passed = one_pass(routed_view(3, replica_sets, steps=STEPS, services=services))
    assert passed.switched(CANARY) == ("c" if switches else "s")


def ping_pong() -> World:
    canary = {**PING_PONG, "canaryService": "", "stableService": ""}
    return World.healthy(routed_manifest(steps=STEPS, **canary), services=("ping", "pong"))


def test_63_ping_pong_ping_gets_the_hash_at_first_deploy_status_ping_and_pong_after_the_next_promotion() -> None:
    world = ping_pong()
    first = world.status["currentPodHash"]
    assert (world.selected("ping"), world.selected("pong")) == (first, "")
    assert world.status["canary"]["stablePingPong"] == "ping"
    world.set_image("v2")
    world.settle()
    second = world.status["currentPodHash"]
    assert (world.selected("ping"), world.selected("pong")) == (first, second)
    world.promote()
    world.settle()
    assert world.status["canary"]["stablePingPong"] == "pong"
    assert (world.selected("ping"), world.selected("pong")) == (first, second)


def test_63_a_third_version_takes_the_service_of_the_first() -> None:
    world = ping_pong()
    for tag in ("v2", "v3"):
        world.set_image(tag)
        world.settle()
        world.promote()
        world.settle()
    assert world.status["canary"]["stablePingPong"] == "ping"
    assert world.selected("ping") == world.status["stableRS"]


def test_65_abort_without_trafficrouting_canary_service_to_stable_hash() -> None:
    manifest = canary_manifest(replicas=5, steps=STEPS, canaryService=CANARY, stableService=STABLE)
    world = World.healthy(manifest, services=(CANARY, STABLE))
    world.set_image("v2")
    world.settle()
    assert world.selected(CANARY) == world.status["currentPodHash"]
    world.abort()
    world.settle()
    assert world.selected(CANARY) == world.status["stableRS"] == world.selected(STABLE)


def test_65_abort_with_trafficrouting_the_selector_does_not_flap_across_passes() -> None:
    """One patch (docs/differences.md): Argo Rollouts switches it to and fro as long as the canary has pods."""
    world = updating(steps=STEPS)
    world.abort()
    for _ in range(6):
        world.step()
    assert world.sizes == {"v1": 10, "v2": 2}
    assert world.writes.count(f"patch service {CANARY}") == 1
    assert world.selected(CANARY) == world.status["stableRS"]


def test_services_are_written_as_the_incumbent_writes_them() -> None:
    """Selector and mark on a Service that is taken over, then the selector alone, nothing where both are right."""
    world = routed_world(steps=STEPS)
    assert world.services[STABLE]["metadata"]["annotations"] == {names.MANAGED_BY: "shop"}
    world.set_image("v2")
    patches = []
    for _ in range(8):
        decision = world.step()
        patches += [action for action in decision.actions if isinstance(action, PatchService)]
        world.pass_time(1)
    assert [(patch.service.metadata.name, json.dumps(patch.patch)) for patch in patches] == [
        (CANARY, json.dumps({"spec": {"selector": {names.HASH_LABEL: world.status["currentPodHash"]}}}))
    ]
    assert world.services[CANARY]["spec"]["selector"] == {
        "app": "shop",
        names.HASH_LABEL: world.status["currentPodHash"],
    }
