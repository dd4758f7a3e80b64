"""Validation gives the findings of Argo Rollouts, in its order and words."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluicegate.api.validation import InvalidManifest, parse_rollout, validate_rollout

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/validation.json").read_text(encoding="utf-8"))
Case = dict[str, Any]
ManifestOf = Callable[[Case], dict[str, Any]]
ErrorsOf = Callable[[Case], list[str]]
QUANTITIES = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def changed(case: Case) -> str:
    return json.dumps({key: value for key, value in case.items() if key not in ("base", "errors")})[:100]


def findings(manifest: dict[str, Any]) -> list[str]:
    return [str(error) for error in validate_rollout(parse_rollout(manifest))]


def in_spec(*errors: str) -> list[str]:
    return [f"spec.template.spec.{error}" for error in errors]


@pytest.mark.parametrize("case", VECTORS["local"], ids=changed)
def test_local_checks(case: Case, manifest_of: ManifestOf, errors_of: ErrorsOf) -> None:
    assert findings(manifest_of(case)) == errors_of(case)


@pytest.mark.parametrize("case", VECTORS["podTemplate"], ids=changed)
def test_pod_template_checks(case: Case, manifest_of: ManifestOf, errors_of: ErrorsOf) -> None:
    assert findings(manifest_of(case)) == errors_of(case)


def container_case(container: Case, *errors: str) -> Any:
    return pytest.param(container, list(errors), id=changed(container))


@pytest.mark.parametrize(
    ("container", "errors"),
    [
        container_case(
            {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": ""}}}]},
            "env[0].valueFrom.fieldRef.fieldPath: Required value",
        ),
        container_case({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a']"}}}]}),
        container_case({"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]}),
        container_case(
            {"env": [{"name": "A", "valueFrom": {"resourceFieldRef": {}}}]},
            "env[0].valueFrom.resourceFieldRef.resource: Required value",
        ),
        container_case({"env": [{"name": "..A"}]}, "env[0].name: Invalid value: \"..A\": must not start with '..'"),
        container_case(
            {"envFrom": [{}]}, 'envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`'
        ),
        container_case(
            {"envFrom": [{"configMapRef": {"name": "a"}, "secretRef": {}}]},
            "envFrom[0].secretRef.name: Required value",
            'envFrom: Invalid value: "": may not have more than one field specified at a time',
        ),
        container_case(
            {"securityContext": {"runAsUser": -1, "procMount": "Foo"}},
            "securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive",
            'securityContext.procMount: Unsupported value: "Foo": supported values: "Default", "Unmasked"',
        ),
        container_case({"securityContext": {"privileged": True}}),
        container_case(
            {"resources": {"requests": {"hugepages-2Mi": "2Mi"}}},
            "resources.limits: Required value: Limit must be set for non overcommitable resources",
        ),
        container_case({"lifecycle": {"preStop": {"sleep": {"seconds": 30}}}}),
        container_case(
            {"livenessProbe": {"grpc": {"port": 80}, "periodSeconds": -1}},
            "livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
        ),
    ],
)
def test_more_of_a_container(container: Case, errors: list[str], manifest_of: ManifestOf) -> None:
    manifest = manifest_of({"base": "canary", "container": container})
    assert findings(manifest) == in_spec(*(f"containers[0].{error}" for error in errors))


def test_privileges_against_escalation_are_refused(manifest_of: ManifestOf) -> None:
    context = {"allowPrivilegeEscalation": False, "capabilities": {"add": ["CAP_SYS_ADMIN"]}}
    [error] = findings(manifest_of({"base": "canary", "container": {"securityContext": context}}))
    assert error.startswith("spec.template.spec.containers[0].securityContext: Invalid value: {")
    assert error.endswith("cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN")


def pod_spec(**members: Any) -> Case:
    return {"base": "canary", "spec": {"template": {"spec": members}}}


def test_a_sound_volume_can_be_mounted_and_a_faulty_one_cannot(manifest_of: ManifestOf) -> None:
    mounts = [{"name": "good", "mountPath": "/a"}, {"name": "bad", "mountPath": "/b"}]
    volumes = [{"name": "good"}, {"name": "bad", "nfs": {"server": "s", "path": "/p"}, "emptyDir": {}}]
    case = pod_spec(volumes=volumes, containers=[{"name": "web", "image": "x", "volumeMounts": mounts}])
    assert findings(manifest_of(case)) == in_spec(
        "volumes[1].nfs: Forbidden: may not specify more than 1 volume type",
        'containers[0].volumeMounts[1].name: Not found: "bad"',
    )


def test_volumes_that_the_incumbent_refuses_by_mistake_are_accepted(manifest_of: ManifestOf) -> None:
    volumes = [
        {"name": "a", "azureDisk": {"diskName": "d", "diskURI": "u"}},
        {"name": "b", "rbd": {"monitors": ["m"], "image": "i"}},
        {"name": "c", "glusterfs": {"endpoints": "e", "path": "p"}},
    ]
    assert findings(manifest_of(pod_spec(volumes=volumes))) == []


def test_a_volume_of_an_unknown_kind_or_type_is_an_empty_directory(manifest_of: ManifestOf) -> None:
    case = pod_spec(volumes=[{"name": "a", "future": {}}, {"name": "b", "secret": "text"}, {"name": 5}])
    assert findings(manifest_of(case)) == in_spec("volumes[2].name: Required value")


def test_sidecars_may_have_probes_and_host_ports_are_counted_one_by_one(manifest_of: ManifestOf) -> None:
    port = {"containerPort": 80, "hostPort": 80}
    sidecar = {"name": "side", "image": "x", "restartPolicy": "Always", "ports": [port]}
    probed = {**sidecar, "name": "probed", "livenessProbe": {}, "ports": [port, {**port, "containerPort": 81}]}
    assert findings(manifest_of(pod_spec(initContainers=[sidecar, probed]))) == in_spec(
        'initContainers[0].ports[1].hostPort: Duplicate value: "TCP//80"',
        "initContainers[1].livenessProbe: Required value: must specify a handler type",
    )


@pytest.mark.parametrize("surge", ["9" * 5000 + "%", "9" * 5000])
def test_a_fence_of_thousands_of_digits_is_a_value_like_any_other(surge: str, manifest_of: ManifestOf) -> None:
    """Python refuses to turn so long a text into a number; that must not reach the user as a crash."""
    assert findings(manifest_of({"base": "canary", "canary": {"maxSurge": surge, "maxUnavailable": 1}})) == []


@pytest.mark.parametrize(
    ("case", "error"),
    [
        ({"spec": {"replicas": 2147483648}}, "spec.replicas: Invalid value: 2147483648: must be a 32-bit integer"),
        (
            {"canary": {"steps": [{"setWeight": 8589934597}]}},
            "spec.strategy.canary.steps[0].setWeight: Invalid value: 8589934597: must be a 32-bit integer",
        ),
        (
            {"canary": {"maxSurge": 1099511627776}},
            "spec.strategy.canary.maxSurge: Invalid value: 1099511627776: must be a 32-bit integer",
        ),
        (
            {"container": {"ports": [{"hostPort": 4294967376}]}},
            "spec.template.spec.containers[0].ports[0].hostPort: Invalid value: 4294967376: must be a 32-bit integer",
        ),
        (
            {"container": {"resources": {"limits": {"cpu": "bad"}}}},
            f'spec.template.spec.containers[0].resources.limits[cpu]: Invalid value: "bad": {QUANTITIES}',
        ),
        (
            {"container": {"resources": {"requests": {"cpu": True}}}},
            f"spec.template.spec.containers[0].resources.requests[cpu]: Invalid value: true: {QUANTITIES}",
        ),
    ],
)
def test_what_the_schema_lets_through_and_no_type_holds(case: Case, error: str, manifest_of: ManifestOf) -> None:
    with pytest.raises(InvalidManifest) as caught:
        parse_rollout(manifest_of({"base": "canary", **case}))
    assert [str(found) for found in caught.value.errors] == [error]


def test_all_that_cannot_be_held_is_reported_at_once(manifest_of: ManifestOf) -> None:
    limits = {"limits": {"cpu": "bad", "memory": "worse"}}
    case = {"base": "canary", "spec": {"replicas": 2**40}, "container": {"resources": limits}}
    with pytest.raises(InvalidManifest, match=r"spec\.replicas.*limits\[cpu\].*limits\[memory\]"):
        parse_rollout(manifest_of(case))


def wrong_types(case: Case) -> list[str]:
    return [error.partition(":")[0] for error in case["errors"] if "in body must be of type" in error]


@pytest.mark.parametrize("case", [case for case in VECTORS["schema"] if wrong_types(case)], ids=changed)
def test_wrong_types_are_refused_without_an_api_server_too(case: Case, manifest_of: ManifestOf) -> None:
    with pytest.raises(InvalidManifest) as caught:
        parse_rollout(manifest_of(case))
    assert [found.path for found in caught.value.errors] == wrong_types(case)
