"""Manifests of Rollouts for the tests, and how a merge patch changes one."""

import copy
from collections.abc import Mapping, Sequence
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


def apply_merge_patch(document: Any, patch: Any) -> Any:
    """The document that RFC 7386 makes of a document and a patch."""
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    patched = dict(document) if isinstance(document, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            patched.pop(key, None)
        else:
            patched[key] = apply_merge_patch(patched.get(key), value)
    return patched
