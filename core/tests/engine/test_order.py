"""One routing pass with several kinds of routers, as Argo Rollouts was seen to make it (`vectors/order.json`).

Argo Rollouts calls a router operation by operation, ours is handed what is to be so. Compared is what the calls leave
behind: hashes and weights in the order in which they come into force, the canary Service, the recorded weights, what is
told, and when to look again.

Ours differs on purpose in what it asks: a router says whether its weights are in force only where a `setWeight` or the
end of the steps waits for that. Argo Rollouts asks on every pass, and holds an abort that cannot be verified for ever.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet
from sluicegate.api.rollout import Rollout
from sluicegate.api.status import TrafficWeights
from sluicegate.engine import passes
from sluicegate.engine.begun import Begun
from sluicegate.engine.traffic import Verified, outcome, routing_failed
from sluicegate.engine.view import View

from .builders import DAWN, NEW_TEMPLATE, make_replica_set, make_service, make_view

Case = dict[str, Any]
State = tuple[str, str, int]
"""Canary hash, stable hash and canary weight, as a router has them."""

CASES: list[Case] = json.loads((Path(__file__).parents[1] / "vectors" / "order.json").read_text())
LEFT_OUT: Mapping[str, str] = {
    "order-5": "its stable ReplicaSet is one that the status does not name: to us there is none then",
    "order-24": "a full promotion gives a version no weight of the one before it that its pods cannot carry",
    "order-27": "its additional destinations are those of an Experiment, which come with Experiments",
}
COMPARED = [case for case in CASES if case["id"] not in LEFT_OUT]


@pytest.mark.parametrize("case", COMPARED, ids=lambda case: case["id"])
def test_a_routing_pass_leaves_behind_what_the_recorded_calls_do(case: Case) -> None:
    begun, states = begin(case), states_recorded(case)
    assert states_handed_over(begun) == states
    assert header_and_mirror_routes(begun) == []
    asked = bool(states) and is_asked(case, states[-1][2])
    assert (begun.routing is not None and begun.routing.verify) == asked
    if any("fail" in router for router in case["routers"]):
        assert fails_without_a_status()
        return
    traffic = outcome(begun.view, begun.routing, answer(case) if asked else Verified())
    expected = case["expected"] if asked else without_verification(case["expected"])
    assert traffic.weights == expected_weights(expected)
    assert (traffic.error is not None) == expected["error"]
    assert [traffic.requeue_after] == (expected["requeue"] or [None])
    assert [f"{event.type} {event.reason}" for event in traffic.events] == list(dict.fromkeys(expected["events"]))


@pytest.mark.parametrize("case", COMPARED, ids=lambda case: case["id"])
def test_the_canary_service_goes_back_to_stable_where_it_does_so_in_the_recording(case: Case) -> None:
    goes_back = "canary service to stable" in case["expected"]["calls"]
    assert begin(case).view.surroundings.service_hash("shop-canary") == ("h1" if goes_back else "h2")


def test_the_cases_left_out_exist() -> None:
    assert set(LEFT_OUT) < {case["id"] for case in CASES}


def begin(case: Case) -> Begun:
    begun = passes.begin(view_of(case), None, DAWN)
    assert isinstance(begun, Begun)
    return begun


def view_of(case: Case) -> View:
    """The world of a case, with template, steps and sizes recorded, so that the pass gets to the traffic."""
    given, replicas = case["rollout"], case["rollout"]["spec"]["replicas"]
    found = {stored["metadata"]["name"]: stored for key in ("stableRS", "newRS") if (stored := case.get(key))}
    new = case["newRS"]["metadata"]["name"] if case.get("newRS") else ""
    replica_sets = [made(stored, replicas, new=name == new) for name, stored in found.items()]
    services = [make_service("shop-stable", "h1"), make_service("shop-canary", "h2")]
    bare = make_view(given, replica_sets)
    recorded = {"currentPodHash": bare.pod_hash, "currentStepHash": bare.step_hash}
    return make_view({**given, "status": {**given["status"], **recorded}}, replica_sets, services=services)


def made(stored: Mapping[str, Any], replicas: int, *, new: bool) -> ReplicaSet:
    return make_replica_set(
        stored["metadata"]["labels"][names.HASH_LABEL],
        stored["spec"]["replicas"],
        stored["status"]["availableReplicas"],
        new=new,
        revision=2 if new else 1,
        created=stored["status"]["replicas"],
        desired=replicas,
    )


def states_recorded(case: Case) -> list[State]:
    """The states of the first router after each of its weights; all routers are called alike."""
    recorded = case["rollout"]["status"]["canary"].get("weights", {})
    canary, stable = (recorded.get(side, {}).get("podTemplateHash", "") for side in ("canary", "stable"))
    states: list[State] = []
    for router, operation, *arguments in (call.split() for call in case["expected"]["calls"]):
        if (router, operation) == ("0", "update_hash"):
            canary, stable = (json.loads(argument) for argument in arguments)
        elif (router, operation) == ("0", "set_weight"):
            states.append((canary, stable, int(arguments[0])))
    return states


def states_handed_over(begun: Begun) -> list[State]:
    stages = begun.routing.stages if begun.routing else ()
    return [(s.canary.pod_template_hash, s.stable.pod_template_hash, s.canary.weight) for s in stages]


def header_and_mirror_routes(begun: Begun) -> list[object]:
    """Those that routers are to have; none of the cases has a step whose route matches anything."""
    stages = begun.routing.stages if begun.routing else ()
    return [route for stage in stages for route in (*stage.header_routes, *stage.mirror_routes)]


def is_asked(case: Case, weight: int) -> bool:
    """Whether something waits for the weight: a `setWeight` step, or the end of the steps at the full weight."""
    rollout = Rollout.model_validate({"spec": {"template": NEW_TEMPLATE}} | case["rollout"])
    canary, status = rollout.spec.strategy.canary, rollout.status
    assert canary is not None
    if status.abort or status.current_pod_hash == status.stable_rs:
        return False
    left = (canary.steps or [])[status.current_step_index or 0 :]
    return left[0].set_weight is not None if left else weight == canary.max_weight


def fails_without_a_status() -> bool:
    """Whether a router that cannot do it ends the pass, with an event and without a status."""
    failed = routing_failed("no luck")
    told = [(event.type, event.reason, event.message) for event in failed.events]
    return (failed.error, failed.status, told) == ("no luck", None, [("Warning", "TrafficRoutingError", "no luck")])


def answer(case: Case) -> Verified:
    answers = {False if router.get("verifyError") else router.get("verified") for router in case["routers"]}
    errors = tuple("no answer" for router in case["routers"] if router.get("verifyError"))
    return Verified(False if False in answers else True if True in answers else None, errors)


def without_verification(expected: Mapping[str, Any]) -> dict[str, Any]:
    """What upstream leaves behind, but for what came of its question."""
    weights = expected["weights"] and {key: value for key, value in expected["weights"].items() if key != "verified"}
    events = [event for event in expected["events"] if not event.endswith("WeightVerifyError")]
    return {"weights": weights, "error": False, "requeue": [], "events": events}


def expected_weights(expected: Mapping[str, Any]) -> TrafficWeights | None:
    return TrafficWeights.model_validate(expected["weights"]) if expected["weights"] else None
