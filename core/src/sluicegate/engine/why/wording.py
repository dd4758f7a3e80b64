"""Numbers, spans, times and lists in words."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
_SAME_DAY_SECONDS: Final = 12 * 3600


def count(number: int, noun: str) -> str:
    """`1 pod`, `2 pods`, `no pod`."""
    return f"{number or 'no'} {noun}{'s' if number > 1 else ''}"


def does(number: int, noun: str, one: str, many: str) -> str:
    """A number of things and its verb: `1 pod has`, `2 pods have`."""
    return f"{count(number, noun)} {one if number == 1 else many}"


def span(seconds: float) -> str:
    """A span in at most two units: `4 minutes 12 seconds`, `3 hours`, `0 seconds`."""
    left, parts = max(0, int(seconds)), []
    for unit, length in _UNITS:
        amount, left = divmod(left, length)
        if amount:
            parts.append(f"{amount} {unit}{'s' if amount > 1 else ''}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 seconds"


def clock(time: datetime, now: datetime) -> str:
    """A time of day in UTC, with its date where that is not plain."""
    utc = time.astimezone(UTC)
    if abs((time - now).total_seconds()) < _SAME_DAY_SECONDS:
        return f"{utc:%H:%M:%S} UTC"
    return f"{utc:%Y-%m-%d %H:%M:%S} UTC"


def until(time: datetime, now: datetime) -> str:
    """A time to come and how far it is: `at 03:09:05 UTC, in 4 minutes 12 seconds`."""
    if time <= now:
        return "now"
    return f"at {clock(time, now)}, in {span((time - now).total_seconds())}"


def ago(time: datetime, now: datetime) -> str:
    """A time gone by and how long ago it was: `03:04:05 UTC, 4 minutes ago`."""
    return f"{clock(time, now)}, {span((now - time).total_seconds())} ago"


def enumerate_all(texts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))


def sentence(text: str) -> str:
    """A text of someone else as a sentence: it begins as it is, and ends with a full stop."""
    stripped = text.strip()
    return stripped if stripped.endswith((".", "!", "?")) else f"{stripped}."


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]
