"""Patches that verbs send: to one Rollout's status, or the same one to several objects in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluicegate.api.resources import ROLLOUTS
from sluicegate.cli.naming import not_found_hint
from sluicegate.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluicegate.api.resources import Resource
    from sluicegate.cli.settings import Scope, Settings


async def patch_status(scope: Scope, name: str, body: dict[str, Any], *, unified: dict[str, Any] | None = None) -> None:
    """Merge `body` into the status; where there is no status subresource, `unified` (or `body`) into the object.

    CRDs of very old installations have none (operations.md 1.2).
    """
    try:
        await scope.client.patch(ROLLOUTS, scope.namespace, name, body, subresource="status")
    except NotFound:
        await scope.client.patch(ROLLOUTS, scope.namespace, name, unified or body)


async def patch_statuses(settings: Settings, names: Sequence[str], body: dict[str, Any], *, done: str) -> None:
    """Merge `body` into the status of each Rollout and say that it is `done`, up to the first error."""
    async with settings.connect() as scope, not_found_hint(scope):
        for name in names:
            await patch_status(scope, name, body)
            click.echo(f"rollout '{name}' {done}")


async def patch_each(
    settings: Settings, resource: Resource, names: Sequence[str], body: dict[str, Any], *, done: str
) -> None:
    """Merge `body` into each object and say that it is `done`, up to the first error."""
    kind = resource.kind[0].lower() + resource.kind[1:]
    async with settings.connect() as scope, not_found_hint(scope, resource):
        for name in names:
            await scope.client.patch(resource, scope.namespace, name, body)
            click.echo(f"{kind} '{name}' {done}")
