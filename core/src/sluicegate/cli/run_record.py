"""The record that a running embedded cluster leaves: who it is, where it listens, and whether it still lives.

Its process holds a lock on the file for as long as it runs, so a record of a process that was killed is never taken for
a living one, whoever has its pid now.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sluicegate.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of `up`; `ready` once the API answers and the controller runs."""

    pid: int
    port: int
    kubeconfig: str
    ready: bool = False


class RecordHeld(Exception):
    """The cluster of this record is running."""


def read_record(path: Path) -> RunRecord | None:
    """The record as last written, also by a run that has ended; None where none can be read."""
    try:
        return RunRecord(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def is_held(path: Path) -> bool:
    """Whether the process that wrote the record is alive."""
    try:
        with held(path):
            return False
    except RecordHeld:
        return True


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the record; raises RecordHeld while another process does, ConfigError where its folder cannot be used."""
    descriptor = _opened(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RecordHeld from None
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(f"{path.parent}: cannot be used as a folder for state: {error.strerror}") from error


def write_record(path: Path, record: RunRecord) -> None:
    """Write the record in place: the lock is on this very file."""
    path.write_text(json.dumps(asdict(record)))
