"""A SQLite file for what can be asked for again: several processes may use it, and a broken one is started afresh.

It is a cache: whatever is wrong with it, the work goes on without it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

BUSY_SECONDS = 5.0
_PER_QUERY = 500


@contextlib.contextmanager
def cache_connection(path: Path | None, table: str) -> Iterator[sqlite3.Connection | None]:
    """Open the file, or start a new one in place of a file that isn't a database; `None` if neither works.

    `table` is the statement that creates its table. Errors of SQLite inside the block end the block, and nothing else.
    """
    connection = open_cache(path, table)
    try:
        with contextlib.suppress(sqlite3.Error):
            yield connection
    finally:
        if connection:
            connection.close()


def open_cache(path: Path | None, table: str) -> sqlite3.Connection | None:
    """As `cache_connection`, for as long as somebody needs it."""
    return _open(path, table) or _open(path, table, afresh=True)


def select_many(connection: sqlite3.Connection, query: str, keys: Sequence[object]) -> Iterator[tuple[object, object]]:
    """The rows of a query that ends in `IN`, for any number of keys."""
    for start in range(0, len(keys), _PER_QUERY):
        wanted = keys[start : start + _PER_QUERY]
        yield from connection.execute(f"{query} ({','.join('?' * len(wanted))})", wanted)


def _open(path: Path | None, table: str, *, afresh: bool = False) -> sqlite3.Connection | None:
    if path is None:
        return None
    connection = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if afresh:
            path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS)
        connection.execute(table)
    except (OSError, sqlite3.Error):
        if connection:
            connection.close()
        return None
    return connection
