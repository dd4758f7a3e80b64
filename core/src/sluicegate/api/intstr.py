"""Numbers that may be percentages: `maxSurge: 1`, `maxSurge: "25%"` (rollout 0)."""

from __future__ import annotations

from sluicegate.api.durations import parse_integer


def percentage(text: str) -> int | None:
    """The number of a percentage, however many `%` are in it (`5`, `5%` and `5%%` are the same); None for no number."""
    return parse_integer(text.replace("%", ""))


def scaled_value(value: int | str, total: int, *, round_up: bool) -> int:
    """An absolute number as it is, a percentage as that share of `total`, rounded up or down.

    Every string is a percentage, also without `%`. Raises ValueError for a string that is no number.
    """
    if isinstance(value, int):
        return value
    percent = percentage(value)
    if percent is None:
        raise ValueError(f"invalid value for IntOrString: invalid type: {value!r} is not a percentage")
    product = percent * total
    return -(-product // 100) if round_up else product // 100
