"""Label selectors: what they match, and how they are written and read as text."""

import re
from typing import Any

import pytest

from sluicegate.api import foreign
from sluicegate.api.metadata import LabelSelector
from sluicegate.api.selector_text import parse_selector
from sluicegate.api.selectors import anchor, format_selector, matches, matches_labels
from sluicegate.errors import BadRequest


def selector(*expressions: tuple[str, str, list[str]], **labels: str) -> LabelSelector:
    members: list[dict[str, Any]] = [{"key": key, "operator": op, "values": values} for key, op, values in expressions]
    return LabelSelector.model_validate({"matchLabels": labels, "matchExpressions": members})


@pytest.mark.parametrize(
    ("wanted", "labels", "expected"),
    [
        (selector(app="web"), {"app": "web", "x": "y"}, True),
        (selector(app="web"), {"app": "db"}, False),
        (selector(app="web"), {}, False),
        (selector(), {"app": "web"}, True),
        (None, {"app": "web"}, False),
        (selector(("app", "In", ["a", "b"])), {"app": "b"}, True),
        (selector(("app", "In", ["a", "b"])), {}, False),
        (selector(("app", "NotIn", ["a"])), {"app": "b"}, True),
        (selector(("app", "NotIn", ["a"])), {}, True),
        (selector(("app", "NotIn", ["a"])), {"app": "a"}, False),
        (selector(("app", "Exists", [])), {"app": ""}, True),
        (selector(("app", "DoesNotExist", [])), {"app": ""}, False),
        (selector(("app", "DoesNotExist", [])), {}, True),
    ],
)
def test_matching(wanted: LabelSelector | None, labels: dict[str, str], expected: bool) -> None:
    assert matches(wanted, labels) is expected


def test_a_service_without_selector_selects_nothing() -> None:
    assert matches_labels({"a": "b"}, {"a": "b", "c": "d"})
    assert not matches_labels({"a": "b"}, {"a": "c"})
    assert not matches_labels({}, {"a": "b"})


def test_text_is_sorted_by_key() -> None:
    wanted = selector(("tier", "In", ["b", "a"]), ("old", "DoesNotExist", []), ("live", "Exists", []), z="1", app="web")
    assert format_selector(wanted) == "app=web,live,!old,tier in (a,b),z=1"
    assert format_selector(selector(("a", "NotIn", ["x"]))) == "a notin (x)"
    assert format_selector(selector()) == format_selector(None) == "<none>"


def test_the_slim_structs_are_selectors_too() -> None:
    replica_set = foreign.decode_replica_set(b'{"spec":{"selector":{"matchLabels":{"app":"web"}}}}')
    assert matches(replica_set.spec.selector, {"app": "web"})
    assert format_selector(replica_set.spec.selector) == "app=web"


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("", {}, True),
        ("app=web,tier in (a, b),!old,live", {"app": "web", "tier": "b", "live": ""}, True),
        ("app=web,tier in (a, b)", {"app": "web", "tier": "c"}, False),
        ("app==web", {"app": "web"}, True),
        ("app!=web", {}, True),
        ("app!=web", {"app": "web"}, False),
        ("app notin (web)", {"app": "web"}, False),
        ("app=", {"app": ""}, True),
        ("!old", {"old": ""}, False),
        ("size>5", {"size": "6"}, True),
        ("size>5", {"size": "5"}, False),
        ("size<5", {"size": "-1"}, True),
        ("size<5", {"size": "small"}, False),
        ("size<5", {}, False),
    ],
)
def test_selectors_read_from_text(text: str, labels: dict[str, str], expected: bool) -> None:
    assert matches(parse_selector(text), labels) is expected


@pytest.mark.parametrize("text", ["a b", "a in b", "a>x", "=a", "a in (b", "/"])
def test_text_that_is_no_selector_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest, match=f"unable to parse label selector {re.escape(repr(text))}"):
        parse_selector(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("x,app in (web)", ("app", "web")), ("app in (a,b)", None), ("app!=a", None), ("", None)]
)
def test_a_label_that_all_selected_objects_have(text: str, expected: tuple[str, str] | None) -> None:
    assert anchor(parse_selector(text)) == expected
