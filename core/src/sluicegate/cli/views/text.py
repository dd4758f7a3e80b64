"""Coloured text that knows how wide it is without its colour codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

PLAIN: Final = 0
RED: Final = 31
GREEN: Final = 32
YELLOW: Final = 33
BLUE: Final = 94


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of output: what is read, and what is written to show it."""

    plain: str = ""
    written: str = ""

    @classmethod
    def of(cls, plain: str) -> Text:
        """Text that is never coloured."""
        return cls(plain, plain)

    def __add__(self, other: Text | str) -> Text:
        more = Text.of(other) if isinstance(other, str) else other
        return Text(self.plain + more.plain, self.written + more.written)

    def padded(self, width: int) -> str:
        """As written, with blanks up to `width` characters as read."""
        return self.written + " " * (width - len(self.plain))


def join(separator: str, parts: Iterable[Text]) -> Text:
    """The parts one after another, `separator` between them."""
    first, *rest = list(parts) or [Text()]
    for part in rest:
        first = first + separator + part
    return first


@dataclass(frozen=True, slots=True)
class Palette:
    """Puts text in colour, or leaves it alone when colour is off."""

    on: bool

    def paint(self, text: Text | str, code: int) -> Text:
        """`text` in the ANSI colour `code`; code 0 is still wrapped, as the incumbent writes it (operations.md 1.3)."""
        text = Text.of(text) if isinstance(text, str) else text
        return Text(text.plain, f"\x1b[{code}m{text.written}\x1b[0m") if self.on else text
