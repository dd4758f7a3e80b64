"""A Rollout that borrows its pod template (`spec.workloadRef`): from what, and what becomes of a Deployment's own pods.

The borrowed template and selector live in memory alone: what is written to a Rollout are patches of other members.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from sluicegate.api import names
from sluicegate.api.foreign import ObjectMeta, ReplicaSet, Service, Slim
from sluicegate.api.metadata import LabelSelector
from sluicegate.api.resources import DEPLOYMENTS, POD_TEMPLATES, REPLICA_SETS, Resource
from sluicegate.api.rollout import Rollout, WorkloadRef
from sluicegate.engine.decision import Action, Decision, Event, PatchRollout, PatchService, ScaleDeployment
from sluicegate.engine.services import UNPINNED
from sluicegate.engine.view import View, hash_of, revision_of, size
from sluicegate.errors import SluicegateError

UNRESOLVED_SECONDS: Final = 20.0
"""How soon a reference that cannot be resolved is looked at again."""

HAND_BACK: Final = "sluicegate.dev/hand-back"
"""The finalizer of a Rollout whose Deployment is, or is about to be, too small to serve in its place."""

HANDED_BACK: Final = "sluicegate.dev/handed-back"
"""The annotation of a Rollout being deleted whose Deployment has got its size: from then on that size is the user's."""

_LENDERS: Final = {(lender.group, lender.kind): lender for lender in (DEPLOYMENTS, REPLICA_SETS, POD_TEMPLATES)}
_NOT_SERVED: Final = "the server could not find the requested resource"
_ON_SUCCESS: Final = "onsuccess"
_PROGRESSIVELY: Final = "progressively"
_ORPHAN: Final = "orphan"
_FOREGROUND: Final = "foregroundDeletion"


class WorkloadRefError(SluicegateError):
    """`spec.workloadRef` cannot be resolved; the text is the incumbent's (rollout 1.3)."""


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """The little that is kept of an object that can be referred to.

    `template` and `selector` are JSON, empty if absent; `available` is 0 while the status is of an earlier generation.
    """

    metadata: ObjectMeta
    template: bytes = b""
    selector: bytes = b""
    replicas: int = 1
    available: int = 0


class _Spec(Slim, frozen=True):
    replicas: int = 1
    selector: msgspec.Raw = msgspec.Raw()
    template: msgspec.Raw = msgspec.Raw()


class _Status(Slim, frozen=True):
    observed_generation: int = 0
    available_replicas: int = 0


class _Stored(Slim, frozen=True):
    metadata: ObjectMeta = ObjectMeta()
    template: msgspec.Raw = msgspec.Raw()
    spec: _Spec = _Spec()
    status: _Status = _Status()


def decode_workload(data: bytes) -> Workload:
    """A Deployment, ReplicaSet or PodTemplate from its JSON; raises msgspec.ValidationError where it is none."""
    stored = msgspec.json.decode(data, type=_Stored)
    metadata, status = stored.metadata, stored.status
    return Workload(
        # Annotations of Deployments hold their last manifest, and there may be thousands.
        metadata=msgspec.structs.replace(metadata, annotations={}),
        template=bytes(stored.template) or bytes(stored.spec.template),
        selector=bytes(stored.spec.selector),
        replicas=stored.spec.replicas,
        available=status.available_replicas if status.observed_generation >= metadata.generation else 0,
    )


def referenced(rollout: Rollout) -> Resource | None:
    """The resource that the reference names; None without a reference.

    Raises WorkloadRefError: the Rollout has a template of its own, or the kind or its version is not supported.
    """
    ref = rollout.spec.workload_ref
    if ref is None:
        return None
    if not rollout.spec.template_is_empty:
        raise WorkloadRefError("template must be empty for workload reference rollout")
    group, kind = _group_kind(ref)
    lender = _LENDERS.get((group, kind))
    if lender is None:
        raise WorkloadRefError(f"workload of type {group}/{kind} is not supported")
    if ref.api_version != lender.api_version:
        raise WorkloadRefError(_NOT_SERVED)
    return lender


def resolve(rollout: Rollout, workload: Workload | None) -> Rollout:
    """The Rollout with the template, and unless it has one the selector, of the object that it refers to.

    The template is taken as it is, `pod-template-hash` labels of a ReplicaSet included, as the incumbent does. Without
    a reference the Rollout is returned as it is. Raises WorkloadRefError, also if `workload` is None: not found.
    """
    lender = referenced(rollout)
    ref = rollout.spec.workload_ref
    if lender is None or ref is None:
        return rollout
    if workload is None:
        group = f".{lender.group}" if lender.group else ""
        raise WorkloadRefError(f'{lender.plural}{group} "{rollout.namespace}/{ref.name}" not found')
    update: dict[str, Any] = {}
    if workload.template:
        update["template"] = msgspec.json.decode(workload.template)
    if workload.selector and rollout.spec.selector is None:
        update["selector"] = LabelSelector.model_validate_json(workload.selector)
    resolved = rollout.model_copy(update={"spec": rollout.spec.model_copy(update=update)})
    return _annotated(resolved, str(workload.metadata.generation))


