"""Slim views of foreign objects, decoded from the API's JSON."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from sluicegate.api.foreign import decode_pod, decode_replica_set, decode_service

REPLICA_SET = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "metadata": {
        "name": "shop-1",
        "namespace": "ns",
        "uid": "u1",
        "resourceVersion": "7",
        "generation": 2,
        "creationTimestamp": "2026-01-02T03:04:05Z",
        "labels": {"rollouts-pod-template-hash": "1"},
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "X", "name": "x", "uid": "u2"},
            {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "shop", "uid": "u3", "controller": True},
        ],
        "managedFields": [{"manager": "someone"}],
    },
    "spec": {"replicas": 0, "template": {"metadata": {"creationTimestamp": None}, "spec": {"containers": []}}},
    "status": {"replicas": 3, "availableReplicas": 2, "observedGeneration": 2},
}


def test_a_replica_set() -> None:
    replica_set = decode_replica_set(json.dumps(REPLICA_SET).encode())
    assert replica_set.metadata.creation_timestamp == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert replica_set.metadata.controller is not None
    assert replica_set.metadata.controller.uid == "u3"
    assert replica_set.spec.template == {"metadata": {"creationTimestamp": None}, "spec": {"containers": []}}
    assert (replica_set.spec.replicas, replica_set.status.replicas, replica_set.status.ready_replicas) == (0, 3, 0)


def test_absent_replicas_are_one_as_the_api_defaults_them() -> None:
    assert decode_replica_set(b"{}").spec.replicas == 1
    assert decode_replica_set(b"{}").metadata.controller is None


def test_a_service() -> None:
    text = b"""{"spec": {"selector": {"app": "shop"}, "type": "NodePort", "clusterIP": "10.0.0.1",
               "ports": [{"port": 80, "targetPort": "http", "nodePort": 30080}]}}"""
    service = decode_service(text)
    assert service.spec.selector == {"app": "shop"}
    assert service.spec.cluster_ip == "10.0.0.1"
    assert (service.spec.ports[0].target_port, service.spec.ports[0].node_port) == ("http", 30080)


def test_a_pod() -> None:
    text = b"""{"metadata": {"deletionTimestamp": "2026-01-02T03:04:05Z"}, "status": {"phase": "Running",
               "podIP": "10.1.2.3", "conditions": [{"type": "Ready", "status": "True"}],
               "containerStatuses": [{"name": "web", "ready": true, "restartCount": 2,
                                      "state": {"waiting": {"reason": "ImagePullBackOff"}}}]}}"""
    pod = decode_pod(text)
    status = pod.status.container_statuses[0]
    assert pod.metadata.deletion_timestamp is not None
    assert (pod.status.phase, pod.status.pod_ip, pod.status.conditions[0].status) == ("Running", "10.1.2.3", "True")
    assert status.state.waiting is not None
    assert (status.state.waiting.reason, status.restart_count, status.state.running) == ("ImagePullBackOff", 2, None)


def test_a_member_of_the_wrong_type_is_an_error_that_names_it() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.spec\.replicas"):
        decode_replica_set(b'{"spec": {"replicas": "three"}}')
