"""A Rollout that has taken a Deployment's place is deleted: the Deployment serves again before the Rollout goes."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet, Service, decode_replica_set, decode_service
from sluicegate.api.merge import apply_merge_patch
from sluicegate.engine.decision import Decision, Event, PatchRollout, PatchService, ScaleDeployment
from sluicegate.engine.workload import HAND_BACK, decode_workload, hand_back

from .lenders import SELECTOR, TEMPLATE, make_rollout


@dataclass
class Deletion:
    """A Rollout of three pods that is being deleted, its Deployment, and a second of virtual time a `tick`.

    A second after it was sized the Deployment has its pods, but for `broken` ones. `gone`: the Rollout was let go.
    """

    deployment: dict[str, Any] | None = field(default_factory=lambda: deployment_manifest(0))
    finalizers: list[str] = field(default_factory=lambda: [HAND_BACK])
    rollout: dict[str, Any] = field(default_factory=dict)
    replica_sets: list[ReplicaSet] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    broken: int = 0
    events: list[Event] = field(default_factory=list)
    unpinned: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rollout["metadata"] = {"finalizers": self.finalizers, "deletionTimestamp": "2026-01-01T00:00:00Z"}

    @property
    def gone(self) -> bool:
        return HAND_BACK not in self.rollout["metadata"]["finalizers"]

    @property
    def size(self) -> int | None:
        return None if self.deployment is None else int(self.deployment["spec"]["replicas"])

    def decide(self) -> Decision | None:
        workload = None if self.deployment is None else decode_workload(json.dumps(self.deployment).encode())
        return hand_back(make_rollout(patch=self.rollout), workload, self.replica_sets, self.services)

    def act(self) -> None:
        """One pass."""
        decision = self.decide()
        assert decision is not None and decision.status is None
        for action in decision.actions:
            match action:
                case ScaleDeployment(name, replicas, required):
                    assert (name, required) == ("shop", True)
                    self.scale(replicas)
                case PatchRollout(patch, events):
                    self.rollout = apply_merge_patch(self.rollout, patch)
                    self.events += events
                case PatchService(service, patch):
                    assert patch["spec"] == {"selector": {names.HASH_LABEL: None}}
                    self.unpinned.append(service.metadata.name)

    def scale(self, replicas: int) -> None:
        """Set the size, as the API does it."""
        assert self.deployment is not None
        if self.size != replicas:
            self.deployment["spec"]["replicas"] = replicas
            self.deployment["metadata"]["generation"] += 1

    def tick(self) -> None:
        """The Deployment's pods follow its size."""
        assert self.deployment is not None and self.size is not None
        available = max(0, self.size - self.broken)
        generation = self.deployment["metadata"]["generation"]
        self.deployment["status"] = {"observedGeneration": generation, "availableReplicas": available}


def deployment_manifest(replicas: int) -> dict[str, Any]:
    return {
        "metadata": {"name": "shop", "generation": 4},
        "spec": {"replicas": replicas, "selector": SELECTOR, "template": TEMPLATE},
        "status": {"observedGeneration": 4, "availableReplicas": replicas},
    }


def test_the_deployment_serves_again_before_the_rollout_goes() -> None:
    story = Deletion()
    story.act()
    assert (story.size, story.gone) == (3, False)
    story.act()
    assert not story.gone, "no pod is available yet"
    story.tick()
    story.act()
    assert story.gone
    assert [event.reason for event in story.events] == ["DeploymentHandBack", "DeploymentHandedBack"]
    assert story.events[0].message == (
        "Scaled up Deployment shop from 0 to 3: the Rollout goes once its pods are available"
    )


def test_pods_of_the_time_before_it_was_taken_down_do_not_count() -> None:
    story = Deletion()
    assert story.deployment is not None
    story.deployment["status"] = {"observedGeneration": 3, "availableReplicas": 3}
    story.act()
    story.act()
    assert not story.gone


def test_pods_that_never_start_keep_the_rollout_serving() -> None:
    story = Deletion(broken=1)
    for _ in range(5):
        story.act()
        story.tick()
    assert not story.gone
    story.broken = 0
    story.tick()
    story.act()
    assert story.gone


def test_a_deployment_that_shrank_in_part_gets_the_rest_back() -> None:
    story = Deletion(deployment_manifest(1))
    story.act()
    assert (story.size, story.gone) == (3, False)


def test_a_deployment_that_is_gone_holds_nothing_up() -> None:
    story = Deletion(None)
    story.act()
    assert story.gone and not story.events


