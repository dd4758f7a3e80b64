"""Times and spans of time as Kubernetes prints them (operations.md 1.3, the paragraph on AGE)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

# Upstream subtracts from the zero time and ends at the longest span it can hold.
ENDLESS: Final = "292y"

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_YEAR = 365 * _DAY


def parse_time(value: str) -> datetime | None:
    """The instant of a strict RFC 3339 text, None if it is anything else."""
    match = _RFC3339.fullmatch(value)
    if match is None:
        return None
    fraction = (match[1] or "")[:7].replace(",", ".")
    try:
        return datetime.fromisoformat(value[:19] + fraction + match[2])
    except ValueError:
        return None


def short(seconds: float) -> str:
    """A span in at most two units, cut off and not rounded: `95s`, `9m12s`, `41d`, `2y5d`."""
    total = int(seconds)
    if total < 0:
        return "0s" if total == -1 else "<invalid>"
    if total < 8 * _HOUR:
        return _hours(total)
    return _days(total)


def _hours(total: int) -> str:
    if total < 2 * _MINUTE:
        return f"{total}s"
    if total < 10 * _MINUTE:
        return _pair(total, _MINUTE, "m", 1, "s")
    if total < 3 * _HOUR:
        return f"{total // _MINUTE}m"
    return _pair(total, _HOUR, "h", _MINUTE, "m")


def _days(total: int) -> str:
    if total < 2 * _DAY:
        return f"{total // _HOUR}h"
    if total < 8 * _DAY:
        return _pair(total, _DAY, "d", _HOUR, "h")
    if total < 2 * _YEAR:
        return f"{total // _DAY}d"
    if total < 8 * _YEAR:
        return _pair(total, _YEAR, "y", _DAY, "d")
    return f"{total // _YEAR}y"


def _pair(total: int, unit: int, letter: str, smaller: int, small_letter: str) -> str:
    rest = total % unit // smaller
    return f"{total // unit}{letter}" + (f"{rest}{small_letter}" if rest else "")


def age(since: str, now: datetime) -> str:
    """The short span from the RFC 3339 text `since` to `now`."""
    start = parse_time(since)
    return ENDLESS if start is None else short((now - start).total_seconds())
