"""Doing what the user of a recorded story did, as a user would: with our command line, else by the API."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tests.clusters.namespace import Namespace
from tests.clusters.programs import Shell

from sluicegate.api.resources import DEPLOYMENTS, ROLLOUTS, SERVICES, Resource
from sluicegate.kube.patches import MERGE_PATCH, STRATEGIC_MERGE_PATCH

from .comparison import Trace

KINDS: Mapping[str, Resource] = {resource.kind: resource for resource in (DEPLOYMENTS, ROLLOUTS, SERVICES)}
PLURALS: Mapping[str, Resource] = {resource.plural: resource for resource in KINDS.values()}


async def act(action: Any, trace: Trace, namespace: Namespace, shell: Shell) -> None:
    """Do one action of a step."""
    match action:
        case "create objects":
            await create(trace.objects, namespace)
        case {"create": objects}:
            await create(objects, namespace)
        case {"patch": path, "body": body}:
            await patch(path, body, namespace)
        case {"cli": words, "says": says}:
            outcome = await shell.run(f"kubectl-argo-rollouts {words}")
            assert (outcome.code, outcome.stdout + outcome.stderr) == (0, f"{says}\n")
        case _:
            raise AssertionError(f"nobody knows how to do {action}")


async def create(objects: Any, namespace: Namespace) -> None:
    """Create objects in their order."""
    for manifest in objects:
        await namespace.create(manifest, resource=KINDS[manifest["kind"]])


async def patch(path: str, body: Any, namespace: Namespace) -> None:
    """Patch an object or a subresource of it; a Deployment by a strategic merge patch, as kubectl would."""
    plural, name, *subresource = path.split("/")
    kind = STRATEGIC_MERGE_PATCH if plural == DEPLOYMENTS.plural else MERGE_PATCH
    await namespace.client.patch(
        PLURALS[plural],
        namespace.name,
        name,
        _of_today(body),
        subresource="".join(subresource),
        content_type=kind,
    )


def _of_today(body: Any) -> Any:
    """The body with its time of a restart, which was that of the recording, replaced by the present one."""
    if "restartAt" not in body.get("spec", {}):
        return body
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**body, "spec": {**body["spec"], "restartAt": now}}
