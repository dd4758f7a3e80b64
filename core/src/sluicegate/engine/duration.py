"""`status.duration`: the time line of one update attempt."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sluicegate.api.status import RolloutDuration


@dataclass(frozen=True, slots=True)
class Happenings:
    """What this pass found that the time line depends on.

    `changed`: template or steps differ from what was recorded. `rollback`: `RolledBack` or `FastRolledBack` if
    the change goes back. `retried`: an abort was lowered. `promoted_as`: `Promoted` or `FastPromoted` when the stable
    version changes. `settled`: the current version is stable, with all its pods available, which ends the attempt.
    """

    changed: bool = False
    rollback: str = ""
    retried: bool = False
    aborted: bool = False
    promoted_as: str = ""
    settled: bool = False
    paused_by_human: bool = False


def next_duration(old: RolloutDuration | None, happened: Happenings, now: datetime) -> RolloutDuration | None:
    """The time line after this pass; None before the first attempt."""
    current = _begin(old, happened, now)
    if current is None or current.rollout_started_at is None or current.finished_at is not None:
        return current
    current = _pauses(current, happened.paused_by_human, now)
    if happened.promoted_as and not current.completion_status:
        current = _with(current, completion_status=happened.promoted_as)
    if happened.aborted:
        return _with(current, completion_status=current.completion_status or "Aborted", finished_at=now)
    if not happened.settled:
        return current
    return _with(current, completion_status=current.completion_status or "Promoted", finished_at=now)


def in_flight(duration: RolloutDuration | None) -> bool:
    """Whether an attempt has begun and not ended."""
    return duration is not None and duration.rollout_started_at is not None and duration.finished_at is None


def _begin(old: RolloutDuration | None, happened: Happenings, now: datetime) -> RolloutDuration | None:
    if happened.changed and old is not None and in_flight(old) and happened.rollback:
        return _with(old, completion_status=happened.rollback)
    if happened.retried or (happened.changed and not (happened.settled and not in_flight(old))):
        return RolloutDuration(rollout_started_at=now)
    return old


def _pauses(current: RolloutDuration, paused: bool, now: datetime) -> RolloutDuration:
    since = current.manual_pause_started_at
    if paused:
        return current if since else _with(current, manual_pause_started_at=now)
    if since is None:
        return current
    total = current.total_manual_pause_duration_seconds + int((now - since).total_seconds())
    return _with(current, manual_pause_started_at=None, total_manual_pause_duration_seconds=total)


def _with(duration: RolloutDuration, **members: Any) -> RolloutDuration:
    return duration.model_copy(update=members)
