"""Patches of a Rollout's status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluicegate.api.resources import ROLLOUTS
from sluicegate.errors import NotFound

if TYPE_CHECKING:
    from sluicegate.cli.settings import Scope


async def patch_status(scope: Scope, name: str, body: dict[str, Any], *, unified: dict[str, Any] | None = None) -> None:
    """Merge `body` into the status; where there is no status subresource, `unified` (or `body`) into the object.

    CRDs of very old installations have none (operations.md 1.2).
    """
    try:
        await scope.client.patch(ROLLOUTS, scope.namespace, name, body, subresource="status")
    except NotFound:
        await scope.client.patch(ROLLOUTS, scope.namespace, name, unified or body)
