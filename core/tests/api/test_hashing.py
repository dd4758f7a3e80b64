"""The hashes equal those of Argo Rollouts, so a live cluster can change over without new pods or repeated steps."""

import json
from pathlib import Path
from typing import Any

import pytest

from sluicegate.api.hashing import pod_template_hash, step_hash

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/hashes.json").read_text(encoding="utf-8"))
COLLISIONS = [case for case in VECTORS["templates"] if "hashCollision1" in case]


@pytest.mark.parametrize("case", VECTORS["templates"], ids=lambda case: case["hash"])
def test_a_pod_template_has_the_incumbents_hash(case: dict[str, Any]) -> None:
    assert pod_template_hash(case["template"]) == case["hash"]


@pytest.mark.parametrize("case", COLLISIONS, ids=lambda case: case["hashCollision1"])
def test_a_collision_changes_the_hash_as_the_incumbents(case: dict[str, Any]) -> None:
    assert pod_template_hash(case["template"], 1) == case["hashCollision1"]


@pytest.mark.parametrize("case", VECTORS["steps"], ids=lambda case: case["hash"])
def test_a_list_of_steps_has_the_incumbents_hash(case: dict[str, Any]) -> None:
    assert step_hash(case["steps"]) == case["hash"]


def test_the_documented_hashes() -> None:
    amounts = {"limits": {"cpu": "2", "memory": "8192M"}, "requests": {"cpu": "0.15", "memory": "8192M"}}
    container = {"name": "container-name", "image": "foo/bar", "resources": amounts}
    template = {"metadata": {"labels": {"foo": "bar"}}, "spec": {"containers": [container]}}
    assert pod_template_hash(template) == "6f496f9f78"
    assert step_hash([{"pause": {}}]) == "6b9b86fbd5"
    assert step_hash([{"pause": {}}, {"pause": {}}]) == "79c9b9f6bf"


def test_no_list_of_steps_differs_from_an_empty_one() -> None:
    assert step_hash(None) == "5ffbfbbd64"
    assert step_hash([]) == "5f8cb5778f"


def test_a_number_and_its_text_are_different_steps() -> None:
    assert step_hash([{"pause": {"duration": 10}}]) != step_hash([{"pause": {"duration": "10"}}])


def test_members_that_kubernetes_does_not_know_do_not_count() -> None:
    known = {"spec": {"containers": [{"name": "a"}]}}
    unknown = {"bogus": 1, "spec": {"bogus": True, "containers": [{"name": "a", "bogus": "x"}]}}
    assert pod_template_hash(known) == pod_template_hash(unknown)


def test_a_collision_count_of_zero_is_not_the_same_as_none() -> None:
    template = {"spec": {"containers": [{"name": "a"}]}}
    assert pod_template_hash(template, 0) != pod_template_hash(template, None)