def workload_observed_generation(rollout: Rollout) -> str:
    """`status.workloadObservedGeneration` of a resolved Rollout; empty where the template is its own."""
    borrowed = rollout.spec.workload_ref is not None and rollout.spec.template is not None
    return rollout.metadata.annotations.get(names.WORKLOAD_GENERATION, "") if borrowed else ""


def bookkeeping(rollout: Rollout, resolved: Rollout, workload: Workload | None) -> tuple[PatchRollout, ...]:
    """The write that brings what a Rollout says about its reference up to date; it comes first in a pass.

    That is the workload's generation, and the finalizer: it goes with the reference, and comes where a controller
    before this one has taken the Deployment down. `rollout` is as stored, `resolved` what `resolve` made of it.
    """
    metadata: dict[str, Any] = {}
    generation = _wanted_generation(resolved)
    if rollout.metadata.annotations.get(names.WORKLOAD_GENERATION) != generation:
        metadata["annotations"] = {names.WORKLOAD_GENERATION: generation}
    finalizers = _wanted_finalizers(rollout, workload)
    if finalizers != rollout.metadata.finalizers:
        metadata["finalizers"] = finalizers
    return (PatchRollout({"metadata": metadata}),) if metadata else ()


def scale_down(view: View, *, new_size: int | None, promotes: bool) -> tuple[PatchRollout | ScaleDeployment, ...]:
    """Take the Deployment's own pods away as the Rollout's take over (rollout 1.3): of the first revision only.

    `new_size`: the size that this pass's scaling wants of the new ReplicaSet, None if it did not scale. `promotes`:
    whether the promote routine runs, which it also does in each pass of a promoted, fully available Rollout.
    A finalizer comes before the first loss of pods, so that a deletion of the Rollout hands back.
    """
    deployment = _deployment(view.rollout, view.surroundings.workload)
    wanted = _wanted_scale(view, new_size=new_size, promotes=promotes)
    if deployment is None or wanted is None or wanted.replicas == deployment.replicas:
        return ()
    finalizers = view.rollout.metadata.finalizers
    if wanted.replicas > deployment.replicas or HAND_BACK in finalizers:
        return (wanted,)
    return (PatchRollout({"metadata": {"finalizers": [*finalizers, HAND_BACK]}}), wanted)


def hand_back(
    rollout: Rollout,
    workload: Workload | None,
    candidates: Iterable[ReplicaSet] = (),
    services: Iterable[Service] = (),
) -> Decision | None:
    """Have the Deployment serve again before a Rollout that is being deleted takes its pods along.

    None: nothing is to be handed back. Else the decision of the pass: to give the Deployment its size once, to wait
    until its pods are available, then to unpin the Services and to let go. While it waits the Rollout's ReplicaSets
    serve on. With foreground propagation the API takes them at once: then Services are unpinned at once too.
    `workload` and its status must be no older than the Rollout; `candidates` are the ReplicaSets of the namespace,
    `services` those that the Rollout names.
    """
    if HAND_BACK not in rollout.metadata.finalizers or rollout.metadata.deletion_timestamp is None:
        return None
    deployment = _deployment(rollout, workload)
    if deployment is None or rollout.spec.desired_replicas <= 0 or _serves_alone(rollout, candidates):
        return Decision((_let_go(rollout),))
    unpinned = tuple(_unpinned(rollout, services))
    if deployment.replicas < rollout.spec.desired_replicas and HANDED_BACK not in rollout.metadata.annotations:
        return Decision((*_returned(rollout, deployment), *(unpinned if _is_foreground(rollout) else ())))
    if deployment.available < min(deployment.replicas, rollout.spec.desired_replicas):
        return Decision(unpinned if _is_foreground(rollout) else ())
    text = f"Deployment {_name(rollout)} has {deployment.available} available pods and serves in place of the Rollout"
    return Decision((*unpinned, _let_go(rollout, Event("DeploymentHandedBack", text))))


def _group_kind(ref: WorkloadRef) -> tuple[str, str]:
    group, slash, version = ref.api_version.partition("/")
    return (group if slash and "/" not in version else "", ref.kind)


def _is_deployment(ref: WorkloadRef | None) -> bool:
    return ref is not None and _group_kind(ref) == (DEPLOYMENTS.group, DEPLOYMENTS.kind)


