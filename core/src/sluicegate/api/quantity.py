"""Kubernetes quantities (`250m`, `1.5Gi`, `12e6`): their value, and the text that the typed API writes for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from sluicegate.api.gojson import number_text

QUANTITY_DETAIL: Final = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL_SUFFIXES: Final = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIXES: Final = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_BINARY: Final = {suffix: 10 * power for power, suffix in enumerate(_BINARY_SUFFIXES) if suffix}
_TEXT: Final = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eE][+-]?[0-9]+|[KMGTPE]i|[numkMGTPE]?)")
_NANO: Final = 10**9
_MAX_INT64: Final = 2**63 - 1
_MAX_EXPONENT: Final = 300


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount: `nanos`, its value in billionths (rounded away from zero), and `text`, its canonical form."""

    nanos: int
    text: str

    @property
    def is_whole(self) -> bool:
        """Whether it has no fraction."""
        return self.nanos % _NANO == 0


@dataclass(frozen=True, slots=True)
class _Parts:
    """A quantity's text taken apart; `family` is `binary`, `decimal` or `exponent`, `power` of 2 or of 10."""

    sign: int
    whole: str
    fraction: str
    family: str
    power: int

    @property
    def digits(self) -> str:
        return (self.whole or "0") + self.fraction


def parse_quantity(value: Any) -> Quantity:
    """A quantity from its JSON value, text or number. Raises ValueError (`QUANTITY_DETAIL`) for anything else."""
    text = _text_of(value)
    parts = _split(text)
    nanos = _nanos(parts)
    return Quantity(nanos, text if _is_kept(parts) else _canonical(nanos, parts.family))


def canonical_quantity(value: Any) -> str:
    """The text that the typed API writes for a quantity. Raises ValueError as `parse_quantity` does."""
    return parse_quantity(value).text


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    raise ValueError(QUANTITY_DETAIL)


def _split(text: str) -> _Parts:
    match = _TEXT.fullmatch(text)
    if not match or not any(character.isdigit() for character in text[: match.start(4)]):
        raise ValueError(QUANTITY_DETAIL)
    sign = -1 if match[1] == "-" else 1
    return _Parts(sign, match[2], match[3] or "", *_family(match[4]))


def _family(suffix: str) -> tuple[str, int]:
    if suffix in _DECIMAL:
        return "decimal", _DECIMAL[suffix]
    if suffix in _BINARY:
        return "binary", _BINARY[suffix]
    exponent = int(suffix[1:])
    if abs(exponent) > _MAX_EXPONENT:
        raise ValueError(QUANTITY_DETAIL)
    return "exponent", exponent


def _nanos(parts: _Parts) -> int:
    value = int(parts.digits) << (parts.power if parts.family == "binary" else 0)
    exponent = 9 - len(parts.fraction) + (0 if parts.family == "binary" else parts.power)
    scale = int(10 ** abs(exponent))
    nanos = value * scale if exponent >= 0 else -(-value // scale)
    return parts.sign * (min(nanos, _MAX_INT64 * _NANO) if parts.family == "binary" else nanos)


def _is_kept(parts: _Parts) -> bool:
    """Whether the text counts as canonical and is written back as given, a sign and leading zeros with it."""
    if parts.family == "binary":
        small = 15 - len(parts.digits) - parts.power * 3 // 10 - 1 >= 0
        return small and not parts.fraction and int(parts.digits) % 8 != 0
    scale = parts.power - len(parts.fraction)
    if len(parts.digits) > 18 or scale < -9 or scale % 3 != 0:
        return False
    return not parts.digits.endswith("000") and not parts.digits.startswith("0")


def _canonical(nanos: int, family: str) -> str:
    if nanos == 0:
        return "0"
    if family == "binary" and nanos % _NANO == 0 and abs(nanos) >= 1024 * _NANO:
        return _binary_text(nanos // _NANO)
    return _decimal_text(nanos, "decimal" if family == "binary" else family)


def _binary_text(value: int) -> str:
    power = 0
    while value % 1024 == 0:
        value //= 1024
        power += 1
    return f"{value}{_BINARY_SUFFIXES[power]}"


def _decimal_text(nanos: int, family: str) -> str:
    exponent = -9
    while nanos % 1000 == 0:
        nanos //= 1000
        exponent += 3
    if family == "decimal" and exponent in _DECIMAL_SUFFIXES:
        return f"{nanos}{_DECIMAL_SUFFIXES[exponent]}"
    return f"{nanos}e{exponent}" if exponent else str(nanos)