def test_a_deployment_deleted_while_its_pods_start_holds_nothing_up() -> None:
    story = Deletion()
    story.act()
    assert story.deployment is not None
    story.deployment["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:05Z"
    story.act()
    assert story.gone


def test_a_deployment_that_the_user_has_scaled_up_already_is_only_waited_for() -> None:
    story = Deletion(deployment_manifest(5))
    assert story.deployment is not None
    story.deployment["status"]["availableReplicas"] = 2
    story.act()
    assert (story.size, story.gone) == (5, False)
    story.tick()
    story.act()
    assert story.gone


@pytest.mark.parametrize("chosen", [0, 2])
def test_a_size_that_the_user_or_an_autoscaler_sets_after_it_was_given_back_is_left_alone(chosen: int) -> None:
    story = Deletion()
    story.act()
    story.scale(chosen)
    story.tick()
    story.act()
    assert (story.size, story.gone) == (chosen, True)


def test_a_rollout_of_no_pods_has_nothing_to_hand_back() -> None:
    story = Deletion(rollout={"spec": {"replicas": 0}})
    story.act()
    assert (story.size, story.gone) == (0, True)


def test_a_rollout_that_dropped_its_reference_goes_at_once() -> None:
    story = Deletion(rollout={"spec": {"workloadRef": None, "template": TEMPLATE}})
    story.act()
    assert (story.size, story.gone) == (0, True)


@pytest.mark.parametrize("finalizers", [[], ["foregroundDeletion"]])
def test_a_rollout_whose_deployment_was_never_scaled_is_left_to_the_api(finalizers: list[str]) -> None:
    assert Deletion(finalizers=finalizers).decide() is None


def test_a_rollout_that_is_not_being_deleted_hands_nothing_back() -> None:
    story = Deletion()
    del story.rollout["metadata"]["deletionTimestamp"]
    assert story.decide() is None


def test_other_finalizers_stay() -> None:
    story = Deletion(None, finalizers=["a/b", HAND_BACK])
    story.act()
    assert story.rollout["metadata"]["finalizers"] == ["a/b"]


def orphan(*, available: int = 3, name: str = "shop-ro-x", owners: list[dict[str, Any]] | None = None) -> ReplicaSet:
    manifest = {
        "metadata": {"name": name, "labels": {names.HASH_LABEL: "x"}, "ownerReferences": owners or []},
        "status": {"availableReplicas": available},
    }
    return decode_replica_set(json.dumps(manifest).encode())


def test_a_rollout_deleted_without_what_it_owns_leaves_the_deployment_down() -> None:
    """`kubectl delete --cascade=orphan`: the ReplicaSets serve on."""
    story = Deletion(finalizers=["orphan", HAND_BACK])
    story.act()
    assert (story.size, story.gone) == (0, True)


def test_a_stable_replica_set_that_was_orphaned_already_serves_on() -> None:
    story = Deletion(rollout={"status": {"stableRS": "x"}}, replica_sets=[orphan()])
    story.act()
    assert (story.size, story.gone) == (0, True)


@pytest.mark.parametrize(
    "replica_set",
    [
        orphan(available=0),
        orphan(name="other-x"),
        orphan(owners=[{"kind": "Rollout", "name": "shop-ro", "uid": "1", "controller": True}]),
    ],
)
def test_a_replica_set_that_will_not_serve_on_is_no_reason_to_leave_the_deployment_down(
    replica_set: ReplicaSet,
) -> None:
    story = Deletion(rollout={"status": {"stableRS": "x"}}, replica_sets=[replica_set])
    story.act()
    assert story.size == 3


def service(name: str, *, managed_by: str | None = "shop-ro", hash_: str | None = "x") -> Service:
    annotations = {} if managed_by is None else {names.MANAGED_BY: managed_by}
    selector = {"app": "shop"} | ({} if hash_ is None else {names.HASH_LABEL: hash_})
    manifest = {"metadata": {"name": name, "annotations": annotations}, "spec": {"selector": selector}}
    return decode_service(json.dumps(manifest).encode())


def test_services_select_the_deployments_pods_before_the_rollouts_go() -> None:
    story = Deletion(services=[service("active"), service("theirs", managed_by="b"), service("free", hash_=None)])
    story.act()
    assert not story.unpinned, "as yet only the Rollout's pods can serve"
    story.tick()
    decision = story.decide()
    assert decision is not None
    assert [type(action) for action in decision.actions] == [PatchService, PatchRollout]
    story.act()
    assert story.unpinned == ["active"]


def test_services_are_freed_at_once_when_the_rollouts_pods_go_first() -> None:
    """Foreground propagation: the API deletes the ReplicaSets, finalizer or not."""
    story = Deletion(finalizers=["foregroundDeletion", HAND_BACK], services=[service("active")])
    story.act()
    assert (story.size, story.unpinned, story.gone) == (3, ["active"], False)
