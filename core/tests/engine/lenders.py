"""Rollouts that borrow their template, and the Deployments that lend it."""

import json
from typing import Any

from sluicegate.api.merge import apply_merge_patch
from sluicegate.api.rollout import Rollout
from sluicegate.engine.workload import Workload, decode_workload

TEMPLATE = {
    "metadata": {"labels": {"app": "shop"}},
    "spec": {"containers": [{"name": "shop", "image": "demo/shop:v1"}]},
}
SELECTOR = {"matchLabels": {"app": "shop"}}


def make_rollout(
    *, scale_down: str = "", api_version: str = "apps/v1", kind: str = "Deployment", patch: dict[str, Any] | None = None
) -> Rollout:
    ref = {"apiVersion": api_version, "kind": kind, "name": "shop", "scaleDown": scale_down}
    manifest = {
        "metadata": {"name": "shop-ro", "namespace": "demo", "uid": "1", "generation": 1},
        "spec": {"replicas": 3, "workloadRef": ref, "strategy": {"canary": {}}},
    }
    return Rollout.model_validate(apply_merge_patch(manifest, patch or {}))


def make_deployment(replicas: int = 3, *, patch: dict[str, Any] | None = None) -> Workload:
    manifest = {
        "metadata": {"name": "shop", "namespace": "demo", "generation": 7},
        "spec": {"replicas": replicas, "selector": SELECTOR, "template": TEMPLATE},
        "status": {"observedGeneration": 7},
    }
    return decode_workload(json.dumps(apply_merge_patch(manifest, patch or {})).encode())
