"""What Rollouts borrow their pod templates from (`spec.workloadRef`), as the controller reads and scales it.

The policy is in `engine/workload`. A reference is looked up in the Rollout's own namespace, nowhere else: whoever may
write Rollouts there must not read, or take down, what runs in another.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from sluicegate.api.foreign import ReplicaSet, Service
from sluicegate.api.resources import DEPLOYMENTS, POD_TEMPLATES, REPLICA_SETS, Resource
from sluicegate.api.rollout import Rollout, RolloutSpec
from sluicegate.api.validation import validate_rollout
from sluicegate.api.validation.pod_template import template_errors
from sluicegate.controller.caches import Key, StoredRollout, key_of
from sluicegate.controller.execute import Recorder
from sluicegate.controller.watched import WatchedKind
from sluicegate.controller.watches import Watches
from sluicegate.engine.decision import Decision, PatchRollout, ScaleDeployment
from sluicegate.engine.workload import (
    HAND_BACK,
    Workload,
    bookkeeping,
    decode_workload,
    hand_back,
    referenced,
    resolve,
)
from sluicegate.errors import Forbidden, NotFound, SluicegateError
from sluicegate.kube.client import Client
from sluicegate.kube.recorder import ObjectReference

logger = logging.getLogger(__name__)

_KINDS: Final[dict[Resource, WatchedKind[Workload]]] = {
    resource: WatchedKind(resource, decode_workload) for resource in (DEPLOYMENTS, REPLICA_SETS, POD_TEMPLATES)
}


@dataclass(frozen=True, slots=True)
class Resolved:
    """A Rollout with its borrowed template and the printed errors of the whole.

    `writes` go before all others of the pass, whatever it decides; `workload` is for the pass's surroundings.
    """

    rollout: Rollout
    errors: Sequence[str]
    workload: Workload | None = None
    writes: tuple[PatchRollout, ...] = ()


class _Checked(NamedTuple):
    """A resolved spec and its printed errors, and what it was made of."""

    own: RolloutSpec
    template: bytes
    selector: bytes
    spec: RolloutSpec
    errors: Sequence[str]


class Workloads:
    """The references of all Rollouts: resolved once for each version of Rollout and template, and watched."""

    def __init__(self, client: Client, watches: Watches, recorder: Recorder) -> None:
        self._client = client
        self._watches = watches
        self._recorder = recorder
        self._checked: dict[Key, _Checked] = {}
        self._told: dict[Key, str] = {}

    async def resolved(self, stored: StoredRollout, rollout: Rollout, errors: Sequence[str]) -> Resolved:
        """A Rollout as `Specs` reads it, resolved; from then on a change of what it refers to enqueues it.

        Raises WorkloadRefError, and what `Watches` raises if the workloads cannot be read.
        """
        ref, resource = rollout.spec.workload_ref, referenced(rollout)
        if ref is None or resource is None:
            # What cannot be read has no reference either, and nothing follows from that.
            return Resolved(rollout, errors, writes=() if errors else bookkeeping(rollout, rollout, None))
        key = key_of(stored)
        workload = await self._watches.get(key, _KINDS[resource], rollout.namespace, ref.name)
        resolved = resolve(rollout, workload)
        writes = bookkeeping(rollout, resolved, workload)
        checked = self._check(key, rollout.spec, resolved, workload)
        return Resolved(resolved.model_copy(update={"spec": checked.spec}), checked.errors, workload, writes)

    async def hand_back(
        self,
        stored: StoredRollout,
        rollout: Rollout,
        errors: Sequence[str],
        candidates: Iterable[ReplicaSet],
        services: Iterable[Service],
    ) -> Decision | None:
        """`engine.workload.hand_back` of the Deployment as it is now; a change of it enqueues the Rollout.

        Raises the ApiError of a Deployment that cannot be read: then the Rollout stays.
        """
        if HAND_BACK not in rollout.metadata.finalizers or rollout.metadata.deletion_timestamp is None:
            return None
        ref = rollout.spec.workload_ref
        if ref is None and "workloadRef" in (stored.document.get("spec") or {}):
            return Decision(error=f"finalizer {HAND_BACK} stays: the spec cannot be read: {''.join(errors[:1])}")
        workload = await self._live(key_of(stored), ref.name) if ref is not None else None
        return hand_back(rollout, workload, candidates, services)

    async def scale(self, rollout: ObjectReference, action: ScaleDeployment) -> None:
        """Size a Deployment, by a full update as the incumbent does it: its role may not patch Deployments.

        One that is gone is no failure. Raises the error of a `required` action; a refusal is told once in an event.
        """
        try:
            await self._set_size(rollout.namespace, action)
        except NotFound:
            logger.debug("Deployment %s/%s was gone already", rollout.namespace, action.name)
        except SluicegateError as error:
            self._tell_refusal(rollout, action, error)
            if action.required:
                raise
            logger.warning("%s/%s: %s", rollout.namespace, rollout.name, error)
        else:
            self._told.pop((rollout.namespace, rollout.name), None)

    def forget(self, key: Key) -> None:
        """Drop what is kept of a Rollout that is gone."""
        self._checked.pop(key, None)
        self._told.pop(key, None)

    async def _live(self, key: Key, name: str) -> Workload | None:
        """The Deployment from the API: a cache that lags could show the pods of a time before it was taken down."""
        await self._watches.get(key, _KINDS[DEPLOYMENTS], key[0], name)
        try:
            return decode_workload(await self._client.get_bytes(DEPLOYMENTS, key[0], name))
        except NotFound:
            return None

    async def _set_size(self, namespace: str, action: ScaleDeployment) -> None:
        deployment = await self._client.get(DEPLOYMENTS, namespace, action.name)
        if deployment["spec"].get("replicas") != action.replicas:
            deployment["spec"]["replicas"] = action.replicas
            await self._client.replace(DEPLOYMENTS, namespace, action.name, deployment)

    def _tell_refusal(self, rollout: ObjectReference, action: ScaleDeployment, error: SluicegateError) -> None:
        text = f"Deployment {action.name} cannot be scaled to {action.replicas}: {error}"
        key = (rollout.namespace, rollout.name)
        if isinstance(error, Forbidden) and self._told.get(key) != text:
            self._told[key] = text
            self._recorder.record(rollout, "Warning", "DeploymentNotScaled", text)

    def _check(self, key: Key, own: RolloutSpec, resolved: Rollout, workload: Workload | None) -> _Checked:
        template, selector = (workload.template, workload.selector) if workload else (b"", b"")
        kept = self._checked.get(key)
        if kept is None or kept.own is not own or (kept.template, kept.selector) != (template, selector):
            kept = self._checked[key] = _Checked(own, template, selector, resolved.spec, _errors(resolved))
        return kept


def _errors(resolved: Rollout) -> list[str]:
    """The printed errors of the whole, in the order of rollout 1.9: of the template first, if the selector is sound.

    What would stand before them, a negative size, the API does not store.
    """
    spec = resolved.spec
    own = validate_rollout(resolved.model_copy(update={"spec": spec.model_copy(update={"template": None})}))
    if spec.template is None or any(error.path == "spec.selector" for error in own):
        return [str(error) for error in own]
    return [str(error) for error in (*template_errors(spec.template, spec.selector), *own)]
