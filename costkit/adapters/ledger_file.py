"""The file behind the ledger: made private, opened durable, brought to the current schema, and its errors explained."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from costkit.adapters.ledger_schema import APPLICATION_ID, MIGRATIONS, VERSION
from costkit.errors import InvalidInput, OperationFailed

BUSY_SECONDS = 30.0
_RETRY_SECONDS = 0.05


class LedgerUnusable(OperationFailed):
    """Raised when the ledger is damaged, read-only or no ledger at all; trying again won't help."""

    default_code = "ledger-unusable"
    retryable = False


def open_ledger(path: Path, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open the ledger in autocommit mode, making the file (readable by its owner only) and its tables where needed.

    Raises `OperationFailed` where it stays locked for `busy_seconds`, `LedgerUnusable` where it can't be used,
    `InvalidInput` where a newer costkit wrote it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as problem:
        raise LedgerUnusable(f"the ledger can't be opened: {problem.strerror}", where=str(path)) from None
    with explained(path):
        connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            _check(connection, path)
            connection.execute("PRAGMA foreign_keys = ON")
            _switch_to_wal(connection, busy_seconds)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")  # macOS calls something weaker fsync
            _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


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


def _check(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the file, from one snapshot: another process may be making the tables right now."""
    connection.execute("BEGIN")
    try:
        return _version(connection, path)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if application != APPLICATION_ID and not (empty and version == 0):
        raise LedgerUnusable("this SQLite file is not a ledger of costkit", where=str(path))
    if version > VERSION:
        raise InvalidInput(
            f"the ledger has schema {version}, this costkit knows up to {VERSION}",
            where=str(path),
            hint="a newer costkit wrote it: upgrade",
            code="newer-ledger",
        )
    return version


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if _check(connection, path) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection, path)  # another process may have been faster
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite says into one line that helps."""
    try:
        yield
    except sqlite3.Error as problem:
        raise _explanation(problem, str(path)) from None


def _explanation(problem: sqlite3.Error, where: str) -> OperationFailed:
    name = getattr(problem, "sqlite_errorname", None) or ""
    if _is_busy(problem):
        message = "the ledger stayed locked by another program"
        return OperationFailed(message, where=where, hint="try again when it is done", code="ledger-locked")
    if name.startswith("SQLITE_FULL"):
        return OperationFailed("the ledger can't be written: the disk is full", where=where, code="disk-full")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return LedgerUnusable("the ledger can't be written: it is read-only", where=where)
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return LedgerUnusable(
            "the ledger is damaged",
            where=where,
            hint="keep the file, set COSTKIT_STATE to another folder, and bring batches back with costkit batch adopt",
            code="ledger-damaged",
        )
    return OperationFailed(f"the ledger failed: {problem}", where=where, code="ledger-failed")


def _is_busy(problem: sqlite3.Error) -> bool:
    return (getattr(problem, "sqlite_errorname", None) or "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))
