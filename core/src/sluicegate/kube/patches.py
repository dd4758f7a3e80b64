"""The kinds of patches that the API takes, and the precondition that makes one safe to send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
STRATEGIC_MERGE_PATCH: Final = "application/strategic-merge-patch+json"


def with_resource_version(patch: Mapping[str, Any], resource_version: str) -> dict[str, Any]:
    """The same merge patch, which the API refuses with a Conflict unless the object still has this resource version."""
    metadata = {**patch.get("metadata", {}), "resourceVersion": resource_version}
    return {**patch, "metadata": metadata}
