"""`lint` reads and judges a file as `kubectl argo rollouts lint` does, and needs no cluster for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import yaml

if TYPE_CHECKING:
    from .conftest import Cli, Outcome

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors/validation.json").read_text(encoding="utf-8")
)
Document = dict[str, Any]


class Lint(Protocol):
    """Lints a file of this text, or of these documents."""

    def __call__(self, *documents: str | bytes | Document) -> Outcome: ...


@pytest.fixture
def lint(cli: Cli, tmp_path: Path) -> Lint:
    def call(*documents: str | bytes | Document) -> Outcome:
        path = tmp_path / "manifests.yaml"
        path.write_bytes(b"\n---\n".join(map(as_bytes, documents)))
        return cli("lint", "-f", str(path))

    return call


def as_bytes(document: str | bytes | Document) -> bytes:
    text = yaml.safe_dump(document) if isinstance(document, dict) else document
    return text.encode() if isinstance(text, str) else text


@pytest.mark.parametrize("case", VECTORS["lint"], ids=lambda case: repr(case["text"])[:60])
def test_recorded_files(case: dict[str, Any], lint: Lint) -> None:
    outcome = lint(case["text"])
    stderr = f"Error: {case['error']}\n" if case["error"] else ""
    assert (outcome.stdout, outcome.stderr) == (case["stdout"], stderr)
    assert outcome.exit == (1 if case["error"] else 0)


def rollout(strategy: Document, name: str = "shop", **spec: Any) -> Document:
    manifest: Document = json.loads(json.dumps(VECTORS["bases"]["canary"]))
    manifest["metadata"]["name"] = name
    manifest["spec"] |= {"strategy": strategy, **spec}
    return manifest


def service(name: str, owner: str | None = None, **selector: str) -> Document:
    return manifest("v1", "Service", name, {"selector": selector}, owner)


def ingress(backend: str, name: str = "edge", owner: str | None = None, beta: bool = False) -> Document:
    found = {"serviceName": backend} if beta else {"service": {"name": backend}}
    rule = {"http": {"paths": [{"backend": found}]}}
    version = "networking.k8s.io/v1beta1" if beta else "networking.k8s.io/v1"
    return manifest(version, "Ingress", name, {"rules": [rule]}, owner)


def virtual_service(name: str = "vs", owner: str | None = None, **spec: Any) -> Document:
    return manifest("networking.istio.io/v1beta1", "VirtualService", name, spec, owner)


def manifest(api_version: str, kind: str, name: str, spec: Document, owner: str | None) -> Document:
    annotations = {"argo-rollouts.argoproj.io/managed-by-rollouts": owner} if owner else {}
    metadata = {"name": name, "annotations": annotations}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def routed(**routing: Any) -> Document:
    return {"canary": {"stableService": "stable", "canaryService": "canary", "trafficRouting": routing}}


def said(outcome: Outcome, *findings: str) -> bool:
    """Whether these findings were printed, the first of them again as the error, with its path."""
    bodies = [finding.partition(": ")[2] for finding in findings]
    error = f"Error: {findings[0]}\n" if findings else ""
    printed = (outcome.stdout.splitlines(), outcome.stderr, outcome.exit)
    return printed == (bodies, error, 1 if findings else 0) or pytest.fail(str(printed))


def test_all_findings_are_printed_and_the_first_is_the_error(lint: Lint) -> None:
    assert said(
        lint(rollout({"canary": {"maxSurge": 0, "maxUnavailable": 0}}, replicas=-1)),
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        "spec.strategy.maxSurge: Invalid value: 0: MaxSurge and MaxUnavailable both can not be zero",
    )


def test_without_a_file_the_usage_is_printed(cli: Cli) -> None:
    outcome = cli("lint")
    assert (outcome.exit, outcome.stderr) == (1, "")
    assert outcome.stdout.startswith("Usage: sluicegate lint ")


def test_a_file_that_is_not_there(cli: Cli) -> None:
    outcome = cli("lint", "--filename", "nowhere.yaml")
    assert (outcome.exit, outcome.stdout) == (1, "")
    assert outcome.stderr == "Error: open nowhere.yaml: no such file or directory\n"


def test_a_cluster_is_not_asked(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    path = tmp_path / "rollout.json"
    path.write_text(json.dumps(rollout({"canary": {}}), indent="\t"))
    assert said(cli("lint", "-f", str(path)))


FIELD = "Go struct field"
STEP = "v1alpha1.CanaryStep"
UNREADABLE = {
    "a list where an object belongs": (
        {"spec": {"strategy": []}},
        "json: cannot unmarshal array into Go struct field RolloutSpec.spec.strategy of type v1alpha1.RolloutStrategy",
    ),
    "a member of a step": (
        {"spec": {"strategy": {"canary": {"steps": [{"setWeight": 5}, {"setWeight": "5"}]}}}},
        f"json: cannot unmarshal string into {FIELD} CanaryStep.spec.strategy.canary.steps.setWeight of type int32",
    ),
    "a fraction": (
        {"spec": {"replicas": 1.5}},
        "json: cannot unmarshal number 1.5 into Go struct field RolloutSpec.spec.replicas of type int32",
    ),
    "a number beyond 32 bits": (
        {"spec": {"replicas": 2147483648}},
        "json: cannot unmarshal number 2147483648 into Go struct field RolloutSpec.spec.replicas of type int32",
    ),
    "an object for a text": (
        {"metadata": {"labels": {"a": {}}}},
        "json: cannot unmarshal object into Go struct field ObjectMeta.metadata.labels of type string",
    ),
    "a step that is no object": (
        {"spec": {"strategy": {"canary": {"steps": ["x"]}}}},
        f"json: cannot unmarshal string into {FIELD} CanaryStrategy.spec.strategy.canary.steps of type {STEP}",
    ),
    "a boolean for a number or a text": (
        {"spec": {"strategy": {"canary": {"maxSurge": True}}}},
        "json: cannot unmarshal bool into Go struct field CanaryStrategy.spec.strategy.canary.maxSurge of type int32",
    ),
    "a time that is none": (
        {"spec": {"restartAt": "2026-13-01T00:00:00Z"}},
        'parsing time "2026-13-01T00:00:00Z" as "2006-01-02T15:04:05Z07:00": cannot parse "13-01T00:00:00Z" as "01"',
    ),
    "a quantity that is none, after an unknown field": (
        {"spec": {"bogus": 1, "template": {"spec": {"containers": [{"resources": {"limits": {"cpu": "x"}}}]}}}},
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ),
    "an unknown field of a volume": (
        {"spec": {"template": {"spec": {"volumes": [{"name": "a", "bogus": {}}]}}}},
        'json: unknown field "bogus"',
    ),
    "the first of two, by name": ({"spec": {"zebra": 1}, "metadata": {"bogus": 1}}, 'json: unknown field "bogus"'),
}


@pytest.mark.parametrize(("members", "error"), UNREADABLE.values(), ids=UNREADABLE)
def test_rollouts_that_cannot_be_read(members: Document, error: str, lint: Lint) -> None:
    """Nothing else of the file is told then."""
    faulty = rollout({"canary": {"maxSurge": 0, "maxUnavailable": 0}})
    outcome = lint(faulty, {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", **members})
    assert (outcome.exit, outcome.stdout) == (1, "")
    assert outcome.stderr == f"Error: error unmarshaling JSON: while decoding JSON: {error}\n"


LAUGHS = "a0: &a0 x\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a: [1\nb: 2", "yaml: line 1: did not find expected ',' or ']'"),
        ("kind: Rollout\n\ta: 1", "yaml: line 2: "),
        ("a: &a\n  b: *a", "yaml: an anchor's value contains itself"),
        ("[" * 100_000, "yaml: the file is nested too deeply"),
        (LAUGHS, "yaml: document contains excessive aliasing"),
        ("[" * 300 + "]" * 300, "yaml: the file is nested too deeply"),
        (b"kind: \xff\xfe", "yaml: "),
        ("kind: X\na: .inf", "error converting YAML to JSON: json: unsupported value: +Inf"),
        ("kind: X\nnull: 1", "error converting YAML to JSON: unsupported map key: None"),
        (
            "apiVersion: a/b/c\nkind: Rollout",
            "error unmarshaling JSON: while decoding JSON: Object 'Kind' is missing in",
        ),
        ("kind: [Rollout]", "error unmarshaling JSON: while decoding JSON: Object 'Kind' is missing in '"),
        ("5", "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal number into Go value of type map"),
    ],
)
def test_files_that_cannot_be_read(text: str | bytes, error: str, lint: Lint) -> None:
    outcome = lint(text)
    assert (outcome.exit, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith(f"Error: {error}")
    assert outcome.stderr.count("\n") == 1


def test_yaml_is_read_as_1_1(lint: Lint) -> None:
    """Octal and underscored numbers, switches, times that are text, tags of one's own, merged and repeated keys."""
    text = """
        apiVersion: argoproj.io/v1alpha1
        kind: Rollout
        metadata: {name: 12, annotations: {a: 2026-01-01, b: 1:30, c: n, d: !own x, e: 1e3, f: 0x10}}
        spec:
          replicas: 9
          replicas: 1_0
          minReadySeconds: 010
          progressDeadlineSeconds: 8
          paused: on
          restartAt: 2026-01-01T00:00:00Z
          selector: &labels {matchLabels: {app: 5}}
          template: {metadata: {labels: {app: 5}, creationTimestamp: null}, spec: {containers: [
            {name: a, image: b, resources: {limits: {cpu: 1, memory: 0.5}}}]}}
          strategy: {canary: {<<: {maxSurge: 0}, maxUnavailable: 0}}
    """
    assert said(
        lint(text),
        "spec.progressDeadlineSeconds: Invalid value: 8: must be greater than minReadySeconds",
        "spec.strategy.maxSurge: Invalid value: 0: MaxSurge and MaxUnavailable both can not be zero",
    )


