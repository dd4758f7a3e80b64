"""The books of the demo: who answered each request, entered under the step in which it was sent."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

# Some turns of the rotation over five pods, and not much more than half a second.
RECENT: Final = 100


class Reply(NamedTuple):
    """What came of a request: the colour that answered, or else why it counts as failed."""

    colour: str = ""
    failure: str = ""


@dataclass(slots=True)
class Entry:
    """One step: all requests sent in it, and the answers to those that were sent once it had settled."""

    step: str
    weight: int
    settled: bool = False
    requests: int = 0
    failures: int = 0
    answers: Counter[str] = field(default_factory=Counter)

    @property
    def measured(self) -> int:
        """How many answers the share is measured on."""
        return self.answers.total()

    def share(self, colour: str) -> float | None:
        """The share of answers of that colour in percent, None without any answer."""
        return 100 * self.answers[colour] / self.measured if self.measured else None


class Ticket(NamedTuple):
    """A request under way: its step, and whether its answer is to be measured."""

    entry: Entry
    measured: bool


class Ledger:
    """All requests of a demo. It opens with the traffic before the update."""

    def __init__(self) -> None:
        self.entries = [Entry("before", 0, settled=True)]
        self.failures: Counter[str] = Counter()
        self._recent: deque[str] = deque(maxlen=RECENT)

    @property
    def current(self) -> Entry:
        """The step in which requests are sent now."""
        return self.entries[-1]

    @property
    def requests(self) -> int:
        """All requests that have come to an end."""
        return sum(entry.requests for entry in self.entries)

    @property
    def failed(self) -> int:
        """All requests that failed."""
        return self.failures.total()

    @property
    def counts(self) -> str:
        """How many requests there were, and how many of them failed, in words."""
        return f"{self.requests:,} requests, {f'{self.failed:,}' if self.failed else 'none'} failed"

    def begin(self, step: str, weight: int) -> None:
        """Enter what is sent from now on under this step; it has yet to settle."""
        self.entries.append(Entry(step, weight))

    def settle(self) -> None:
        """Measure what is sent from now on: the pods of the step are in place."""
        self.current.settled = True

    def open(self) -> Ticket:
        """A request is about to be sent."""
        return Ticket(self.current, self.current.settled)

    def close(self, ticket: Ticket, reply: Reply) -> None:
        """A request has come to an end."""
        ticket.entry.requests += 1
        if reply.failure:
            ticket.entry.failures += 1
            self.failures[reply.failure] += 1
            return
        self._recent.append(reply.colour)
        if ticket.measured:
            ticket.entry.answers[reply.colour] += 1

    def recent_share(self, colour: str) -> float:
        """The share of that colour in the last answers, in percent; 0 before the first."""
        return 100 * self._recent.count(colour) / len(self._recent) if self._recent else 0.0
