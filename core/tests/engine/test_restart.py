"""Restarts: which pods are evicted when, and when a restart counts as done (rollout 8.6, rows 46 to 50 of 10)."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.api.foreign import Pod, ReplicaSet
from sluicegate.api.model import format_time
from sluicegate.engine.restart import Restart, needs_pods, restart, restarted_at_with_new_template
from sluicegate.engine.surroundings import Surroundings
from sluicegate.engine.view import View

from .builders import make_replica_set, make_view
from .owned_pods import make_pod, moment

RESTART_AT = moment(1000)
NOW = moment(1100)
SELECTOR = {"matchLabels": {"app": "a"}}


def view_of(
    replicas: int,
    sets: Sequence[tuple[ReplicaSet, Iterable[Pod]]],
    *,
    restarted_at: float | None = None,
    blue_green: bool = False,
    min_ready: int = 0,
    restart_at: float | None = 1000,
    **strategy: object,
) -> View:
    """A Rollout to be restarted, with these ReplicaSets (stable `s`, new `c`) and their pods."""
    spec = {
        "replicas": replicas,
        "minReadySeconds": min_ready,
        "selector": SELECTOR,
        "strategy": {"blueGreen": {"activeService": "a", **strategy}} if blue_green else {"canary": strategy},
        "restartAt": None if restart_at is None else format_time(moment(restart_at)),
    }
    status = {"stableRS": "s", "currentPodHash": "c"}
    if restarted_at is not None:
        status["restartedAt"] = format_time(moment(restarted_at))
    view = make_view({"spec": spec, "status": status}, [replica_set for replica_set, _ in sets])
    return view.seeing(Surroundings(pods=tuple(pod for _, pods in sets for pod in pods)))


def stable(size: int) -> ReplicaSet:
    return make_replica_set("s", size, size)


def pods_of(owner: ReplicaSet, count: int, *, born: float = 0, ready_at: float | None = 0) -> list[Pod]:
    return [make_pod(owner, f"{owner.metadata.name}-{n}", born=born, ready_at=ready_at) for n in range(count)]


def evicted(found: Restart | None) -> list[str]:
    assert found is not None
    return [eviction.pod.metadata.name for eviction in found.evictions]


def test_nothing_is_due_without_restart_at_or_once_it_is_done() -> None:
    owner = stable(2)
    for view in (
        view_of(2, [(owner, pods_of(owner, 2))], restart_at=None),
        view_of(2, [(owner, pods_of(owner, 2))], restarted_at=1000),
    ):
        assert restart(view, NOW) is None
        assert not needs_pods(view, NOW)


@pytest.mark.parametrize(("ahead", "asked"), [(899.5, 899.501), (0.25, 0.251), (0, 0.001), (900, None), (5000, None)])
def test_a_restart_to_come_is_waited_for_if_it_comes_before_the_next_resync(ahead: float, asked: float | None) -> None:
    owner = stable(2)
    view = view_of(2, [(owner, pods_of(owner, 2))])
    now = RESTART_AT - timedelta(seconds=ahead)
    assert not needs_pods(view, now)
    assert restart(view, now) == (None if asked is None else Restart(requeue_after=asked))
    assert needs_pods(view, RESTART_AT + timedelta(milliseconds=1))


def test_a_later_restart_at_starts_another_restart() -> None:
    owner = stable(2)
    view = view_of(2, [(owner, pods_of(owner, 2))], restarted_at=500)
    assert evicted(restart(view, NOW)) == ["s-0"]


def test_row_46_pod_created_exactly_at_restart_at_counts_as_restarted() -> None:
    owner = stable(2)
    at_once, old = make_pod(owner, "new", born=1000), make_pod(owner, "old", born=999)
    assert evicted(restart(view_of(2, [(owner, [at_once, old])]), NOW)) == ["old"]
    assert restart(view_of(2, [(owner, [at_once])]), NOW) == Restart(restarted_at=RESTART_AT)


def test_row_47_max_unavailable_0_one_pod_at_a_time() -> None:
    owner = stable(4)
    found = restart(view_of(4, [(owner, pods_of(owner, 4))], maxSurge=1, maxUnavailable=0), NOW)
    assert evicted(found) == ["s-0"]
    assert found == Restart(found.evictions if found else (), restarted_at=None, requeue_after=30)


def test_row_48_max_unavailable_100_percent_2_pods_both_evicted_at_once_and_restarted_at_set_in_the_same_pass() -> None:
    owner = stable(2)
    found = restart(view_of(2, [(owner, pods_of(owner, 2))], maxUnavailable="100%"), NOW)
    assert evicted(found) == ["s-0", "s-1"]
    assert found is not None
    assert found.restarted_at == RESTART_AT
    assert found.requeue_after == 30, (
        "a budget may refuse an eviction, and nothing in the cluster tells when it would not"
    )


def test_row_49_r_1_at_weight_50_one_unavailable_no_eviction_retry_in_30_s() -> None:
    old, new = stable(1), make_replica_set("c", 1, 0, new=True, revision=2)
    view = view_of(1, [(old, pods_of(old, 1)), (new, pods_of(new, 1, ready_at=None))])
    assert restart(view, NOW) == Restart(requeue_after=30)


def test_row_50_pdb_refuses_eviction_skipped_no_error_retry() -> None:
    """A refused eviction leaves its pod, so that the next look, 30 s on, finds the same left to do."""
    owner = stable(2)
    view = view_of(2, [(owner, pods_of(owner, 2))], maxUnavailable=1)
    first = restart(view, NOW)
    assert first is not None and first.restarted_at is None and first.requeue_after == 30
    assert restart(view, NOW + timedelta(seconds=30)) == first


def test_the_last_eviction_ends_the_restart_without_waiting_for_the_new_pod() -> None:
    owner = stable(2)
    pods = [make_pod(owner, "new", born=1050), make_pod(owner, "old")]
    found = restart(view_of(2, [(owner, pods)]), NOW)
    assert evicted(found) == ["old"]
    assert found is not None and found.restarted_at == RESTART_AT


def test_a_pod_that_is_leaving_is_not_evicted_again_but_waited_for() -> None:
    owner = stable(3)
    pods = [make_pod(owner, "leaving", leaving=True), *pods_of(owner, 3, born=1050)]
    assert restart(view_of(3, [(owner, pods)]), NOW) == Restart(requeue_after=30)


def test_pods_go_from_the_stable_replica_set_first_then_the_new_one_then_the_others_from_the_oldest_on() -> None:
    others = [make_replica_set(name, 1, 1, born=born) for name, born in (("y", 2), ("x", 1))]
    old, new = make_replica_set("s", 1, 1, born=3), make_replica_set("c", 1, 1, new=True, born=4)
    view = view_of(1, [(owner, pods_of(owner, 1)) for owner in (*others, new, old)], maxUnavailable=1)
    order = []
    pods = list(view.surroundings.pods)
    while pods:
        found = restart(view.seeing(Surroundings(pods=(*pods, *pods_of(old, 4 - len(pods), born=1050)))), NOW)
        (name,) = evicted(found)
        order.append(name)
        pods = [pod for pod in pods if pod.metadata.name != name]
    assert order == ["s-0", "c-0", "x-0", "y-0"]


def test_pods_of_others_are_neither_counted_nor_evicted() -> None:
    owner, foreign = stable(2), make_replica_set("z", 2, 2)
    unselected = make_pod(owner, "taken-out", labels={"app": "debug"})
    view = view_of(2, [(owner, [*pods_of(owner, 2, born=1050), unselected])])
    seen = view.seeing(Surroundings(pods=(*view.surroundings.pods, *pods_of(foreign, 2))))
    assert restart(seen, NOW) == Restart(restarted_at=RESTART_AT)


@pytest.mark.parametrize(("ready_at", "count"), [(1089.9, 1), (1090, 0), (None, 0)])
def test_min_ready_seconds_are_honoured(ready_at: float | None, count: int) -> None:
    owner = stable(2)
    pods = [make_pod(owner, "young", born=1050, ready_at=ready_at), make_pod(owner, "old")]
    assert len(evicted(restart(view_of(2, [(owner, pods)], min_ready=10), NOW))) == count


@pytest.mark.parametrize(
    ("max_unavailable", "count"), [(None, 2), (0, 1), ("50%", 4), ("15%", 1), (20, 8), ("oops", 1)]
)
def test_blue_green_heeds_max_unavailable_alone_25_percent_rounded_down(
    max_unavailable: int | str | None, count: int
) -> None:
    owner = stable(8)
    view = view_of(8, [(owner, pods_of(owner, 8))], blue_green=True, maxUnavailable=max_unavailable)
    assert len(evicted(restart(view, NOW))) == count


def test_a_rollout_without_pods_is_restarted_at_once() -> None:
    assert restart(view_of(0, [(stable(0), [])]), NOW) == Restart(restarted_at=RESTART_AT)


def test_it_goes_on_while_the_rollout_is_paused_and_in_mid_update() -> None:
    old, new = stable(3), make_replica_set("c", 1, 1, new=True, revision=2)
    view = view_of(4, [(old, pods_of(old, 3)), (new, pods_of(new, 1, born=1050))], steps=[{"pause": {}}])
    spec = view.rollout.spec.model_copy(update={"paused": True})
    paused = View.of(view.rollout.model_copy(update={"spec": spec}), view.replica_sets, view.surroundings)
    assert evicted(restart(paused, NOW)) == ["s-0"]


def test_a_new_template_ends_a_restart_that_is_under_way_and_leaves_a_scheduled_one() -> None:
    owner = stable(2)
    view = view_of(2, [(owner, pods_of(owner, 2))], restarted_at=500)
    assert restarted_at_with_new_template(view, NOW) == RESTART_AT
    assert restarted_at_with_new_template(view, RESTART_AT - timedelta(seconds=1)) == moment(500)


@given(st.data())
def test_a_restart_never_takes_more_than_may_be_missing_and_is_done_once_all_pods_are_new(data: st.DataObject) -> None:
    replicas = data.draw(st.integers(1, 6))
    owner = stable(replicas)
    limit = data.draw(st.integers(0, 6))
    view = view_of(replicas, [(owner, [])], maxSurge=1, maxUnavailable=limit)
    pods = pods_of(owner, replicas)
    for turn in range(3 * replicas):
        found = restart(view.seeing(Surroundings(pods=tuple(pods))), NOW)
        assert found is not None
        assert len(found.evictions) <= max(1, min(limit, replicas))
        refused = data.draw(st.booleans()) and turn < replicas
        if found.restarted_at and not refused:
            break
        gone = set() if refused else {eviction.pod.metadata.name for eviction in found.evictions}
        fresh = [make_pod(owner, f"new-{turn}-{n}", born=1050) for n in range(len(gone))]
        pods = [pod for pod in pods if pod.metadata.name not in gone] + fresh
    else:
        raise AssertionError("the restart does not end")
