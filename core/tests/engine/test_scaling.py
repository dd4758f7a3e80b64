"""How many pods each ReplicaSet gets: the tables of rollout 5, row by row."""

from typing import Any

import pytest

from sluicegate.engine.fences import Fences, canary_fences
from sluicegate.engine.scaling import scaling_phase
from sluicegate.engine.sizes import Sizes
from sluicegate.engine.steps import at_desired_counts

from .builders import DAWN, canary_view, make_replica_set, sizes_of, split_of
from .manifests import canary_manifest
from .world import World

FULL = "full promotion"


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "fences"),
    [
        (None, None, 1, Fences(1, 0)),
        ("25%", "25%", 3, Fences(1, 0)),
        ("25%", "25%", 4, Fences(1, 1)),
        ("25%", "25%", 5, Fences(2, 1)),
        ("25%", "25%", 10, Fences(3, 2)),
        ("39%", "39%", 10, Fences(4, 3)),
        ("0%", "0%", 0, Fences(0, 0)),
        ("0%", "25%", 3, Fences(0, 1)),
        ("5", 0, 10, Fences(1, 0)),
        (5, 0, 10, Fences(5, 0)),
        ("oops", "39%", 10, Fences(0, 0)),
    ],
)
def test_fences(surge: int | str | None, unavailable: int | str | None, replicas: int, fences: Fences) -> None:
    view = canary_view(replicas, [], maxSurge=surge, maxUnavailable=unavailable)
    assert view.fences == fences


def test_surge_is_not_capped_and_unavailable_is() -> None:
    assert canary_fences(200, 200, 5) == Fences(200, 5)


@pytest.mark.parametrize(
    ("replicas", "weight", "surge", "unavailable", "stable", "canary", "old", "wanted"),
    [
        (10, 20, 2, 0, (10, 10), (0, 0), 0, (2, 10)),
        (10, 20, "20%", 0, (10, 10), (2, 2), 0, (2, 8)),
        (10, 30, 2, 0, (10, 10), (0, 0), 0, (2, 10)),
        (10, 30, 0, 2, (10, 10), (0, 0), 0, (0, 8)),
        (10, 50, 2, 1, (10, 10), (0, 0), 0, (2, 9)),
        (10, 0, 1, 1, (10, 10), (1, 1), 0, (0, 10)),
        (1, 20, 1, 0, (1, 1), (0, 0), 0, (1, 1)),
        (1, 49, 0, 1, (1, 1), (0, 0), 0, (0, 1)),
        (1, 51, 0, 1, (1, 1), (0, 0), 0, (0, 0)),
        (10, 30, 1, 0, (1, 1), (0, 0), 3, (1, 7)),
        (10, 30, 0, 3, (8, 5), (4, 4), 0, (3, 7)),
        (10, 30, 0, 1, (8, 6), (4, 2), 3, (4, 8)),
        (10, 100, 1, 0, (10, 2), (10, 8), 0, (9, 2)),
        (10, 5, 0, 1, (10, 10), (0, 0), 0, (0, 9)),
        (10, 100, 3, 0, (7, 8), (6, 3), 0, (6, 7)),
        (4, 100, 1, 0, (4, 1), (0, 0), 0, (1, 4)),
        (4, 100, 1, 0, (4, 1), (1, 1), 0, (1, 3)),
        (4, 0, 1, 0, (0, 0), (4, 4), 0, (4, 1)),
        (4, 0, 1, 0, (1, 0), (4, 4), 0, (4, 1)),
        (4, 0, 1, 0, (1, 1), (4, 4), 0, (3, 1)),
        (4, FULL, 4, 4, (4, 4), (0, 0), 0, (4, 0)),
        (4, FULL, 3, 0, (4, 4), (0, 0), 0, (3, 4)),
    ],
)
def test_one_calculation(
    replicas: int,
    weight: int | str,
    surge: int | str,
    unavailable: int,
    stable: tuple[int, int],
    canary: tuple[int, int],
    old: int,
    wanted: tuple[int, int],
) -> None:
    replica_sets = [make_replica_set("s", *stable), make_replica_set("c", *canary, new=True, revision=3)]
    if old:
        replica_sets.append(make_replica_set("o", old, old, revision=2))
    view = canary_view(
        replicas,
        replica_sets,
        steps=[{"setWeight": 0 if weight == FULL else weight}],
        status={"promoteFull": weight == FULL},
        maxSurge=surge,
        maxUnavailable=unavailable,
    )
    assert sizes_of(view) == Sizes(*wanted)


S, C = "v1", "v2"


@pytest.mark.parametrize(
    ("replicas", "weight", "fences", "path"),
    [
        (10, 20, {"maxSurge": "25%", "maxUnavailable": "25%"}, [(S, 8), (C, 2)]),
        (10, 20, {"maxSurge": "25%", "maxUnavailable": 0}, [(C, 2), (S, 8)]),
        (10, 100, {}, [(S, 8), (C, 5), (S, 3), (C, 10), (S, 0)]),
        (
            4,
            100,
            {"maxSurge": 1, "maxUnavailable": 0},
            [(C, 1), (S, 3), (C, 2), (S, 2), (C, 3), (S, 1), (C, 4), (S, 0)],
        ),
        (3, 50, {"maxSurge": 1, "maxUnavailable": 0}, [(C, 1), (S, 2), (C, 2)]),
        (1, 51, {"maxSurge": 0, "maxUnavailable": 1}, [(S, 0), (C, 1)]),
        (10, 5, {"maxSurge": 0, "maxUnavailable": 1}, [(S, 9), (C, 1)]),
    ],
)
def test_the_way_to_a_weight_where_pods_serve_at_once(
    replicas: int, weight: int, fences: dict[str, Any], path: list[tuple[str, int]]
) -> None:
    steps = [{"setWeight": weight}, {"pause": {}}]
    world = World.healthy(canary_manifest(replicas=replicas, steps=steps, **fences), ready_after=0)
    world.set_image(C)
    world.settle()
    assert [(world.tag(resize.name), resize.after) for resize in world.resizes] == path


