"""A wrong manifest in the middle of an update: told of in condition, phase and message, and nothing else is done.

Each is applied to a canary that is paused at a step, together with another image and another count, neither of which
may have any effect before the manifest is mended. Then the update goes on.
"""

import copy
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest

from sluicegate.api.rollout import Rollout
from sluicegate.api.validation import parse_rollout, validate_rollout
from sluicegate.engine.decision import Decision
from sluicegate.engine.prepare import refuse
from sluicegate.engine.workload import UNRESOLVED_SECONDS, WorkloadRefError, resolve

from ..engine.manifests import canary_manifest
from ..engine.world import World
from .conftest import VECTORS
from .invalid_specs import ROWS, Row
from .references import errors_in

Case = dict[str, Any]
RULES = 26
SOME_TEMPLATES: list[Case] = [case for case in VECTORS["podTemplate"] if case["errors"]][::8]
"""A few of all: which rule a template breaks makes no difference to what is done."""
WRONG_REFERENCES: list[Case] = [
    case for case in VECTORS["references"] if case["error"] and case.get("name", "shop") == "shop"
]
STEPS = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}]


def paused() -> World:
    """A canary of five pods, paused at its first step."""
    return copy.deepcopy(_paused())


@cache
def _paused() -> World:
    manifest = canary_manifest(steps=STEPS)
    manifest["metadata"]["namespace"] = "ns"
    world = World.healthy(manifest)
    world.set_image("v2")
    world.settle()
    assert world.sizes == {"v1": 4, "v2": 1}
    world.forget()
    return world


def edit(world: World, spec: Mapping[str, Any]) -> Rollout:
    """Apply the edit, with another image and another count where it gives none; the Rollout as it then is."""
    world.set_image("v3")
    world.patch({"spec": {"replicas": 9, **spec}})
    world.forget()
    return rollout_of(world)


def rollout_of(world: World) -> Rollout:
    return parse_rollout({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", **world.rollout})


def refused(world: World, errors: list[str]) -> Decision:
    """A few passes over a manifest with these errors."""
    for _ in range(3):
        _, decision = world.decide(errors)
        world.carry_out(decision)
        world.sync()
        world.pass_time(20)
    return decision


def assert_only_told(world: World, before: World, error: str) -> None:
    """Condition, phase and message say it; Services, routes, ReplicaSets and the rest of the status are as before."""
    message = f'The Rollout "shop" is invalid: {error}'
    assert world.condition("InvalidSpec") == ("True", "InvalidSpec", message)
    assert (world.status["phase"], world.status["message"]) == ("Degraded", f"InvalidSpec: {message}")
    assert world.writes == ["patch rollout/status"]
    assert (world.events, world.resizes, world.sizes) == ([], [], before.sizes)
    told = ("conditions", "phase", "message", "observedGeneration")
    assert without(world.status, told) == without(before.status, told)


def without(status: Mapping[str, Any], members: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in status.items() if key not in members}


def assert_goes_on(world: World, before: World) -> None:
    """Mended, the update is where it was, and can be promoted."""
    world.request("update", "", {"spec": before.spec})
    world.settle()
    assert world.condition("InvalidSpec") is None
    assert (world.status["phase"], world.status["message"]) == ("Paused", "CanaryPauseStep")
    assert world.sizes == before.sizes
    world.promote()
    world.settle()
    assert world.sizes == {"v1": 2, "v2": 3}


@pytest.mark.parametrize("row", ROWS, ids=[f"row {row.number} {row.error[:60]}" for row in ROWS])
def test_a_manifest_that_breaks_a_rule_is_told_of_and_stops_the_update_until_it_is_mended(row: Row) -> None:
    world, before = paused(), paused()
    rollout = edit(world, row.patch)
    errors = [str(error) for error in validate_rollout(rollout)]
    assert errors[0] == row.error
    decision = refused(world, errors)
    assert decision.error == f'The Rollout "shop" is invalid: {row.error}'
    assert_only_told(world, before, row.error)
    assert_goes_on(world, before)


def test_every_rule_has_its_row() -> None:
    assert {row.number for row in ROWS} == set(range(1, RULES + 1))


@pytest.mark.parametrize("case", SOME_TEMPLATES, ids=lambda case: case["errors"][0][:90])
def test_a_pod_template_that_breaks_a_rule_stops_the_update(
    case: Case, manifest_of: Callable[[Case], dict[str, Any]], errors_of: Callable[[Case], list[str]]
) -> None:
    world, before = paused(), paused()
    edit(world, {"template": manifest_of(case)["spec"]["template"]})
    refused(world, errors_of(case))
    assert_only_told(world, before, errors_of(case)[0])
    assert_goes_on(world, before)


@pytest.mark.parametrize("case", WRONG_REFERENCES, ids=lambda case: case["error"][:90])
def test_a_wrong_reference_stops_the_update_until_it_is_mended(case: Case) -> None:
    """Rows A1 to A9 and B1 to B6 of rollout 1.7, as far as Argo Rollouts was asked about them."""
    world, before = paused(), paused()
    world.request("update", "", {"spec.strategy": case["strategy"]})
    rollout = edit(world, {})
    errors = [str(error) for error in validate_rollout(rollout)] or errors_in(rollout, case["objects"])
    assert errors[0] == case["error"]
    refused(world, errors)
    assert_only_told(world, before, case["error"])
    assert_goes_on(world, before)


@pytest.mark.parametrize(
    ("ref", "template", "error"),
    [
        (
            {"apiVersion": "apps/v1", "kind": "Deployment"},
            True,
            "template must be empty for workload reference rollout",
        ),
        ({"apiVersion": "apps/v1", "kind": "StatefulSet"}, False, "workload of type apps/StatefulSet is not supported"),
        ({"apiVersion": "", "kind": ""}, False, "workload of type / is not supported"),
        ({"apiVersion": "apps/v1", "kind": "Deployment"}, False, 'deployments.apps "ns/shop" not found'),
        ({"apiVersion": "apps/v1", "kind": "ReplicaSet"}, False, 'replicasets.apps "ns/shop" not found'),
        ({"apiVersion": "v1", "kind": "PodTemplate"}, False, 'podtemplates "ns/shop" not found'),
    ],
)
def test_a_workload_reference_that_lends_nothing_stops_the_update_and_is_tried_again_in_20_s(
    ref: dict[str, str], template: bool, error: str
) -> None:
    world, before = paused(), paused()
    rollout = edit(world, {"workloadRef": {"name": "shop", **ref}, **({} if template else {"template": None})})
    with pytest.raises(WorkloadRefError) as raised:
        resolve(rollout, None)
    assert str(raised.value) == error
    decision = refuse(rollout, error, world.now, retry_after=UNRESOLVED_SECONDS)
    world.carry_out(decision)
    assert (decision.requeue_after, decision.error) == (20, None)
    assert_only_told(world, before, error)
    assert_goes_on(world, before)
