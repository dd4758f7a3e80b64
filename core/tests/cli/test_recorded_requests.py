"""What Argo Rollouts printed and sent for the same command line, we print and send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .recorded import NAMESPACE, cases, moment, whole

if TYPE_CHECKING:
    from pathlib import Path

    from .cluster import FakeCluster
    from .conftest import Cli, Outcome


def _world(section: str, case: Any) -> list[Any]:
    if section != "other":
        return [whole(obj) for obj in case.get("objects", [])]
    names = {"Rollout": ["ro", "ro2"], "Experiment": ["e1"], "AnalysisRun": ["a1"]}
    return [whole({"kind": kind, "name": name, "spec": {}}) for kind, found in names.items() for name in found]


def _recorded() -> list[Any]:
    return [
        pytest.param(section, case, id=f"{section}-{' '.join(case['argv'])}")
        for section in ("list", "promote", "undo", "set", "create", "other")
        for case in cases(section)
    ]


def _as_recorded(request: Any) -> Any:
    """A PUT cut down to the name and pod template, as the recording is."""
    if request["verb"] != "update":
        return request
    sent = request["object"]
    cut = {"kind": sent["kind"], "metadata": {"name": sent["metadata"]["name"]}}
    return {**request, "object": {**cut, "spec": {"template": sent["spec"]["template"]}}}


def _assert_printed(outcome: Outcome, case: Any) -> None:
    if case.get("upstreamCrashes"):
        assert outcome.exit == 1
        assert outcome.stderr.splitlines()[-1].startswith("Error: ")
        return
    assert (outcome.exit, outcome.stdout) == (case["exit"], case["stdout"])
    if case["stderr"] == "USAGE":
        assert outcome.stderr.startswith("Usage: ")
        assert "Error:" not in outcome.stderr
    else:
        assert outcome.stderr == case["stderr"]


@pytest.mark.parametrize(("section", "case"), _recorded())
def test_prints_and_sends_what_the_incumbent_does(
    section: str, case: Any, cli: Cli, cluster: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in case.get("files", {}).items():
        (tmp_path / name).write_text(text)
    cluster.add(*_world(section, case))
    cluster.no_status = case.get("noStatus", False)
    cluster.conflicts = case.get("conflicts", 0)

    outcome = cli(*case["argv"], now=moment(case))

    _assert_printed(outcome, case)
    assert [_as_recorded(request) for request in cluster.requests] == case["requests"]


@pytest.mark.parametrize(
    ("args", "path", "selector"),
    [
        ([], f"/namespaces/{NAMESPACE}/rollouts", None),
        (["-A"], "/v1alpha1/rollouts", None),
        (["--name", "web"], f"/namespaces/{NAMESPACE}/rollouts", "metadata.name=web"),
    ],
)
def test_list_asks_for_just_what_it_shows(
    args: list[str], path: str, selector: str | None, cli: Cli, cluster: FakeCluster
) -> None:
    cli("list", "rollouts", *args)

    [(asked, query)] = cluster.lists
    assert asked.endswith(path)
    assert query.get("fieldSelector") == selector
