"""The tables of `list rollouts` and `list experiments` (operations.md 1.6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sluicegate.api.durations import parse_duration
from sluicegate.cli.views.durations import age, parse_time, short
from sluicegate.cli.views.fields import member, name_of, number, text
from sluicegate.cli.views.overview import strategy_name
from sluicegate.cli.views.phase import client_phase
from sluicegate.cli.views.table import align
from sluicegate.cli.views.text import Text
from sluicegate.cli.views.weights import set_weight, step

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sluicegate.cli.views.fields import Object

_COMPLETED: Final = frozenset({"Successful", "Failed", "Error", "Inconclusive"})


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and the width that its cells have at least."""

    title: str
    width: int


_TIMESTAMP: Final = Column("TIMESTAMP", 20)
_NAMESPACE: Final = Column("NAMESPACE", 9)
_ROLLOUT: Final = (
    Column("NAME", 10),
    Column("STRATEGY", 9),
    Column("STATUS", 12),
    Column("STEP", 4),
    Column("SET-WEIGHT", 10),
    Column("READY", 5),
    Column("DESIRED", 7),
    Column("UP-TO-DATE", 10),
    Column("AVAILABLE", 9),
)
_EXPERIMENT: Final = (
    Column("NAME", 10),
    Column("STATUS", 6),
    Column("DURATION", 8),
    Column("REMAINING", 9),
    Column("AGE", 3),
)


@dataclass(frozen=True, slots=True)
class RolloutTable:
    """The table of Rollouts; rows are made one by one, so that a watch can append them."""

    namespaces: bool = False
    timestamps: bool = False

    def lines(self, rows: Sequence[Sequence[str]], *, header: bool = True) -> list[str]:
        """The lines of `rows`, aligned with each other, below the header unless it is not wanted."""
        return _lines(self._columns(), rows, header=header)

    def row(self, rollout: Object, now: datetime) -> list[str]:
        """The cells of one Rollout, the time first when it is wanted."""
        return ([f"{now:%Y-%m-%dT%H:%M:%SZ}"] if self.timestamps else []) + self.state(rollout)

    def state(self, rollout: Object) -> list[str]:
        """The cells of one Rollout without the time."""
        status = member(rollout, "status")
        canary = strategy_name(rollout) == "Canary"
        namespace = [text(rollout, "metadata", "namespace")] if self.namespaces else []
        return [
            *namespace,
            name_of(rollout),
            strategy_name(rollout) or "unknown",
            client_phase(rollout).phase,
            (step(rollout) if canary else "") or "-",
            str(set_weight(rollout)) if canary else "-",
            f"{number(status, 'readyReplicas')}/{number(status, 'replicas')}",
            str(number(rollout, "spec", "replicas", default=1)),
            str(number(status, "updatedReplicas")),
            str(number(status, "availableReplicas")),
        ]

    def _columns(self) -> list[Column]:
        return [_TIMESTAMP] * self.timestamps + [_NAMESPACE] * self.namespaces + list(_ROLLOUT)


def experiment_lines(experiments: Sequence[Object], now: datetime, *, namespaces: bool) -> list[str]:
    """The table of Experiments, header first."""
    columns = [_NAMESPACE] * namespaces + list(_EXPERIMENT)
    return _lines(columns, [_experiment_row(one, now, namespaces=namespaces) for one in experiments], header=True)


def _experiment_row(experiment: Object, now: datetime, *, namespaces: bool) -> list[str]:
    nanoseconds = parse_duration(text(experiment, "spec", "duration"))
    return [
        *([text(experiment, "metadata", "namespace")] if namespaces else []),
        name_of(experiment),
        text(experiment, "status", "phase"),
        "-" if nanoseconds is None else short(nanoseconds / 1e9),
        "-" if nanoseconds is None else _remaining(experiment, timedelta(microseconds=nanoseconds // 1000), now),
        age(text(experiment, "metadata", "creationTimestamp"), now),
    ]


def _remaining(experiment: Object, duration: timedelta, now: datetime) -> str:
    available = parse_time(text(experiment, "status", "availableAt"))
    if available is None or text(experiment, "status", "phase") in _COMPLETED:
        return "-"
    left = (available + duration - now).total_seconds()
    return short(left) if left > 0 else "-"


def _lines(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, header: bool) -> list[str]:
    titles = [[Text.of(column.title) for column in columns]] if header else []
    return align(titles + [_padded(columns, row) for row in rows])


def _padded(columns: Sequence[Column], row: Sequence[str]) -> list[Text]:
    return [Text.of(f"{cell:<{column.width}}") for column, cell in zip(columns, row, strict=True)]
