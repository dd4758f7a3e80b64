"""`set image`: change the image of a Rollout, which starts an update."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

import click

from sluicegate.api.resources import DEPLOYMENTS, ROLLOUTS
from sluicegate.cli.command import Command, Group
from sluicegate.cli.failure import CommandError, WrongUsage
from sluicegate.cli.naming import not_found_hint, rollout_name
from sluicegate.cli.settings import Settings
from sluicegate.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sluicegate.cli.settings import Scope

_ATTEMPTS: Final = 5
_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")

command = Group("set", help="Change the image of a Rollout.")


@command.command(
    "image",
    cls=Command,
    example=["set image canary-demo app=argoproj/rollouts-demo:yellow", "set image canary-demo '*=shop:2'"],
)
@click.argument("words", nargs=-1, metavar="ROLLOUT CONTAINER=IMAGE")
@click.pass_context
def set_image(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Give a container of a Rollout another image; `*` stands for all of its containers.

    The containers of a Rollout with a workloadRef are those of the Deployment of that name.
    """
    if len(words) < 2 or words[-1].count("=") != 1:
        raise WrongUsage(ctx)
    container, _, image = words[-1].partition("=")
    asyncio.run(_set_image(ctx.ensure_object(Settings), rollout_name(ctx, words[:-1]), container, image))


async def _set_image(settings: Settings, name: str, container: str, image: str) -> None:
    async with settings.connect() as scope, not_found_hint(scope):
        changed = await change_image(scope, name, container, image)
    click.echo(f"{changed} image updated")


async def change_image(scope: Scope, name: str, container: str, image: str) -> str:
    """Set the image, anew where somebody else has written in between; the `kind "name"` of what was changed."""
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(Conflict):
            return await _replace_image(scope, name, container, image)
    return await _replace_image(scope, name, container, image)


async def _replace_image(scope: Scope, name: str, container: str, image: str) -> str:
    """Read, change and write back the object that holds the template; the `kind "name"` of it."""
    resource, target = ROLLOUTS, await scope.client.get(ROLLOUTS, scope.namespace, name)
    if workload := target["spec"].get("workloadRef"):
        resource, name = DEPLOYMENTS, workload["name"]
        target = await scope.client.get(DEPLOYMENTS, scope.namespace, name)
    containers = list(_containers(target))
    matching = [one for one in containers if container in ("*", one.get("name"))]
    if not matching:
        names = ", ".join(one.get("name", "") for one in containers)
        raise CommandError(f'unable to find container named "{container}"', hint=f"Containers of {name}: {names}")
    for one in matching:
        one["image"] = image
    await scope.client.replace(resource, scope.namespace, name, target)
    return f'{resource.kind.lower()} "{name}"'


def _containers(target: dict[str, Any]) -> Iterator[dict[str, Any]]:
    pod = target["spec"].get("template", {}).get("spec", {})
    for field in _LISTS:
        yield from pod.get(field) or ()
