"""Carries a decision out: its writes in order, each at the version that was read, and each event after its write."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from sluicegate.api.foreign import ObjectMeta, Pod, ReplicaSet
from sluicegate.api.resources import ANALYSIS_RUNS, EXPERIMENTS, PODS, REPLICA_SETS, ROLLOUTS, SERVICES, Resource
from sluicegate.engine.decision import (
    Action,
    ClaimReplicaSet,
    CreateReplicaSet,
    Decision,
    DeleteReplicaSet,
    Event,
    EvictPod,
    PatchPod,
    PatchReplicaSet,
    PatchRollout,
    PatchService,
    ScaleDeployment,
    TerminateRun,
)
from sluicegate.errors import AlreadyExists, ApiError, Conflict, NotFound, ServerError, TooManyRequests
from sluicegate.kube.client import Client
from sluicegate.kube.patches import with_resource_version
from sluicegate.kube.recorder import ObjectReference

logger = logging.getLogger(__name__)

Written = Callable[[Resource, str, str], None]
"""Told of each write: the resource, the object's name and its new resource version."""


Scale = Callable[[ObjectReference, ScaleDeployment], Awaitable[None]]
"""Sizes the Deployment that lends a Rollout its template."""


class Recorder(Protocol):
    """Where events go."""

    def record(self, reference: ObjectReference, type: str, reason: str, message: str) -> None:
        """Take an event without waiting."""


class CreateFailed(Exception):
    """The API refused to create the ReplicaSet, and trying again alone does not mend it; the text says why."""


