"""Merge patches: what they say turns the old into the new, and they are empty when there is nothing to say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.api.merge import merge_patch

plain = st.recursive(
    st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from("abcd"), plain, max_size=4)


def applied(target: Any, patch: Any) -> Any:
    """MergePatch of RFC 7386, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = applied(result.get(name), value)
    return result


@given(objects, objects)
def test_applying_the_patch_gives_the_new_object(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert repr(sorted(applied(old, merge_patch(old, new)).items())) == repr(sorted(reordered(old, new).items()))


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