@pytest.mark.parametrize(
    ("strategy", "name", "path"),
    [
        (routed(nginx={"stableIngress": "edge"}), "stable", "canary.stableService"),
        (routed(nginx={"stableIngress": "edge"}), "canary", "canary.canaryService"),
        ({"canary": {"stableService": "one", "canaryService": "one"}}, "one", "canary.stableService"),
        (
            {
                "canary": {
                    "pingPong": {"pingService": "ping", "pongService": "pong"},
                    "trafficRouting": {"plugins": {"a/b": {}}},
                }
            },
            "pong",
            "canary.pingPong.pongService",
        ),
        ({"blueGreen": {"activeService": "active", "previewService": "p"}}, "active", "blueGreen.activeService"),
    ],
)
def test_a_service_is_checked_with_the_rollout_that_names_it(
    strategy: Document, name: str, path: str, lint: Lint
) -> None:
    """Whoever its annotation says it belongs to."""
    outcome = lint(service(name, owner="other", app="shop", zone="a"), rollout(strategy))
    finding = f'Invalid value: "{name}": Service "{name}" has unmatch label "zone" in rollout'
    assert finding in outcome.stdout.splitlines()
    assert (f"spec.strategy.{path}: {finding}" in outcome.stderr) == (len(outcome.stdout.splitlines()) == 1)


