"""`create`: send manifests of our kinds to the cluster, or make an AnalysisRun of a template (operations.md 1.10)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from sluicegate.api.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    CLUSTER_ANALYSIS_TEMPLATES,
    EXPERIMENTS,
    ROLLOUTS,
)
from sluicegate.cli.analysis_runs import RunRequest, parse_arguments, run_of
from sluicegate.cli.colour import coloured, no_color_option
from sluicegate.cli.command import Command, Group
from sluicegate.cli.failure import CommandError, WrongUsage
from sluicegate.cli.naming import not_found_hint
from sluicegate.cli.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluicegate.api.resources import Resource
    from sluicegate.cli.settings import Scope

_RESOURCES: Final = {
    resource.kind: resource
    for resource in (ROLLOUTS, EXPERIMENTS, ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES, ANALYSIS_RUNS)
}


@click.group("create", cls=Group, example=["create -f rollout.yaml", "create -f experiment.yaml -w"])
@click.option("-f", "--filename", "files", multiple=True, metavar="FILE", help="A file of manifests; may come again.")
@click.option("-w", "--watch", is_flag=True, help="Then show the one Rollout or Experiment as it changes, as `get -w`.")
@no_color_option
@click.pass_context
def command(ctx: click.Context, files: tuple[str, ...], watch: bool, no_color: bool) -> None:
    """Create Rollouts, Experiments, AnalysisTemplates, ClusterAnalysisTemplates and AnalysisRuns from files.

    All files are read and checked before anything is created; a member that the kind does not have is an error.
    """
    if ctx.invoked_subcommand is not None:
        return
    if not files:
        raise WrongUsage(ctx)
    objects = _read(files, watch=watch)
    settings = ctx.ensure_object(Settings)
    namespace = asyncio.run(_create_all(settings, objects))
    if watch:
        _watch(replace(settings, namespace=namespace), objects[0], colour=coloured(no_color))


def _read(files: Sequence[str], *, watch: bool) -> list[dict[str, Any]]:
    """The objects of the files; raises CommandError for what cannot be created, or not be watched."""
    # Imported here so that `--help` stays quick.
    from sluicegate.cli.manifests.documents import documents_to_create
    from sluicegate.cli.manifests.refusal import creatable, refuse_nothing

    if watch and len(files) > 1:
        raise CommandError("Cannot watch multiple resources")
    objects = [creatable(document) for file in files for document in refuse_nothing(documents_to_create(file))]
    if watch and len(objects) > 1:
        raise CommandError("Cannot watch multiple resources")
    if watch and objects[0]["kind"] not in ("Rollout", "Experiment"):
        raise CommandError("Can only watch resources of type Rollout or Experiment")
    return objects


async def _create_all(settings: Settings, objects: Sequence[dict[str, Any]]) -> str:
    """Create the objects in turn; the namespace of the last."""
    namespace = ""
    async with settings.connect() as scope:
        for one in objects:
            namespace = (one.get("metadata") or {}).get("namespace") or scope.namespace
            await _create(scope, _RESOURCES[one["kind"]], namespace, one)
    return namespace


async def _create(scope: Scope, resource: Resource, namespace: str, manifest: dict[str, Any]) -> None:
    created = await scope.client.create(resource, namespace, manifest)
    click.echo(f"{resource.kind.lower()}.{resource.group}/{created['metadata']['name']} created")


def _watch(settings: Settings, created: dict[str, Any], *, colour: bool) -> None:
    from sluicegate.cli import picture

    kind = picture.RolloutPicture if created["kind"] == "Rollout" else picture.ExperimentPicture
    drawing = kind(created["metadata"]["name"], settings.now, colour=colour)
    asyncio.run(picture.show(settings, drawing, watch=True, seconds=0))


@command.command(
    "analysisrun",
    cls=Command,
    aliases=["ar"],
    example=["create analysisrun --from error-rate -a service=shop", "create ar --from-file template.yaml --name try"],
)
@click.option("--from", "template", default="", metavar="NAME", help="AnalysisTemplate of the cluster.")
@click.option("--from-file", "file", default="", metavar="FILE", help="Template in a file.")
@click.option("--global", "is_global", is_flag=True, help="--from names a ClusterAnalysisTemplate.")
@click.option("--name", default="", metavar="NAME", help="Name of the run.")
@click.option("--generate-name", default="", metavar="PREFIX", help="Begin of its name; else that of the template.")
@click.option("--instance-id", default="", metavar="ID", help="Which controller takes the run; replaces its labels.")
@click.option("-a", "--argument", "given", multiple=True, metavar="NAME=VALUE", help="An argument; may come again.")
@click.pass_context
def create_analysis_run(
    ctx: click.Context,
    template: str,
    file: str,
    is_global: bool,
    name: str,
    generate_name: str,
    instance_id: str,
    given: tuple[str, ...],
) -> None:
    """Measure once by a template: create an AnalysisRun of it."""
    if bool(template) == bool(file):
        raise CommandError("one of --from or --from-file must be specified")
    request = RunRequest(name, generate_name, instance_id, parse_arguments(given))
    in_file = _template_in(file) if file else None
    resource = CLUSTER_ANALYSIS_TEMPLATES if is_global else ANALYSIS_TEMPLATES
    asyncio.run(_create_run(ctx.ensure_object(Settings), request, in_file, resource, template))


async def _create_run(
    settings: Settings, request: RunRequest, in_file: dict[str, Any] | None, resource: Resource, template: str
) -> None:
    """Create the run of the template in a file, or of that name in the cluster."""
    async with settings.connect() as scope, not_found_hint(scope, resource):
        source = in_file or await scope.client.get(resource, scope.namespace, template)
        await _create(scope, ANALYSIS_RUNS, scope.namespace, run_of(source, scope.namespace, request))


def _template_in(file: str) -> dict[str, Any]:
    from sluicegate.cli.manifests.documents import documents_to_create
    from sluicegate.cli.manifests.refusal import object_of

    documents = documents_to_create(file)
    if not documents:
        raise CommandError(f"{file}: holds no template")
    return object_of(documents[0])
