"""What Argo Rollouts printed for the same objects, we print, character by character."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sluicegate.cli.revisions import covered, without_hash
from sluicegate.cli.views.durations import short
from sluicegate.cli.views.icons import pod_icon
from sluicegate.cli.views.phase import client_phase
from sluicegate.cli.views.pods import pod_state

from .recorded import cases, moment, whole

if TYPE_CHECKING:
    from .cluster import FakeCluster
    from .conftest import Cli


@pytest.mark.parametrize("case", cases("get"))
def test_get_prints_what_the_incumbent_prints(case: Any, cli: Cli, cluster: FakeCluster) -> None:
    cluster.add(*map(whole, case["objects"]))
    colour = [] if case["color"] else ["--no-color"]

    outcome = cli("get", case["get"], case["name"], *colour, now=moment(case))

    if "error" in case:
        assert (outcome.exit, outcome.stdout, outcome.stderr) == (1, "", f"Error: {case['error']}\n")
    else:
        assert outcome.stdout == "\n".join(case["text"]) + "\n"
        assert (outcome.exit, outcome.stderr) == (0, "")


@pytest.mark.parametrize("case", cases("pods"))
def test_row_of_a_pod(case: Any) -> None:
    metadata = {"deletionTimestamp": "2026-11-23T10:00:00Z"} if case.get("deleted") else {}

    state = pod_state({"metadata": metadata, "spec": case["spec"], "status": case["status"]})

    row = [pod_icon(state.reason)[0], state.reason, f"{state.ready}/{state.containers}", state.restarts]
    assert row == case["row"]


@pytest.mark.parametrize("case", cases("phase"))
def test_phase_that_a_client_shows(case: Any) -> None:
    rollout = {"metadata": {"generation": case["generation"]}, "spec": case["spec"], "status": case["status"]}

    phase = client_phase(rollout)

    assert [phase.phase, phase.message] == case["client"]


@pytest.mark.parametrize("case", cases("covered"))
def test_template_that_undo_would_not_change(case: Any) -> None:
    assert covered(without_hash(case["rollout"]), without_hash(case["replicaSet"])) is case["covered"]


@pytest.mark.parametrize(("seconds", "text"), cases("durations"))
def test_short_durations(seconds: int, text: str) -> None:
    assert short(seconds) == text
