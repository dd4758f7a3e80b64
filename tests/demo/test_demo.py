"""`sluicegate demo` as people run it: a whole performance, and one that is broken off."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

SLUICEGATE = str(Path(sys.executable).with_name("sluicegate"))
# A measured share is exact but for the requests that were under way when the pods of a step took their places.
TOLERANCE = 1.0


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """State and temporary files in folders of this test's own."""
    for name in ("state", "temporary"):
        (tmp_path / name).mkdir()
    return {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "TMPDIR": str(tmp_path / "temporary")}


def sluicegate(environment: Mapping[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SLUICEGATE, *args], capture_output=True, text=True, env=environment, check=False)


def test_every_request_is_answered_and_the_cluster_can_be_kept(environment: Mapping[str, str]) -> None:
    result = sluicegate(environment, "demo", "--json", "--keep")
    try:
        assert result.returncode == 0, result.stderr
        kubeconfig = re.findall(r"^export KUBECONFIG=(.+)$", result.stderr, re.MULTILINE)[0]
        shown = sluicegate(environment, "status", "canary-demo", "--watch=false", "--kubeconfig", kubeconfig)
        assert shown.stdout == "Healthy\n"
    finally:
        down = re.findall(r"^To end it: sluicegate (.+)$", result.stderr, re.MULTILINE)
        assert [sluicegate(environment, *words.split()).stdout for words in down] == ["The cluster is down.\n"]

    steps = json.loads(result.stdout)
    assert [(step["step"], step["weight"]) for step in steps] == [
        ("before", 0),
        ("1/8", 20),
        ("3/8", 40),
        ("5/8", 60),
        ("7/8", 80),
        ("8/8", 100),
    ]
    assert [step["share"] for step in steps] == [pytest.approx(step["weight"], abs=TOLERANCE) for step in steps]
    assert (steps[0]["share"], steps[-1]["share"]) == (0, 100)
    assert sum(step["requests"] for step in steps) >= 5_000
    assert [step["failures"] for step in steps] == [0] * len(steps)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_broken_off_it_leaves_nothing_behind(environment: Mapping[str, str], number: signal.Signals) -> None:
    command = [SLUICEGATE, "demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as demo:
        assert demo.stdout
        assert demo.stderr
        try:
            port = next(found[1] for line in demo.stdout if (found := re.search(r"http://127.0.0.1:(\d+)/color", line)))
            demo.send_signal(number)
            assert demo.wait() == 130
            assert demo.stderr.read().strip() == ""
        finally:
            demo.kill()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port)))
    assert list(Path(environment["TMPDIR"]).iterdir()) == []
    assert list(Path(environment["XDG_STATE_HOME"]).iterdir()) == []
