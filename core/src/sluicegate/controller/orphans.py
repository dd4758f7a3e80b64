"""Services that no Rollout uses any more: they get back the selector they had before one took them over.

A Service that went on selecting the pods of one version would lose all its pods with that version (rollout 4.8).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sluicegate.api import names
from sluicegate.api.foreign import Service
from sluicegate.api.resources import EXPERIMENTS, ROLLOUTS, SERVICES
from sluicegate.controller.caches import Caches, Key, StoredRollout
from sluicegate.engine.services import UNPINNED
from sluicegate.errors import NotFound
from sluicegate.kube.client import Client
from sluicegate.kube.patches import with_resource_version

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OrphanedServices:
    """Looks at one Service at a time, and unpins it if its Rollout is gone or names it no longer."""

    client: Client
    caches: Caches

    async def release(self, key: Key) -> None:
        """Unpin a Service that is nobody's; raises the SluicegateError of a request that failed.

        The Rollout that a Service is marked with is asked of the API, as it may be another controller's. Only one that
        does not exist counts as gone.
        """
        service = self.caches.services.get(*key)
        if service is None or names.HASH_LABEL not in service.spec.selector or _is_of_experiment(service):
            return
        if await self._is_used(service):
            return
        versioned = with_resource_version(UNPINNED, service.metadata.resource_version)
        try:
            await self.client.patch(SERVICES, *key, versioned)
        except NotFound:
            logger.debug("Service %s/%s was gone already", *key)

    async def _is_used(self, service: Service) -> bool:
        metadata = service.metadata
        manager = metadata.annotations.get(names.MANAGED_BY)
        if manager is None:
            rollouts = self.caches.rollouts.list(metadata.namespace)
            return any(metadata.name in named_services(rollout.document) for rollout in rollouts)
        if not manager:
            return False
        known = self.caches.rollouts.get(metadata.namespace, manager)
        if known is not None and metadata.name in named_services(known.document):
            return True
        try:
            rollout = await self.client.get(ROLLOUTS, metadata.namespace, manager)
        except NotFound:
            return False
        return metadata.name in named_services(rollout)


def services_left(old: StoredRollout | None, new: StoredRollout | None) -> set[str]:
    """The Services that a Rollout named before a change and does not name after it."""
    before = named_services(old.document) if old is not None else set()
    return before - (named_services(new.document) if new is not None else set())


def named_services(rollout: Mapping[str, Any]) -> set[str]:
    """The Services that a Rollout's strategy names, of whatever there is: nothing has checked the document."""
    strategy = _object_in(_object_in(rollout, "spec"), "strategy")
    canary, blue_green = _object_in(strategy, "canary"), _object_in(strategy, "blueGreen")
    pair = _object_in(canary, "pingPong")
    members = [canary.get(name) for name in ("canaryService", "stableService")]
    members += [pair.get(name) for name in ("pingService", "pongService")]
    members += [blue_green.get(name) for name in ("activeService", "previewService")]
    return {name for name in members if isinstance(name, str) and name}


def _is_of_experiment(service: Service) -> bool:
    owner = service.metadata.controller
    return names.EXPERIMENT_NAME in service.metadata.annotations or (
        owner is not None and owner.kind == EXPERIMENTS.kind
    )


def _object_in(document: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    found = document.get(member)
    return found if isinstance(found, Mapping) else {}
