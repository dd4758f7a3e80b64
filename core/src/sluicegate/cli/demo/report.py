"""What came of a demo: the table of its steps, for people and as JSON, and whether all went well."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

if TYPE_CHECKING:
    from sluicegate.cli.demo.example import Version
    from sluicegate.cli.demo.ledger import Entry, Ledger

MOST_REASONS = 3


def rows(ledger: Ledger, new: Version) -> list[dict[str, Any]]:
    """The table as plain values: weights and shares in percent of the new version, a share without any answer null."""
    return [_row(entry, new) for entry in ledger.entries]


def as_json(ledger: Ledger, new: Version) -> str:
    """The table as a JSON list."""
    return json.dumps(rows(ledger, new), indent=2)


def table(ledger: Ledger, new: Version) -> Table:
    """The table for people, with a line of totals."""
    drawn = Table(box=box.SIMPLE_HEAD, show_footer=True, show_edge=False, pad_edge=False)
    drawn.add_column("Step", "Total")
    drawn.add_column("Wanted", justify="right")
    drawn.add_column("Measured", justify="right")
    drawn.add_column("Requests", f"{ledger.requests:,}", justify="right")
    drawn.add_column("Failures", f"{ledger.failed:,}", justify="right")
    for entry in ledger.entries:
        share = entry.share(new.colour)
        measured = "-" if share is None else f"{share:.1f} %"
        drawn.add_row(entry.step, f"{entry.weight} %", measured, f"{entry.requests:,}", f"{entry.failures:,}")
    return drawn


def success(ledger: Ledger, new: Version) -> str:
    """The last line of a demo that went well."""
    return f"None of {ledger.requests:,} requests failed, and every answer now comes from {new.colour}."


def problem(ledger: Ledger, new: Version) -> str:
    """What went wrong, in a line; empty if no request failed and all traffic ended on the new version."""
    if ledger.failed:
        return f"{ledger.failed:,} of {ledger.requests:,} requests failed: {_reasons(ledger)}"
    last = ledger.current
    strays = last.measured - last.answers[new.colour]
    if strays:
        return f"{strays:,} of {last.measured:,} answers after the update did not come from {new.colour}"
    return "" if last.measured else "no request was answered after the update"


def _row(entry: Entry, new: Version) -> dict[str, Any]:
    share = entry.share(new.colour)
    return {
        "step": entry.step,
        "weight": entry.weight,
        "share": None if share is None else round(share, 2),
        "measured": entry.measured,
        "requests": entry.requests,
        "failures": entry.failures,
    }


def _reasons(ledger: Ledger) -> str:
    return ", ".join(f"{count:,} × {reason}" for reason, count in ledger.failures.most_common(MOST_REASONS))
