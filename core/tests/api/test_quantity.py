"""Quantities: the text that the typed Kubernetes API writes for them, and their value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.api.quantity import canonical_quantity, parse_quantity


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("0", "0"),
        ("00", "0"),
        ("-0", "0"),
        ("0Ki", "0"),
        ("1", "1"),
        ("+2", "+2"),
        ("02", "02"),
        ("+2000m", "2"),
        ("-1", "-1"),
        ("2000m", "2"),
        ("1500m", "1500m"),
        ("0.15", "150m"),
        (".5", "500m"),
        ("1000M", "1G"),
        ("100M", "100M"),
        ("1024Ki", "1Mi"),
        ("1000Ki", "1000Ki"),
        ("1.5Gi", "1536Mi"),
        ("0.1Gi", "107374182400m"),
        ("0.5Ki", "512"),
        ("12e6", "12e6"),
        ("1e3", "1e3"),
        ("0.5e3", "500"),
        ("1E3", "1E3"),
        ("5E", "5E"),
        ("0.0000000001", "1n"),
        ("1.0000000001", "1000000001n"),
        (1, "1"),
        (0.5, "500m"),
        (1000.0, "1k"),
    ],
)
def test_the_canonical_text(given: Any, canonical: str) -> None:
    assert canonical_quantity(given) == canonical


@pytest.mark.parametrize("text", ["", "bad", ".", "+", "1ki", "1 Gi", "1e", "--1", "1Gim", "1e999", True, None, [], {}])
def test_what_is_no_quantity_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        parse_quantity(text)


def test_values_compare_across_notations() -> None:
    assert parse_quantity("1Gi").nanos > parse_quantity("1G").nanos
    assert parse_quantity("0.5").nanos == parse_quantity("500m").nanos == parse_quantity("5e-1").nanos


@given(st.integers(-(10**12), 10**12), st.sampled_from(["", "n", "u", "m", "k", "M", "Ki", "Mi", "Gi", "e3", "E-3"]))
def test_the_canonical_text_means_the_same_and_is_stable(number: int, suffix: str) -> None:
    quantity = parse_quantity(f"{number}{suffix}")
    again = parse_quantity(quantity.text)
    assert again.nanos == quantity.nanos
    assert again.text == quantity.text
