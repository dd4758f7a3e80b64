"""Pods of ReplicaSets as the API shows them, for tests of what looks at pods themselves."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sluicegate.api import names
from sluicegate.api.foreign import ObjectMeta, OwnerReference, Pod, PodCondition, PodStatus, ReplicaSet

from .builders import DAWN


def make_pod(
    owner: ReplicaSet,
    name: str,
    *,
    born: float = 0,
    ready_at: float | None = 0,
    leaving: bool = False,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Pod:
    """A pod of that ReplicaSet with its template's labels; times in seconds after `DAWN`, `ready_at` None for never."""
    template = owner.spec.template.get("metadata") or {}
    of_version = {names.HASH_LABEL: owner.metadata.labels[names.HASH_LABEL]}
    ready = () if ready_at is None else (PodCondition("Ready", "True", last_transition_time=moment(ready_at)),)
    return Pod(
        metadata=ObjectMeta(
            name=name,
            labels=of_version | (template.get("labels") or {}) | dict(labels or {}),
            annotations={**(template.get("annotations") or {}), **(annotations or {})},
            creation_timestamp=moment(born),
            deletion_timestamp=DAWN if leaving else None,
            owner_references=(OwnerReference(kind="ReplicaSet", uid=owner.metadata.uid, controller=True),),
        ),
        status=PodStatus(phase="Running", conditions=ready),
    )


def moment(seconds: float) -> datetime:
    """So many seconds after `DAWN`."""
    return DAWN + timedelta(seconds=seconds)
