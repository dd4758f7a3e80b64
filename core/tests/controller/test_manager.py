"""What the controller reads from documents that nothing has checked yet."""

from typing import Any

import pytest

from sluicegate.controller.orphans import named_services


def services(spec: Any) -> set[str]:
    return named_services({"spec": spec})


def test_all_services_of_a_strategy_are_found() -> None:
    canary = {"canaryService": "shop-canary", "stableService": "shop-stable"}
    blue_green = {"activeService": "shop-active", "previewService": "shop-preview"}
    assert services({"strategy": {"canary": canary}}) == {"shop-canary", "shop-stable"}
    assert services({"strategy": {"blueGreen": blue_green}}) == {"shop-active", "shop-preview"}


@pytest.mark.parametrize(
    "spec",
    [
        None,
        "x",
        [1],
        {"strategy": None},
        {"strategy": "canary"},
        {"strategy": ["canary"]},
        {"strategy": {"canary": 1, "blueGreen": ["x"]}},
        {"strategy": {"canary": {"canaryService": 5, "stableService": {"name": "x"}}}},
    ],
)
def test_a_strategy_of_the_wrong_form_names_none(spec: Any) -> None:
    assert services(spec) == set()
