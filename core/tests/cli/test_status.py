"""`status`: what a pipeline waits for, and the exit code it gets."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from .processes import lines_until, started
from .worlds import moved, rollout

if TYPE_CHECKING:
    from pathlib import Path

    from .cluster import FakeCluster
    from .conftest import Cli


@pytest.mark.parametrize(
    ("phase", "message", "printed", "code"),
    [
        ("Healthy", "", "Healthy\n", 0),
        ("Paused", "CanaryPauseStep", "Paused - CanaryPauseStep\n", 0),
        ("Progressing", "", "Progressing - \n", 0),
        ("Degraded", "it broke", "Degraded\n", 1),
    ],
)
def test_state_of_now(phase: str, message: str, printed: str, code: int, cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(moved(rollout(), phase, message))

    outcome = cli("status", "web", "--watch=false")

    assert (outcome.stdout, outcome.exit) == (printed, code)


def test_waits_until_it_is_healthy(cli: Cli, cluster: FakeCluster) -> None:
    web = rollout()
    updating = moved(web, "Progressing", "more replicas need to be updated")
    cluster.add(web)
    cluster.change_after_watch("rollouts", updating, updating, moved(web, "Healthy"))

    outcome = cli("status", "web")

    assert outcome.stdout.splitlines() == [
        "Paused - CanaryPauseStep",
        "Progressing - more replicas need to be updated",
        "Healthy",
    ]
    assert (outcome.exit, outcome.stderr) == (0, "")


def test_degraded_ends_the_wait_with_exit_1(cli: Cli, cluster: FakeCluster) -> None:
    web = rollout()
    cluster.add(web)
    cluster.change_after_watch("rollouts", moved(web, "Degraded", "RolloutAborted: it broke"))

    outcome = cli("status", "rollout", "web")

    assert outcome.stdout.splitlines()[-1] == "Degraded - RolloutAborted: it broke"
    assert outcome.stderr == "Error: The rollout is in a degraded state with message: RolloutAborted: it broke\n"
    assert outcome.exit == 1


def test_timeout_is_an_error(cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(rollout())

    outcome = cli("status", "web", "--timeout", "10ms")

    assert outcome.stdout == "Paused - CanaryPauseStep\n"
    assert (outcome.exit, outcome.stderr) == (1, "Error: Rollout status watch exceeded timeout\n")


def test_ctrl_c_counts_as_not_healthy(kubeconfig: Path, cluster: FakeCluster) -> None:
    cluster.add(rollout())

    with started("status", "web") as process:
        lines_until(process, "Paused")
        process.send_signal(signal.SIGINT)
        assert process.stderr
        assert process.stderr.read() == "Error: Rollout status watch exceeded timeout\n"
        assert process.wait() == 1


@pytest.mark.parametrize(
    ("given", "why"),
    [("60", 'time: missing unit in duration "60"'), ("soon", 'time: invalid duration "soon"')],
)
def test_timeout_needs_a_unit(given: str, why: str, cli: Cli) -> None:
    outcome = cli("status", "web", "-t", given)

    assert outcome.stderr == f'Error: invalid argument "{given}" for "-t, --timeout" flag: {why}\n'
    assert outcome.exit == 1


def test_unknown_rollout_is_named_as_a_cache_names_it(cli: Cli) -> None:
    outcome = cli("status", "nope")

    assert (outcome.exit, outcome.stdout) == (1, "")
    assert outcome.stderr == 'Error: rollout.argoproj.io "nope" not found\n'