def test_the_last_rollout_that_names_a_service_has_it(lint: Lint) -> None:
    strategy = {"canary": {"stableService": "stable"}}
    other = rollout(strategy, name="other")
    other["spec"] |= {
        "selector": {"matchLabels": {"app": "other"}},
        "template": {"metadata": {"labels": {"app": "other"}}, "spec": other["spec"]["template"]["spec"]},
    }
    assert said(lint(rollout(strategy), other, service("stable", app="other")))
    assert lint(other, rollout(strategy), service("stable", app="other")).exit == 1


def test_a_service_that_no_field_names_is_not_checked(lint: Lint) -> None:
    assert said(lint(rollout({"canary": {}}), service("stable", owner="shop", zone="a")))


EDGE = "spec.strategy.canary.trafficRouting"
NGINX = routed(nginx={"stableIngress": "edge"})
ALB = {"ingress": "edge", "servicePort": 80}
NO_RULE = 'Invalid value: "edge": ingress `edge` has no rules using service'
INGRESSES: dict[str, tuple[list[Document], list[str]]] = {
    "one that leads to the stable Service": ([rollout(NGINX), ingress("stable")], []),
    "one of the beta": ([rollout(NGINX), ingress("stable", beta=True)], []),
    "one that only its annotation ties to the Rollout": (
        [rollout(NGINX), ingress("x", owner="shop")],
        [f"{EDGE}.nginx.stableIngress: {NO_RULE} stable backend"],
    ),
    "one that nothing ties to the Rollout": ([rollout(NGINX), ingress("x")], []),
    "one that the Rollout does not name": ([rollout(NGINX), ingress("x", name="other", owner="shop")], []),
    "one that leads to the root Service": (
        [rollout(routed(alb=ALB | {"rootService": "root"})), ingress("root")],
        [],
    ),
    "one that another Rollout has": (
        [rollout(NGINX), rollout(routed(smi={"rootService": "x"}), name="other"), ingress("x", owner="shop")],
        [],
    ),
    "one behind a Rollout without routers, which ends the search": (
        [rollout({"canary": {}}, name="plain"), rollout(NGINX), ingress("stable", owner="plain")],
        [],
    ),
}


