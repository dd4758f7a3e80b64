"""`spec.workloadRef`: what a Rollout borrows, what is written of it, and how the lender's own pods go."""

import json
from typing import Any

import pytest

from sluicegate.api import names
from sluicegate.api.foreign import decode_replica_set
from sluicegate.api.hashing import pod_template_hash
from sluicegate.api.resources import DEPLOYMENTS, POD_TEMPLATES, REPLICA_SETS
from sluicegate.api.rollout import Rollout
from sluicegate.engine.decision import PatchRollout, ScaleDeployment
from sluicegate.engine.surroundings import Surroundings
from sluicegate.engine.view import View
from sluicegate.engine.workload import (
    HAND_BACK,
    Workload,
    WorkloadRefError,
    bookkeeping,
    decode_workload,
    referenced,
    resolve,
    scale_down,
    workload_observed_generation,
)

from .lenders import SELECTOR, TEMPLATE, make_deployment, make_rollout

# Resolution.


def test_template_and_selector_are_borrowed_and_nothing_else_changes() -> None:
    stored = make_rollout()
    resolved = resolve(stored, make_deployment())
    assert resolved.spec.template == TEMPLATE
    assert resolved.spec.selector is not None and resolved.spec.selector.document() == SELECTOR
    assert resolved.metadata.annotations == {names.WORKLOAD_GENERATION: "7"}
    assert stored.spec.template is None and stored.spec.selector is None and not stored.metadata.annotations


def test_borrowed_template_has_the_hash_that_the_incumbent_recorded() -> None:
    """Trace 14: a ReplicaSet of the Rollout keeps its name when controllers change."""
    stored = {
        "metadata": {"creationTimestamp": None, "labels": {"app": "shop"}},
        "spec": {
            "containers": [
                {
                    "name": "shop",
                    "image": "demo/shop:v1",
                    "resources": {},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                    "imagePullPolicy": "IfNotPresent",
                }
            ],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
        },
    }
    resolved = resolve(make_rollout(), make_deployment(patch={"spec": {"template": stored}}))
    assert pod_template_hash(resolved.spec.template or {}, None) == "59db787c7"


def test_a_selector_of_its_own_wins() -> None:
    own = {"matchLabels": {"app": "shop", "team": "a"}}
    resolved = resolve(make_rollout(patch={"spec": {"selector": own}}), make_deployment())
    assert resolved.spec.selector is not None and resolved.spec.selector.document() == own


