"""Ephemeral metadata: who gets what, what is written, and that it leaves nothing behind (rollout 4.7)."""

import copy
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.api import names
from sluicegate.api.foreign import Pod, ReplicaSet
from sluicegate.api.merge import apply_merge_patch
from sluicegate.engine.decision import CreateReplicaSet, PatchReplicaSet
from sluicegate.engine.metadata import ephemeral_writes, needs_pods
from sluicegate.engine.revisions import create_replica_set, name_taken
from sluicegate.engine.surroundings import Surroundings
from sluicegate.engine.templates import runs_template
from sluicegate.engine.view import View

from .builders import NEW_TEMPLATE, OLD_TEMPLATE, make_replica_set, make_view
from .owned_pods import make_pod

T = TypeVar("T", ReplicaSet, Pod)

CANARY = {"labels": {"role": "canary"}, "annotations": {"note": "c"}}
STABLE = {"labels": {"role": "stable"}}
TRACED = {"canaryMetadata": CANARY, "stableMetadata": STABLE}


class Shop:
    """A Rollout with a stable ReplicaSet `s`, a new one, an old one `o`, and their pods, on which writes are made."""

    def __init__(self, *, own: Mapping[str, Any] | None = None) -> None:
        metadata = apply_merge_patch(NEW_TEMPLATE["metadata"], own or {})
        self.template = {**NEW_TEMPLATE, "metadata": metadata}
        self.spec: dict[str, Any] = {"selector": {"matchLabels": {"app": "a"}}, "replicas": 2}
        self.stable = "s"
        new_hash = self.view({}).template_hash
        self.sets = {hash_: self._replica_set(hash_, size) for hash_, size in ((new_hash, 1), ("s", 2), ("o", 0))}
        self.new = new_hash
        self.pods = {
            name: make_pod(self.sets[hash_], name)
            for hash_, name in ((new_hash, "new-0"), ("s", "old-0"), ("s", "old-1"))
        }
        self.pristine = copy.deepcopy((self.sets, self.pods))

    def _replica_set(self, hash_: str, size: int) -> ReplicaSet:
        made = make_replica_set(hash_, size, size, new=True)
        source = self.template if hash_ not in ("s", "o") else {**OLD_TEMPLATE, "metadata": self.template["metadata"]}
        labels = {**self.template["metadata"]["labels"], names.HASH_LABEL: hash_}
        template = {**source, "metadata": {**source["metadata"], "labels": labels}}
        selector = {"matchLabels": {"app": "a", names.HASH_LABEL: hash_}}
        return patched(made, {"spec": {"template": template, "selector": selector}})

    def view(self, strategy: Mapping[str, Any], *, blue_green: bool = False) -> View:
        kind = "blueGreen" if blue_green else "canary"
        spec = {**self.spec, "template": self.template, "strategy": {kind: strategy}}
        view = make_view({"spec": spec, "status": {"stableRS": self.stable}}, getattr(self, "sets", {}).values())
        return view.seeing(Surroundings(pods=tuple(getattr(self, "pods", {}).values())))

    def write(self, view: View, *, at_most: int | None = None) -> list[str]:
        """Make the writes of one pass, or the first few as a process that dies; what was written, by name."""
        made = []
        for write in ephemeral_writes(view)[:at_most]:
            if isinstance(write, PatchReplicaSet):
                name = write.replica_set.metadata.name
                self.sets[name] = patched(self.sets[name], write.patch)
            else:
                name = write.pod.metadata.name
                self.pods[name] = patched(self.pods[name], write.patch)
            made.append(name)
        return made

    def settle(self, strategy: Mapping[str, Any], *, blue_green: bool = False) -> list[str]:
        """Pass after pass until nothing is left to write."""
        made: list[str] = []
        for _ in range(4):
            if not (now := self.write(self.view(strategy, blue_green=blue_green))):
                return made
            made += now
        raise AssertionError(f"no end of writes: {made}")

    def record(self, hash_: str) -> str | None:
        return self.sets[hash_].metadata.annotations.get(names.EPHEMERAL_METADATA)

    def template_labels(self, hash_: str) -> dict[str, str]:
        labels: dict[str, str] = self.sets[hash_].spec.template["metadata"]["labels"]
        return {key: value for key, value in labels.items() if key != names.HASH_LABEL}

    def labels(self, pod: str) -> dict[str, str]:
        return {key: value for key, value in self.pods[pod].metadata.labels.items() if key != names.HASH_LABEL}


