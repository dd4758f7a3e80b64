"""`terminate`: end an AnalysisRun or an Experiment before its time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import click

from sluicegate.api.resources import ANALYSIS_RUNS, EXPERIMENTS
from sluicegate.cli.command import Command, Group
from sluicegate.cli.failure import WrongUsage
from sluicegate.cli.patches import patch_each
from sluicegate.cli.settings import Settings

if TYPE_CHECKING:
    from sluicegate.api.resources import Resource

_WANTED: Final = {"spec": {"terminate": True}}

command = Group("terminate", help="End an AnalysisRun or an Experiment before its time.")


@command.command("analysisrun", cls=Command, aliases=["ar", "analysisruns"], example=["terminate analysisrun errors-2"])
@click.argument("runs", nargs=-1, metavar="ANALYSISRUN...")
@click.pass_context
def terminate_analysis_run(ctx: click.Context, runs: tuple[str, ...]) -> None:
    """End one or more AnalysisRuns: no more is measured, and what was measured so far counts."""
    _terminate(ctx, ANALYSIS_RUNS, runs)


@command.command("experiment", cls=Command, aliases=["exp", "experiments"], example=["terminate experiment search-ab"])
@click.argument("experiments", nargs=-1, metavar="EXPERIMENT...")
@click.pass_context
def terminate_experiment(ctx: click.Context, experiments: tuple[str, ...]) -> None:
    """End one or more Experiments: their analyses end, and their pods go."""
    _terminate(ctx, EXPERIMENTS, experiments)


def _terminate(ctx: click.Context, resource: Resource, names: tuple[str, ...]) -> None:
    if not names:
        raise WrongUsage(ctx)
    asyncio.run(patch_each(ctx.ensure_object(Settings), resource, names, _WANTED, done="terminated"))
