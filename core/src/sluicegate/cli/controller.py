"""`controller`: reconcile the Rollouts of the cluster that the kubeconfig names."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import click

from sluicegate.cli.command import Command
from sluicegate.cli.failure import CommandError
from sluicegate.cli.settings import Settings


@click.command("controller", cls=Command, example=["controller", "controller --namespaced -n shop"])
@click.option("--namespaced", is_flag=True, help="Watch one namespace only: that of -n or of the context.")
@click.option(
    "--leader-elect/--no-leader-elect", default=True, help="Work only while holding the lease; on by default."
)
@click.option("--rollout-threads", default=10, show_default=True, metavar="N", help="Rollouts reconciled at a time.")
@click.option("--instance-id", default="", metavar="ID", help="Only see objects labelled with this instance id.")
@click.option(
    "--plugin-dir", type=click.Path(file_okay=False, exists=True, path_type=Path), help="Folder of .py plugins."
)
@click.pass_context
def command(
    ctx: click.Context,
    namespaced: bool,
    leader_elect: bool,
    rollout_threads: int,
    instance_id: str,
    plugin_dir: Path | None,
) -> None:
    """Run the controller against the current cluster until it is stopped.

    The cluster must have the CRDs (see `crds`). Of several controllers the one that holds the lease works.
    """
    settings = ctx.ensure_object(Settings)
    if not asyncio.run(_control(settings, namespaced, leader_elect, rollout_threads, instance_id, plugin_dir)):
        raise CommandError("leader election lost")


async def _control(
    settings: Settings, namespaced: bool, leader_elect: bool, workers: int, instance_id: str, plugin_dir: Path | None
) -> bool:
    from sluicegate.api.resources import ROLLOUTS
    from sluicegate.controller.manager import Settings as ControllerSettings
    from sluicegate.controller.process import run_controller

    async with settings.connect() as scope:
        namespace = scope.namespace if namespaced else None
        # One page of one object: says at once who does not answer, or lacks the CRDs, instead of retrying for ever.
        await anext(scope.client.pages(ROLLOUTS, namespace, limit=1))
        running = asyncio.ensure_future(
            run_controller(
                scope.client,
                ControllerSettings(namespace=namespace, workers=workers, instance_id=instance_id),
                plugin_dir=plugin_dir,
                leader_elect=leader_elect,
            )
        )
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, running.cancel)
        try:
            return await running
        except asyncio.CancelledError:
            return True
