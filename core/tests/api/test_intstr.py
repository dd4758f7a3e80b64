"""Numbers that may be percentages."""

import pytest

from sluicegate.api.intstr import scaled_value


@pytest.mark.parametrize(
    ("value", "total", "up", "down"),
    [
        (3, 10, 3, 3),
        ("25%", 10, 3, 2),
        ("25", 10, 3, 2),
        ("25%%", 10, 3, 2),
        ("0%", 10, 0, 0),
        ("150%", 3, 5, 4),
        ("-10%", 15, -1, -2),
    ],
)
def test_percentages_of_a_total(value: int | str, total: int, up: int, down: int) -> None:
    assert scaled_value(value, total, round_up=True) == up
    assert scaled_value(value, total, round_up=False) == down


@pytest.mark.parametrize("value", ["", "abc", "1.5%", "%", " 5"])
def test_what_is_no_percentage_is_an_error(value: str) -> None:
    with pytest.raises(ValueError, match="invalid value for IntOrString"):
        scaled_value(value, 10, round_up=True)
