"""Joins the results of batches to the items that asked for them: a private SQLite file that ends with the process.

A temporary database lives on disk and holds a few megabytes in memory, however many results there are. Nothing in it
has to survive: it can be built again from the spool.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from types import TracebackType
from typing import Any, Self

from costkit.adapters.sqlite_file import undone_unless_committed
from costkit.batch.classes import type_of
from costkit.batch.results import Asked, Attempt, Found, Item, Place
from costkit.errors import OperationFailed

_CACHE_KIB = 4096
_ASKED = """\
CREATE TABLE asked (
    custom_id TEXT,
    generation INTEGER,
    position INTEGER,
    line INTEGER,
    absence TEXT,
    PRIMARY KEY (custom_id, generation)
) WITHOUT ROWID"""
_RESULTS = """\
CREATE TABLE results (
    arrival INTEGER PRIMARY KEY,
    custom_id TEXT,
    generation INTEGER,
    batch INTEGER,
    category TEXT,
    succeeded INTEGER,
    start INTEGER,
    length INTEGER
)"""
_TABLES = (
    _ASKED,
    "CREATE INDEX asked_in_order ON asked (generation, position)",
    _RESULTS,
    "CREATE INDEX results_by_id ON results (custom_id, generation)",
    "CREATE TABLE batches (number INTEGER PRIMARY KEY, id TEXT UNIQUE)",
)
_JOINED = """\
SELECT first.position, first.line, first.custom_id, own.generation, own.absence,
    results.category, batches.id, results.start, results.length
FROM asked AS first
JOIN asked AS own ON own.custom_id = first.custom_id
LEFT JOIN results ON results.custom_id = own.custom_id AND results.generation = own.generation
LEFT JOIN batches ON batches.number = results.batch
WHERE first.generation = 0
ORDER BY first.position, own.generation DESC, results.succeeded DESC, results.arrival"""
_GENERATION = 3


class SqliteResultsIndex:
    """Satisfies `ResultsIndex`; a context manager. Raises `OperationFailed` where the disk is full."""

    def __init__(self) -> None:
        with _explained():
            self._connection = sqlite3.connect("", isolation_level=None)
            self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            for statement in _TABLES:
                self._connection.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def ask(self, generation: int, items: Iterable[Asked]) -> None:
        """Add the items of a job."""
        rows = ((item.custom_id, generation, item.position, item.line, item.absence) for item in items)
        with self._transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO asked VALUES (?, ?, ?, ?, ?)", rows)

    def add(self, generation: int, batch_id: str, results: Iterable[Found]) -> int:
        """Add the results of a batch, all or none; return how many different custom_ids there are."""
        with self._transaction() as connection:
            batch = connection.execute("INSERT INTO batches (id) VALUES (?)", (batch_id,)).lastrowid
            rows = (
                (
                    found.custom_id,
                    generation,
                    batch,
                    found.category,
                    type_of(found.category) == "succeeded",
                    found.offset,
                    found.length,
                )
                for found in results
            )
            columns = "custom_id, generation, batch, category, succeeded, start, length"
            statement = f"INSERT INTO results ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants only
            connection.executemany(statement, rows)
            count = "SELECT count(DISTINCT custom_id) FROM results WHERE batch = ?"
            return int(connection.execute(count, (batch,)).fetchone()[0])

    def drop(self, batch_id: str) -> None:
        """Forget the results of a batch."""
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM results WHERE batch = (SELECT number FROM batches WHERE id = ?)", (batch_id,)
            )
            connection.execute("DELETE FROM batches WHERE id = ?", (batch_id,))

    def strangers(self, generation: int, batch_id: str, first: int, requests: int) -> tuple[int, int]:
        """How many results of a batch are none of its items, and how many of its items have no result in it."""
        its = "(SELECT number FROM batches WHERE id = :batch)"
        asked = "asked.generation = :generation AND +asked.position >= :first AND asked.position < :first + :requests"
        values = {"batch": batch_id, "generation": generation, "first": first, "requests": requests}
        unknown = (
            f"SELECT count(*) FROM results WHERE batch = {its} AND NOT EXISTS"  # noqa: S608 - constants only
            f" (SELECT 1 FROM asked WHERE asked.custom_id = results.custom_id AND {asked})"
        )
        absent = (
            f"SELECT count(*) FROM asked WHERE {asked} AND NOT EXISTS (SELECT 1 FROM results"  # noqa: S608 - same
            f" WHERE results.custom_id = asked.custom_id AND results.generation = :generation AND batch = {its})"
        )
        with _explained():
            return (
                int(self._connection.execute(unknown, values).fetchone()[0]),
                int(self._connection.execute(absent, values).fetchone()[0]),
            )

    def mark(self, generation: int, first: int, requests: int, absence: str) -> None:
        """Change the class that a run of items has without a result."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE asked SET absence = ? WHERE generation = ? AND position >= ? AND position < ?",
                (absence, generation, first, first + requests),
            )

    def ask_for_what_is_there(self) -> None:
        """Let every result stand for an item, in order of arrival."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO asked SELECT custom_id, 0, min(arrival), 0, 'missing' FROM results GROUP BY custom_id"
            )

    def by_arrival(self) -> None:
        """Put the items into the order in which their first results came, those without a result last."""
        latest = "(SELECT coalesce(max(arrival), 0) FROM results)"
        own = "(SELECT min(arrival) FROM results WHERE results.custom_id = asked.custom_id)"
        with self._transaction() as connection:
            connection.execute(f"UPDATE asked SET position = coalesce({own}, position + 1 + {latest})")  # noqa: S608 - same

    def items(self) -> Iterator[Item]:
        """The items of the first job, in order, each with its attempts."""
        with _explained():
            rows = self._connection.execute(_JOINED)
            for (position, line, custom_id), group in groupby(rows, key=lambda row: row[:_GENERATION]):
                by_generation = groupby(group, key=lambda row: row[_GENERATION])
                attempts = [_attempt(generation, list(tries)) for generation, tries in by_generation]
                yield Item(position, line, custom_id, tuple(attempts))

    def unknown(self) -> Iterator[str]:
        """The custom_ids of results that nobody asked for, each once, in order of arrival."""
        query = (
            "SELECT custom_id FROM results WHERE NOT EXISTS (SELECT 1 FROM asked WHERE asked.custom_id ="
            " results.custom_id AND asked.generation = results.generation) GROUP BY custom_id ORDER BY min(arrival)"
        )
        with _explained():
            for (custom_id,) in self._connection.execute(query):
                yield str(custom_id)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _explained():
            self._connection.execute("BEGIN")
            with undone_unless_committed(self._connection):
                yield self._connection
                self._connection.execute("COMMIT")


def _attempt(generation: int, rows: list[Any]) -> Attempt:
    """One job's results for an item; the rows come best first."""
    absence, category, batch, offset, length = rows[0][_GENERATION + 1 :]
    if category is None:
        return Attempt(generation, absence, None, None, 0)
    return Attempt(generation, absence, category, Place(batch, offset, length), len(rows))


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as problem:
        message = f"the temporary index of the results failed: {problem}"
        raise OperationFailed(message, code="write-failed", hint="is there room in the temporary folder?") from None
