"""The budgets on disk: every change is one transaction that sees all others, so that no two can take the same dollar.

One SQLite file in WAL mode with `synchronous=FULL`; a change begins with `BEGIN IMMEDIATE`, which lets one process at a
time decide. Time never goes back for a budget: an entry is stamped with the clock or with the time of the latest entry,
whichever is later, so that a clock that is put back can't open a window twice.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from costkit.adapters.budgets import queries as ask
from costkit.adapters.budgets.rows import RULE_COLUMNS, believable, event_of, microseconds, rule_row
from costkit.adapters.budgets.schema import BUDGETS, FILE_NAME
from costkit.adapters.sqlite_file import (
    BUSY_SECONDS,
    begin_to_write,
    explained,
    open_state,
    snapshot,
    undone_unless_committed,
)
from costkit.budget.change import Change, changed, described
from costkit.budget.result import BudgetState, Event, Outcome, Reservation
from costkit.budget.rules import BudgetRule
from costkit.errors import InvalidInput

DEFAULT_LEASE = timedelta(minutes=15)
"""Longer than the SDK waits for a response by default (10 minutes)."""
BATCH_LEASE = timedelta(hours=25)
"""A batch ends within 24 hours; https://platform.claude.com/docs/en/build-with-claude/batch-processing"""


