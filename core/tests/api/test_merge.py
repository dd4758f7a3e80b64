"""Merge patches: what they say turns the old into the new, and they are empty when there is nothing to say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.api.merge import apply_merge_patch, merge_patch

plain = st.recursive(
    st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from("abcd"), plain, max_size=4)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        pytest.param({"a": 1, "b": 2}, {"b": None}, {"a": 1}, id="null removes"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}, id="objects merge"),
        pytest.param({"a": [1, 2]}, {"a": [3]}, {"a": [3]}, id="lists are replaced"),
        pytest.param({"a": "text"}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}, id="an object replaces a value"),
    ],
)
def test_what_a_patch_makes_of_a_document(target: Any, patch: Any, result: Any) -> None:
    assert apply_merge_patch(target, patch) == result


@given(objects, objects)
def test_applying_the_patch_gives_the_new_object(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert repr(sorted(apply_merge_patch(old, merge_patch(old, new)).items())) == repr(
        sorted(reordered(old, new).items())
    )


def reordered(old: Any, new: Any) -> Any:
    """The new object with its keys in the order that applying a patch to the old one leaves them in."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    keys = [key for key in old if key in new] + [key for key in new if key not in old]
    return {key: reordered(old.get(key), new[key]) for key in keys}


@given(objects)
def test_equal_objects_give_an_empty_patch(same: dict[str, Any]) -> None:
    assert merge_patch(same, same) == {}


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, {"a": {"c": 3}}, id="only what differs"),
        pytest.param({"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}, id="removed key is null"),
        pytest.param({"a": 1}, {}, {"a": None}, id="removed at the top"),
        pytest.param({"l": [1, 2]}, {"l": [1]}, {"l": [1]}, id="lists are replaced whole"),
        pytest.param({"a": 1}, {"a": True}, {"a": True}, id="true is not 1"),
        pytest.param({"l": [{"a": 1}]}, {"l": [{"a": True}]}, {"l": [{"a": True}]}, id="nor inside a list"),
        pytest.param({"a": None}, {}, {}, id="null and absent are one"),
        pytest.param({}, {"a": None}, {}, id="null in the new is absent"),
        pytest.param({"s": {}}, {"s": {"a": None}}, {}, id="nulls deeper down change nothing"),
        pytest.param({"a": "x"}, {"a": {"b": 1}}, {"a": {"b": 1}}, id="another type"),
    ],
)
def test_patch(old: dict[str, Any], new: dict[str, Any], patch: dict[str, Any]) -> None:
    assert repr(merge_patch(old, new)) == repr(patch)