def test_the_way_back_on_an_abort() -> None:
    steps = [{"setWeight": 60}, {"pause": {}}]
    manifest = canary_manifest(replicas=5, steps=steps, maxSurge=1, maxUnavailable=0)
    world = World.healthy(manifest, ready_after=0)
    world.set_image(C)
    world.settle()
    assert world.sizes == {S: 2, C: 3}
    world.forget()
    world.abort()
    world.settle()
    path = [(world.tag(resize.name), resize.after) for resize in world.resizes]
    assert path == [(S, 3), (C, 2), (S, 4), (C, 1), (S, 5), (C, 0)]


@pytest.mark.parametrize(
    ("replicas", "weight", "surge", "wanted"),
    [
        (10, 45, 0, (5, 5)),  # a tie goes to the larger canary
        (10, 45, 1, (5, 6)),  # a surge pod only where it comes strictly closer
        (10, 1, 0, (1, 9)),  # both sides keep a pod
        (10, 99, 0, (9, 1)),
        (1, 50, 1, (1, 1)),
        (0, 50, 1, (0, 0)),
    ],
)
def test_what_the_router_splits_reaches_the_pods(
    replicas: int, weight: int, surge: int, wanted: tuple[int, int]
) -> None:
    steps = [{"setWeight": weight}, {"pause": {}}]
    world = World.healthy(canary_manifest(replicas=replicas, steps=steps, maxSurge=surge, maxUnavailable="50%"))
    world.set_image(C)
    world.settle()
    assert (world.sizes.get(C, 0), world.sizes.get(S, 0)) == wanted


def test_a_stable_version_above_its_count_goes_there_at_once_however_many_pods_are_down() -> None:
    """rollout 5.4: Argo Rollouts sizes it below the count for one pass."""
    view = canary_view(
        10,
        [make_replica_set("s", 13, 3, new=True)],
        status={"currentPodHash": "s"},
        maxSurge=1,
        maxUnavailable=2,
    )
    assert sizes_of(view) == Sizes(10, 0)


def test_other_versions_lose_dead_pods_first_then_the_newest_is_drained_within_the_budget() -> None:
    replica_sets = [
        make_replica_set("s", 6, 6, desired=10),
        make_replica_set("o", 3, 2, revision=2),
        make_replica_set("p", 3, 3, revision=3),
        make_replica_set("c", 0, 0, new=True, revision=4),
    ]
    view = canary_view(10, replica_sets, maxSurge=2, maxUnavailable=2, steps=[{"setWeight": 0}])
    scaling = scaling_phase(view, sizes_of(view), DAWN)
    found = [(resize.replica_set.metadata.name, resize.replicas) for resize in scaling.resizes if resize.changes_size]
    assert found == [("o", 2), ("p", 0)]


def test_other_versions_are_left_alone_while_their_surplus_pods_still_go() -> None:
    replica_sets = [
        make_replica_set("s", 10, 10, desired=10),
        make_replica_set("o", 2, 3, revision=2),
        make_replica_set("c", 0, 0, new=True, revision=3, desired=10),
    ]
    view = canary_view(10, replica_sets, maxSurge=2, maxUnavailable=2, steps=[{"setWeight": 0}])
    assert scaling_phase(view, sizes_of(view), DAWN).resizes == ()


def test_a_refreshed_annotation_alone_does_not_end_the_scaling_phase() -> None:
    replica_sets = [
        make_replica_set("s", 10, 10, desired=9),
        make_replica_set("c", 0, 0, new=True, revision=2, desired=9),
    ]
    view = canary_view(10, replica_sets, steps=[{"setWeight": 0}])
    scaling = scaling_phase(view, sizes_of(view), DAWN)
    assert (len(scaling.resizes), scaling.ended) == (2, False)


def test_at_desired_counts_means_what_can_be_had_now_not_the_ideal_split() -> None:
    """rollout 5.10: R=10, w=20, surge 0, unavail 1, canary 5/5, stable 5/0: nothing may shrink."""
    replica_sets = [make_replica_set("s", 5, 0), make_replica_set("c", 5, 5, new=True, revision=2)]
    view = canary_view(10, replica_sets, steps=[{"setWeight": 20}], maxSurge=0, maxUnavailable=1)
    assert at_desired_counts(view, split_of(view))


@pytest.mark.parametrize(
    ("threshold", "available", "reached"),
    [
        (None, 1, False),
        (None, 2, True),
        ({"type": "Percent", "value": 50}, 1, True),
        ({"type": "Percent", "value": 51}, 1, False),
        ({"type": "Pods", "value": 1}, 1, True),
        ({"type": "Pods", "value": 2}, 1, False),
        ({"type": "Percent", "value": -1}, 1, False),
    ],
)
def test_a_progress_threshold_stands_for_all_pods_of_the_canary(
    threshold: dict[str, Any] | None, available: int, reached: bool
) -> None:
    replica_sets = [make_replica_set("s", 8, 8), make_replica_set("c", 2, available, new=True, revision=2)]
    view = canary_view(10, replica_sets, steps=[{"setWeight": 20}], replicaProgressThreshold=threshold)
    assert at_desired_counts(view, split_of(view)) is reached
