"""What was read before: summaries of files that have not changed since, in a database of the user's own.

A summary is found by what was asked and by the name of the file, and is good for nothing unless the file is still the
same by device, number, size and both times. A file that was written to a moment ago is not remembered: it could change
again without any of these telling. Whatever is wrong with the database or with what is in it, logs are read.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Self

from msgspec import MsgspecError

from costkit import __version__
from costkit.adapters.cache_file import open_cache
from costkit.adapters.logs.frozen import freeze, thaw
from costkit.adapters.logs.plain import Range
from costkit.report.options import FoldOptions
from costkit.report.summary import UsageSummary

READER = 7
"""Goes up whenever the same log is read in another way."""
SETTLED_NS = 3_000_000_000
"""How long a file must have been left alone: longer than the steps of any file system's clock."""
FILE_NAME = "summaries.sqlite3"
_FIND = "SELECT digests, data FROM summaries WHERE name = ?"
_TABLE = """
CREATE TABLE IF NOT EXISTS summaries
    (name BLOB PRIMARY KEY, saved INTEGER NOT NULL, digests BLOB NOT NULL, data BLOB NOT NULL)
"""
_HASTE = "PRAGMA synchronous = OFF; PRAGMA busy_timeout = 1000; PRAGMA cache_size = -200"
"""What a failing machine loses is read again, nobody waits long for others, and little memory is taken."""
_DIGEST = 16
_OLD_S = 30 * 24 * 60 * 60
_MANY = 256 << 10
"""Bytes that are written at once: for each file by itself, writing would take longer than reading did."""

Signature = tuple[int, ...]


class Memory:
    """Summaries made with the same options, in a folder; in a `with` block, at the end of which all are written."""

    def __init__(self, folder: Path, options: FoldOptions) -> None:
        self.folder = folder
        self._options = options
        self._question = repr((READER, __version__, sys.byteorder, options))
        self._connection: sqlite3.Connection | None = None
        self._is_usable = True
        self._fresh: list[tuple[bytes, int, bytes, bytes]] = []
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.write()
        if self._connection is not None:
            self._connection.close()

    def sign(self, path: str) -> Signature | None:
        """What tells a file from all it was before; `None` for one that may change unnoticed, or is not there."""
        try:
            status = os.stat(path)  # noqa: PTH116  # called for every log
        except (OSError, ValueError):
            return None
        newest = max(status.st_mtime_ns, status.st_ctime_ns)
        if time.time_ns() - newest < SETTLED_NS:
            return None
        return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def recall(self, name: str, signed: Signature | str) -> tuple[UsageSummary, Range | None] | None:
        """The summary that was kept under a name, if it is of a file with this signature."""
        database = self._database()
        if database is None:
            return None
        try:
            found = database.execute(_FIND, (self._key(name),)).fetchone()
            is_good = found is not None and found[0] == _digests(signed, found[1])
            return thaw(found[1], self._options) if is_good else None
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        except (ValueError, TypeError, MsgspecError):
            return None

    def keep(self, name: str, signed: Signature | str, summary: UsageSummary, place: Range | None = None) -> None:
        """Keep a summary in place of what is there under this name; not being able to is no error."""
        data = freeze(summary, place)
        self._fresh.append((self._key(name), int(time.time()), _digests(signed, data), data))
        self._size += len(data)
        if self._size > _MANY:
            self.write()

    def write(self) -> None:
        """Write what is kept to the database."""
        database = self._database() if self._fresh else None
        try:
            if database is not None:
                with database:
                    database.executemany("INSERT OR REPLACE INTO summaries VALUES (?, ?, ?, ?)", self._fresh)
        except sqlite3.Error as error:
            self._give_up(error)
        self._fresh.clear()
        self._size = 0

    def tidy(self) -> None:
        """Throw away what was kept a long time ago."""
        database = self._database()
        try:
            if database is not None:
                with database:
                    database.execute("DELETE FROM summaries WHERE saved < ?", (int(time.time()) - _OLD_S,))
        except sqlite3.Error as error:
            self._give_up(error)

    def _database(self) -> sqlite3.Connection | None:
        if self._connection is None and self._is_usable:
            self._connection = open_cache(self.folder / FILE_NAME, _TABLE)
            self._is_usable = self._connection is not None
            if self._connection is not None:
                self._connection.executescript(_HASTE)
        return self._connection

    def _give_up(self, error: sqlite3.Error) -> None:
        """Go on without the database, and without its file if it is a broken one."""
        self._is_usable = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if not isinstance(error, sqlite3.OperationalError):
            with suppress(OSError):
                (self.folder / FILE_NAME).unlink()

    def _key(self, name: str) -> bytes:
        return _digest(f"{self._question}\0{name}".encode("utf-8", "surrogateescape"))


def _digests(signed: Signature | str, data: bytes) -> bytes:
    return _digest(repr(signed).encode()) + _digest(data)


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST).digest()
