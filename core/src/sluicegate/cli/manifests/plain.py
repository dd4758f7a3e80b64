"""What a file may hold, so that no short text becomes billions of values or ends the process."""

from __future__ import annotations

import math
from typing import Any, Final

from sluicegate.api.gojson import number_text
from sluicegate.cli.failure import CommandError

DEEPEST: Final = 200
TOO_DEEP: Final = "the file is nested too deeply"
_MOST_VALUES: Final = 500_000
_CONVERTING: Final = "error converting YAML to JSON:"


class Unholdable(Exception):
    """A document contains itself, is too deep, or stands for too much."""


def plain(document: Any) -> Any:
    """A document as JSON holds it, each value a copy, members sorted by name.

    Raises Unholdable, and CommandError for a value or a name that JSON has no word for.
    """
    return _Copy().of(document, ())


class _Copy:
    """One document's copy, and how many values it has so far."""

    def __init__(self) -> None:
        self._values = 0

    def of(self, value: Any, above: tuple[int, ...]) -> Any:
        """A value as plain data; `above` are the identities of what it is in."""
        self._values += 1
        if id(value) in above:
            raise Unholdable("an anchor's value contains itself")
        if self._values > _MOST_VALUES:
            raise Unholdable("document contains excessive aliasing")
        if len(above) > DEEPEST:
            raise Unholdable(TOO_DEEP)
        if isinstance(value, dict):
            named = {_name(key): item for key, item in value.items()}
            return {name: self.of(named[name], (*above, id(value))) for name in sorted(named)}
        if isinstance(value, list):
            return [self.of(item, (*above, id(value))) for item in value]
        return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        shown = "NaN" if math.isnan(value) else f"{value:+}".replace("inf", "Inf")
        raise CommandError(f"{_CONVERTING} json: unsupported value: {shown}")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise CommandError(f"{_CONVERTING} unsupported value: {value}")


def _name(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int | float):
        return number_text(key)
    if isinstance(key, str):
        return key
    raise CommandError(f"{_CONVERTING} unsupported map key: {key}")
