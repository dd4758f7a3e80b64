"""The embedded cluster's objects on disk: one SQLite file in the data folder, written through on every change.

SQLite in WAL mode survives a kill at any moment; with `synchronous=NORMAL` a write costs some 30 µs, which is cheap
enough to do on the event loop.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import msgspec

from sluicegate.errors import ConfigError
from sluicegate.local.objects import Key, Object

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = "cluster.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
  grp TEXT, plural TEXT, namespace TEXT, name TEXT, data BLOB NOT NULL, PRIMARY KEY (grp, plural, namespace, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS version (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL);
INSERT OR IGNORE INTO version VALUES (1, 0);
"""


class Database:
    """The objects of one data folder; only one process at a time may have it open.

    Raises ConfigError if the folder cannot be used or another process has it open.
    """

    def __init__(self, folder: Path) -> None:
        path = self._path = folder / FILE_NAME
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None)
            self._prepare()
        except sqlite3.OperationalError as error:
            raise ConfigError(f"{path}: {error}; is another cluster using this data folder?") from error
        except sqlite3.DatabaseError as error:
            raise _damaged(path, error) from error
        except OSError as error:
            raise ConfigError(f"{folder}: cannot be used as a data folder: {error.strerror}") from error

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)

    def version(self) -> int:
        """Return the resource version of the last write."""
        row = self._connection.execute("SELECT value FROM version").fetchone()
        return int(row[0])

    def load(self) -> Iterator[tuple[Key, Object]]:
        """Yield every stored object. Raises ConfigError where the file is damaged."""
        try:
            for row in self._connection.execute("SELECT grp, plural, namespace, name, data FROM objects"):
                yield Key(*row[:4]), msgspec.json.decode(row[4], type=Object)
        except (sqlite3.DatabaseError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _damaged(self._path, error) from error

    def put(self, key: Key, data: bytes, version: int) -> None:
        """Store an object and the resource version that this write has."""
        self._write("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", (*key, data), version)

    def remove(self, key: Key, version: int) -> None:
        """Remove an object; the removal, too, has a resource version."""
        self._write("DELETE FROM objects WHERE grp=? AND plural=? AND namespace=? AND name=?", key, version)

    def close(self) -> None:
        """Close the file; another process may open it then."""
        self._connection.close()

    def _write(self, statement: str, parameters: tuple[object, ...], version: int) -> None:
        with self._connection:
            self._connection.execute("BEGIN")
            self._connection.execute(statement, parameters)
            self._connection.execute("UPDATE version SET value=?", (version,))


def _damaged(path: Path, error: Exception) -> ConfigError:
    return ConfigError(f"{path} is damaged: {error}; choose another data folder, or remove this one to start anew")
