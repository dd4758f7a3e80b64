"""Manifests of the recorded cases, and the long texts that they abbreviate."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluicegate.api.merge import apply_merge_patch
from sluicegate.api.rollout import Rollout
from sluicegate.api.validation import parse_rollout

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors/validation.json").read_text(encoding="utf-8")
)


@pytest.fixture
def manifest_of() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The manifest of a recorded case: its base with the case's changes."""
    return _manifest


@pytest.fixture
def errors_of() -> Callable[[dict[str, Any]], list[str]]:
    """The errors of a recorded case, with the long texts put in."""
    return lambda case: [_expanded(error) for error in case["errors"]]


@pytest.fixture
def rollout_with(manifest_of: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[..., Rollout]:
    """A Rollout `shop` with this strategy."""

    def make(strategy: dict[str, Any], name: str = "shop", **members: Any) -> Rollout:
        manifest = manifest_of({"base": "canary"}) | members
        manifest["metadata"]["name"] = name
        manifest["spec"]["strategy"] = strategy
        return parse_rollout(manifest)

    return make


def _manifest(case: dict[str, Any]) -> dict[str, Any]:
    manifest: dict[str, Any] = copy.deepcopy(VECTORS["bases"][case["base"]])
    manifest = apply_merge_patch(manifest, case.get("patch", {}))
    manifest = apply_merge_patch(manifest, {"spec": case.get("spec", {})})
    if "canary" in case:
        manifest = apply_merge_patch(manifest, {"spec": {"strategy": {"canary": case["canary"]}}})
    if "container" in case:
        manifest["spec"]["template"]["spec"]["containers"][0] |= case["container"]
    return manifest


def _expanded(error: str) -> str:
    for short, text in sorted(VECTORS["texts"].items(), key=lambda item: -len(item[0])):
        error = error.replace(short, text)
    return error
