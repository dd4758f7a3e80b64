"""Manifests of Rollouts for the tests."""

from collections.abc import Sequence
from typing import Any

Manifest = dict[str, Any]


def canary_manifest(
    *, replicas: int | None = 5, steps: Sequence[object] | None = (), image: str = "v1", **canary: Any
) -> Manifest:
    """A canary Rollout `shop`; `canary` are further members of its strategy."""
    strategy: Manifest = {**canary}
    if steps is not None:
        strategy["steps"] = list(steps)
    spec: Manifest = {
        "selector": {"matchLabels": {"app": "shop"}},
        "template": {
            "metadata": {"labels": {"app": "shop"}},
            "spec": {"containers": [{"name": "shop", "image": f"demo/shop:{image}"}]},
        },
        "strategy": {"canary": strategy},
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {"metadata": {"name": "shop"}, "spec": spec}
