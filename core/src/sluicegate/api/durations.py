"""Durations as manifests write them: whole seconds, or text in Go's notation (`90s`, `1h30m`, `1.5h`)."""

from __future__ import annotations

import re
from typing import Final

from sluicegate.api.model import is_int32

_NANOSECONDS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART: Final = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h)"
_DURATION: Final = re.compile(rf"([+-]?)((?:{_PART})+)")
_PARTS: Final = re.compile(r"([0-9]*)\.?([0-9]*)(ns|us|µs|μs|ms|s|m|h)")
_LONGEST: Final = 30
"""Digits that count: more than any 64-bit number has, and few enough for every conversion."""
_INTEGER: Final = re.compile(rf"([+-]?)0*([0-9]{{1,{_LONGEST}}})")
_MAX_INT64: Final = 2**63 - 1
_MIN_INT32: Final = -(2**31)


def parse_integer(text: str) -> int | None:
    """A base-10 number with an optional sign and nothing else, or None; None too for one of more than 30 digits."""
    match = _INTEGER.fullmatch(text)
    return int(match[1] + match[2]) if match else None


def parse_duration(text: str) -> int | None:
    """A Go duration in nanoseconds, or None for text that is none or passes 64 bits."""
    if text in ("0", "+0", "-0"):
        return 0
    match = _DURATION.fullmatch(text)
    if not match:
        return None
    total = sum(_part_nanoseconds(*part) for part in _PARTS.findall(match[2]))
    if match[1] == "-":
        return -total if total <= _MAX_INT64 + 1 else None
    return total if total <= _MAX_INT64 else None


def _part_nanoseconds(whole: str, fraction: str, unit: str) -> int:
    scale = _NANOSECONDS[unit]
    # A whole number cut to so many digits is still far beyond 64 bits; what a fraction loses is below a nanosecond.
    whole, fraction = whole.lstrip("0")[:_LONGEST], fraction[:_LONGEST]
    return int(whole or "0") * scale + int(fraction or "0") * scale // int(10 ** len(fraction))


def pause_seconds(duration: int | str) -> int:
    """The seconds of a pause step: a number as it is, a text as base-10 number or Go duration cut toward zero.

    Text that is neither gives -1, whole seconds beyond 32 bits the smallest 32-bit number (rollout 1.5).
    """
    if isinstance(duration, int):
        return duration
    number = parse_integer(duration)
    if number is not None:
        return number if is_int32(number) else -1
    nanoseconds = parse_duration(duration)
    if nanoseconds is None:
        return -1
    seconds = abs(nanoseconds) // _NANOSECONDS["s"] * (1 if nanoseconds >= 0 else -1)
    return seconds if is_int32(seconds) else _MIN_INT32
