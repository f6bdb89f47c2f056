"""A SQLite file that holds state: made private, opened durable, brought to its schema, and its errors explained.

What differs from one such file to the next is a `StateFile`: its name for people, its mark and its migrations.
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from costkit.errors import InvalidInput, OperationFailed

BUSY_SECONDS = 30.0
_RETRY_SECONDS = 0.05
_TURN_SECONDS = (0.001, 0.01)


class FileUnusable(OperationFailed):
    """Raised when a file of state is damaged, read-only or something else; trying again won't help."""

    default_code = "file-unusable"
    retryable = False


class StateFile(NamedTuple):
    """What one kind of file is called, how it is recognised, and the schema that it has."""

    noun: str
    """How messages name it, after `the`; also the beginning of the codes of its errors."""
    application_id: int
    """Tells it from any other SQLite file."""
    migrations: tuple[tuple[str, ...], ...]
    """Entry n brings a file of version n to n + 1; an entry that was released never changes."""
    damaged_hint: str
    unusable: type[FileUnusable]

    @property
    def version(self) -> int:
        """The schema that this program writes."""
        return len(self.migrations)


def open_state(
    path: Path, kind: StateFile, busy_seconds: float = BUSY_SECONDS, *, between_threads: bool = False
) -> sqlite3.Connection:
    """Open a file in autocommit mode, making it (readable by its owner only) and its tables where needed.

    With `between_threads` the connection may be used by several threads, one at a time: the caller sees to that.
    Raises `OperationFailed` where it stays locked for `busy_seconds`, the kind's `FileUnusable` where it can't be
    used, `InvalidInput` where a newer costkit wrote it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as problem:
        raise kind.unusable(f"the {kind.noun} can't be opened: {problem.strerror}", where=str(path)) from None
    with explained(path, kind):
        connection = sqlite3.connect(
            path, timeout=busy_seconds, isolation_level=None, check_same_thread=not between_threads
        )
        try:
            connection.row_factory = sqlite3.Row
            check_version(connection, path, kind)
            connection.execute("PRAGMA foreign_keys = ON")
            _switch_to_wal(connection, busy_seconds)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")  # macOS calls something weaker fsync
            _migrate(connection, path, kind)
        except BaseException:
            connection.close()
            raise
    return connection


def check_version(connection: sqlite3.Connection, path: Path, kind: StateFile) -> int:
    """The version of the file, from one snapshot: another process may be making the tables right now."""
    with snapshot(connection):
        return _version(connection, path, kind)


@contextlib.contextmanager
def explained(path: Path, kind: StateFile) -> Iterator[None]:
    """Turn what SQLite says into one line that helps."""
    try:
        yield
    except sqlite3.Error as problem:
        raise _explanation(problem, str(path), kind) from None


def begin_to_write(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Begin a transaction that nobody else may write during, with the same chance for everyone who waits.

    SQLite's own wait grows to a tenth of a second, so that among many short transactions whoever has waited longest
    looks most rarely, and may never get its turn.
    """
    deadline = time.monotonic() + busy_seconds
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as problem:
                if not _is_busy(problem) or time.monotonic() >= deadline:
                    raise
                time.sleep(random.uniform(*_TURN_SECONDS))  # noqa: S311 - no secret
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(busy_seconds * 1000)}")


def _switch_to_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch once in the life of the file; SQLite doesn't wait by itself for another process that does it too."""
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        except sqlite3.OperationalError as problem:
            if not _is_busy(problem) or time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return


def _version(connection: sqlite3.Connection, path: Path, kind: StateFile) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if application != kind.application_id and not (empty and version == 0):
        raise kind.unusable(f"this SQLite file is not a {kind.noun} of costkit", where=str(path))
    if version > kind.version:
        raise InvalidInput(
            f"the {kind.noun} has schema {version}, this costkit knows up to {kind.version}",
            where=str(path),
            hint="a newer costkit wrote it: upgrade",
            code=f"newer-{_prefix(kind)}",
        )
    return version


def _migrate(connection: sqlite3.Connection, path: Path, kind: StateFile) -> None:
    if check_version(connection, path, kind) == kind.version:
        return
    connection.execute("BEGIN IMMEDIATE")
    with undone_unless_committed(connection):
        version = _version(connection, path, kind)  # another process may have been faster
        for statements in kind.migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {kind.application_id}")
        connection.execute(f"PRAGMA user_version = {kind.version}")
        connection.execute("COMMIT")


def _prefix(kind: StateFile) -> str:
    return kind.noun.replace(" ", "-")


def _explanation(problem: sqlite3.Error, where: str, kind: StateFile) -> OperationFailed:
    name = getattr(problem, "sqlite_errorname", None) or ""
    prefix = _prefix(kind)
    if _is_busy(problem):
        message = f"the {kind.noun} stayed locked by another program"
        return OperationFailed(message, where=where, hint="try again when it is done", code=f"{prefix}-locked")
    if name.startswith("SQLITE_FULL"):
        return OperationFailed(f"the {kind.noun} can't be written: the disk is full", where=where, code="disk-full")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return kind.unusable(f"the {kind.noun} can't be written: it is read-only", where=where)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        message = f"the {kind.noun} is damaged"
        return kind.unusable(message, where=where, hint=kind.damaged_hint, code=f"{prefix}-damaged")
    return OperationFailed(f"the {kind.noun} failed: {problem}", where=where, code=f"{prefix}-failed")


def _is_busy(problem: sqlite3.Error) -> bool:
    return (getattr(problem, "sqlite_errorname", None) or "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


@contextlib.contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One view of the file for several queries."""
    connection.execute("BEGIN")
    with undone_unless_committed(connection):
        yield connection


@contextlib.contextmanager
def undone_unless_committed(connection: sqlite3.Connection) -> Iterator[None]:
    """Roll back a transaction that has begun, however it is left, if it was not committed."""
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
