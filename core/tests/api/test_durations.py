"""Durations of pauses: numbers, numbers as text, and Go durations."""

import json
from pathlib import Path

import pytest

from sluicegate.api.durations import parse_duration, parse_integer, pause_seconds
from sluicegate.api.rollout import Pause

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/validation.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", VECTORS["pauseDurations"], ids=lambda case: repr(case["duration"]))
def test_refused_durations_show_the_incumbents_number(case: dict[str, int | str | None]) -> None:
    assert case["duration"] is not None
    seconds = pause_seconds(case["duration"])
    assert (seconds if seconds < 0 else None) == case["refusedAs"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1h30m", 5400), ("1.5h", 5400), ("+5", 5), ("-0.5s", 0), ("1999ms", 1), ("1m1µs", 60), ("0", 0)],
)
def test_seconds_are_cut_toward_zero(text: str, seconds: int) -> None:
    assert pause_seconds(text) == seconds


def test_a_pause_without_duration_has_no_seconds() -> None:
    assert Pause().seconds is None
    assert Pause(duration=0).seconds == 0


@pytest.mark.parametrize("text", ["5", "s", ".s", "5 s", "1h 30m", "--1s", "9223372036854775808ns", "1d"])
def test_what_is_no_go_duration(text: str) -> None:
    assert parse_duration(text) is None


def test_go_durations_in_nanoseconds() -> None:
    assert parse_duration("1h1m1s1ms1us1ns") == 3_661_001_001_001
    assert parse_duration("-9223372036854775808ns") == -(2**63)
    assert parse_duration(".5s") == parse_duration("500.ms") == 500_000_000


MANY = "9" * 5000


@pytest.mark.parametrize("text", [MANY, f"-{MANY}", f"{MANY}s", f"1h{MANY}ns", f"{MANY}.{MANY}h"])
def test_numbers_too_long_for_any_integer_are_refused_as_pauses(text: str) -> None:
    assert parse_integer(text) is None
    assert parse_duration(text) is None
    assert pause_seconds(text) == -1


def test_a_long_fraction_is_cut() -> None:
    assert parse_duration(f"0.{MANY}s") == 999_999_999
    assert parse_duration(f".{'3' * 5000}h") == 1_199_999_999_999


@pytest.mark.parametrize(
    ("text", "number"), [("0" * 5000, 0), (f"-{'0' * 5000}7", -7), ("+" + "1" * 30, int("1" * 30))]
)
def test_leading_zeros_do_not_count(text: str, number: int) -> None:
    assert parse_integer(text) == number
    assert parse_duration(f"{text}ns") in (number, None)