@pytest.mark.parametrize(("documents", "findings"), INGRESSES.values(), ids=INGRESSES)
def test_ingresses(documents: list[Document], findings: list[str], lint: Lint) -> None:
    assert said(lint(*documents), *findings)


ISTIO = routed(istio={"virtualService": {"name": "vs"}})
VS_NAME = f"{EDGE}.istio.virtualService.name"
NO_ROUTES = "Unable to get any of the HTTP, TCP or TLS routes for the Istio VirtualService"
VIRTUAL_SERVICES: dict[str, tuple[list[Document], list[str]]] = {
    "one that the Rollout names": (
        [rollout(ISTIO), virtual_service()],
        [f'{VS_NAME}: Invalid value: "vs": {NO_ROUTES}'],
    ),
    "one of several": (
        [rollout(routed(istio={"virtualServices": [{"name": "a"}, {"name": "vs"}]})), virtual_service()],
        [f'{EDGE}.istio.virtualServices.name: Invalid value: "vs": {NO_ROUTES}'],
    ),
    "one that is named with its namespace": (
        [rollout(routed(istio={"virtualService": {"name": "vs.ns"}})), virtual_service()],
        [],
    ),
    "the same with the annotation": (
        [rollout(routed(istio={"virtualService": {"name": "vs.ns"}})), virtual_service(owner="shop")],
        [f'{VS_NAME}: Invalid value: "vs": {NO_ROUTES}'],
    ),
    "one for a Rollout without Istio": (
        [rollout(NGINX), virtual_service(owner="shop")],
        [f'{EDGE}.istio: Invalid value: "shop": Rollout object is not configured with Istio traffic routing'],
    ),
    "one for a Rollout whose Istio names none": ([rollout(routed(istio={})), virtual_service(owner="shop")], []),
    "one of App Mesh": (
        [
            rollout(routed(appMesh={"virtualService": {"name": "vs"}})),
            virtual_service(owner="shop") | {"apiVersion": "appmesh.k8s.aws/v1beta2"},
        ],
        [],
    ),
    "one behind a Rollout without Istio, which ends the search": (
        [rollout(NGINX, name="plain"), rollout(ISTIO), virtual_service()],
        [],
    ),
}


@pytest.mark.parametrize(("documents", "findings"), VIRTUAL_SERVICES.values(), ids=VIRTUAL_SERVICES)
def test_virtual_services(documents: list[Document], findings: list[str], lint: Lint) -> None:
    assert said(lint(*documents), *findings)


def test_an_ingress_path_with_a_resource_behind_it(lint: Lint) -> None:
    found = ingress("stable")
    resource = {"apiGroup": "k8s.example.com", "kind": "Bucket", "name": "static"}
    found["spec"]["rules"][0]["http"]["paths"].insert(0, {"path": "/img", "backend": {"resource": resource}})
    assert said(lint(rollout(NGINX), found))


def test_findings_come_rollout_by_rollout(lint: Lint) -> None:
    """Missing objects and analysis templates are not told."""
    steps = [{"analysis": {"templates": [{"templateName": "gone"}]}}]
    first = rollout({"canary": {"steps": steps, "stableService": "stable"}}, replicas=-1)
    second = rollout({"blueGreen": {"activeService": "a", "previewService": "a"}}, name="second")
    outcome = lint(second, service("stable", zone="a"), first)
    assert said(
        outcome,
        (
            'spec.strategy.activeService: Invalid value: "a": This rollout uses the same service for the active and '
            "preview services, but two different services are required."
        ),
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        (
            'spec.strategy.canary.stableService: Invalid value: "stable": Service "stable" has unmatch label "zone" '
            "in rollout"
        ),
    )
