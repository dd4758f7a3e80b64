"""The controller as a process: a client, the plugins, and one leader among those that share a lease."""

import os
import socket
import uuid
from pathlib import Path

from sluicegate.controller.manager import Manager, Settings
from sluicegate.kube.client import Client
from sluicegate.kube.leader import LeaderElector
from sluicegate.plugins.loading import load_plugins

LEASE = "argo-rollouts-controller-lock"
"""The incumbent's own lease: of the two controllers only one works at a time, in whichever order they come and go.

Controllers with an instance id each have one of their own, with the id as suffix.
"""


async def run_controller(
    client: Client, settings: Settings, *, plugin_dir: Path | None = None, leader_elect: bool = True
) -> bool:
    """Run until cancelled; False when the lease was lost, after which the process is to end.

    The lease lies in `$POD_NAMESPACE`, else in the namespace of the service account or kubeconfig context.
    """
    manager = Manager(client, load_plugins(plugin_dir), settings)
    if not leader_elect:
        await manager.run()
        return True
    elector = LeaderElector(
        client,
        namespace=os.environ.get("POD_NAMESPACE") or client.namespace,
        name=f"{LEASE}-{settings.instance_id}" if settings.instance_id else LEASE,
        identity=f"{socket.gethostname()}_{uuid.uuid4()}",
    )
    return await elector.run(manager.run)
