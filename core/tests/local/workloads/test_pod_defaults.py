"""Pods and ReplicaSets are stored with the defaults that a real API server fills in, no more and no fewer."""

from __future__ import annotations

from typing import Any

import pytest

from sluicegate.local.defaults.pods import admit_pod, admit_replica_set
from sluicegate.local.store import ObjectStore

Object = dict[str, Any]


@pytest.fixture
def store() -> ObjectStore:
    return ObjectStore()


def replica_set(spec: Object) -> Object:
    return {"metadata": {"name": "web"}, "spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": spec}}}


def stored_template(spec: Object, store: ObjectStore) -> Object:
    found: Object = admit_replica_set(replica_set(spec), None, store)["spec"]["template"]["spec"]
    return found


def stored_container(container: Object, store: ObjectStore) -> Object:
    found: Object = stored_template({"containers": [container]}, store)["containers"][0]
    return found


def test_a_template_gets_what_the_recorded_server_gave_it(store: ObjectStore) -> None:
    stored = stored_template({"containers": [{"name": "shop", "image": "demo/shop:v1"}]}, store)

    assert stored == {
        "containers": [
            {
                "name": "shop",
                "image": "demo/shop:v1",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "imagePullPolicy": "IfNotPresent",
            }
        ],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    }


def test_defaults_are_filled_in_once(store: ObjectStore) -> None:
    once = admit_replica_set(replica_set({"containers": [{"name": "a", "image": "b"}]}), None, store)
    again = admit_replica_set({**once, "spec": {**once["spec"]}}, once, store)

    assert again["spec"] == once["spec"]


def test_a_replica_set_without_a_size_has_one_replica(store: ObjectStore) -> None:
    assert admit_replica_set(replica_set({"containers": []}), None, store)["spec"]["replicas"] == 1


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("registry.example:5000/nginx", "Always"),
        ("registry.example:5000/nginx:1", "IfNotPresent"),
        ("nginx@sha256:0123", "IfNotPresent"),
    ],
)
def test_the_image_tag_decides_when_to_pull(image: str, policy: str, store: ObjectStore) -> None:
    assert stored_container({"name": "a", "image": image}, store)["imagePullPolicy"] == policy


def test_probes_ports_and_references_are_completed(store: ObjectStore) -> None:
    stored = stored_container(
        {
            "name": "a",
            "image": "b:1",
            "ports": [{"containerPort": 80}],
            "env": [{"name": "E", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "readinessProbe": {"httpGet": {"port": 80}},
            "livenessProbe": {"grpc": {"port": 9}, "periodSeconds": 3},
            "lifecycle": {"preStop": {"httpGet": {"port": 80, "path": "/bye"}}},
        },
        store,
    )

    thresholds = {"timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3}
    assert stored["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert stored["env"][0]["valueFrom"]["fieldRef"] == {"apiVersion": "v1", "fieldPath": "metadata.name"}
    http = {"port": 80, "path": "/", "scheme": "HTTP"}
    assert stored["readinessProbe"] == {"httpGet": http, "periodSeconds": 10, **thresholds}
    assert stored["livenessProbe"] == {"grpc": {"port": 9, "service": ""}, "periodSeconds": 3, **thresholds}
    assert stored["lifecycle"]["preStop"]["httpGet"] == {"port": 80, "path": "/bye", "scheme": "HTTP"}


def test_quantities_are_written_in_canonical_form(store: ObjectStore) -> None:
    resources = {"limits": {"cpu": "1000m", "memory": "1024Ki"}, "requests": {"cpu": 0.5}}

    stored = stored_container({"name": "a", "image": "b", "resources": resources}, store)

    assert stored["resources"] == {"limits": {"cpu": "1", "memory": "1Mi"}, "requests": {"cpu": "500m"}}


def test_zero_values_are_left_out_as_by_typed_clients(store: ObjectStore) -> None:
    given = {"name": "a", "image": "b", "command": [], "stdin": False, "env": [{"name": "E", "value": ""}]}

    stored = stored_container({**given, "ports": [{"containerPort": 80, "hostPort": 0}]}, store)

    assert stored["env"] == [{"name": "E"}]
    assert stored["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert not {"command", "stdin"} & stored.keys()


def test_volumes_are_completed(store: ObjectStore) -> None:
    volumes = [
        {"name": "scratch"},
        {"name": "keys", "secret": {"secretName": "s"}},
        {"name": "settings", "configMap": {"name": "c", "defaultMode": 0}},
        {"name": "host", "hostPath": {"path": "/x"}},
        {"name": "all", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
    ]

    stored = stored_template({"containers": [], "volumes": volumes}, store)["volumes"]

    assert stored[0] == {"name": "scratch", "emptyDir": {}}
    assert stored[1]["secret"]["defaultMode"] == 420
    assert stored[2]["configMap"]["defaultMode"] == 0
    assert stored[3]["hostPath"] == {"path": "/x", "type": ""}
    token = {"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}
    assert stored[4]["projected"] == {"defaultMode": 420, "sources": [token]}


def test_an_account_is_written_under_both_of_its_names(store: ObjectStore) -> None:
    stored = stored_template({"containers": [], "serviceAccountName": "robot"}, store)

    assert (stored["serviceAccountName"], stored["serviceAccount"]) == ("robot", "robot")


def test_a_pod_gets_more_than_a_template(store: ObjectStore) -> None:
    pod = admit_pod({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "b"}]}}, None, store)

    assert pod["spec"]["enableServiceLinks"] is True
    assert (pod["spec"]["priority"], pod["spec"]["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert [toleration["tolerationSeconds"] for toleration in pod["spec"]["tolerations"]] == [300, 300]
    assert pod["status"] == {"phase": "Pending", "qosClass": "BestEffort"}


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ],
)
def test_resources_decide_the_quality_of_service(resources: Object, quality: str, store: ObjectStore) -> None:
    container = {"name": "a", "image": "b", "resources": resources}
    pod = admit_pod({"metadata": {"name": "p"}, "spec": {"containers": [container]}}, None, store)

    assert pod["status"]["qosClass"] == quality
