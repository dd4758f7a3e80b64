"""The models of a Rollout: nothing is lost or added on the way through, and defaults are seen without being written."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sluicegate.api.rollout import (
    BlueGreenStrategy,
    CanaryStrategy,
    Rollout,
    RolloutSpec,
    RolloutStatus,
    TrafficRouting,
)
from sluicegate.api.status import Condition, PauseCondition, RunStatus, TrafficWeights

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/validation.json").read_text(encoding="utf-8"))
BASE: dict[str, Any] = VECTORS["bases"]["canary"]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EVERY_STEP: list[dict[str, Any]] = [
    {"setWeight": 0},
    {"pause": {"duration": "1h"}},
    {"setCanaryScale": {"replicas": 2}},
    {"experiment": {"templates": [{"name": "a", "specRef": "canary", "weight": 5, "service": {}}], "duration": "5m"}},
    {"analysis": {"templates": [{"templateName": "t"}], "args": [{"name": "x", "valueFrom": {"fieldRef": {}}}]}},
    {"setHeaderRoute": {"name": "h", "match": [{"headerName": "x", "headerValue": {"exact": "y"}}]}},
    {"setMirrorRoute": {"name": "m", "percentage": 5, "match": [{"headers": {"a": {"regex": "b"}}}]}},
    {"plugin": {"name": "acme/x", "config": {"any": [1, {"deep": None}]}}},
]
EVERY_ROUTER: dict[str, Any] = {
    "istio": {"virtualService": {"name": "v", "tlsRoutes": [{"port": 443, "sniHosts": ["a"]}], "tcpRoutes": [{}]}},
    "nginx": {"stableIngresses": [], "additionalIngressAnnotations": {"a": "b"}},
    "alb": {"ingress": "i", "servicePort": 80, "stickinessConfig": {"enabled": True, "durationSeconds": 5}},
    "smi": {},
    "ambassador": {"mappings": ["m"]},
    "appMesh": {"virtualNodeGroup": {"canaryVirtualNodeRef": {"name": "c"}, "stableVirtualNodeRef": {"name": "s"}}},
    "traefik": {"weightedTraefikServiceName": "w"},
    "apisix": {"route": {"name": "r", "rules": []}},
    "plugins": {"acme/edge": {"pool": "x"}},
    "managedRoutes": [{"name": "h"}],
    "maxTrafficWeight": 1000,
}


def manifest(**spec: Any) -> dict[str, Any]:
    return {**BASE, "spec": {**BASE["spec"], **spec}}


def test_a_manifest_comes_back_as_it_was() -> None:
    canary = {"steps": EVERY_STEP, "trafficRouting": EVERY_ROUTER, "maxSurge": "25%", "analysis": {"startingStep": 2}}
    given = manifest(strategy={"canary": canary}, restartAt="2026-01-02T03:04:05Z", paused=False, replicas=0)
    assert Rollout.model_validate(given).document() == given


def test_unknown_members_survive_at_every_level() -> None:
    given = manifest(
        strategy={"canary": {"steps": [{"pause": {"new": 1}, "newer": {}}], "newest": [1]}}, extra={"a": None}
    )
    given["metadata"] = {"name": "shop", "managedFields": [{"manager": "m"}]}
    given["status"] = {"phase": "Healthy", "future": {"x": 0}}
    assert Rollout.model_validate(given).document() == given


def test_every_step_kind_and_router_is_a_typed_member() -> None:
    canary = CanaryStrategy.model_validate({"steps": EVERY_STEP, "trafficRouting": EVERY_ROUTER})
    assert canary.steps is not None
    assert canary.traffic_routing is not None
    assert [next(iter(step.model_fields_set)) for step in canary.steps] == [
        *("set_weight", "pause", "set_canary_scale", "experiment", "analysis"),
        *("set_header_route", "set_mirror_route", "plugin"),
    ]
    assert not canary.model_extra
    assert not canary.traffic_routing.model_extra
    assert canary.traffic_routing.model_fields_set == set(TrafficRouting.model_fields)


def test_null_members_are_absent() -> None:
    spec = RolloutSpec.model_validate({"replicas": None, "selector": {"matchLabels": {"a": None, "b": "c"}}})
    assert spec.desired_replicas == 1
    assert spec.selector is not None
    assert spec.selector.match_labels == {"b": "c"}
    assert "replicas" not in spec.document()


def test_defaults_are_seen_but_not_written() -> None:
    spec = RolloutSpec.model_validate({})
    assert (spec.desired_replicas, spec.history_limit, spec.progress_deadline, spec.min_ready_seconds) == (
        1,
        10,
        600,
        0,
    )
    assert (spec.replicas, spec.revision_history_limit, spec.progress_deadline_seconds) == (None, None, None)
    assert spec.document() == {}


def test_a_given_zero_is_not_the_default() -> None:
    spec = RolloutSpec.model_validate({"replicas": 0, "revisionHistoryLimit": 0, "progressDeadlineSeconds": 0})
    assert (spec.desired_replicas, spec.history_limit, spec.progress_deadline) == (0, 0, 0)


def test_canary_defaults_depend_on_traffic_routing() -> None:
    basic, routed = CanaryStrategy(), CanaryStrategy(traffic_routing=TrafficRouting())
    assert (basic.surge, basic.unavailable, basic.max_weight) == ("25%", "25%", 100)
    assert (basic.scale_down_delay, routed.scale_down_delay) == (0, 30)
    assert CanaryStrategy(traffic_routing=TrafficRouting(max_traffic_weight=1000)).max_weight == 1000


def test_blue_green_defaults() -> None:
    strategy = BlueGreenStrategy(active_service="a")
    assert strategy.promotes_itself
    assert not BlueGreenStrategy(active_service="a", auto_promotion_enabled=False).promotes_itself
    assert (strategy.scale_down_delay, strategy.unavailable) == (30, "25%")


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", "2026-01-02T03:04:05.999z"])
def test_times_are_utc_and_whole_seconds(text: str) -> None:
    spec = RolloutSpec.model_validate({"restartAt": text})
    assert spec.restart_at == NOW
    assert spec.document() == {"restartAt": "2026-01-02T03:04:05Z"}


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05", "2026-01-02", "x", "2026-13-02T03:04:05Z", 5])
def test_times_need_a_zone(text: Any) -> None:
    with pytest.raises(ValidationError):
        RolloutSpec.model_validate({"restartAt": text})


def test_whole_floats_are_numbers() -> None:
    assert RolloutSpec.model_validate({"replicas": 3.0}).replicas == 3


def test_models_cannot_be_changed_in_place() -> None:
    rollout = Rollout.model_validate(BASE)
    with pytest.raises(ValidationError):
        rollout.spec.replicas = 5  # type: ignore[misc]


def test_status_leaves_zeros_out_but_for_step_index_and_weights() -> None:
    status = RolloutStatus(
        abort=False,
        current_step_index=0,
        replicas=0,
        stable_rs="abc",
        hpa_replicas=3,
        pause_conditions=[PauseCondition(reason="CanaryPauseStep", start_time=NOW)],
    )
    assert status.to_wire() == {
        "currentStepIndex": 0,
        "stableRS": "abc",
        "HPAReplicas": 3,
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-02T03:04:05Z"}],
    }


def test_zeros_that_mean_something_stay_in_the_status() -> None:
    canary = {"weights": TrafficWeights(verified=False), "current_step_analysis_run_status": RunStatus(name="run")}
    assert RolloutStatus.model_validate({"canary": canary}).to_wire() == {
        "canary": {
            "currentStepAnalysisRunStatus": {"name": "run", "status": ""},
            "weights": {"canary": {"weight": 0}, "stable": {"weight": 0}, "verified": False},
        }
    }


def test_a_status_reads_absent_null_and_zero_alike() -> None:
    zero = {"abort": False, "replicas": 0, "phase": "", "conditions": [], "canary": {}}
    null = dict.fromkeys(zero)
    assert RolloutStatus.model_validate(zero).to_wire() == RolloutStatus.model_validate(null).to_wire() == {}


def test_conditions_are_found_by_type() -> None:
    status = RolloutStatus(conditions=[Condition(type="Healthy", status="True")])
    found = status.condition("Healthy")
    assert found is not None
    assert found.status == "True"
    assert status.condition("Paused") is None


JSON = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("xyz", min_size=1, max_size=4), JSON, max_size=4), JSON)
def test_whatever_is_unknown_comes_back(extra: dict[str, Any], config: Any) -> None:
    given = manifest(strategy={"canary": {"steps": [{"plugin": {"name": "p", "config": {"c": config}}}]}}, **extra)
    assert Rollout.model_validate(given).document() == given
