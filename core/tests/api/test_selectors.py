"""Label selectors: what they match and how they are printed."""

from typing import Any

import pytest

from sluicegate.api import foreign
from sluicegate.api.metadata import LabelSelector
from sluicegate.api.selectors import format_selector, matches, matches_labels


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