def _deployment(rollout: Rollout, workload: Workload | None) -> Workload | None:
    """The Deployment that the Rollout refers to; one that is being deleted counts as gone."""
    if workload is None or not _is_deployment(rollout.spec.workload_ref):
        return None
    return workload if workload.metadata.deletion_timestamp is None else None


def _name(rollout: Rollout) -> str:
    return rollout.spec.workload_ref.name if rollout.spec.workload_ref else ""


def _annotated(rollout: Rollout, generation: str) -> Rollout:
    annotations = {**rollout.metadata.annotations, names.WORKLOAD_GENERATION: generation}
    metadata = rollout.metadata.model_copy(update={"annotations": annotations})
    return rollout.model_copy(update={"metadata": metadata})


def _wanted_generation(resolved: Rollout) -> str | None:
    if resolved.spec.workload_ref is None:
        return None
    return resolved.metadata.annotations.get(names.WORKLOAD_GENERATION)


def _wanted_finalizers(rollout: Rollout, workload: Workload | None) -> list[str]:
    present, ref = rollout.metadata.finalizers, rollout.spec.workload_ref
    if ref is None or not _is_deployment(ref):
        return [finalizer for finalizer in present if finalizer != HAND_BACK]
    deployment = _deployment(rollout, workload)
    if HAND_BACK in present or deployment is None or ref.scale_down not in (_ON_SUCCESS, _PROGRESSIVELY):
        return present
    return [*present, HAND_BACK] if deployment.replicas < rollout.spec.desired_replicas else present


def _wanted_scale(view: View, *, new_size: int | None, promotes: bool) -> ScaleDeployment | None:
    mode = view.rollout.spec.workload_ref.scale_down if view.rollout.spec.workload_ref else ""
    name = _name(view.rollout)
    if mode == _ON_SUCCESS:
        first = view.rollout.metadata.annotations.get(names.REVISION) == "1"
        done = promotes and first and view.status.phase == "Healthy"
        return ScaleDeployment(name, 0, required=True) if done else None
    if mode != _PROGRESSIVELY or new_size is None or revision_of(view.new_rs) != 1:
        return None
    left = _left_over(view, new_size)
    return None if left is None else ScaleDeployment(name, left, required=False)


def _left_over(view: View, new_size: int) -> int | None:
    """What a Deployment that shrinks progressively is to keep; None leaves it as it is.

    Of the ready pods of the last status only those count that are still ready, so that a loss is made up at once.
    """
    ready = min(view.status.ready_replicas, sum(rs.status.ready_replicas for rs in view.replica_sets))
    if view.status.phase == "Healthy" and ready >= view.replicas:
        return 0
    if ready > 0 or size(view.new_rs) > new_size:
        return max(0, view.replicas - ready)
    return None


def _serves_alone(rollout: Rollout, candidates: Iterable[ReplicaSet]) -> bool:
    """Whether the Rollout is deleted without what it owns, so that its stable ReplicaSet serves on."""
    if _ORPHAN in rollout.metadata.finalizers:
        return True
    return any(
        replica_set.metadata.controller is None
        and replica_set.metadata.name.startswith(f"{rollout.name}-")
        and hash_of(replica_set) == rollout.status.stable_rs != ""
        and replica_set.status.available_replicas > 0
        for replica_set in candidates
    )


def _is_foreground(rollout: Rollout) -> bool:
    return _FOREGROUND in rollout.metadata.finalizers


def _returned(rollout: Rollout, deployment: Workload) -> tuple[Action, ...]:
    """The Deployment gets the Rollout's size; marked, so that whoever sizes it from then on is left alone."""
    name, wanted = _name(rollout), rollout.spec.desired_replicas
    scaled = f"Scaled up Deployment {name} from {deployment.replicas} to {wanted}"
    text = f"{scaled}: the Rollout goes once its pods are available"
    marked = PatchRollout(
        {"metadata": {"annotations": {HANDED_BACK: str(wanted)}}}, (Event("DeploymentHandBack", text),)
    )
    return ScaleDeployment(name, wanted, required=True), marked


def _unpinned(rollout: Rollout, services: Iterable[Service]) -> Iterator[PatchService]:
    """Services that select the Rollout's pods alone select all pods of the application again."""
    for service in services:
        owner = service.metadata.annotations.get(names.MANAGED_BY, rollout.name)
        if names.HASH_LABEL in service.spec.selector and owner == rollout.name:
            yield PatchService(service, UNPINNED)


def _let_go(rollout: Rollout, *events: Event) -> PatchRollout:
    kept = [finalizer for finalizer in rollout.metadata.finalizers if finalizer != HAND_BACK]
    return PatchRollout({"metadata": {"finalizers": kept}}, events)
