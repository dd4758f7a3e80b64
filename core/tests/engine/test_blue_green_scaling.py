"""The sizes of a blue-green Rollout: as measured with Argo Rollouts 1.10, and where ours are safer."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from sluicegate.api import names
from sluicegate.api.foreign import ObjectMeta, ReplicaSet
from sluicegate.api.merge import apply_merge_patch
from sluicegate.engine.blue_green_analysis import find_analyses
from sluicegate.engine.blue_green_scaling import new_target, resize_all
from sluicegate.engine.cutover import is_fast_rollback
from sluicegate.engine.sizes import Scaling
from sluicegate.engine.surroundings import Run, Surroundings
from sluicegate.engine.view import View, hash_of

from .builders import DAWN, make_replica_set, make_service, make_view
from .test_vectors import REPLICAS, caught_up, patches_of, replica_set, resized, shown

CASES = [case for case in REPLICAS["cases"] if "blueGreen" in case["rollout"]["spec"]["strategy"]]
DECIDE = [case for case in CASES if case["kind"] == "decide"]
SCALE = [case for case in CASES if case["kind"] == "scale"]
ACTIVE_PREVIEW = 60
"""The case whose new version is the one that the active Service selects, while the status still names another."""


@pytest.mark.parametrize("case", DECIDE, ids=range(len(DECIDE)))
def test_one_calculation_gives_the_measured_size(case: dict[str, Any]) -> None:
    view = make_view(case["rollout"], [replica_set(case, given) for given in case["rs"]])
    fences = {"maxSurge": view.fences.max_surge, "maxUnavailable": view.fences.max_unavailable}
    assert {**fences, "new": new_target(view, back=is_fast_rollback(view, DAWN))} == case["want"]


@pytest.mark.parametrize("case", SCALE, ids=[REPLICAS["cases"].index(case) for case in SCALE])
def test_passes_resize_as_measured(case: dict[str, Any]) -> None:
    """What is selected by the active Service has at least the pods of the Rollout, unlike with the incumbent."""
    rollout = case["rollout"]
    replica_sets = [replica_set(case, given) for given in case["rs"]]
    for number, want in enumerate(case["want"]):
        now = DAWN + timedelta(seconds=number * case.get("tick", 0))
        rollout = apply_merge_patch(rollout, case.get("patches", {}).get(str(number), {}))
        view = world_of(case, rollout, replica_sets)
        if case.get("addAbort") and number == 0:
            view = view.raising_abort("an analysis failed")
        scaling = resize(view, now)
        replica_sets = [resized(found, patches_of(view, scaling)) for found in replica_sets]
        rows = {found.metadata.name: shown(found, number, case) for found in replica_sets}
        requeue = {"requeue": list(scaling.requeues)} if scaling.requeues else {}
        if case is REPLICAS["cases"][ACTIVE_PREVIEW]:
            assert rows.pop("c")[0] == 5 > want["rs"].pop("c")[0]
        assert {"rs": rows, **requeue} == want, number
        replica_sets = [caught_up(found, case.get("ready")) for found in replica_sets]


def world_of(case: Mapping[str, Any], rollout: dict[str, Any], replica_sets: list[ReplicaSet]) -> View:
    view = make_view(rollout, replica_sets)
    services = [make_service(name, selects) for name, selects in case.get("services", {}).items()]
    runs = ()
    if phase := case.get("postRun"):
        revision = view.new_rs.metadata.annotations[names.REVISION] if view.new_rs else ""
        runs = (Run(ObjectMeta(name=f"a-{hash_of(view.new_rs)}-{revision}-post"), phase),)
    return view.seeing(Surroundings({service.metadata.name: service for service in services}, analysis_runs=runs))


def resize(view: View, now: Any) -> Scaling:
    back = is_fast_rollback(view, now)
    return resize_all(view, find_analyses(view, back=back), now, back=back)
