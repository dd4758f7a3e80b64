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
    runs: tuple[Run, ...] = ()
    if phase := case.get("postRun"):
        revision = view.new_rs.metadata.annotations[names.REVISION] if view.new_rs else ""
        runs = (Run(ObjectMeta(name=f"a-{hash_of(view.new_rs)}-{revision}-post"), phase),)
    return view.seeing(Surroundings({service.metadata.name: service for service in services}, analysis_runs=runs))


def resize(view: View, now: Any) -> Scaling:
    back = is_fast_rollback(view, now)
    return resize_all(view, find_analyses(view, back=back), now, back=back)


# One pass, state by state: `c` is the new version, `s` the stable one, `o` an old one.


def preview(
    *, active: str = "s", live: str | None = None, replica_sets: list[ReplicaSet] | None = None, **given: Any
) -> View:
    """A view of a Rollout of 5 with a preview of 2; `live` is what the active Service selects, if not `active`."""
    strategy = {"activeService": "svc-a", "previewReplicaCount": 2, **given.pop("strategy", {})}
    status = {"stableRS": "s", "currentPodHash": "c", "blueGreen": {"activeSelector": active}, **given}
    found = replica_sets or [
        make_replica_set("s", 5, 5, revision=1, desired=5),
        make_replica_set("c", 5, 5, new=True, revision=4, desired=5),
    ]
    rollout = {"spec": {"replicas": 5, "strategy": {"blueGreen": strategy}}, "status": status}
    return make_view(rollout, found, services=[make_service("svc-a", active if live is None else live)])


def test_the_preview_count_is_used_for_a_new_update() -> None:
    """rollout 10, 40: currentPodHash differs from newRS with the checkpoint left true: previewReplicaCount is used."""
    latched: dict[str, Any] = {"blueGreen": {"activeSelector": "s", "scaleUpPreviewCheckPoint": True}}
    assert new_target(preview(currentPodHash="s", **latched), back=False) == 2
    assert new_target(preview(**latched), back=False) == 5


@pytest.mark.parametrize(("live", "wanted"), [("s", 2), ("c", 5), ("", 2)])
def test_what_the_active_service_selects_is_no_preview(live: str, wanted: int) -> None:
    assert new_target(preview(live=live), back=False) == wanted


def test_a_version_that_is_gone_back_to_is_no_preview() -> None:
    assert new_target(preview(), back=True) == 5


def test_an_aborted_version_past_its_delay_keeps_its_pods_while_it_serves() -> None:
    past = [
        make_replica_set("s", 5, 0, revision=1, desired=5),
        make_replica_set("c", 5, 5, new=True, revision=4, desired=5, deadline="2029-12-31T00:00:00Z"),
    ]
    assert sizes(preview(abort=True, active="c", replica_sets=past)) == {}
    assert sizes(preview(abort=True, active="c", live="s", replica_sets=past)) == {"c": 0}


@pytest.mark.parametrize(("available", "left"), [(0, {"c": 5}), (5, {"o": 0})])
def test_old_versions_stay_while_the_active_service_selects_none_and_nothing_else_serves(
    available: int, left: dict[str, int]
) -> None:
    """An active Service without hash sends traffic to all pods; Argo Rollouts takes the old ones down regardless."""
    size = available
    found = [
        make_replica_set("o", 5, 5, revision=1, desired=5),
        make_replica_set("c", size, available, new=True, revision=4, desired=5),
    ]
    view = preview(live="", active="", stableRS="c", strategy={"scaleDownDelaySeconds": 0}, replica_sets=found)
    assert sizes(view) == left


def sizes(view: View) -> dict[str, int]:
    """The resizes of one pass."""
    scaling = resize(view, DAWN)
    return {found.replica_set.metadata.name: found.replicas for found in scaling.resizes if found.changes_size}
