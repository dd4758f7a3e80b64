"""Anti-affinity between the new and the stable version: put in, renewed, and seen through (rollout 4.6)."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.api import names
from sluicegate.api.foreign import ReplicaSet, ReplicaSetSpec
from sluicegate.api.merge import apply_merge_patch
from sluicegate.engine.affinity import affinity_patch, is_stale, with_anti_affinity
from sluicegate.engine.decision import CreateReplicaSet, PatchReplicaSet
from sluicegate.engine.revisions import create_replica_set, sync_revision
from sluicegate.engine.templates import runs_template
from sluicegate.engine.view import View

from .builders import NEW_TEMPLATE, make_replica_set, make_view

PREFERRED = {"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 7}}
REQUIRED: dict[str, Any] = {"requiredDuringSchedulingIgnoredDuringExecution": {}}


def term(target: str = "s") -> dict[str, Any]:
    return {
        "labelSelector": {"matchExpressions": [{"key": names.HASH_LABEL, "operator": "In", "values": [target]}]},
        "namespaces": ["shops"],
        "topologyKey": "kubernetes.io/hostname",
    }


def required(*terms: Mapping[str, Any]) -> dict[str, Any]:
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}


def preferred(*terms: Mapping[str, Any]) -> dict[str, Any]:
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": list(terms)}}


OWN = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "a"}}}


def template_with(affinity: Mapping[str, Any] | None) -> Any:
    return NEW_TEMPLATE if affinity is None else apply_merge_patch(NEW_TEMPLATE, {"spec": {"affinity": affinity}})


def view_of(
    rule: Mapping[str, Any] | None,
    *replica_sets: ReplicaSet,
    stable: str = "s",
    affinity: Mapping[str, Any] | None = None,
    blue_green: bool = False,
    **spec: object,
) -> View:
    """An update of `c` over `stable`, the strategy asking for anti-affinity by `rule`."""
    strategy = {"antiAffinity": rule} if rule is not None else {}
    rollout = {
        "metadata": {"namespace": "shops"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "a"}},
            "template": template_with(affinity),
            "strategy": {"blueGreen": {"activeService": "a", **strategy}} if blue_green else {"canary": strategy},
            **spec,
        },
        "status": {"stableRS": stable, "currentPodHash": "c"},
    }
    return make_view(rollout, replica_sets)


def new_rs(view: View, affinity: Mapping[str, Any] | None) -> ReplicaSet:
    """The new ReplicaSet as it runs with that affinity, its annotations up to date."""
    made = make_replica_set(view.template_hash, 1, 1, new=True, revision=1)
    spec = ReplicaSetSpec(replicas=1, template=template_with(affinity))
    return ReplicaSet(metadata=made.metadata, spec=spec, status=made.status)


def affinity_of(template: Mapping[str, Any]) -> Any:
    return template["spec"].get("affinity")


@pytest.mark.parametrize("blue_green", [False, True])
@pytest.mark.parametrize(
    ("rule", "affinity"),
    [
        (REQUIRED, required(term())),
        (PREFERRED, preferred({"weight": 7, "podAffinityTerm": term()})),
        (REQUIRED | PREFERRED, preferred({"weight": 7, "podAffinityTerm": term()})),
        ({}, None),
        (None, None),
    ],
)
def test_a_new_version_keeps_off_the_nodes_of_the_stable_one(
    rule: Mapping[str, Any] | None, affinity: Mapping[str, Any] | None, blue_green: bool
) -> None:
    (create, *_) = create_replica_set(view_of(rule, blue_green=blue_green))
    assert isinstance(create, CreateReplicaSet)
    assert affinity_of(create.manifest["spec"]["template"]) == affinity


def test_the_first_version_and_one_that_is_stable_already_keep_off_nobody() -> None:
    view = view_of(REQUIRED, stable="")
    assert affinity_of(with_anti_affinity(view, template_with(None))) is None
    assert affinity_of(with_anti_affinity(view_of(REQUIRED, stable=view.template_hash), template_with(None))) is None


def test_a_version_whose_hash_another_algorithm_made_does_not_keep_off_itself() -> None:
    view = view_of(REQUIRED, make_replica_set("elsewhere", 1, 1, new=True), stable="elsewhere")
    assert affinity_of(with_anti_affinity(view, template_with(None))) is None


def test_affinity_of_the_template_stays_and_the_term_comes_last() -> None:
    own = {**required(OWN), "nodeAffinity": {"x": 1}}
    template = with_anti_affinity(view_of(REQUIRED, affinity=own), template_with(own))
    assert affinity_of(template) == {**required(OWN, term()), "nodeAffinity": {"x": 1}}


def test_the_hash_of_the_version_does_not_depend_on_the_strategy() -> None:
    assert view_of(REQUIRED).template_hash == view_of(None).template_hash


def test_another_stable_version_in_mid_update_renews_the_term_at_once() -> None:
    live = new_rs(view_of(REQUIRED, affinity=required(OWN)), required(OWN, term("former")))
    (write, *_) = sync_revision(view_of(REQUIRED, live, affinity=required(OWN)))
    assert isinstance(write, PatchReplicaSet)
    assert write.patch["spec"] == {"template": {"spec": {"affinity": required(OWN, term())}}}


def test_no_write_follows_a_term_that_is_up_to_date_or_a_rollout_that_asks_for_none() -> None:
    view = view_of(REQUIRED)
    for rule, affinity in ((REQUIRED, required(term())), (REQUIRED, None), (None, None)):
        live = new_rs(view, affinity)
        assert not any(isinstance(write, PatchReplicaSet) for write in sync_revision(view_of(rule, live)))


def test_once_promoted_the_term_stays_until_something_else_changes() -> None:
    """Taking it out at once would cost a write for each update: no pods of the former stable version are left."""
    live = new_rs(view_of(REQUIRED), required(term()))
    promoted = view_of(REQUIRED, live, stable=live.metadata.name)
    assert not any(isinstance(write, PatchReplicaSet) for write in sync_revision(promoted))
    changed = view_of(REQUIRED, live, stable=live.metadata.name, minReadySeconds=5)
    (write, *_) = sync_revision(changed)
    assert isinstance(write, PatchReplicaSet)
    assert write.patch["spec"] == {"minReadySeconds": 5, "template": {"spec": {"affinity": None}}}


def test_a_version_that_comes_back_keeps_off_the_one_that_is_stable_now() -> None:
    view = view_of(REQUIRED)
    live = new_rs(view, None)
    stable = make_replica_set("s", 1, 1, revision=2)
    (write, *_) = sync_revision(view_of(REQUIRED, live, stable))
    assert isinstance(write, PatchReplicaSet)
    assert write.patch["spec"] == {"template": {"spec": {"affinity": required(term())}}}


def test_a_rollout_that_asks_no_more_loses_a_term_that_is_out_of_date() -> None:
    live = new_rs(view_of(None), required(term("former")))
    (write, *_) = sync_revision(view_of(None, live))
    assert isinstance(write, PatchReplicaSet)
    assert write.patch["spec"] == {"template": {"spec": {"affinity": None}}}


@pytest.mark.parametrize(
    "own",
    [
        OWN,
        term("other"),
        {**term("other"), "topologyKey": "zone"},
        {**term("other"), "labelSelector": {**term("other")["labelSelector"], "matchLabels": {"app": "a"}}},
        {**term(), "labelSelector": {"matchExpressions": [{"key": names.HASH_LABEL, "operator": "Exists"}]}},
        {"topologyKey": "kubernetes.io/hostname"},
    ],
)
@pytest.mark.parametrize("rule", [REQUIRED, PREFERRED, None])
def test_terms_of_the_template_are_never_taken_out(own: Mapping[str, Any], rule: Mapping[str, Any] | None) -> None:
    """Not even one that looks like ours: `undo` copies those of the former version into the template."""
    view = view_of(rule, affinity=required(own))
    injected = with_anti_affinity(view, template_with(required(own)))
    live = new_rs(view, affinity_of(injected))
    assert not is_stale(view, live.spec.template)
    assert affinity_patch(view, live.spec.template) == {}
    (write, *_) = sync_revision(
        view_of(rule, live, affinity=required(own), stable=live.metadata.name, minReadySeconds=5)
    )
    assert isinstance(write, PatchReplicaSet)
    assert apply_merge_patch(injected, write.patch["spec"].get("template", {})) == template_with(required(own))


TERMS = st.lists(st.sampled_from([OWN, term("other"), {"topologyKey": "x"}]), max_size=2)
AFFINITIES = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "podAntiAffinity": st.fixed_dictionaries(
            {},
            optional={
                "requiredDuringSchedulingIgnoredDuringExecution": TERMS,
                "preferredDuringSchedulingIgnoredDuringExecution": TERMS.map(
                    lambda terms: [{"weight": 1, "podAffinityTerm": term} for term in terms]
                ),
            },
        ),
        "podAffinity": st.just({"requiredDuringSchedulingIgnoredDuringExecution": [OWN]}),
    },
)


@given(AFFINITIES, st.sampled_from([REQUIRED, PREFERRED]))
def test_a_template_with_the_term_in_it_is_known_again_whatever_affinity_is_its_own(
    own: Mapping[str, Any] | None, rule: Mapping[str, Any]
) -> None:
    view = view_of(rule, affinity=own)
    injected = with_anti_affinity(view, template_with(own))
    live = new_rs(view, affinity_of(injected))
    assert runs_template(live, template_with(own))
    assert affinity_patch(view, injected) == {}
    assert not runs_template(live, template_with({**(own or {}), "nodeAffinity": {}}))
