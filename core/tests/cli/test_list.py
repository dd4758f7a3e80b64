"""`list rollouts`: rows, and the rows that a watch adds."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from .processes import lines_until, started
from .worlds import moved, rollout

if TYPE_CHECKING:
    from pathlib import Path

    from .cluster import FakeCluster
    from .conftest import Cli


def test_rows_line_up_with_the_header(cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(rollout("a-rather-long-name"), moved(rollout("b"), "Healthy", currentStepIndex=2))

    assert [line.rstrip() for line in cli("list", "rollouts").stdout.splitlines()] == [
        "NAME                STRATEGY   STATUS        STEP  SET-WEIGHT  READY  DESIRED  UP-TO-DATE  AVAILABLE",
        "a-rather-long-name  Canary     Paused        1/2   20          0/0    5        0           0",
        "b                   Canary     Healthy       2/2   100         0/0    5        0           0",
    ]


def test_watch_adds_a_row_for_a_change_that_shows(kubeconfig: Path, cluster: FakeCluster) -> None:
    web = rollout()
    cluster.add(web)
    cluster.change_after_watch("rollouts", moved(web, "Paused", "another message", currentStepIndex=1))

    with started("list", "rollouts", "-w") as process:
        before = lines_until(process, "Paused")
        cluster.replace(moved(web, "Healthy", currentStepIndex=2))
        after = lines_until(process, "Healthy")
        process.send_signal(signal.SIGINT)
        process.wait()

    assert before.startswith("NAME")
    assert [line.split()[:4] for line in after.splitlines()] == [["web", "Canary", "Healthy", "2/2"]]


def test_watch_of_nothing_prints_the_header_and_waits(kubeconfig: Path, cluster: FakeCluster) -> None:
    with started("list", "ro", "-w") as process:
        assert lines_until(process, "NAME").startswith("NAME  STRATEGY  STATUS")
        cluster.replace(rollout("late"))
        lines_until(process, "late")
