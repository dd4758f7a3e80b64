"""Rows of cells lined up in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sluicegate.cli.views.text import Text


def align(rows: Sequence[Sequence[Text]]) -> list[str]:
    """One line a row, two blanks between columns, the last column as it is; widths count characters without colour."""
    widths = [max(len(cell.plain) for cell in column) for column in zip(*rows, strict=True)][:-1]
    return [_line(row, widths) for row in rows]


def _line(row: Sequence[Text], widths: Sequence[int]) -> str:
    *front, last = row
    return "".join(cell.padded(width + 2) for cell, width in zip(front, widths, strict=True)) + last.written
