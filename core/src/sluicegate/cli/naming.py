"""The words that name Rollouts on a command line, and what to say when none has such a name."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from sluicegate.api.resources import NAMESPACES, ROLLOUTS
from sluicegate.cli.failure import CommandError, WrongUsage
from sluicegate.errors import NotFound, SluicegateError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import click

    from sluicegate.api.resources import Resource
    from sluicegate.cli.settings import Scope

_MOST_NAMES: Final = 20


def rollout_names(ctx: click.Context, words: Sequence[str]) -> list[str]:
    """One name or more, after the word `rollout` or without it; alone, that word is a name.

    Raises WrongUsage without a name.
    """
    names = list(words[1:] if len(words) > 1 and words[0] == "rollout" else words)
    if not names:
        raise WrongUsage(ctx)
    return names


def rollout_name(ctx: click.Context, words: Sequence[str]) -> str:
    """The one name there has to be, after the word `rollout` or without it; raises WrongUsage otherwise."""
    names = rollout_names(ctx, words)
    if len(names) != 1:
        raise WrongUsage(ctx)
    return names[0]


@asynccontextmanager
async def not_found_hint(scope: Scope, resource: Resource = ROLLOUTS) -> AsyncIterator[None]:
    """Add to a NotFound of this kind from within, for a person at a terminal, which objects there are."""
    try:
        yield
    except NotFound as error:
        if not sys.stderr.isatty() or not str(error).startswith(resource.kind.lower()):
            raise
        raise CommandError(str(error), hint=await _hint(scope, resource)) from error


async def _hint(scope: Scope, resource: Resource) -> str:
    try:
        return await _existing(scope, resource)
    except SluicegateError:
        return ""


async def _existing(scope: Scope, resource: Resource) -> str:
    where = f' in namespace "{scope.namespace}"' if resource.namespaced else ""
    if names := await _names(scope, resource, scope.namespace):
        return f"{resource.kind}s{where}: {names}"
    if not resource.namespaced:
        return f"There is no {resource.kind}."
    namespaces = await scope.client.list(NAMESPACES)
    if scope.namespace in {one["metadata"]["name"] for one in namespaces}:
        return f"There is no {resource.kind}{where}."
    return f'There is no namespace "{scope.namespace}"; there are: {await _names(scope, NAMESPACES, None)}'


async def _names(scope: Scope, resource: Resource, namespace: str | None) -> str:
    names = [one["metadata"]["name"] for one in await scope.client.list(resource, namespace)]
    more = [f"and {len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []
    return ", ".join(names[:_MOST_NAMES] + more)
