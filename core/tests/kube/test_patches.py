"""What makes a patch safe to send."""

from typing import Any

from sluicegate.kube.patches import with_resource_version


def test_a_patch_can_be_made_to_hold_for_one_version_only() -> None:
    patch: dict[str, Any] = {"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 3}}
    assert with_resource_version(patch, "41") == {
        "metadata": {"labels": {"a": "b"}, "resourceVersion": "41"},
        "spec": {"replicas": 3},
    }
    assert "resourceVersion" not in patch["metadata"]
