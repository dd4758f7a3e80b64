"""What a Rollout refers to: found or not, fit or not, in the order and words of Argo Rollouts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluicegate.api.rollout import Rollout
from sluicegate.api.validation import Known, missing, validate_rollout

from .references import (
    CANARY,
    PING_PONG,
    STEP,
    VIRTUAL_SERVICE,
    Document,
    Objects,
    analysis,
    app_mesh,
    errors_in,
    service,
    step,
    template,
    world_of,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/validation.json").read_text(encoding="utf-8"))
Case = dict[str, Any]


def shown(case: Case) -> str:
    return json.dumps(case)[13:120]


@pytest.mark.parametrize("case", VECTORS["references"], ids=shown)
def test_recorded_references(case: Case, rollout_with: Callable[..., Rollout]) -> None:
    rollout = rollout_with(case["strategy"], name=case.get("name", "shop"))
    local = [str(error) for error in validate_rollout(rollout)]
    assert next(iter(local or errors_in(rollout, case["objects"])), "") == case["error"]


BLUE_GREEN = {"blueGreen": {"activeService": "active", "previewService": "preview"}}
SERVICES = [
    pytest.param(BLUE_GREEN, "active", "blueGreen.activeService", id="active"),
    pytest.param(BLUE_GREEN, "preview", "blueGreen.previewService", id="preview"),
    pytest.param(CANARY, "stable", "canary.stableService", id="stable"),
    pytest.param(CANARY, "canary", "canary.canaryService", id="canary"),
    pytest.param(PING_PONG, "ping", "canary.pingPong.pingService", id="ping"),
    pytest.param(PING_PONG, "pong", "canary.pingPong.pongService", id="pong"),
]


def services_but(name: str, *instead: Document) -> Objects:
    others = [f"Service {other}" for other in ("active", "preview", "stable", "canary", "ping", "pong")]
    return [other for other in others if other != f"Service {name}"] + [VIRTUAL_SERVICE, *instead]


@pytest.mark.parametrize(("strategy", "name", "path"), SERVICES)
def test_a_missing_service(strategy: Document, name: str, path: str, rollout_with: Callable[..., Rollout]) -> None:
    error = f'spec.strategy.{path}: Invalid value: "{name}": service "{name}" not found'
    assert errors_in(rollout_with(strategy), services_but(name)) == [error]


@pytest.mark.parametrize(("strategy", "name", "path"), SERVICES)
def test_a_foreign_service(strategy: Document, name: str, path: str, rollout_with: Callable[..., Rollout]) -> None:
    """Each label that it selects and the pods do not have is told, but for the hash, which is the controller's."""
    selector = {"app": "shop", "zone": "a", "app.kubernetes.io/name": "x", "rollouts-pod-template-hash": "abc"}
    start = f'spec.strategy.{path}: Invalid value: "{name}": Service "{name}" has unmatch label'
    assert errors_in(rollout_with(strategy), services_but(name, service(name, **selector))) == [
        f'{start} "app.kubernetes.io/name" in rollout',
        f'{start} "zone" in rollout',
    ]


@pytest.mark.parametrize("owner", ["other", ""])
@pytest.mark.parametrize(("strategy", "name", "path"), SERVICES)
def test_a_service_managed_by_another_rollout(
    strategy: Document, name: str, path: str, owner: str, rollout_with: Callable[..., Rollout]
) -> None:
    error = f'spec.strategy.{path}: Invalid value: "{name}": Service "{name}" is managed by another Rollout'
    assert errors_in(rollout_with(strategy), services_but(name, service(name, managed_by=owner))) == [error]


def test_a_service_of_ones_own(rollout_with: Callable[..., Rollout]) -> None:
    objects: Objects = [service("active", managed_by="shop", app="shop"), "Service preview"]
    assert errors_in(rollout_with(BLUE_GREEN), objects) == []


def test_only_the_first_missing_object_is_told(rollout_with: Callable[..., Rollout]) -> None:
    strategy = {"canary": {"stableService": "gone", "canaryService": "gone too", "analysis": analysis("gone")}}
    [error] = errors_in(rollout_with(strategy), [])
    assert error.startswith("spec.strategy.canary.stableService")


def test_all_that_is_wrong_with_what_exists_is_told_in_order(rollout_with: Callable[..., Rollout]) -> None:
    endless = template("endless", metrics=[{"name": "rate", "interval": "10s", "provider": {}}])
    routing = {"nginx": {"stableIngresses": ["one", "two"]}}
    strategy = {"canary": CANARY["canary"] | step(**analysis("endless"))["canary"] | {"trafficRouting": routing}}
    objects = [
        service("stable", zone="a"),
        service("canary", managed_by="other"),
        endless,
        *({"kind": "Ingress", "metadata": {"name": name}} for name in ("one", "two")),
    ]
    paths = [error.partition(":")[0] for error in errors_in(rollout_with(strategy), objects)]
    assert paths == [
        "spec.strategy.canary.stableService",
        "spec.strategy.canary.canaryService",
        "spec.strategy.canary.steps[0].analysis.templates",
        "spec.strategy.canary.trafficRouting.nginx.stableIngresses",
        "spec.strategy.canary.trafficRouting.nginx.stableIngresses",
    ]


def names_missing(rollout: Rollout, known: Known) -> list[str]:
    return [f"{one.resource.kind} {one.namespace}/{one.name}" for one in missing(rollout, known)]


def test_templates_are_looked_up_as_far_as_they_are_known(rollout_with: Callable[..., Rollout]) -> None:
    rollout = rollout_with(step(**analysis("a", "cluster:c")))
    assert names_missing(rollout, {}) == ["AnalysisTemplate ns/a", "ClusterAnalysisTemplate /c"]
    known = world_of([template("a", "b", "cluster:c"), template("cluster:c", "a", "d")])
    assert names_missing(rollout, known) == ["AnalysisTemplate ns/b", "AnalysisTemplate ns/d"]


def test_names_are_taken_apart_before_they_are_looked_up(rollout_with: Callable[..., Rollout]) -> None:
    names = ["vs", "vs.other", "vs.ns.svc.cluster.local"]
    routing = {
        "istio": {"virtualServices": [{"name": name} for name in names]},
        "appMesh": {"virtualService": {"name": "mesh"}},
        "ambassador": {"mappings": ["map"]},
        "nginx": {"stableIngress": "edge"},
        "alb": {"ingresses": ["lb"], "servicePort": 80},
    }
    rollout = rollout_with({"canary": {"trafficRouting": routing}})
    assert names_missing(rollout, {}) == [
        "VirtualService ns/vs",
        "VirtualService other/vs",
        "VirtualService svc/vs.ns",
        "Ingress ns/lb",
        "Mapping ns/map",
        "VirtualService ns/mesh",
    ]
    mesh = app_mesh({"name": "router", "namespace": "mesh-system"})
    assert names_missing(rollout, world_of([mesh]))[-1] == "VirtualRouter mesh-system/router"


def test_a_rollout_without_references_looks_nothing_up(rollout_with: Callable[..., Rollout]) -> None:
    assert missing(rollout_with({"canary": {"steps": [{"setWeight": 20}]}}), {}) == ()


def test_an_empty_name_is_not_looked_up_and_not_found(rollout_with: Callable[..., Rollout]) -> None:
    rollout = rollout_with(step(templates=[{}]))
    assert missing(rollout, {}) == ()
    assert errors_in(rollout, []) == [f"{STEP} \"\": AnalysisTemplate '' not found"]
