"""The ledger: what was bought, on disk before the world changes and after.

One SQLite file in WAL mode with `synchronous=FULL`: a transaction that was committed survives a power failure, and
several processes may use the file at once. Satisfies `Ledger` of `costkit.batch.ports`.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from costkit.adapters.batches.ledger_file import LedgerUnusable, explained, open_ledger
from costkit.adapters.batches.ledger_rows import BATCH_COLUMNS, JOB_COLUMNS, Value, batch_of, batch_row, job_of, job_row
from costkit.adapters.sqlite_file import BUSY_SECONDS, snapshot, undone_unless_committed
from costkit.batch.job import Account, Batch, Job
from costkit.errors import InvalidInput

FILE_NAME = "ledger.sqlite3"
_ITEMS_PER_QUERY = 2_000


class SqliteLedger:
    """The ledger in a file; a context manager. The file is made, readable by its owner only, when it is first used.

    Every method raises `OperationFailed` where the file stays locked for 30 seconds or the disk is full,
    `LedgerUnusable` where it can't be used at all, and `InvalidInput` where a newer costkit wrote it.
    """

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._path = path
        self._connection = open_ledger(path, busy_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def job(self, job_id: str) -> Job | None:
        """A job by its id, its name, or the unique beginning of its id; `InvalidInput` if several fit."""
        for condition in ("id = ?1", "name = ?1", "substr(id, 1, length(?1)) = ?1 AND ?1 <> ''"):
            found = self._jobs(condition, job_id)
            if len(found) > 1:
                listed = ", ".join(job.id for job in found)
                raise InvalidInput(f"{job_id!r} fits several jobs: {listed}", hint="name one of them")
            if found:
                return found[0]
        return None

    def jobs(self) -> Sequence[Job]:
        """All jobs, newest first."""
        return self._jobs("?1 = ''", "")[::-1]

    def jobs_of(self, digest: str) -> Sequence[Job]:
        """The jobs with this content, oldest first."""
        return self._jobs("digest = ?1", digest)

    def children(self, job_id: str) -> Sequence[Job]:
        """The jobs that retry items of this one, oldest first."""
        return self._jobs("parent = ?1", job_id)

    def known_batch_ids(self) -> frozenset[str]:
        """Every batch id of every job."""
        with explained(self._path):
            rows = self._connection.execute("SELECT id FROM batches WHERE id IS NOT NULL").fetchall()
        return frozenset(row["id"] for row in rows)

    def custom_ids(self, job_id: str) -> Iterator[tuple[int, int, str]]:
        """The items of a job in input order: (index, line in the file, custom_id); memory stays bounded."""
        query = (
            "SELECT position, line, custom_id FROM items WHERE job = (SELECT number FROM jobs WHERE id = ?)"
            " AND position > ? ORDER BY position LIMIT ?"
        )
        position = -1
        while True:
            with explained(self._path):
                rows = self._connection.execute(query, (job_id, position, _ITEMS_PER_QUERY)).fetchall()
            yield from map(tuple, rows)
            if len(rows) < _ITEMS_PER_QUERY:
                return
            position = rows[-1]["position"]

    def add_job(self, job: Job, custom_ids: Iterable[tuple[int, int, str]]) -> None:
        """Record a job with its planned batches and its items, read one by one: all of it or, on any error, nothing."""
        with self._transaction() as connection:
            columns, marks = ", ".join(JOB_COLUMNS), ", ".join("?" * len(JOB_COLUMNS))
            added = connection.execute(f"INSERT INTO jobs ({columns}) VALUES ({marks})", job_row(job))  # noqa: S608 - constants
            number = added.lastrowid
            items = ((number, *item) for item in custom_ids)
            connection.executemany("INSERT INTO items (job, position, line, custom_id) VALUES (?, ?, ?, ?)", items)
            self._put(connection, job.id, job.batches)

    def bind(self, job_id: str, account: Account) -> None:
        """Record whose job it is; a job that is bound stays bound."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE jobs SET base_url = ?, organization_id = ?, workspace_id = ? WHERE id = ? AND base_url IS NULL",
                (account.base_url, account.organization_id, account.workspace_id, job_id),
            )

    def put_batch(self, job_id: str, batch: Batch) -> None:
        """Record the state of one batch, new or known by its number; `InvalidInput` if its id belongs to another."""
        self.put_batches(job_id, [batch])

    def put_batches(self, job_id: str, batches: Sequence[Batch]) -> None:
        """Record several batches in one transaction; `InvalidInput` if an id belongs to another batch."""
        with self._transaction() as connection:
            self._put(connection, job_id, batches)

    def set_output(self, job_id: str, output: str) -> None:
        """Record where the results were collected to."""
        with self._transaction() as connection:
            connection.execute("UPDATE jobs SET output = ? WHERE id = ?", (output, job_id))

    def _jobs(self, condition: str, value: str) -> list[Job]:
        query = f"SELECT * FROM jobs WHERE {condition} ORDER BY number"  # noqa: S608 - constants only
        with explained(self._path), snapshot(self._connection) as connection:
            rows = connection.execute(query, (value,)).fetchall()
            batches = {row["number"]: self._batches(connection, row["number"]) for row in rows}
        try:
            return [job_of(row, tuple(map(batch_of, batches[row["number"]]))) for row in rows]
        except (TypeError, ValueError, ArithmeticError) as problem:
            raise LedgerUnusable(
                f"the ledger holds a value that makes no sense: {problem}", where=str(self._path)
            ) from None

    def _batches(self, connection: sqlite3.Connection, job: int) -> list[sqlite3.Row]:
        return connection.execute("SELECT * FROM batches WHERE job = ? ORDER BY number", (job,)).fetchall()

    def _put(self, connection: sqlite3.Connection, job_id: str, batches: Sequence[Batch]) -> None:
        columns = ", ".join(BATCH_COLUMNS)
        marks = ", ".join("?" * len(BATCH_COLUMNS))
        news = ", ".join(f"{column} = excluded.{column}" for column in BATCH_COLUMNS)
        statement = (
            f"INSERT INTO batches (job, {columns}) VALUES ((SELECT number FROM jobs WHERE id = ?), {marks})"  # noqa: S608 - constants
            f" ON CONFLICT (job, number) DO UPDATE SET {news}"
        )
        for batch in batches:
            values: tuple[Value, ...] = (job_id, *batch_row(batch))
            try:
                connection.execute(statement, values)
            except sqlite3.IntegrityError as problem:
                if "batches.id" not in str(problem):
                    raise
                raise InvalidInput(
                    f"batch {batch.id} is in the ledger already, under another job", code="batch-taken"
                ) from None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what happens inside, or undo all of it."""
        with explained(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            with undone_unless_committed(self._connection):
                yield self._connection
                self._commit()

    def _commit(self) -> None:
        self._connection.execute("COMMIT")
