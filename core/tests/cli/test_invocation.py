"""What holds for every verb: names of the program, global flags, usage, and errors."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from sluicegate.cli.main import VERBS
from sluicegate.cli.run_record import held

from .conftest import kubeconfig_for
from .processes import stderr_on_terminal
from .worlds import namespace, rollout

if TYPE_CHECKING:
    from pathlib import Path

    from .cluster import FakeCluster
    from .conftest import Cli

# Prints which heavy packages a command line has imported.
_IMPORTS = """
import json, sys
from sluicegate.cli.main import run
code = run(json.loads(sys.argv[1]))
heavy = {"kubernetes", "aiohttp", "pydantic", "msgspec", "asyncio.events", "yaml", "rich"} & set(sys.modules)
print(json.dumps(sorted(heavy)))
"""


def test_root_help_imports_nothing_but_click(cli: Cli) -> None:
    result = subprocess.run([sys.executable, "-c", _IMPORTS, '["--help"]'], capture_output=True, text=True, check=True)

    assert json.loads(result.stdout.splitlines()[-1]) == []


@pytest.mark.parametrize(
    "words",
    [
        ["get", "ro"],
        ["promote"],
        ["set", "image"],
        ["status"],
        ["list", "ro"],
        ["undo"],
        ["restart"],
        ["create"],
        ["create", "ar"],
    ],
)
def test_help_of_a_verb_imports_no_client(words: list[str]) -> None:
    arguments = json.dumps([*words, "--help"])
    result = subprocess.run([sys.executable, "-c", _IMPORTS, arguments], capture_output=True, text=True, check=True)

    assert set(json.loads(result.stdout.splitlines()[-1])) <= {"asyncio.events"}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_helps_on_stdout(verb: str, cli: Cli) -> None:
    outcome = cli(verb, "--help")

    assert (outcome.exit, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith(f"Usage: sluicegate {verb} ")


def test_help_of_the_kubectl_plugin_says_what_a_person_types(cli: Cli) -> None:
    stdout = cli("promote", "-h", script="kubectl-argo-rollouts").stdout

    assert stdout.startswith("Usage: kubectl argo rollouts promote ")
    assert "  kubectl argo rollouts promote canary-demo\n" in stdout


@pytest.mark.parametrize("args", [[], ["get"], ["get", "foo"], ["list"], ["set"], ["plugins"], ["get", "ro", "a", "b"]])
def test_wrong_words_get_the_usage_on_stderr(args: list[str], cli: Cli) -> None:
    outcome = cli(*args)

    assert (outcome.exit, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("Usage: sluicegate")
    assert "Error" not in outcome.stderr


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["get", "rollout", "web", "--foo"], "unknown flag: --foo"),
        (["get", "rollout", "web", "-x"], "unknown shorthand flag: 'x'"),
        (["get", "rollout", "web", "-n"], "flag needs an argument: -n"),
        (
            ["get", "rollout", "web", "--watch=maybe"],
            'invalid argument "maybe" for "-w, --watch" flag: not true or false',
        ),
    ],
)
def test_wrong_flags_get_one_line(args: list[str], line: str, cli: Cli) -> None:
    outcome = cli(*args)

    assert (outcome.exit, outcome.stdout, outcome.stderr) == (1, "", f"Error: {line}\n")


def test_unknown_log_level_is_refused(cli: Cli) -> None:
    outcome = cli("version", "--loglevel", "loud")

    assert outcome.exit == 1
    assert outcome.stderr.startswith('Error: invalid argument "loud" for "--loglevel" flag: ')


@pytest.mark.parametrize("script", ["sluicegate", "kubectl-argo-rollouts"])
def test_mistyped_verb_gets_a_suggestion(script: str, cli: Cli) -> None:
    outcome = cli("promot", script=script)

    assert outcome.stderr == f'Error: unknown command "promot" for "{script}"\nDid you mean promote?\n'
    assert outcome.exit == 1


@pytest.mark.parametrize(
    "args",
    [
        ["-n", "other", "abort", "web"],
        ["abort", "-n", "other", "web"],
        ["abort", "web", "--namespace=other"],
        ["abort", "web", "-n=other"],
        ["-n", "shop", "abort", "web", "-n", "other"],
    ],
)
def test_namespace_may_stand_before_and_after_the_verb(args: list[str], cli: Cli, cluster: FakeCluster) -> None:
    here, there = rollout("web"), rollout("web")
    there["metadata"]["namespace"] = "other"
    cluster.add(here, there)

    assert cli(*args).exit == 0
    assert cluster.stored("rollouts", "web", "other")["status"]["abort"] is True
    assert "abort" not in cluster.stored("rollouts", "web", "shop")["status"]


def test_kubeconfig_and_context_choose_the_cluster(cli: Cli, cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.add(rollout())
    config = kubeconfig_for("http://127.0.0.1:1")
    good = kubeconfig_for(cluster.address)
    config["clusters"] += [{**good["clusters"][0], "name": "good"}]
    config["contexts"] += [{"name": "good", "context": {"cluster": "good", "user": "me", "namespace": "shop"}}]
    path = tmp_path / "two"
    path.write_text(yaml.safe_dump(config))

    assert cli("abort", "web", "--kubeconfig", str(path), "--context", "good").exit == 0


def test_unreachable_cluster_is_one_line_with_address_and_kubeconfig(cli: Cli, tmp_path: Path) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        path = tmp_path / "gone"
        path.write_text(yaml.safe_dump(kubeconfig_for(address)))

        outcome = cli("get", "rollout", "web", "--kubeconfig", str(path))

    [line] = outcome.stderr.splitlines()
    assert (outcome.exit, outcome.stdout) == (1, "")
    assert line.startswith("Error: ")
    assert address in line
    assert str(path) in line


def test_missing_kubeconfig_is_one_line_with_its_path(cli: Cli) -> None:
    outcome = cli("list", "rollouts", "--kubeconfig", "/nowhere/config")

    assert outcome.stderr == "Error: kubeconfig /nowhere/config does not exist\n"


@pytest.mark.parametrize("args", [["get", "rollout", "nope"], ["promote", "nope"], ["set", "image", "nope", "a=b"]])
def test_person_at_a_terminal_is_told_which_rollouts_exist(
    args: list[str], kubeconfig: Path, cluster: FakeCluster
) -> None:
    cluster.add(rollout("shop"), rollout("web"))

    first, second = stderr_on_terminal(*args)

    assert first.endswith('"nope" not found')
    assert second == 'Rollouts in namespace "shop": shop, web'


def test_person_at_a_terminal_is_told_which_namespaces_exist(kubeconfig: Path, cluster: FakeCluster) -> None:
    cluster.add(namespace("default"), namespace("shop"))

    first, second = stderr_on_terminal("abort", "web", "-n", "shopp")

    assert first == 'Error: rollouts.argoproj.io "web" not found'
    assert second == 'There is no namespace "shopp"; there are: default, shop'


def test_person_at_a_terminal_is_told_which_containers_exist(kubeconfig: Path, cluster: FakeCluster) -> None:
    cluster.add(rollout())

    assert stderr_on_terminal("set", "image", "web", "ap=shop:2") == [
        'Error: unable to find container named "ap"',
        "Containers of web: app, side",
    ]


def test_version_labels(cli: Cli) -> None:
    lines = cli("version").stdout.splitlines()

    assert lines[0].startswith("kubectl-argo-rollouts: v")
    assert [line.split(":")[0] for line in lines[1:]] == [
        "  BuildDate",
        "  GitCommit",
        "  GitTreeState",
        "  GoVersion",
        "  Compiler",
        "  Platform",
    ]
    assert cli("version", "--short").stdout.splitlines() == lines[:1]


def test_crds_are_documents_that_kubectl_can_apply(cli: Cli) -> None:
    documents = list(yaml.safe_load_all(cli("crds").stdout))

    assert {document["spec"]["names"]["kind"] for document in documents} == {
        "AnalysisRun",
        "AnalysisTemplate",
        "ClusterAnalysisTemplate",
        "Experiment",
        "Rollout",
    }


def test_plugins_are_listed_with_their_error(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("raise RuntimeError('no such thing')\n")

    rows = cli("plugins", "list", "--plugin-dir", str(tmp_path)).stdout.splitlines()

    assert rows[0].split() == ["NAME", "DISTRIBUTION", "VERSION", "HOOKS", "CAPABILITIES", "ERROR"]
    assert any(row.startswith("broken ") and "no such thing" in row for row in rows)
    assert any(row.startswith("replicaset ") and "pod_count" in row for row in rows)


@pytest.mark.parametrize("words", [["up"], ["up", "--detach"]])
def test_a_data_folder_that_cannot_be_is_one_line(cli: Cli, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "file").write_text("")
    result = cli(*words, "--data-dir", str(tmp_path / "file" / "data"))

    assert (result.exit, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith(f"Error: {tmp_path / 'file' / 'data'}: cannot be used as a folder for state")


def test_down_without_a_usable_folder_says_that_nothing_is_up(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = cli("down", "--data-dir", str(tmp_path / "file" / "data"))

    assert (result.exit, result.stderr.splitlines()[0]) == (
        1,
        f"Error: no cluster with the data folder {tmp_path / 'file' / 'data'} is up",
    )


def test_a_cluster_that_is_up_already_says_how_it_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with held(tmp_path / "sluicegate" / "run-17999.json"):
        lines = stderr_on_terminal("up", "--port", "17999")

    assert lines == [
        "Error: a cluster on port 17999 is up already",
        "End it with `sluicegate down --port 17999`.",
    ]
