"""Remembers what the API counted, so that the same request is asked only once per machine.

Only digests and numbers are kept, in one SQLite file that several processes may use. It is a cache: whatever is wrong
with it, counting goes on without it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

FILE_NAME = "token-counts.sqlite3"
BUSY_SECONDS = 5.0
_TABLE = "CREATE TABLE IF NOT EXISTS counts (digest BLOB PRIMARY KEY, tokens INTEGER NOT NULL) WITHOUT ROWID"
_PER_QUERY = 500


class CountCache:
    """Token counts by SHA-256 digest; `directory=None` remembers nothing."""

    def __init__(self, directory: Path | None) -> None:
        self._path = directory / FILE_NAME if directory else None

    def find(self, digests: Sequence[bytes]) -> Mapping[bytes, int]:
        """The counts that are known; entries that make no sense are left out."""
        rows: list[tuple[object, object]] = []
        with self._connection() as connection:
            for start in range(0, len(digests) if connection else 0, _PER_QUERY):
                wanted = digests[start : start + _PER_QUERY]
                marks = ",".join("?" * len(wanted))
                query = f"SELECT digest, tokens FROM counts WHERE digest IN ({marks})"  # noqa: S608 - only marks
                rows += connection.execute(query, wanted) if connection else ()
        return {d: n for d, n in rows if isinstance(d, bytes) and isinstance(n, int) and n > 0}

    def keep(self, counts: Mapping[bytes, int]) -> None:
        """Remember counts; another process may have written the same ones."""
        with self._connection() as connection:
            if connection and counts:
                with connection:
                    connection.executemany("INSERT OR REPLACE INTO counts VALUES (?, ?)", counts.items())

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection | None]:
        """Open the file, or start a new one in place of a file that isn't a database; `None` if neither works."""
        connection = self._open() or self._open(afresh=True)
        try:
            with contextlib.suppress(sqlite3.Error):
                yield connection
        finally:
            if connection:
                connection.close()

    def _open(self, *, afresh: bool = False) -> sqlite3.Connection | None:
        if self._path is None:
            return None
        connection = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if afresh:
                self._path.unlink(missing_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS)
            connection.execute(_TABLE)
        except (OSError, sqlite3.Error):
            if connection:
                connection.close()
            return None
        return connection
