"""What a pass gets to see of the cluster, read from caches: each feature's objects only where the Rollout uses it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from sluicegate.api import names
from sluicegate.api.foreign import ObjectMeta, Pod, ReplicaSet, Service, decode_pod
from sluicegate.api.resources import ANALYSIS_RUNS, ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES, EXPERIMENTS, PODS
from sluicegate.api.rollout import Rollout
from sluicegate.api.validation.references import Reference, missing, validate_references
from sluicegate.controller.caches import Caches, Key, is_handled
from sluicegate.controller.watched import WatchedKind
from sluicegate.controller.watches import Watches
from sluicegate.engine import metadata, restart
from sluicegate.engine.prepare import owned_view
from sluicegate.engine.services import named_services
from sluicegate.engine.surroundings import Run, Surroundings
from sluicegate.engine.view import View, created, hash_of, size
from sluicegate.engine.workload import Workload

_SHARED_OUT: Final = (ANALYSIS_TEMPLATES, CLUSTER_ANALYSIS_TEMPLATES)
"""Kinds of which a controller with an instance id, or without one, sees its own objects only."""


class _StoredRun(msgspec.Struct, frozen=True):
    """The members of an AnalysisRun or Experiment that a Rollout looks at."""

    metadata: ObjectMeta
    spec: Mapping[str, Any] = {}
    status: Mapping[str, Any] = {}


def decode_run(data: bytes) -> _StoredRun:
    """An AnalysisRun or Experiment from its JSON; raises msgspec.ValidationError where it is none."""
    return msgspec.json.decode(data, type=_StoredRun)


_PODS: Final = WatchedKind(PODS, decode_pod, label_selector=names.HASH_LABEL, indexed_label=names.HASH_LABEL)
_ANALYSIS_RUNS: Final = WatchedKind(ANALYSIS_RUNS, decode_run)
_EXPERIMENTS: Final = WatchedKind(EXPERIMENTS, decode_run)


@dataclass(frozen=True, slots=True)
class Gathering:
    """Reads for one Rollout; what is read by `watches` enqueues it again when it changes."""

    caches: Caches
    watches: Watches
    instance_id: str = ""

    async def reference_errors(self, key: Key, rollout: Rollout) -> list[str]:
        """What is wrong with what the Rollout refers to, printed; raises what reading raises."""
        known: dict[Reference, Mapping[str, Any] | None] = {}
        while wanted := tuple(missing(rollout, known)):
            for reference in wanted:
                known[reference] = await self._document(key, reference)
        return [str(error) for error in validate_references(rollout, known)]

    async def surroundings(
        self, key: Key, rollout: Rollout, candidates: Iterable[ReplicaSet], workload: Workload | None, now: datetime
    ) -> Surroundings:
        """The objects around a Rollout that its features need; raises what reading raises."""
        view = owned_view(rollout, candidates)
        return Surroundings(
            services={service.metadata.name: service for service in self.services(rollout)},
            pods=await self._pods(key, view, now),
            analysis_runs=await self._runs(key, rollout, _ANALYSIS_RUNS) if _analyses(rollout) else (),
            experiments=await self._runs(key, rollout, _EXPERIMENTS) if _experiments(rollout) else (),
            workload=workload,
        )

    def services(self, rollout: Rollout) -> list[Service]:
        """The Services that the Rollout names and that exist."""
        found = (self.caches.services.get(rollout.namespace, name) for name in named_services(rollout))
        return [service for service in found if service is not None]

    async def _document(self, key: Key, reference: Reference) -> Mapping[str, Any] | None:
        # What an error would tell of another namespace's object is not this tenant's to know.
        if reference.namespace not in ("", key[0]):
            return None
        stored = await self.watches.get(key, reference.resource, reference.namespace, reference.name)
        if stored is None or (reference.resource in _SHARED_OUT and not is_handled(stored.metadata, self.instance_id)):
            return None
        return stored.document

    async def _pods(self, key: Key, view: View, now: datetime) -> tuple[Pod, ...]:
        if not (restart.needs_pods(view, now) or metadata.needs_pods(view)):
            return ()
        hashes = {hash_of(rs) for rs in view.replica_sets if size(rs) or created(rs)}
        found: list[Pod] = []
        for pod_hash in sorted(hashes):
            selector = f"{names.HASH_LABEL}={pod_hash}"
            found.extend(await self.watches.list(key, _PODS, view.rollout.namespace, selector))
        owners = {rs.metadata.uid for rs in view.replica_sets}
        return tuple(pod for pod in found if (owner := pod.metadata.controller) and owner.uid in owners)

    async def _runs(self, key: Key, rollout: Rollout, kind: WatchedKind[_StoredRun]) -> tuple[Run, ...]:
        found = await self.watches.list(key, kind, rollout.namespace)
        return tuple(_run(stored) for stored in found if _is_owned(stored.metadata, rollout))


def _is_owned(found: ObjectMeta, rollout: Rollout) -> bool:
    return found.controller is not None and found.controller.uid == rollout.metadata.uid


def _run(stored: _StoredRun) -> Run:
    phase, message = stored.status.get("phase"), stored.status.get("message")
    return Run(
        stored.metadata,
        phase if isinstance(phase, str) else "",
        message if isinstance(message, str) else "",
        terminating=stored.spec.get("terminate") is True,
    )


def _analyses(rollout: Rollout) -> bool:
    strategy = rollout.spec.strategy
    if strategy.blue_green is not None:
        stanzas = (strategy.blue_green.pre_promotion_analysis, strategy.blue_green.post_promotion_analysis)
        return any(stanza is not None for stanza in stanzas)
    canary = strategy.canary
    if canary is None:
        return False
    return canary.analysis is not None or any(step.analysis is not None for step in canary.steps or ())


def _experiments(rollout: Rollout) -> bool:
    canary = rollout.spec.strategy.canary
    return any(step.experiment is not None for step in (canary.steps if canary else None) or ())