def patched(obj: T, patch: Mapping[str, Any]) -> T:
    """The object after a merge patch, as the API stores it: an empty table of annotations is none."""
    wire = apply_merge_patch(msgspec.to_builtins(obj), patch)
    if template := wire.get("spec", {}).get("template"):
        template["metadata"] = {key: table for key, table in template["metadata"].items() if table}
    return msgspec.convert(wire, type(obj))


def test_versions_get_the_metadata_of_their_roles_and_others_none() -> None:
    shop = Shop()
    shop.settle(TRACED)
    assert shop.record(shop.new) == '{"labels":{"role":"canary"},"annotations":{"note":"c"}}'
    assert shop.record("s") == '{"labels":{"role":"stable"}}'
    assert shop.record("o") is None
    assert shop.sets[shop.new].spec.template["metadata"]["annotations"] == {"note": "c"}
    assert [shop.template_labels(hash_).get("role") for hash_ in (shop.new, "s", "o")] == ["canary", "stable", None]
    assert [shop.labels(name)["role"] for name in ("new-0", "old-0", "old-1")] == ["canary", "stable", "stable"]
    assert shop.pods["new-0"].metadata.annotations == {"note": "c"}


@pytest.mark.parametrize("blue_green", [False, True])
def test_promotion_makes_them_change_roles(blue_green: bool) -> None:
    strategy = {"previewMetadata": CANARY, "activeMetadata": STABLE} if blue_green else TRACED
    shop = Shop()
    shop.settle(strategy, blue_green=blue_green)
    shop.stable = shop.new
    shop.settle(strategy, blue_green=blue_green)
    assert shop.record(shop.new) == '{"labels":{"role":"stable"}}'
    assert (shop.labels("new-0"), shop.pods["new-0"].metadata.annotations) == ({"app": "a", "role": "stable"}, {})
    assert shop.sets["s"] == shop.pristine[0]["s"]


def test_a_replica_set_is_written_before_its_pods_so_that_pods_born_meanwhile_are_right() -> None:
    shop = Shop()
    assert shop.write(shop.view(TRACED)) == [shop.new, "new-0", "s", "old-0", "old-1"]
    assert shop.write(shop.view(TRACED)) == []


def test_template_and_record_are_one_write() -> None:
    shop = Shop()
    (write, *_) = ephemeral_writes(shop.view(TRACED))
    assert isinstance(write, PatchReplicaSet)
    assert write.patch == {
        "metadata": {
            "annotations": {names.EPHEMERAL_METADATA: '{"labels":{"role":"canary"},"annotations":{"note":"c"}}'}
        },
        "spec": {"template": {"metadata": {"labels": {"role": "canary"}, "annotations": {"note": "c"}}}},
    }


def test_the_first_version_gets_the_stable_metadata() -> None:
    shop = Shop()
    shop.stable = ""
    shop.settle(TRACED)
    assert shop.record(shop.new) == '{"labels":{"role":"stable"}}'


def test_pods_are_mended_though_their_replica_set_needs_no_change() -> None:
    shop = Shop()
    shop.settle(TRACED)
    shop.pods["new-0"] = patched(shop.pods["new-0"], {"metadata": {"labels": {"role": None}}})
    assert shop.write(shop.view(TRACED)) == ["new-0"]
    assert shop.labels("new-0")["role"] == "canary"


def test_without_the_feature_no_pods_are_needed_and_nothing_is_written() -> None:
    view = Shop().view({})
    assert not needs_pods(view)
    assert ephemeral_writes(view) == ()


