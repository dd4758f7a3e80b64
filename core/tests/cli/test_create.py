"""`create`: what is sent of a file, what is refused before anything is sent, and runs made of templates."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from .processes import lines_until, started, stderr_on_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from .cluster import FakeCluster
    from .conftest import Cli

ROLLOUT = """
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: web
  labels: {team: shop}
spec:
  strategy:
    canary: {maxSurge: 25%, steps: [{setWeight: 20}, {pause: {duration: 1m}}]}
  template:
    spec: {containers: [{name: app, image: 'shop:1', ports: [{containerPort: 8080}]}]}
"""
TEMPLATE = """
apiVersion: argoproj.io/v1alpha1
kind: ClusterAnalysisTemplate
metadata: {name: errors}
spec:
  metrics: [{name: rate, provider: {web: {url: 'http://x'}}}]
"""


def write(folder: Path, text: str, name: str = "f.yaml") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


def sent(cluster: FakeCluster) -> list[tuple[str, str, Any]]:
    assert all(request["verb"] == "create" for request in cluster.requests)
    return [(request["resource"], request["namespace"], request["object"]) for request in cluster.requests]


def test_sends_the_object_of_the_file(cli: Cli, cluster: FakeCluster, tmp_path: Path) -> None:
    outcome = cli("create", "-f", write(tmp_path, ROLLOUT))

    assert (outcome.exit, outcome.stdout, outcome.stderr) == (0, "rollout.argoproj.io/web created\n", "")
    [(resource, namespace, body)] = sent(cluster)
    assert (resource, namespace) == ("rollouts", "shop")
    assert body["spec"]["strategy"]["canary"]["steps"] == [{"setWeight": 20}, {"pause": {"duration": "1m"}}]


def test_every_document_of_every_file_is_created_in_order(cli: Cli, cluster: FakeCluster, tmp_path: Path) -> None:
    other = json.dumps({"apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "metadata": {"name": "ab"}})
    first = write(tmp_path, f"---\n{ROLLOUT}---\n---\n{TEMPLATE}")
    second = write(tmp_path, f"{other}\n{other.replace('ab', 'cd')}\n", "g.json")

    assert cli("create", "-f", first, "--filename", second).stdout.splitlines() == [
        "rollout.argoproj.io/web created",
        "clusteranalysistemplate.argoproj.io/errors created",
        "experiment.argoproj.io/ab created",
        "experiment.argoproj.io/cd created",
    ]
    # A ClusterAnalysisTemplate lives in no namespace; the incumbent posts it to one and is refused.
    assert [namespace for _, namespace, _ in sent(cluster)] == ["shop", "", "shop", "shop"]


def test_nothing_is_created_unless_everything_can_be(cli: Cli, cluster: FakeCluster, tmp_path: Path) -> None:
    outcome = cli("create", "-f", write(tmp_path, f"{ROLLOUT}---\napiVersion: v1\nkind: Service\n"))

    assert (outcome.exit, outcome.stdout, outcome.stderr) == (1, "", "Error: creates of /Service unsupported\n")
    assert cluster.requests == []


def test_namespace_of_the_file_wins(cli: Cli, cluster: FakeCluster, tmp_path: Path) -> None:
    file = write(tmp_path, ROLLOUT.replace("name: web", "name: web\n  namespace: other"))

    assert cli("create", "-n", "third", "-f", file).exit == 0
    assert [namespace for _, namespace, _ in sent(cluster)] == ["other"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("containerPort: 8080", "containerPort: x"), "string into Go struct field ContainerPort.spec.template.spec."),
        (("setWeight: 20", "setweigth: 20"), 'json: unknown field "setweigth"'),
        (("{duration: 1m}", "{duration: [1]}"), "json: cannot unmarshal array into Go struct field "),
        (("{team: shop}", "[team]"), "json: cannot unmarshal array into Go struct field ObjectMeta.metadata.labels"),
        (("metadata:", "metadata: {}\nmeta:"), 'json: unknown field "meta"'),
        (("strategy:", "strategy: canary\n  x:"), "json: cannot unmarshal string into Go struct field RolloutSpec."),
        (("setWeight: 20", "setWeight: 1.5"), "json: cannot unmarshal number 1.5 into Go struct field CanaryStep."),
    ],
)
def test_member_that_does_not_fit_is_refused(
    change: tuple[str, str], why: str, cli: Cli, cluster: FakeCluster, tmp_path: Path
) -> None:
    assert change[0] in ROLLOUT
    outcome = cli("create", "-f", write(tmp_path, ROLLOUT.replace(*change)))

    assert outcome.exit == 1
    assert outcome.stderr.startswith("Error: error unmarshaling JSON: while decoding JSON: ")
    assert why in outcome.stderr
    assert cluster.requests == []


EXPERIMENT = {"templates": [{"name": "a", "replicas": "two"}]}
RUN = {"metrics": [{"name": "m", "count": []}], "ttlStrategy": {"secondsAfterSuccess": True}}


@pytest.mark.parametrize(
    ("kind", "spec", "where"),
    [
        ("Experiment", EXPERIMENT, "string into Go struct field TemplateSpec.spec.templates.replicas of type int32"),
        ("AnalysisRun", RUN, "array into Go struct field Metric.spec.metrics.count of type int32"),
        ("AnalysisRun", {"ttlStrategy": []}, "field AnalysisRunSpec.spec.ttlStrategy of type v1alpha1.TTLStrategy"),
        ("AnalysisTemplate", {"args": [{"name": 5}]}, "number into Go struct field Argument.spec.args.name of type"),
        ("ClusterAnalysisTemplate", [], "field ClusterAnalysisTemplate.spec of type v1alpha1.AnalysisTemplateSpec"),
    ],
)
def test_every_kind_is_read_by_its_type(
    kind: str, spec: Any, where: str, cli: Cli, cluster: FakeCluster, tmp_path: Path
) -> None:
    """In JSON a number is no text."""
    made = {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": "x"}, "spec": spec}
    outcome = cli("create", "-f", write(tmp_path, json.dumps(made)))

    assert (outcome.exit, cluster.requests) == (1, [])
    assert outcome.stderr.startswith("Error: json: cannot unmarshal ")
    assert where in outcome.stderr


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02", "2026-01-02"),
        ("8080:80", "8080:80"),
        ("1:30.5", "1:30.5"),
        ("=", "="),
        ("0644", 420),
        ("0o644", 420),
        ("1e3", 1000),
        ("1_000", 1000),
        ("08", 8),
        ("1.5", 1.5),
        ("yes", True),
        ("Off", False),
        ("y", True),
        ("0x1F", 31),
        ("'yes'", "yes"),
        ("~", None),
        ("1_0.5", 10.5),
        ("18446744073709551615", 18446744073709551615),
        ("18446744073709551616", 18446744073709551616.0),
        ("0xFFFFFFFFFFFFFFFFFF", "0xFFFFFFFFFFFFFFFFFF"),
        pytest.param("9" * 5000, "9" * 5000, id="more-than-64-bits"),
        ("!own x", "x"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_yaml_means_what_it_means_to_kubernetes(
    written: str, meant: object, cli: Cli, cluster: FakeCluster, tmp_path: Path
) -> None:
    file = write(tmp_path, TEMPLATE + f"  args: [{{name: a, value: {written}}}]\n")

    assert cli("create", "-f", file).exit == 0
    [(_, _, body)] = sent(cluster)
    assert body["spec"]["args"] == [{"name": "a", "value": meant}]


def test_names_of_members_match_whatever_their_case(cli: Cli, cluster: FakeCluster, tmp_path: Path) -> None:
    assert cli("create", "-f", write(tmp_path, ROLLOUT.replace("maxSurge", "MaxSurge"))).exit == 0


@pytest.mark.parametrize(
    ("text", "words", "why"),
    [
        ("", [], "creates of / unsupported"),
        ("- a\n", [], "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of "),
        ("a: 1\n a: 2\n", [], "error converting YAML to JSON: yaml: line "),
        ("a: .nan\n", [], "error converting YAML to JSON: json: unsupported value: NaN"),
        ('{"a": NaN}', [], "invalid JSON: NaN is no number"),
        ('{"a": 1} }', [], "invalid JSON: "),
        ("a: &a [*a]\n", [], "error converting YAML to JSON: yaml: an anchor's value contains itself"),
        ("{a: " * 100_000, [], "invalid JSON: "),
        ('{"a": ' * 300 + "1" + "}" * 300, [], "invalid JSON: the file is nested too deeply"),
        ('{"a": ' * 100_000, [], "invalid JSON: "),
        ("a: " + "[" * 100_000, [], "error converting YAML to JSON: yaml: the file is nested too deeply"),
        ("a: 1\nb: 2\na: 3\n", [], 'error converting YAML to JSON: yaml: unmarshal errors:\n  line 3: key "a" '),
        (f"{ROLLOUT}---{ROLLOUT}", ["-w"], "Cannot watch multiple resources"),
        (TEMPLATE, ["-w"], "Can only watch resources of type Rollout or Experiment"),
    ],
)
def test_file_that_cannot_be_created_is_one_error(
    text: str, words: list[str], why: str, cli: Cli, cluster: FakeCluster, tmp_path: Path
) -> None:
    outcome = cli("create", "-f", write(tmp_path, text), *words)

    assert (outcome.exit, outcome.stdout, cluster.requests) == (1, "", [])
    assert outcome.stderr.startswith(f"Error: {why}")


def test_without_a_file_there_is_the_usage(cli: Cli) -> None:
    outcome = cli("create", "-w")

    assert outcome.exit == 1
    assert outcome.stderr.startswith("Usage: ")


def test_what_was_created_can_be_watched(kubeconfig: Path, cluster: FakeCluster, tmp_path: Path) -> None:
    file = write(tmp_path, ROLLOUT.replace("name: web", "name: web\n  namespace: other"))

    with started("create", "-f", file, "-w", "--no-color") as process:
        seen = lines_until(process, "⟳ web")
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0

    assert seen.startswith("rollout.argoproj.io/web created\n")
    assert "Namespace:       other\n" in seen


def template(**spec: Any) -> dict[str, Any]:
    """A template as the cluster holds it."""
    metadata = {"name": "errors", "labels": {"l": "1"}}
    return {"apiVersion": "argoproj.io/v1alpha1", "metadata": metadata, "spec": {"metrics": [{"name": "m"}], **spec}}


@pytest.mark.parametrize(
    ("words", "names", "printed"),
    [
        ([], {"name": "", "generateName": "errors-"}, "errors-x7k2p"),
        (["--generate-name", "try-"], {"name": "", "generateName": "try-"}, "try-x7k2p"),
        (["--name", "one", "--generate-name", "try-"], {"name": "one", "generateName": ""}, "one"),
    ],
)
def test_run_of_a_template_in_the_cluster(
    words: list[str], names: dict[str, str], printed: str, cli: Cli, cluster: FakeCluster
) -> None:
    stored = template()
    cluster.add({**stored, "kind": "AnalysisTemplate", "metadata": {**stored["metadata"], "namespace": "shop"}})

    outcome = cli("create", "analysisrun", "--from", "errors", *words)

    assert (outcome.exit, outcome.stdout) == (0, f"analysisrun.argoproj.io/{printed} created\n")
    metadata = {"labels": {"l": "1"}, "namespace": "shop", **names}
    assert sent(cluster) == [("analysisruns", "shop", {**stored, "kind": "AnalysisRun", "metadata": metadata})]


def test_run_of_a_template_of_all_namespaces(cli: Cli, cluster: FakeCluster) -> None:
    cluster.add({**template(), "kind": "ClusterAnalysisTemplate"})

    outcome = cli("create", "ar", "--from", "errors", "--global", "--instance-id", "mine")

    assert outcome.exit == 0
    [(_, _, body)] = sent(cluster)
    assert body["metadata"]["labels"] == {"argo-rollouts.argoproj.io/controller-instance-id": "mine"}


@pytest.mark.parametrize(
    ("declared", "words", "wanted"),
    [
        (None, ["-a", "a=1=2", "--argument", "b="], [{"name": "a", "value": "1=2"}, {"name": "b", "value": ""}]),
        ([{"name": "a"}, {"name": "b", "value": "2"}], ["-a", "a=1", "-a", "c=3"], [("a", "1"), ("b", "2")]),
        ([{"name": "a", "value": "1"}], ["-a", "a=9"], [("a", "9")]),
    ],
)
def test_arguments_of_a_run(
    declared: list[Any] | None, words: list[str], wanted: list[Any], cli: Cli, cluster: FakeCluster, tmp_path: Path
) -> None:
    made = {**template(**({"args": declared} if declared else {})), "kind": "AnalysisTemplate"}

    assert cli("create", "ar", "--from-file", write(tmp_path, json.dumps(made)), *words).exit == 0

    [(_, _, body)] = sent(cluster)
    expected = [{"name": one[0], "value": one[1]} if isinstance(one, tuple) else one for one in wanted]
    assert body["spec"]["args"] == expected


def test_argument_without_a_value_is_named(cli: Cli, cluster: FakeCluster, tmp_path: Path) -> None:
    made = {**template(args=[{"name": "service"}]), "kind": "AnalysisTemplate"}

    outcome = cli("create", "ar", "--from-file", write(tmp_path, json.dumps(made)), "-a", "other=1")

    assert outcome.stderr == "Error: args.service was not resolved\n"
    assert (outcome.exit, cluster.requests) == (1, [])


def test_person_at_a_terminal_is_told_which_templates_exist(kubeconfig: Path, cluster: FakeCluster) -> None:
    cluster.add({**template(), "kind": "ClusterAnalysisTemplate"})

    assert stderr_on_terminal("create", "ar", "--global", "--from", "nope") == [
        'Error: clusteranalysistemplates.argoproj.io "nope" not found',
        "ClusterAnalysisTemplates: errors",
    ]
