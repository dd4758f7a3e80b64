"""A small canary in the middle of its update, and changes of it."""

from __future__ import annotations

import copy
from typing import Any

from .recorded import NAMESPACE, whole

Object = dict[str, Any]

STEPS = [{"setWeight": 20}, {"pause": {}}]


def container(name: str, image: str) -> Object:
    return {"name": name, "image": image}


def rollout(name: str = "web", **status: Any) -> Object:
    """A canary of two steps, paused at the second, unless `status` says otherwise."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": f"uid-{name}",
            "generation": 1,
            "creationTimestamp": "2026-11-23T11:00:00Z",
        },
        "spec": {
            "replicas": 5,
            "strategy": {"canary": {"steps": STEPS}},
            "template": {"spec": {"containers": [container("app", "shop:1"), container("side", "proxy:1")]}},
            "fieldOfTomorrow": {"kept": True},
        },
        "status": {
            "phase": "Paused",
            "message": "CanaryPauseStep",
            "observedGeneration": "1",
            "currentStepIndex": 1,
            "pauseConditions": [{"reason": "CanaryPauseStep"}],
            "controllerPause": True,
            **status,
        },
    }


def moved(obj: Object, phase: str, message: str = "", **status: Any) -> Object:
    """The same Rollout in another phase."""
    changed = copy.deepcopy(obj)
    changed["status"] = {"phase": phase, "message": message, "observedGeneration": "1", **status}
    return changed


def replica_set(name: str, owner: Object, available: int) -> Object:
    """A ReplicaSet of `owner` with so many pods wanted and available."""
    return whole(
        {
            "kind": "ReplicaSet",
            "name": name,
            "uid": f"uid-{name}",
            "created": "2026-11-23T11:30:00Z",
            "annotations": {"rollout.argoproj.io/revision": "1"},
            "owners": [[owner["metadata"]["uid"], True]],
            "spec": {"replicas": available},
            "status": {"replicas": available, "availableReplicas": available},
        }
    )


def namespace(name: str) -> Object:
    return {"kind": "Namespace", "metadata": {"name": name}}