class Execution:
    """The writes of one pass over one Rollout.

    Every write carries the version it was decided on, or the one that an earlier write of the same pass answered with.
    A write that conflicts raises Conflict and ends the pass: what is left is decided again. A ReplicaSet that the
    API refuses raises CreateFailed, or AlreadyExists; every other failure is that of the API as it is.
    """

    def __init__(
        self,
        client: Client,
        recorder: Recorder,
        reference: ObjectReference,
        version: str,
        written: Written,
        scale: Scale,
    ) -> None:
        self._client = client
        self._recorder = recorder
        self._rollout = reference
        self._version = version
        self._versions: dict[str, str] = {}
        self._written = written
        self._scale = scale
        self._refused = False

    @property
    def version(self) -> str:
        """The resource version of the Rollout after the writes so far."""
        return self._version

    async def carry_out(self, decision: Decision) -> None:
        """Make all writes of a decision, then its status write, then its last events."""
        self._record(decision.opening)
        await self.act(decision.actions)
        if decision.status and not (decision.after_evictions and self._refused):
            await self._patch_rollout({"status": dict(decision.status)}, subresource="status")
        self._record(decision.events)

    async def act(self, actions: Iterable[Action]) -> None:
        """Make writes, each followed by its events."""
        for action in actions:
            await self._act(action)

    async def _act(self, action: Action) -> None:
        match action:
            case CreateReplicaSet(manifest, events):
                await self._create(manifest)
                self._record(events)
            case ClaimReplicaSet(replica_set, patch, adopts):
                if adopts:
                    await self._check_alive()
                await self._patch_as_read(REPLICA_SETS, replica_set.metadata, patch)
            case PatchReplicaSet(replica_set, patch, events):
                await self._patch_as_read(REPLICA_SETS, replica_set.metadata, patch)
                self._record(events)
            case PatchService(service, patch, events):
                await self._patch_as_read(SERVICES, service.metadata, patch)
                self._record(events)
            case DeleteReplicaSet(replica_set):
                await self._delete(replica_set)
            case PatchRollout(patch, events):
                await self._patch_rollout(patch)
                self._record(events)
            case _:
                await self._act_beside(action)

    async def _act_beside(self, action: Action) -> None:
        """Writes on what is neither the Rollout nor a part of it."""
        match action:
            case PatchPod(pod, patch):
                await self._patch_pod(pod, patch)
            case EvictPod(pod):
                await self._evict(pod)
            case ScaleDeployment():
                await self._scale(self._rollout, action)
            case TerminateRun(kind, name):
                await self._terminate(ANALYSIS_RUNS if kind == "AnalysisRun" else EXPERIMENTS, name)

    async def _create(self, manifest: Mapping[str, Any]) -> None:
        try:
            answer = await self._client.create(REPLICA_SETS, self._rollout.namespace, dict(manifest))
        except (AlreadyExists, Conflict, NotFound, TooManyRequests, ServerError):
            raise
        except ApiError as error:
            raise CreateFailed(str(error)) from error
        self._remember(REPLICA_SETS, answer)

    async def _check_alive(self) -> None:
        """Ask the API, not the cache: a Rollout that is gone, or going, must not adopt."""
        live = (await self._client.get(ROLLOUTS, self._rollout.namespace, self._rollout.name))["metadata"]
        if live.get("uid") != self._rollout.uid or live.get("deletionTimestamp"):
            raise _conflict("rollouts", self._rollout.name)

    async def _patch_as_read(self, resource: Resource, metadata: ObjectMeta, patch: Mapping[str, Any]) -> None:
        version = self._versions.get(metadata.uid, metadata.resource_version)
        try:
            answer = await self._client.patch(
                resource, metadata.namespace, metadata.name, with_resource_version(patch, version)
            )
        except NotFound as error:
            raise _conflict(resource.plural, metadata.name) from error
        self._versions[metadata.uid] = self._remember(resource, answer)

    async def _patch_pod(self, pod: Pod, patch: Mapping[str, Any]) -> None:
        try:
            await self._client.patch(PODS, pod.metadata.namespace, pod.metadata.name, dict(patch))
        except NotFound:
            logger.debug("Pod %s/%s was gone already", pod.metadata.namespace, pod.metadata.name)

    async def _evict(self, pod: Pod) -> None:
        try:
            await self._client.evict(pod.metadata.namespace, pod.metadata.name, uid=pod.metadata.uid)
        except (TooManyRequests, Conflict) as error:
            self._refused = True
            logger.info("Pod %s/%s is not evicted now: %s", pod.metadata.namespace, pod.metadata.name, error)
        except NotFound:
            logger.debug("Pod %s/%s was gone already", pod.metadata.namespace, pod.metadata.name)

    async def _terminate(self, resource: Resource, name: str) -> None:
        try:
            await self._client.patch(resource, self._rollout.namespace, name, {"spec": {"terminate": True}})
        except NotFound:
            logger.debug("%s %s/%s was gone already", resource.kind, self._rollout.namespace, name)

    async def _delete(self, replica_set: ReplicaSet) -> None:
        metadata = replica_set.metadata
        try:
            await self._client.delete(
                REPLICA_SETS,
                metadata.namespace,
                metadata.name,
                uid=metadata.uid,
                resource_version=self._versions.get(metadata.uid, metadata.resource_version),
            )
        except NotFound:
            logger.debug("ReplicaSet %s/%s was gone already", metadata.namespace, metadata.name)

    async def _patch_rollout(self, patch: Mapping[str, Any], subresource: str = "") -> None:
        answer = await self._client.patch(
            ROLLOUTS,
            self._rollout.namespace,
            self._rollout.name,
            with_resource_version(patch, self._version),
            subresource=subresource,
        )
        self._version = self._remember(ROLLOUTS, answer)

    def _remember(self, resource: Resource, answer: Mapping[str, Any]) -> str:
        metadata = answer["metadata"]
        self._written(resource, metadata["name"], metadata["resourceVersion"])
        return str(metadata["resourceVersion"])

    def _record(self, events: Iterable[Event]) -> None:
        for event in events:
            self._recorder.record(self._rollout, event.type, event.reason, event.message)


def _conflict(plural: str, name: str) -> Conflict:
    return Conflict(f"{plural} {name!r} is not what it was when it was read", status=409, reason="Conflict")
