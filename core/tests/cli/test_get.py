"""`get`: what a person sees of a Rollout, once and live."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from .processes import lines_until, started
from .worlds import moved, replica_set, rollout

if TYPE_CHECKING:
    from pathlib import Path

    from .cluster import FakeCluster
    from .conftest import Cli

CLEAR = "\x1b[H\x1b[2J\x1b[0;0H"


def test_unknown_rollout_is_named_as_a_cache_names_it(cli: Cli) -> None:
    outcome = cli("get", "rollout", "nope")

    assert (outcome.exit, outcome.stdout) == (1, "")
    assert outcome.stderr == 'Error: rollout.argoproj.io "nope" not found\n'


def test_works_where_only_rollouts_are_known(cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(rollout())
    cluster.unserved |= {"experiments", "analysisruns"}

    assert cli("get", "ro", "web").exit == 0


def test_owned_sets_of_another_rollout_are_not_shown(cli: Cli, cluster: FakeCluster) -> None:
    mine, other = rollout("web"), rollout("shop")
    cluster.add(mine, other, replica_set("web-1", mine, 5), replica_set("shop-1", other, 5))

    stdout = cli("get", "rollout", "web").stdout

    assert "web-1" in stdout
    assert "shop-1" not in stdout


@pytest.mark.parametrize(("kind", "code"), [("Deployment", 1), ("ReplicaSet", 0), ("PodTemplate", 0)])
def test_only_a_deployment_has_to_be_there_when_the_template_is_its_own(
    kind: str, code: int, cli: Cli, cluster: FakeCluster
) -> None:
    """The incumbent asks for a Deployment of that name whatever the kind, and so cannot show the other two."""
    web = rollout()
    web["spec"]["workloadRef"] = {"kind": kind, "name": "lender"}
    cluster.add(web)

    assert cli("get", "rollout", "web").exit == code


@pytest.mark.parametrize("args", [["--no-color"], ["--no-color=true"]])
def test_no_color_prints_no_escape_codes(args: list[str], cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(rollout())

    assert "\x1b" not in cli("get", "rollout", "web", *args).stdout


def test_dumb_terminal_gets_no_escape_codes(cli: Cli, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.add(rollout())
    monkeypatch.setenv("TERM", "dumb")

    assert "\x1b" not in cli("get", "rollout", "web").stdout


def test_watch_redraws_after_a_change_and_ends_well_at_ctrl_c(kubeconfig: Path, cluster: FakeCluster) -> None:
    web = rollout()
    cluster.add(web, replica_set("web-1", web, 5))

    with started("get", "rollout", "web", "-w", "--no-color") as process:
        first = lines_until(process, "web-1")
        cluster.replace(moved(web, "Healthy"))
        second = lines_until(process, "✔ Healthy")
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        assert process.stderr
        assert process.stderr.read() == ""

    assert first.startswith(f"{CLEAR}Name:            web\n")
    assert "॥ Paused" in first
    assert CLEAR in second


def test_watch_shows_a_change_of_a_pod_count(kubeconfig: Path, cluster: FakeCluster) -> None:
    web = rollout()
    cluster.add(web, replica_set("web-1", web, 5))

    with started("get", "rollout", "web", "-w", "--no-color") as process:
        lines_until(process, "✔ Healthy")
        cluster.replace(replica_set("web-1", web, 0))
        lines_until(process, "• ScaledDown")


def test_watch_of_an_unknown_rollout_fails_before_the_screen_is_cleared(cli: Cli) -> None:
    outcome = cli("get", "rollout", "nope", "-w")

    assert (outcome.exit, outcome.stdout) == (1, "")


def test_watch_ends_well_when_its_time_is_up(cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(rollout())

    outcome = cli("get", "rollout", "web", "-w", "--timeout-seconds", "1")

    assert outcome.exit == 0
    assert outcome.stdout.startswith(CLEAR)