class BudgetStore:
    """The file of budgets; a context manager. The file is made, readable by its owner only, when it is first used.

    Every method raises `OperationFailed` where the file stays locked or the disk is full, `BudgetsUnusable` where it
    can't be used at all, and `InvalidInput` where a newer costkit wrote it or a name is unknown. `now` is aware.
    """

    def __init__(self, folder: Path, *, busy_seconds: float = BUSY_SECONDS, between_threads: bool = False) -> None:
        self._path = folder / FILE_NAME
        self._busy_seconds = busy_seconds
        self._connection = open_state(self._path, BUDGETS, busy_seconds, between_threads=between_threads)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def define(self, name: str, change: Change, now: datetime) -> BudgetState:
        """Make a budget, or change what a change names; what was spent stays."""
        with self._changing() as connection:
            row = ask.find(connection, name) if change.limit else ask.known(connection, name)
            before = None if row is None else ask.rule(row, self._path)
            after = changed(name, before, change)
            values = rule_row(after)
            if row is None:
                columns, marks = ", ".join(RULE_COLUMNS), ", ".join("?" * len(RULE_COLUMNS))
                connection.execute(
                    f"INSERT INTO budgets (name, latest_at, {columns}) VALUES (?, ?, {marks})",  # noqa: S608 - constants
                    (name, microseconds(now), *values),
                )
            else:
                news = ", ".join(f"{column} = ?" for column in RULE_COLUMNS)
                connection.execute(f"UPDATE budgets SET {news} WHERE number = ?", (*values, row["number"]))  # noqa: S608 - constants
                if before is not None and (before.limit, before.soft) != (after.limit, after.soft):
                    # Another limit is another thing to be warned about.
                    connection.execute("UPDATE budgets SET warned_at = NULL WHERE number = ?", (row["number"],))
            row = ask.known(connection, name)
            self._record(
                connection, row, ask.stamp_of(row, now), "set", None, after.limit.value, described(before, after)
            )
            return self._state(connection, row, now)

    def rules(self) -> Sequence[BudgetRule]:
        """All budgets by name."""
        with self._reading() as connection:
            rows = connection.execute("SELECT * FROM budgets ORDER BY name").fetchall()
            return [ask.rule(row, self._path) for row in rows]

    def rule(self, name: str) -> BudgetRule:
        """One budget; raises `InvalidInput` with close names where there is none."""
        with self._reading() as connection:
            return ask.rule(ask.known(connection, name), self._path)

    def state(self, name: str, now: datetime) -> BudgetState:
        """A budget with what stands on it and every open reservation."""
        with self._reading() as connection:
            return self._state(connection, ask.known(connection, name), now, with_open=True)

    def states(self, now: datetime) -> Sequence[BudgetState]:
        """All budgets by name, with what stands on them at one moment."""
        with self._reading() as connection:
            rows = connection.execute("SELECT * FROM budgets ORDER BY name").fetchall()
            return [self._state(connection, row, now, with_open=True) for row in rows]

    def reservation(self, reservation_id: str, now: datetime) -> Reservation:
        """A reservation by its id."""
        with self._reading() as connection:
            row, budget = ask.held(connection, reservation_id)
            return self._reservation(row, budget, ask.stamp_of(budget, now))

    def reserve(
        self,
        name: str,
        asked: Callable[[BudgetRule], int],
        now: datetime,
        *,
        lease: timedelta = DEFAULT_LEASE,
        model: str | None = None,
        batch: bool = False,
        note: str | None = None,
    ) -> Outcome:
        """Hold an amount of a budget if it fits, else nothing (`reservation` is then `None`).

        `asked` says how many of the budget's units; what it raises leaves everything as it was. Raises `InvalidInput`
        for a lease of no length.
        """
        if lease <= timedelta(0):
            raise InvalidInput(f"a lease must last, not {lease}", hint="for example 15 minutes")
        with self._changing() as connection:
            row = ask.known(connection, name)
            amount = asked(ask.rule(row, self._path))
            stamp = ask.stamp_of(row, now)
            before = self._state(connection, row, now)
            if not before.standing.fits(amount):
                return Outcome(before, None, before.standing.amount(amount))
            reservation_id = f"r-{secrets.token_hex(6)}"
            connection.execute(
                "INSERT INTO reservations (id, budget, epoch, at, lease_until, state, reserved, model, batch, note)"
                " VALUES (?, ?, ?, ?, ?, 'open', ?, ?, ?, ?)",
                (
                    reservation_id,
                    row["number"],
                    row["epoch"],
                    stamp,
                    stamp + ask.microseconds_in(lease),
                    amount,
                    model,
                    int(batch),
                    note,
                ),
            )
            self._record(connection, row, stamp, "reserve", reservation_id, amount, note)
            return self._outcome(connection, reservation_id, now)

    def commit(self, reservation_id: str, spent: Callable[[Reservation], int], now: datetime) -> Outcome:
        """Replace what is held by what was spent, be it more: what has happened is never refused.

        `spent` says how many of the budget's units. Committing the same amount again does nothing. A reservation that
        was released may still turn out to be spent; one with another amount committed raises `InvalidInput`.
        """
        with self._changing() as connection:
            row, budget = ask.held(connection, reservation_id)
            amount = spent(self._reservation(row, budget, ask.stamp_of(budget, now)))
            if row["state"] == "committed":
                if row["committed"] != amount:
                    raise InvalidInput(
                        f"reservation {reservation_id} is settled already, with another amount", code="already-settled"
                    )
                return Outcome(self._state(connection, budget, now), self._reservation(row, budget, 0))
            stamp = ask.stamp_of(budget, now)
            connection.execute(
                # One that was released before a reset is not of this epoch: what turns out to be spent counts now.
                "UPDATE reservations SET state = 'committed', committed = ?, epoch = ?, at = min(at, ?)"
                " WHERE number = ?",
                (amount, budget["epoch"], stamp, row["number"]),
            )
            self._record(connection, budget, stamp, "commit", reservation_id, amount, None)
            return self._outcome(connection, reservation_id, now)

    def release(self, reservation_id: str, now: datetime) -> Outcome:
        """Give back what is held, because nothing was spent; raises `InvalidInput` where something was."""
        with self._changing() as connection:
            row, budget = ask.held(connection, reservation_id)
            if row["state"] == "committed":
                raise InvalidInput(f"reservation {reservation_id} was spent already", code="already-settled")
            if row["state"] == "open":
                connection.execute("UPDATE reservations SET state = 'released' WHERE number = ?", (row["number"],))
                stamp = ask.stamp_of(budget, now)
                self._record(connection, budget, stamp, "release", reservation_id, row["reserved"], None)
            row, budget = ask.held(connection, reservation_id)
            return Outcome(self._state(connection, budget, now), self._reservation(row, budget, 0))

    def end_lease(self, reservation_id: str, now: datetime, *, lease: timedelta = timedelta(0)) -> None:
        """Let a lease of an open reservation end so long from now; at once, it becomes uncertain."""
        with self._changing() as connection:
            row, budget = ask.held(connection, reservation_id)
            stamp = ask.stamp_of(budget, now)
            connection.execute(
                "UPDATE reservations SET lease_until = ? WHERE number = ? AND state = 'open'",
                (stamp + ask.microseconds_in(lease), row["number"]),
            )

    def reset(self, name: str, now: datetime) -> BudgetState:
        """Begin again with nothing spent; what is held stays held, because it may still be spent.

        The clock's own time holds from here on, also where it is behind the latest entry.
        """
        stamp = microseconds(now)
        with self._changing() as connection:
            row = ask.known(connection, name)
            connection.execute(
                "UPDATE budgets SET epoch = epoch + 1, latest_at = ?, warned_at = NULL WHERE number = ?",
                (stamp, row["number"]),
            )
            connection.execute(
                "UPDATE reservations SET epoch = epoch + 1, at = min(at, ?1),"
                " lease_until = lease_until - max(0, at - ?1) WHERE budget = ?2 AND state = 'open'",
                (stamp, row["number"]),
            )
            row = ask.known(connection, name)
            self._record(connection, row, stamp, "reset", None, None, None)
            return self._state(connection, row, now, with_open=True)

    def delete(self, name: str, *, force: bool = False) -> None:
        """Remove a budget with its history; raises `InvalidInput` while something is held, unless `force`."""
        with self._changing() as connection:
            row = ask.known(connection, name)
            held = ask.open_rows(connection, row)
            if held and not force:
                hint = f"settle what costkit budget status {name} lists, or add --force"
                what = "1 reservation" if len(held) == 1 else f"{len(held)} reservations"
                raise InvalidInput(f"budget {name} still holds {what}", hint=hint, code="budget-in-use")
            connection.execute("DELETE FROM budgets WHERE number = ?", (row["number"],))

    def history(self, name: str | None = None, most: int | None = None) -> Sequence[Event]:
        """The latest events of one budget or of all, oldest first; `most` of them."""
        query = (
            "SELECT events.*, name, unit FROM events JOIN budgets ON budgets.number = budget"
            " WHERE ?1 IS NULL OR name = ?1 ORDER BY events.number DESC LIMIT ?2"
        )
        with self._reading() as connection:
            if name is not None:
                ask.known(connection, name)
            rows = connection.execute(query, (name, -1 if most is None else most)).fetchall()
        with believable(self._path):
            return [event_of(row) for row in reversed(rows)]

    def _outcome(self, connection: sqlite3.Connection, reservation_id: str, now: datetime) -> Outcome:
        """What a change came to, and whether the soft limit was reached by it for the first time in its window."""
        row, budget = ask.held(connection, reservation_id)
        state = self._state(connection, budget, now)
        stamp = ask.stamp_of(budget, now)
        start, warned_at = state.span.start, budget["warned_at"]
        is_warned = warned_at is not None and (start is None or warned_at >= microseconds(start))
        is_due = state.is_soft_reached and not is_warned
        if is_due:
            connection.execute("UPDATE budgets SET warned_at = ? WHERE number = ?", (stamp, budget["number"]))
            used = f"{state.standing.amount(state.standing.used)} of {state.rule.limit} used"
            self._record(connection, budget, stamp, "warn", reservation_id, None, used)
        return Outcome(state, self._reservation(row, budget, stamp), is_warning_due=is_due)

    def _state(
        self, connection: sqlite3.Connection, row: sqlite3.Row, now: datetime, *, with_open: bool = False
    ) -> BudgetState:
        return ask.state(connection, row, now, self._path, with_open=with_open)

    def _reservation(self, row: sqlite3.Row, budget: sqlite3.Row, stamp: int) -> Reservation:
        return ask.reservation(row, budget, stamp, self._path)

    def _record(
        self,
        connection: sqlite3.Connection,
        budget: sqlite3.Row,
        stamp: int,
        event: str,
        reservation_id: str | None,
        amount: int | None,
        note: str | None,
    ) -> None:
        """Add to the history, and let no later entry be earlier."""
        connection.execute(
            "INSERT INTO events (budget, at, event, reservation, amount, note) VALUES (?, ?, ?, ?, ?, ?)",
            (budget["number"], stamp, event, reservation_id, amount, note),
        )
        connection.execute("UPDATE budgets SET latest_at = ? WHERE number = ?", (stamp, budget["number"]))

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One snapshot for several queries."""
        with explained(self._path, BUDGETS), snapshot(self._connection) as connection:
            yield connection

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """Commit what happens inside, or undo all of it; nobody else changes anything meanwhile."""
        with explained(self._path, BUDGETS):
            begin_to_write(self._connection, self._busy_seconds)
            with undone_unless_committed(self._connection):
                yield self._connection
                self._commit()

    def _commit(self) -> None:
        self._connection.execute("COMMIT")
