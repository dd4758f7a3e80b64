"""Views for tests of one calculation: a Rollout and ReplicaSets with just the members that matter given."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sluicegate.api import names
from sluicegate.api.foreign import ObjectMeta, ReplicaSet, ReplicaSetSpec, ReplicaSetStatus, Service, ServiceSpec
from sluicegate.api.merge import apply_merge_patch
from sluicegate.api.rollout import Rollout
from sluicegate.engine.basic_scaling import next_sizes
from sluicegate.engine.sizes import Sizes
from sluicegate.engine.surroundings import Surroundings
from sluicegate.engine.view import View
from sluicegate.engine.weights import PodCounts, split_request
from sluicegate_replicaset import ReplicaSetRouter

DAWN = datetime(2030, 1, 1, tzinfo=UTC)
NEW_TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "a:new"}]}}
OLD_TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "a:old"}]}}


def make_replica_set(
    hash_: str,
    size: int,
    available: int,
    *,
    new: bool = False,
    revision: int = 1,
    born: int | None = None,
    created: int | None = None,
    desired: int = 1,
    deadline: str | None = None,
) -> ReplicaSet:
    """A ReplicaSet of that hash; `new` gives it the template of the Rollout, `born` is in seconds."""
    annotations = {names.REVISION: str(revision), names.DESIRED_REPLICAS: str(desired)}
    if deadline is not None:
        annotations[names.SCALE_DOWN_DEADLINE] = deadline
    return ReplicaSet(
        metadata=ObjectMeta(
            name=hash_,
            uid=hash_,
            labels={names.HASH_LABEL: hash_},
            annotations=annotations,
            creation_timestamp=DAWN + timedelta(seconds=60 * revision if born is None else born),
        ),
        spec=ReplicaSetSpec(replicas=size, template=NEW_TEMPLATE if new else OLD_TEMPLATE),
        status=ReplicaSetStatus(replicas=size if created is None else created, available_replicas=available),
    )


def make_service(name: str, selects: str = "", *, managed_by: str | None = "a") -> Service:
    """A Service that selects a pod template hash, taken over by a Rollout unless `managed_by` is None."""
    annotations = {} if managed_by is None else {names.MANAGED_BY: managed_by}
    selector = {names.HASH_LABEL: selects} if selects else {}
    return Service(metadata=ObjectMeta(name=name, annotations=annotations), spec=ServiceSpec(selector=selector))


def make_view(rollout: dict[str, Any], replica_sets: Iterable[ReplicaSet], *, services: Iterable[Service] = ()) -> View:
    """The view of a Rollout given by the members of spec and status that matter; an abort is one in force."""
    whole = apply_merge_patch({"metadata": {"name": "a"}, "spec": {"template": NEW_TEMPLATE}}, rollout)
    if whole.get("status", {}).get("abort"):
        whole["status"].setdefault("abortedAt", "2026-01-01T00:00:00Z")
    surroundings = Surroundings(services={service.metadata.name: service for service in services})
    return View.of(Rollout.model_validate(whole), replica_sets, surroundings)


def canary_view(
    replicas: int,
    replica_sets: Iterable[ReplicaSet],
    *,
    steps: Sequence[object] = (),
    status: Mapping[str, object] | None = None,
    services: Iterable[Service] = (),
    **canary: object,
) -> View:
    """The view of a canary `c` over a stable `s`, at step 0 of its steps."""
    found = {"stableRS": "s", "currentPodHash": "c", "currentStepIndex": 0, **(status or {})}
    strategy = {"canary": {**canary, "steps": list(steps)}}
    rollout = {"spec": {"replicas": replicas, "strategy": strategy}, "status": found}
    return make_view(rollout, replica_sets, services=services)


def split_of(view: View) -> PodCounts:
    """The split of the wanted weight by the router that counts pods."""
    asked = split_request(view)
    counts = ReplicaSetRouter().split(asked.weight, asked.max_weight, asked.replicas, asked.max_surge)
    return PodCounts(counts.canary, counts.stable)


def sizes_of(view: View) -> Sizes:
    """One calculation of the sizes."""
    return next_sizes(view, split_of(view))
