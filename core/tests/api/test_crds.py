"""The CRDs accept and refuse what Argo Rollouts' own do, and a plain `kubectl apply` can install them."""

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from sluicegate.api.crds import crds
from sluicegate.cli.crds import command
from sluicegate.local.apiserver.schema import Schema
from sluicegate.local.apiserver.validation import faults

TESTS = Path(__file__).parents[1]
VECTORS = json.loads((TESTS / "vectors/validation.json").read_text(encoding="utf-8"))
CRDS = {crd["spec"]["names"]["kind"]: crd for crd in crds()}
Node = dict[str, Any]


def version_of(kind: str) -> Node:
    [version] = CRDS[kind]["spec"]["versions"]
    return dict(version)


def schema_of(kind: str) -> Node:
    return dict(version_of(kind)["schema"]["openAPIV3Schema"])


def member(schema: Node, path: str) -> Node:
    for part in path.split("."):
        schema = schema["items"] if part == "[]" else schema["properties"][part]
    return schema


@pytest.mark.parametrize(
    ("kind", "plural", "short", "scope"),
    [
        ("Rollout", "rollouts", "ro", "Namespaced"),
        ("Experiment", "experiments", "exp", "Namespaced"),
        ("AnalysisRun", "analysisruns", "ar", "Namespaced"),
        ("AnalysisTemplate", "analysistemplates", "at", "Namespaced"),
        ("ClusterAnalysisTemplate", "clusteranalysistemplates", "cat", "Cluster"),
    ],
)
def test_the_five_kinds(kind: str, plural: str, short: str, scope: str) -> None:
    crd = CRDS[kind]
    assert crd["metadata"]["name"] == f"{plural}.argoproj.io"
    assert crd["spec"]["names"]["shortNames"] == [short]
    assert crd["spec"]["names"]["listKind"] == f"{kind}List"
    assert crd["spec"]["scope"] == scope
    assert schema_of(kind)["required"] == ["spec"]
    assert version_of(kind)["additionalPrinterColumns"][-1]["jsonPath"] == ".metadata.creationTimestamp"


def test_rollouts_have_status_and_scale() -> None:
    assert version_of("Rollout")["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.HPAReplicas",
            "labelSelectorPath": ".status.selector",
        },
    }
    assert all("subresources" not in version_of(kind) for kind in CRDS if kind != "Rollout")


@pytest.mark.parametrize("kind", CRDS)
def test_a_plain_apply_can_hold_them_in_its_annotation(kind: str) -> None:
    assert len(json.dumps(CRDS[kind])) < 100_000


def test_each_is_small_as_yaml_too() -> None:
    printed = CliRunner().invoke(command).stdout
    documents = printed.split("\n---\n")
    assert len(documents) == 5
    assert max(map(len, documents)) < 200_000


def test_objects_are_described_in_a_sentence_of_the_apis_names() -> None:
    described = {path: node["description"] for path, node in nodes(schema_of("Rollout")) if "description" in node}
    canary = ".spec.strategy.canary"
    assert described[".spec"] == "What the user wants."
    assert described[f"{canary}.steps[]"] == "One step; it should hold exactly one kind."
    assert described[f"{canary}.antiAffinity.preferredDuringSchedulingIgnoredDuringExecution"].endswith("1 to 100.")
    assert "`matchTrafficWeight` wins over `replicas`" in described[f"{canary}.steps[].setCanaryScale"]
    assert not [text for text in described.values() if "_" in text or text.count(". ")]


def test_the_yaml_has_no_aliases() -> None:
    assert "&id" not in yaml.safe_dump_all(crds())


def nodes(schema: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from nodes(schema[key], f"{path}[]")


@pytest.mark.parametrize("kind", CRDS)
def test_every_node_is_typed_and_nothing_is_defaulted_or_ranged(kind: str) -> None:
    for path, node in nodes(schema_of(kind)):
        assert "type" in node or node.get("x-kubernetes-int-or-string"), path
        assert node.get("type") != "array" or "items" in node, path
        assert not node.keys() & {"default", "enum", "minimum", "maximum", "$ref", "nullable", "title"}, path


def test_members_that_keep_what_they_do_not_know() -> None:
    free = [path for path, node in nodes(schema_of("Rollout")) if node.get("x-kubernetes-preserve-unknown-fields")]
    resources = [
        f".spec.template.spec.{kind}[].resources.{side}"
        for kind in ("containers", "ephemeralContainers", "initContainers")
        for side in ("limits", "requests")
    ]
    assert sorted(free) == sorted(
        [
            ".spec.strategy.canary.steps[].plugin.config",
            ".spec.strategy.canary.trafficRouting.plugins",
            ".spec.template.spec.volumes[]",
            ".status.canary.stepPluginStatuses[].status",
            *resources,
        ]
    )


def test_a_template_keeps_only_labels_and_annotations_of_its_metadata() -> None:
    assert set(member(schema_of("Rollout"), "spec.template.metadata")["properties"]) == {"labels", "annotations"}


def test_a_selector_is_immutable() -> None:
    rules = member(schema_of("Rollout"), "spec.selector")["x-kubernetes-validations"]
    assert rules == [{"rule": "self == oldSelf", "message": ".spec.selector is immutable"}]


def test_required_members_of_the_other_kinds() -> None:
    assert member(schema_of("AnalysisRun"), "spec")["required"] == ["metrics"]
    assert member(schema_of("Experiment"), "spec")["required"] == ["templates"]
    assert member(schema_of("AnalysisTemplate"), "spec.metrics.[]")["required"] == ["name", "provider"]


@pytest.mark.parametrize("case", VECTORS["schema"], ids=lambda case: json.dumps(case)[18:100])
def test_the_api_server_refuses_what_it_refuses_today(
    case: Node, manifest_of: Callable[[Node], Node], errors_of: Callable[[Node], list[str]]
) -> None:
    schema = schema_of("Rollout")
    stored, unknown = Schema(schema).normalise(manifest_of(case))
    assert unknown == case.get("pruned", [])
    assert [fault.path for fault in faults(schema, stored)] == [error.partition(":")[0] for error in case["errors"]]


def test_the_pod_schema_is_what_its_script_makes() -> None:
    root = TESTS.parents[1]
    spec = importlib.util.spec_from_file_location("make_pod_schema", root / "scripts/make_pod_schema.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    committed = (root / "core/src/sluicegate/api/data/pod_schema.json").read_text(encoding="utf-8")
    assert json.loads(committed) == script.pod_template_schema()