def test_template_of_a_replica_set_is_taken_with_its_pod_template_hash() -> None:
    labels = {"app": "shop", "pod-template-hash": "85cd694d4c"}
    lender = make_deployment(
        patch={"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}}
    )
    resolved = resolve(make_rollout(kind="ReplicaSet"), lender)
    assert resolved.spec.template is not None and resolved.spec.template["metadata"]["labels"] == labels
    assert resolved.spec.selector is not None and resolved.spec.selector.match_labels == labels


def test_pod_template_lends_no_selector() -> None:
    lender = decode_workload(json.dumps({"metadata": {"name": "shop"}, "template": TEMPLATE}).encode())
    resolved = resolve(make_rollout(api_version="v1", kind="PodTemplate"), lender)
    assert (resolved.spec.template, resolved.spec.selector) == (TEMPLATE, None)
    assert resolved.metadata.annotations == {names.WORKLOAD_GENERATION: "0"}


@pytest.mark.parametrize(
    ("api_version", "kind", "resource"),
    [
        ("apps/v1", "Deployment", DEPLOYMENTS),
        ("apps/v1", "ReplicaSet", REPLICA_SETS),
        ("v1", "PodTemplate", POD_TEMPLATES),
    ],
)
def test_each_supported_kind_is_looked_up_under_its_resource(api_version: str, kind: str, resource: object) -> None:
    assert referenced(make_rollout(api_version=api_version, kind=kind)) == resource


@pytest.mark.parametrize(
    ("api_version", "kind", "error"),
    [
        ("apps/v1", "StatefulSet", "workload of type apps/StatefulSet is not supported"),
        ("apps/v1", "deployment", "workload of type apps/deployment is not supported"),
        ("v1", "Deployment", "workload of type /Deployment is not supported"),
        ("apps/v1", "PodTemplate", "workload of type apps/PodTemplate is not supported"),
        ("", "", "workload of type / is not supported"),
        ("a/b/c", "Deployment", "workload of type /Deployment is not supported"),
        ("apps/v1beta1", "Deployment", "the server could not find the requested resource"),
        ("apps/v1", "Deployment", 'deployments.apps "demo/shop" not found'),
        ("apps/v1", "ReplicaSet", 'replicasets.apps "demo/shop" not found'),
        ("v1", "PodTemplate", 'podtemplates "demo/shop" not found'),
    ],
)
def test_a_reference_to_nothing_or_to_a_kind_not_allowed_has_the_incumbents_text(
    api_version: str, kind: str, error: str
) -> None:
    with pytest.raises(WorkloadRefError) as caught:
        resolve(make_rollout(api_version=api_version, kind=kind), None)
    assert str(caught.value) == error


@pytest.mark.parametrize("metadata", [{"labels": {"app": "shop"}}, {"annotations": {"a": "b"}}])
def test_a_template_beside_the_reference_is_refused_first(metadata: dict[str, Any]) -> None:
    rollout = make_rollout(kind="StatefulSet", patch={"spec": {"template": {"metadata": metadata}}})
    with pytest.raises(WorkloadRefError, match=r"^template must be empty for workload reference rollout$"):
        resolve(rollout, make_deployment())


def test_a_template_without_labels_and_annotations_counts_as_empty() -> None:
    """The pod spec is not looked at (rollout 1.3)."""
    rollout = make_rollout(patch={"spec": {"template": {"spec": {"containers": []}}}})
    assert resolve(rollout, make_deployment()).spec.template == TEMPLATE


def test_a_workload_without_template_resolves_nothing() -> None:
    resolved = resolve(make_rollout(), make_deployment(patch={"spec": {"template": None}}))
    assert resolved.spec.template is None
    assert workload_observed_generation(resolved) == ""


def test_observed_generation_is_that_of_the_workload_and_blank_for_a_template_of_its_own() -> None:
    assert workload_observed_generation(resolve(make_rollout(), make_deployment())) == "7"
    own = {
        "metadata": {"annotations": {names.WORKLOAD_GENERATION: "7"}},
        "spec": {"workloadRef": None, "template": TEMPLATE},
    }
    assert workload_observed_generation(make_rollout(patch=own)) == ""


# What is written to the Rollout itself.


def booked(rollout: Rollout, workload: Workload) -> dict[str, Any]:
    """The metadata that is written."""
    writes = bookkeeping(rollout, resolve(rollout, workload), workload)
    return {} if not writes else dict(writes[0].patch["metadata"])


def test_the_workloads_generation_is_put_on_the_rollout_whenever_it_changed() -> None:
    assert booked(make_rollout(), make_deployment()) == {"annotations": {names.WORKLOAD_GENERATION: "7"}}
    known = {"metadata": {"annotations": {names.WORKLOAD_GENERATION: "7"}}}
    assert booked(make_rollout(patch=known), make_deployment()) == {}


def test_without_a_reference_its_annotation_and_finalizer_go() -> None:
    metadata = {"annotations": {names.WORKLOAD_GENERATION: "7"}, "finalizers": ["a/b", HAND_BACK]}
    rollout = make_rollout(patch={"metadata": metadata, "spec": {"workloadRef": None, "template": TEMPLATE}})
    (write,) = bookkeeping(rollout, rollout, None)
    assert write.patch == {"metadata": {"annotations": {names.WORKLOAD_GENERATION: None}, "finalizers": ["a/b"]}}


def test_a_plain_rollout_is_written_nothing() -> None:
    rollout = make_rollout(patch={"spec": {"workloadRef": None, "template": TEMPLATE}})
    assert bookkeeping(rollout, rollout, None) == ()


@pytest.mark.parametrize(
    ("mode", "replicas", "expected"),
    [("onsuccess", 0, True), ("progressively", 2, True), ("onsuccess", 3, False), ("never", 0, False), ("", 0, False)],
)
def test_a_deployment_that_a_former_controller_took_down_will_be_handed_back(
    mode: str, replicas: int, expected: bool
) -> None:
    written = booked(make_rollout(scale_down=mode), make_deployment(replicas))
    assert written.get("finalizers", []) == ([HAND_BACK] if expected else [])


def test_a_reference_turned_to_never_is_still_handed_back() -> None:
    rollout = make_rollout(scale_down="never", patch={"metadata": {"finalizers": [HAND_BACK]}})
    assert "finalizers" not in booked(rollout, make_deployment(0))


# How the Deployment's own pods go (the scaleDown table of rollout 1.3).


def make_view(
    mode: str,
    *,
    phase: str = "Progressing",
    ready: int = 0,
    stored_ready: int | None = None,
    size: int = 3,
    revision: int = 1,
    replicas: int = 3,
    finalizers: tuple[str, ...] = (HAND_BACK,),
    deployment: Workload | None = None,
) -> View:
    numbered = {names.REVISION: str(revision)}
    patch = {
        "metadata": {"annotations": numbered, "finalizers": list(finalizers)},
        "spec": {"replicas": replicas},
        "status": {"phase": phase, "readyReplicas": ready if stored_ready is None else stored_ready},
    }
    rollout = resolve(make_rollout(scale_down=mode, patch=patch), make_deployment())
    replica_set = {
        "metadata": {"name": "shop-ro-x", "labels": {"app": "shop", names.HASH_LABEL: "x"}, "annotations": numbered},
        "spec": {"replicas": size, "template": TEMPLATE},
        "status": {"replicas": size, "readyReplicas": ready, "availableReplicas": ready},
    }
    surroundings = Surroundings(workload=deployment or make_deployment())
    return View.of(rollout, [decode_replica_set(json.dumps(replica_set).encode())], surroundings)


def scaled(view: View, *, new_size: int | None = 3, promotes: bool = True) -> int | None:
    """The size that the Deployment gets; None if it is left alone."""
    for action in scale_down(view, new_size=new_size, promotes=promotes):
        if isinstance(action, ScaleDeployment):
            return action.replicas
    return None


@pytest.mark.parametrize("mode", ["never", "", "OnSuccess", "always"])
def test_never_and_every_unknown_word_leave_the_deployment_alone(mode: str) -> None:
    assert scaled(make_view(mode, phase="Healthy", ready=3)) is None


@pytest.mark.parametrize(
    ("phase", "revision", "promotes", "expected"),
    [
        ("Healthy", 1, True, 0),
        ("Healthy", 1, False, None),
        ("Progressing", 1, True, None),
        ("", 1, True, None),
        ("Healthy", 2, True, None),
    ],
)
def test_onsuccess_takes_the_deployment_down_once_revision_1_was_stored_as_healthy(
    phase: str, revision: int, promotes: bool, expected: int | None
) -> None:
    view = make_view("onsuccess", phase=phase, ready=3, revision=revision)
    assert scaled(view, promotes=promotes) == expected


@pytest.mark.parametrize(
    ("phase", "ready", "size", "new_size", "own", "expected"),
    [
        ("Progressing", 0, 3, 3, 3, None),
        ("Progressing", 1, 3, 3, 3, 2),
        ("Progressing", 2, 3, 3, 2, 1),
        ("Progressing", 3, 3, 3, 1, 0),
        ("Progressing", 4, 4, 4, 1, 0),
        ("Healthy", 3, 3, 3, 1, 0),
        ("Healthy", 3, 3, 3, 0, None),
        # A Rollout that loses readiness scales the Deployment back up.
        ("Progressing", 2, 3, 3, 0, 1),
        # So does one that shrinks its new ReplicaSet, even with no pod ready.
        ("Degraded", 0, 3, 1, 0, 3),
        # Nothing was scaled in this pass.
        ("Progressing", 1, 3, None, 3, None),
    ],
)
def test_progressively_shrinks_the_deployment_as_the_rollouts_pods_become_ready(
    phase: str, ready: int, size: int, new_size: int | None, own: int, expected: int | None
) -> None:
    deployment = make_deployment(own)
    view = make_view("progressively", phase=phase, ready=ready, size=size, deployment=deployment)
    assert scaled(view, new_size=new_size) == expected


def test_progressively_acts_on_revision_1_alone() -> None:
    assert scaled(make_view("progressively", ready=2, revision=2)) is None


@pytest.mark.parametrize("phase", ["Progressing", "Healthy"])
def test_pods_that_are_ready_no_more_do_not_take_the_deployments_place(phase: str) -> None:
    view = make_view("progressively", phase=phase, ready=1, stored_ready=3)
    assert scaled(view) == 2


@pytest.mark.parametrize(("mode", "required"), [("onsuccess", True), ("progressively", False)])
def test_a_failure_to_scale_ends_the_pass_for_onsuccess_alone(mode: str, required: bool) -> None:
    view = make_view(mode, phase="Healthy", ready=3)
    assert scale_down(view, new_size=3, promotes=True) == (ScaleDeployment("shop", 0, required),)


def test_the_finalizer_is_there_before_the_first_pod_goes() -> None:
    view = make_view("progressively", ready=1, finalizers=("a/b",))
    writes = scale_down(view, new_size=3, promotes=False)
    finalizer = PatchRollout({"metadata": {"finalizers": ["a/b", HAND_BACK]}})
    assert writes == (finalizer, ScaleDeployment("shop", 2, required=False))


def test_a_deployment_that_is_going_is_not_scaled() -> None:
    going = make_deployment(patch={"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    assert scaled(make_view("onsuccess", phase="Healthy", ready=3, deployment=going)) is None


def test_a_replica_set_that_lends_its_template_is_never_scaled() -> None:
    view = make_view("onsuccess", phase="Healthy", ready=3)
    ref = view.rollout.spec.workload_ref
    assert ref is not None and scaled(view) == 0
    spec = view.rollout.spec.model_copy(update={"workload_ref": ref.model_copy(update={"kind": "ReplicaSet"})})
    rollout = view.rollout.model_copy(update={"spec": spec})
    assert scaled(View.of(rollout, view.replica_sets, view.surroundings)) is None