def test_replica_sets_that_want_no_pods_need_none_and_are_written_alone() -> None:
    shop = Shop()
    for hash_ in (shop.new, "s"):
        shop.sets[hash_] = patched(shop.sets[hash_], {"spec": {"replicas": 0}})
    assert not needs_pods(shop.view(TRACED))
    assert shop.write(shop.view(TRACED)) == [shop.new, "s"]


def test_metadata_that_is_asked_for_no_more_is_taken_off_with_its_record() -> None:
    shop = Shop()
    shop.settle(TRACED)
    assert needs_pods(shop.view({}))
    shop.settle({})
    assert (shop.sets, shop.pods) == shop.pristine
    assert not needs_pods(shop.view({}))


def test_changed_metadata_takes_the_place_of_the_former() -> None:
    shop = Shop()
    shop.stable = shop.new
    shop.settle(TRACED)
    shop.settle({**TRACED, "stableMetadata": {"labels": {"tier": "x"}}})
    assert shop.record(shop.new) == '{"labels":{"tier":"x"}}'
    assert shop.labels("new-0") == {"app": "a", "tier": "x"}


def test_what_others_put_on_a_pod_stays() -> None:
    shop = Shop()
    shop.pods["new-0"] = patched(
        shop.pods["new-0"], {"metadata": {"labels": {"mesh": "on"}, "annotations": {"a": "b"}}}
    )
    shop.settle(TRACED)
    shop.settle({})
    assert shop.labels("new-0") == {"app": "a", "mesh": "on"}
    assert shop.pods["new-0"].metadata.annotations == {"a": "b"}


def test_values_of_the_template_itself_come_back() -> None:
    shop = Shop(own={"labels": {"role": "shop"}})
    shop.settle(TRACED)
    assert shop.labels("new-0")["role"] == "canary"
    assert shop.record("s") == '{"labels":{"role":"stable"},"replaced":{"labels":{"role":"shop"}}}'
    assert runs_template(shop.sets[shop.new], shop.template)
    shop.settle({})
    assert (shop.sets, shop.pods) == shop.pristine


def test_what_the_template_says_already_is_not_recorded() -> None:
    shop = Shop(own={"labels": {"role": "canary"}, "annotations": {"note": "c"}})
    assert shop.settle({"canaryMetadata": CANARY}) == []


def test_labels_that_the_selector_needs_are_left_alone() -> None:
    """Argo Rollouts writes them, and the API server refuses the ReplicaSet in every pass."""
    shop = Shop(own={"labels": {"tier": "web"}})
    shop.spec["selector"]["matchExpressions"] = [
        {"key": "tier", "operator": "In", "values": ["web", "edge"]},
        {"key": "debug", "operator": "DoesNotExist"},
    ]
    hostile = {"app": "b", names.HASH_LABEL: "s", "debug": "yes", "tier": "db"}
    shop.settle({"canaryMetadata": {"labels": {**hostile, "role": "canary"}}})
    assert shop.sets[shop.new].spec.template["metadata"]["labels"] == {
        "app": "a",
        "tier": "web",
        "role": "canary",
        names.HASH_LABEL: shop.new,
    }
    shop.settle({"canaryMetadata": {"labels": {"tier": "edge"}}})
    assert shop.labels("new-0")["tier"] == "edge"


