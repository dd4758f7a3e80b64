"""What an explanation is made of."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should know, in full sentences.

    `what` is the case, `waiting_for` what ends it, `since` when it began (None: not known), `next` what then comes by
    itself, `actions` what a person can do, each with its command.
    """

    what: str
    waiting_for: str = ""
    since: datetime | None = None
    next: str = ""
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of plain facts: a label of one word, and a text."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The findings, the one that matters most first, at least one; and the facts behind them."""

    findings: tuple[Finding, ...]
    facts: tuple[Fact, ...] = ()

    @property
    def headline(self) -> str:
        """The sentence that matters most."""
        return self.findings[0].what
