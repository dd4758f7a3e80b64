"""Verbs that change something: what is sent, in which order, and what happens when it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .worlds import rollout

if TYPE_CHECKING:
    from .cluster import FakeCluster
    from .conftest import Cli


def test_set_image_sends_the_object_as_read_but_for_the_image(cli: Cli, cluster: FakeCluster) -> None:
    web = rollout()
    cluster.add(web)

    assert cli("set", "image", "web", "app=shop:2").stdout == 'rollout "web" image updated\n'

    [request] = cluster.requests
    web["spec"]["template"]["spec"]["containers"][0]["image"] = "shop:2"
    web["metadata"]["resourceVersion"] = "2"
    assert request["object"] == web


def test_set_image_reads_again_after_a_conflict(cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(rollout())
    cluster.conflicts = 4

    outcome = cli("set", "image", "web", "*=shop:2")

    assert (outcome.exit, outcome.stdout) == (0, 'rollout "web" image updated\n')
    assert len(cluster.requests) == 1


def test_set_image_gives_up_after_five_conflicts(cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(rollout())
    cluster.conflicts = 5

    outcome = cli("set", "image", "web", "*=shop:2")

    assert (outcome.exit, outcome.stdout, cluster.requests) == (1, "", [])
    assert "the object has been modified" in outcome.stderr


def test_promote_ends_the_pause_of_the_spec_before_that_of_the_status(cli: Cli, cluster: FakeCluster) -> None:
    web = rollout()
    web["spec"]["paused"] = True
    cluster.add(web)

    cli("promote", "web")

    assert [request["body"] for request in cluster.requests] == [
        {"spec": {"paused": False}},
        {"status": {"pauseConditions": None}},
    ]


def test_promote_skips_the_step_whose_analysis_could_not_tell(cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(rollout(canary={"currentStepAnalysisRunStatus": {"status": "Inconclusive"}}))

    cli("promote", "web")

    [request] = cluster.requests
    assert request["body"] == {"status": {"pauseConditions": None, "controllerPause": False, "currentStepIndex": 2}}


@pytest.mark.parametrize(
    ("args", "status"),
    [
        (["abort", "web"], {"abort": True}),
        (["retry", "rollout", "web"], {"abort": False}),
    ],
)
def test_cluster_without_status_subresource_gets_the_patch_on_the_object(
    args: list[str], status: object, cli: Cli, cluster: FakeCluster
) -> None:
    cluster.add(rollout())
    cluster.no_status = True

    assert cli(*args).exit == 0

    assert [(request.get("subresource"), request["body"]) for request in cluster.requests] == [
        ("status", {"status": status}),
        (None, {"status": status}),
    ]


@pytest.mark.parametrize(("args", "status"), [([], {"pauseConditions": None}), (["--full"], {"promoteFull": True})])
def test_promote_without_status_subresource_sends_one_patch_for_both(
    args: list[str], status: object, cli: Cli, cluster: FakeCluster
) -> None:
    cluster.add(rollout(currentPodHash="new", stableRS="old"))
    cluster.no_status = True

    assert cli("promote", "web", *args).exit == 0

    assert [request.get("subresource") for request in cluster.requests] == ["status", None]
    assert cluster.requests[-1]["body"] == {"spec": {"paused": False}, "status": status}


@pytest.mark.parametrize(
    ("args", "printed", "wanted"),
    [
        ([], "0s", "2026-11-23T12:00:00Z"),
        (["--in", "90s"], "90s", "2026-11-23T12:01:30Z"),
        (["-i", "1h0.5m"], "1h0.5m", "2026-11-23T13:00:30Z"),
        (["--in="], "0s", "2026-11-23T12:00:00Z"),
    ],
)
def test_restart_at_once_or_later(args: list[str], printed: str, wanted: str, cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(rollout())

    assert cli("restart", "web", *args).stdout == f"rollout 'web' restarts in {printed}\n"
    assert cluster.stored("rollouts", "web", "shop")["spec"]["restartAt"] == wanted


@pytest.mark.parametrize(
    ("given", "why"),
    [("10", 'time: missing unit in duration "10"'), ("soon", 'time: invalid duration "soon"')],
)
def test_restart_needs_a_unit(given: str, why: str, cli: Cli, cluster: FakeCluster) -> None:
    outcome = cli("restart", "web", "--in", given)

    assert outcome.stderr == f'Error: invalid argument "{given}" for "-i, --in" flag: {why}\n'
    assert (outcome.exit, outcome.stdout, cluster.requests) == (1, "", [])


def test_pause_holds_each_rollout(cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(rollout("a"), rollout("b"))

    assert cli("pause", "a", "b").stdout == "rollout 'a' paused\nrollout 'b' paused\n"
    assert [cluster.stored("rollouts", name, "shop")["spec"]["paused"] for name in ("a", "b")] == [True, True]


@pytest.mark.parametrize(
    ("noun", "kind", "printed"), [("exp", "Experiment", "experiment"), ("ar", "AnalysisRun", "analysisRun")]
)
def test_terminate_says_what_it_did(noun: str, kind: str, printed: str, cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(*({"kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": {}} for name in "ab"))

    assert cli("terminate", noun, "a", "b").stdout == f"{printed} 'a' terminated\n{printed} 'b' terminated\n"
    assert [request["body"] for request in cluster.requests] == [{"spec": {"terminate": True}}] * 2


def test_names_done_before_the_first_error_are_reported(cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(rollout("a"), rollout("b"))

    outcome = cli("abort", "a", "nope", "b")

    assert (outcome.exit, outcome.stdout) == (1, "rollout 'a' aborted\n")
    assert outcome.stderr == 'Error: rollouts.argoproj.io "nope" not found\n'
    assert "b" not in {request["name"] for request in cluster.requests}


@pytest.mark.parametrize(
    ("args", "touched"),
    [
        (["promote", "rollout", "web"], {"web"}),
        (["abort", "rollout", "web", "shop"], {"web", "shop"}),
        (["abort", "web", "rollout"], {"web", "rollout"}),
        (["abort", "rollout"], {"rollout"}),
        (["retry", "rollout", "rollout", "web"], {"web"}),
    ],
)
def test_word_rollout_before_a_name_is_skipped(
    args: list[str], touched: set[str], cli: Cli, cluster: FakeCluster
) -> None:
    cluster.add(rollout("web"), rollout("shop"), rollout("rollout"))

    assert cli(*args).exit == 0
    assert {request["name"] for request in cluster.requests} == touched


@pytest.mark.parametrize(
    ("args", "changed"),
    [(["rollout", "web", "app=x"], "web"), (["rollout", "app=x"], "rollout"), (["web", "app=x"], "web")],
)
def test_word_rollout_before_the_name_and_image_is_skipped(
    args: list[str], changed: str, cli: Cli, cluster: FakeCluster
) -> None:
    cluster.add(rollout("web"), rollout("rollout"))

    assert cli("set", "image", *args).stdout == f'rollout "{changed}" image updated\n'
