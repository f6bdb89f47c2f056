"""Remembers what the API counted, so that the same request is asked only once per machine.

Only digests and numbers are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from costkit.adapters.cache_file import cache_connection, select_many

FILE_NAME = "token-counts.sqlite3"
_TABLE = "CREATE TABLE IF NOT EXISTS counts (digest BLOB PRIMARY KEY, tokens INTEGER NOT NULL) WITHOUT ROWID"


class CountCache:
    """Token counts by SHA-256 digest; `directory=None` remembers nothing."""

    def __init__(self, directory: Path | None) -> None:
        self._path = directory / FILE_NAME if directory else None

    def find(self, digests: Sequence[bytes]) -> Mapping[bytes, int]:
        """The counts that are known; entries that make no sense are left out."""
        rows: list[tuple[object, object]] = []
        with cache_connection(self._path, _TABLE) as connection:
            if connection:
                rows += select_many(connection, "SELECT digest, tokens FROM counts WHERE digest IN", digests)
        return {d: n for d, n in rows if isinstance(d, bytes) and isinstance(n, int) and n > 0}

    def keep(self, counts: Mapping[bytes, int]) -> None:
        """Remember counts; another process may have written the same ones."""
        with cache_connection(self._path, _TABLE) as connection:
            if connection and counts:
                with connection:
                    connection.executemany("INSERT OR REPLACE INTO counts VALUES (?, ?)", counts.items())
