"""The replica arithmetic and the phases are the incumbent's, on inputs that were measured with Argo Rollouts 1.10."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet, ReplicaSetStatus
from sluicegate.api.merge import apply_merge_patch
from sluicegate.api.model import format_time
from sluicegate.api.rollout import Rollout
from sluicegate.api.status import TrafficWeights
from sluicegate.engine.fences import Fences, canary_fences
from sluicegate.engine.phase import Phase, PhaseFacts, phase_of
from sluicegate.engine.scaling import is_scaling_event, resize_write, scaling_phase, sizes_now
from sluicegate.engine.sizes import Scaling
from sluicegate.engine.steps import at_desired_counts
from sluicegate.engine.traffic import Verified, outcome, routing_of
from sluicegate.engine.view import View
from sluicegate.engine.weights import PodCounts, current_set_weight, desired_weight, drive, falling_weight

from .builders import DAWN, make_replica_set, make_service, make_view, split_of

VECTORS = Path(__file__).parents[1] / "vectors"
Struct = TypeVar("Struct", bound=msgspec.Struct)

REPLICAS = json.loads((VECTORS / "replicas.json").read_text())
CANARIES = [case for case in REPLICAS["cases"] if "canary" in case["rollout"]["spec"]["strategy"]]
DECIDE = [case for case in CANARIES if case["kind"] == "decide"]
PASSES = [case for case in CANARIES if case["kind"] in ("scale", "traffic")]
PHASES = json.loads((VECTORS / "views.json").read_text())["phase"]


def replica_set(case: dict[str, Any], given: dict[str, Any]) -> ReplicaSet:
    deadline = given.get("deadline")
    if isinstance(deadline, int):
        deadline = format_time(DAWN + timedelta(seconds=deadline))
    return make_replica_set(
        given["hash"],
        given["spec"],
        given["available"],
        new=given["hash"] == case.get("new"),
        revision=given["rev"],
        born=given.get("born"),
        created=given.get("created"),
        desired=given.get("desired", case["rollout"]["spec"].get("replicas", 1)),
        deadline=deadline,
    )


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "max_surge", "max_unavailable"),
    REPLICAS["fences"],
    ids=["surge {!r} unavailable {!r} replicas {}".format(*row) for row in REPLICAS["fences"]],
)
def test_fences_are_read_as_measured(
    surge: int | str, unavailable: int | str, replicas: int, max_surge: int, max_unavailable: int
) -> None:
    """A negative one counts as 0, unlike with the incumbent (docs/differences.md): the floor would be gone."""
    measured = Fences(max_surge, max_unavailable)
    wanted = measured if max_surge >= 0 else Fences(0, 1)
    assert canary_fences(surge, unavailable, replicas) == wanted


OURS = {18: {"new": 1}}
"""Where the canary keeps the pods that carry the weight it still has (docs/differences.md)."""


@pytest.mark.parametrize(("number", "case"), list(enumerate(DECIDE)), ids=range(len(DECIDE)))
def test_one_calculation_gives_the_measured_sizes(number: int, case: dict[str, Any]) -> None:
    view = make_view(case["rollout"], [replica_set(case, given) for given in case["rs"]])
    split = pod_split(view)
    sizes, driven = sizes_now(view, split, view.weights), drive(view)
    found = {
        "maxSurge": view.fences.max_surge,
        "maxUnavailable": view.fences.max_unavailable,
        "setWeight": current_set_weight(view),
        "desiredWeight": desired_weight(view),
        "driver": {"weight": driven.weight} if driven.replicas is None else {"replicas": driven.replicas},
        "new": sizes.new,
        "stable": sizes.stable,
        "atDesired": at_desired_counts(view, split, view.weights),
    }
    routed = {"abortWeight": falling_weight(view)} if view.routed else {}
    assert found | routed == case["want"] | OURS.get(number, {})


def pod_split(view: View) -> PodCounts | None:
    return split_of(view) if view.basic else None


@pytest.mark.parametrize("case", PASSES, ids=range(len(PASSES)))
def test_passes_resize_as_measured(case: dict[str, Any]) -> None:
    """Passes of the scaling phase alone, or of traffic and scaling with a router that takes everything."""
    rollout = case["rollout"]
    replica_sets = [replica_set(case, given) for given in case["rs"]]
    services = [make_service(name, selects) for name, selects in case.get("services", {}).items()]
    for number, want in enumerate(case["want"]):
        now = DAWN + timedelta(seconds=number * case.get("tick", 0))
        rollout = apply_merge_patch(rollout, case.get("patches", {}).get(str(number), {}))
        view = make_view(rollout, replica_sets, services=services)
        if case.get("addAbort") and number == 0:
            view = view.raising_abort("an analysis failed")
        weights = routed_weights(view) if case["kind"] == "traffic" else view.weights
        rollout = with_weights(rollout, weights)
        scaling = scaling_phase(view, sizes_now(view, pod_split(view), weights), now)
        replica_sets = [resized(found, patches_of(view, scaling)) for found in replica_sets]
        shown_sets = {found.metadata.name: shown(found, number, case) for found in replica_sets}
        recorded = {} if weights is None or case["kind"] == "scale" else {"weight": weights.canary.weight}
        requeue = {"requeue": list(scaling.requeues)} if scaling.requeues else {}
        assert {"ended": scaling.ended, "rs": shown_sets, **recorded, **requeue} == want, number
        replica_sets = [caught_up(found, case.get("ready")) for found in replica_sets]


def routed_weights(view: View) -> TrafficWeights | None:
    """What is recorded after the traffic phase of a pass; a scaling event has none."""
    return view.weights if is_scaling_event(view) else outcome(view, routing_of(view), Verified()).weights


def with_weights(rollout: dict[str, Any], weights: TrafficWeights | None) -> dict[str, Any]:
    if weights is None:
        return rollout
    recorded = weights.model_dump(mode="json", by_alias=True, exclude_none=True)
    return dict(apply_merge_patch(rollout, {"status": {"canary": {"weights": recorded}}}))


def patches_of(view: View, scaling: Scaling) -> dict[str, Mapping[str, Any]]:
    writes = (resize_write(view, resize) for resize in scaling.resizes)
    return {write.replica_set.metadata.name: write.patch for write in writes}


def resized(found: ReplicaSet, patches: Mapping[str, Mapping[str, Any]]) -> ReplicaSet:
    patch = patches.get(found.metadata.name, {})
    annotations = apply_merge_patch(found.metadata.annotations, patch.get("metadata", {}).get("annotations", {}))
    return changed(
        found,
        metadata=changed(found.metadata, annotations=annotations),
        spec=changed(found.spec, **patch.get("spec", {})),
    )


def changed(struct: Struct, **members: Any) -> Struct:
    return msgspec.structs.replace(struct, **members)


def caught_up(found: ReplicaSet, ready: int | None) -> ReplicaSet:
    """The counters after a pass: all pods created, and all of them or a few more than before available."""
    size, before = found.spec.replicas, found.status.available_replicas
    available = size if ready is None else min(size, before + ready)
    status = ReplicaSetStatus(replicas=size, available_replicas=available)
    return changed(found, status=status)


def shown(found: ReplicaSet, number: int, case: dict[str, Any]) -> list[Any]:
    annotations = found.metadata.annotations
    row: list[Any] = [found.spec.replicas, int(annotations[names.DESIRED_REPLICAS])]
    if (deadline := annotations.get(names.SCALE_DOWN_DEADLINE)) is None:
        return row
    try:
        due = datetime.fromisoformat(deadline)
    except ValueError:
        return [*row, deadline]
    return [*row, int((due - DAWN).total_seconds()) - number * case.get("tick", 0)]


@pytest.mark.parametrize("case", PHASES, ids=range(len(PHASES)))
def test_phase_and_message_are_as_measured(case: dict[str, Any]) -> None:
    rollout = Rollout.model_validate({key: case[key] for key in ("spec", "status")})
    assert phase_of(PhaseFacts.of(rollout.spec, rollout.status)) == Phase(*case["controller"])
