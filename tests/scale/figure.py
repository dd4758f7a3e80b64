"""A row of the table that the benchmark prints."""

from typing import NamedTuple


class Figure(NamedTuple):
    """What was done, what it came to, what it should at most come to, and where it went."""

    work: str
    measured: str
    goal: str
    note: str = ""

    def __str__(self) -> str:
        return f"| {self.work} | {self.goal} | {self.measured} | {self.note} |"
