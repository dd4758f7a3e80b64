"""`undo`: give a Rollout the pod template of an earlier revision again (operations.md 1.8)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import click

from sluicegate.api.resources import DEPLOYMENTS, POD_TEMPLATES, REPLICA_SETS, ROLLOUTS
from sluicegate.cli.command import Command
from sluicegate.cli.failure import CommandError
from sluicegate.cli.naming import not_found_hint, rollout_name
from sluicegate.cli.revisions import (
    controlled_by,
    covered,
    known_revisions,
    revision_to_restore,
    template_of,
    without_hash,
)
from sluicegate.cli.settings import Settings
from sluicegate.cli.views.fields import member, name_of, text
from sluicegate.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sluicegate.api.resources import Resource
    from sluicegate.cli.settings import Scope
    from sluicegate.cli.views.fields import Object

_WORKLOADS: Final[Mapping[str, tuple[Resource, str]]] = {
    "Deployment": (DEPLOYMENTS, "/spec/template"),
    "ReplicaSet": (REPLICA_SETS, "/spec/template"),
    # The incumbent sends the other path here too, which no PodTemplate has, and is refused.
    "PodTemplate": (POD_TEMPLATES, "/template"),
}


@click.command("undo", cls=Command, example=["undo canary-demo", "undo canary-demo --to-revision=3"])
@click.argument("rollout", nargs=-1, metavar="ROLLOUT")
@click.option("--to-revision", type=int, default=0, metavar="N", help="That revision; without it, the one before.")
@click.pass_context
def command(ctx: click.Context, rollout: tuple[str, ...], to_revision: int) -> None:
    """Go back to the pod template of an earlier revision, by default the last but one.

    That is an update like any other, and takes the steps, unless it ends at what is still stable or lies in the
    rollback window. The template of a Rollout with a workloadRef is changed where it is.
    """
    name = rollout_name(ctx, rollout)
    asyncio.run(_undo(ctx.ensure_object(Settings), name, to_revision))


async def _undo(settings: Settings, name: str, wanted: int) -> None:
    async with settings.connect() as scope, not_found_hint(scope):
        rollout = await scope.client.get(ROLLOUTS, scope.namespace, name)
        template = template_of(await _replica_set(scope, rollout, wanted))
        current = member(rollout, "spec", "template")
        if current is not None and covered(without_hash(current), template):
            click.echo(f"skipped rollback (current template already matches revision {wanted})", nl=False)
            return
        try:
            await _restore(scope, rollout, template)
        except (ApiError, CommandError) as error:
            raise CommandError(f"failed restoring revision {wanted}: {error}") from error
    click.echo(f"rollout '{name}' undo")


async def _replica_set(scope: Scope, rollout: Object, wanted: int) -> Object:
    """The ReplicaSet whose template is to come back; raises CommandError if there is none."""
    listed = await scope.client.list(REPLICA_SETS, scope.namespace, label_selector=_selector(rollout))
    owned = controlled_by(rollout, listed)
    if found := revision_to_restore(owned, wanted):
        return found
    hint = f"Revisions of {name_of(rollout)}: {', '.join(map(str, known_revisions(owned))) or 'none'}"
    if wanted > 0:
        raise CommandError(f"unable to find specified revision {wanted} in history", hint=hint)
    raise CommandError(f'no revision found for rollout "{name_of(rollout)}"', hint=hint)


def _selector(rollout: Object) -> str:
    """What to select ReplicaSets by; an empty selector, or none, selects all."""
    # Imported here so that `--help` stays quick.
    import msgspec

    from sluicegate.api.foreign import LabelSelector
    from sluicegate.api.selectors import format_selector

    selector = msgspec.convert(member(rollout, "spec", "selector") or {}, LabelSelector)
    try:
        return format_selector(selector) if selector != LabelSelector() else ""
    except KeyError as error:
        why = f'"{error.args[0]}" is not a valid label selector operator'
        raise CommandError(f"failed to retrieve replica sets from rollout {name_of(rollout)}: {why}") from error


async def _restore(scope: Scope, rollout: Object, template: Object) -> None:
    """Put the template where the Rollout has it from; raises CommandError if that kind holds none."""
    resource, name, path = ROLLOUTS, name_of(rollout), "/spec/template"
    if member(rollout, "spec", "workloadRef") is not None:
        kind, name = text(rollout, "spec", "workloadRef", "kind"), text(rollout, "spec", "workloadRef", "name")
        if kind not in _WORKLOADS:
            raise CommandError(f"workload of type {kind} is not supported")
        resource, path = _WORKLOADS[kind]
    await scope.client.patch(resource, scope.namespace, name, [{"op": "replace", "path": path, "value": template}])