@pytest.mark.parametrize("kept", ["app", names.HASH_LABEL])
def test_a_record_of_labels_that_the_selector_needs_does_not_take_them_off(kept: str) -> None:
    """Argo Rollouts records every label it was given, also those that the template has anyway."""
    shop = Shop()
    before = shop.sets[shop.new].spec.template["metadata"]["labels"][kept]
    text = f'{{"labels":{{"{kept}":"{before}","role":"canary"}}}}'
    patch = {
        "metadata": {"annotations": {names.EPHEMERAL_METADATA: text}},
        "spec": {"template": {"metadata": {"labels": {"role": "canary"}}}},
    }
    shop.sets[shop.new] = patched(shop.sets[shop.new], patch)
    shop.pods["new-0"] = patched(shop.pods["new-0"], {"metadata": {"labels": {"role": "canary"}}})
    shop.settle({})
    assert (shop.sets, shop.pods) == shop.pristine


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{", '{"labels":{"role":1}}', "[" * 100_000, '{"x":' + "[" * 100_000]
)
def test_an_unreadable_record_counts_as_none_and_is_replaced(text: str) -> None:
    shop = Shop()
    unreadable = {"metadata": {"annotations": {names.EPHEMERAL_METADATA: text}}}
    shop.sets[shop.new] = patched(shop.sets[shop.new], unreadable)
    assert runs_template(shop.sets[shop.new], shop.template)
    shop.settle({})
    assert (shop.sets, shop.pods) == shop.pristine


@pytest.mark.parametrize("blue_green", [False, True])
@pytest.mark.parametrize(("stable", "role"), [("s", "canary"), ("", "stable")])
def test_a_replica_set_is_born_with_the_metadata_of_its_role(stable: str, role: str, blue_green: bool) -> None:
    shop = Shop()
    del shop.sets[shop.new]
    shop.stable = stable
    strategy = {"previewMetadata": CANARY, "activeMetadata": STABLE} if blue_green else TRACED
    view = shop.view(strategy, blue_green=blue_green)
    (create, *_) = create_replica_set(view)
    assert isinstance(create, CreateReplicaSet)
    assert create.manifest["metadata"]["labels"] == {"app": "a", names.HASH_LABEL: shop.new}
    assert create.manifest["spec"]["template"]["metadata"]["labels"]["role"] == role
    made = msgspec.convert({**create.manifest, "status": {}}, ReplicaSet)
    assert not name_taken(view, made)
    shop.sets[shop.new] = made
    assert shop.new not in shop.write(shop.view(strategy, blue_green=blue_green)), "it would be written right after"


def test_metadata_never_changes_the_hash_of_a_version() -> None:
    assert Shop().view(TRACED).template_hash == Shop().view({}).template_hash


LABELS = st.dictionaries(
    st.sampled_from(["role", "tier", "app", "note", names.HASH_LABEL]), st.sampled_from(["a", "b", ""]), max_size=3
)
METADATA = st.fixed_dictionaries({}, optional={"labels": LABELS, "annotations": LABELS})
STRATEGIES = st.fixed_dictionaries({}, optional={"canaryMetadata": METADATA, "stableMetadata": METADATA})
OWN = st.fixed_dictionaries(
    {},
    optional={
        "labels": st.dictionaries(st.sampled_from(["role", "tier"]), st.sampled_from(["a", "own"]), max_size=2),
        "annotations": st.dictionaries(st.sampled_from(["role", "note"]), st.sampled_from(["a", "own"]), max_size=2),
    },
)


@settings(deadline=None)
@given(
    OWN,
    st.lists(st.tuples(STRATEGIES, st.sampled_from(["", "s", "new"]), st.none() | st.integers(0, 5)), max_size=5),
)
def test_whatever_was_put_on_and_wherever_the_process_died_nothing_is_left_behind(
    own: Mapping[str, Any], story: list[tuple[Mapping[str, Any], str, int | None]]
) -> None:
    shop = Shop(own=own)
    for strategy, stable, at_most in story:
        shop.stable = shop.new if stable == "new" else stable
        shop.write(shop.view(strategy), at_most=at_most)
        for hash_, replica_set in shop.sets.items():
            labels = replica_set.spec.template["metadata"]["labels"]
            assert (labels["app"], labels[names.HASH_LABEL]) == ("a", hash_), "the API server refuses this"
            if hash_ == shop.new:
                assert runs_template(replica_set, shop.template)
        if at_most is None:
            shop.settle(strategy)
            assert {name: pod.metadata.labels for name, pod in shop.pods.items()} == {
                name: shop.sets[hash_].spec.template["metadata"]["labels"]
                for name, hash_ in (("new-0", shop.new), ("old-0", "s"), ("old-1", "s"))
            }
    shop.settle({})
    assert (shop.sets, shop.pods) == shop.pristine
