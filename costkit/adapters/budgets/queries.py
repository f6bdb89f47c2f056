"""Questions to the file of budgets: which one is meant, what stands on it, what is held."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

from costkit.adapters.budgets.rows import believable, microseconds, moment_at, reservation_of, rule_of
from costkit.budget.result import BudgetState, Reservation
from costkit.budget.rules import BudgetRule, Standing
from costkit.core.suggest import close_names
from costkit.errors import InvalidInput

_SPLIT = 10**6
"""Sums are taken in two halves, because those of whole amounts could leave SQLite's integers."""
_SUMS = """\
SELECT state = 'committed' AS committed, state = 'open' AND lease_until <= ?4 AS uncertain,
    sum(coalesce(committed, reserved) / ?5) AS high, sum(coalesce(committed, reserved) % ?5) AS low
FROM reservations
WHERE budget = ?1 AND epoch = ?2 AND at >= ?3 AND state <> 'released'
GROUP BY 1, 2"""
_SECOND = 1_000_000
_BEGINNING = -(2**63)


def find(connection: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    """The row of a budget, if there is one."""
    row: sqlite3.Row | None = connection.execute("SELECT * FROM budgets WHERE name = ?", (name,)).fetchone()
    return row


def known(connection: sqlite3.Connection, name: str) -> sqlite3.Row:
    """The row of a budget; raises `InvalidInput` with close names where there is none."""
    row = find(connection, name)
    if row is not None:
        return row
    names = [row["name"] for row in connection.execute("SELECT name FROM budgets")]
    close = close_names(name, names, most=2)
    hint = f"did you mean {' or '.join(close)}?" if close else "costkit budget set NAME --limit 10 makes one"
    raise InvalidInput(f"there is no budget {name!r}", hint=hint, code="unknown-budget")


def held(connection: sqlite3.Connection, reservation_id: str) -> tuple[sqlite3.Row, sqlite3.Row]:
    """The rows of a reservation and of its budget; raises `InvalidInput` where there is none."""
    row = connection.execute("SELECT * FROM reservations WHERE id = ?", (reservation_id,)).fetchone()
    if row is None:
        hint = "costkit budget status lists what is open"
        raise InvalidInput(f"there is no reservation {reservation_id!r}", hint=hint, code="unknown-reservation")
    budget = connection.execute("SELECT * FROM budgets WHERE number = ?", (row["budget"],)).fetchone()
    return row, budget


def stamp_of(budget: sqlite3.Row, now: datetime) -> int:
    """The time that holds for a budget: the clock's, or that of the latest entry where the clock is behind it."""
    return max(microseconds(now), int(budget["latest_at"]))


def rule(budget: sqlite3.Row, path: Path) -> BudgetRule:
    """The budget of a row; raises `BudgetsUnusable` for values that no version of costkit writes."""
    with believable(path):
        return rule_of(budget)


def reservation(row: sqlite3.Row, budget: sqlite3.Row, stamp: int, path: Path) -> Reservation:
    """The reservation of a row; raises `BudgetsUnusable` for values that no version of costkit writes."""
    with believable(path):
        return reservation_of(row, budget, stamp)


def open_rows(connection: sqlite3.Connection, budget: sqlite3.Row) -> list[sqlite3.Row]:
    """What is not settled, in every window, oldest first."""
    query = "SELECT * FROM reservations WHERE budget = ? AND state = 'open' ORDER BY number"
    return connection.execute(query, (budget["number"],)).fetchall()


def state(
    connection: sqlite3.Connection, budget: sqlite3.Row, now: datetime, path: Path, *, with_open: bool = False
) -> BudgetState:
    """A budget with what stands on it in the window that holds."""
    stamp = stamp_of(budget, now)
    meant = rule(budget, path)
    with believable(path):
        span = meant.span(moment_at(stamp))
    start = _BEGINNING if span.start is None else microseconds(span.start)
    sums = {"committed": 0, "reserved": 0, "uncertain": 0}
    for row in connection.execute(_SUMS, (budget["number"], budget["epoch"], start, stamp, _SPLIT)):
        kind = "committed" if row["committed"] else "uncertain" if row["uncertain"] else "reserved"
        sums[kind] = int(row["high"]) * _SPLIT + int(row["low"])
    rows = open_rows(connection, budget) if with_open else []
    return BudgetState(
        rule=meant,
        standing=Standing(meant.limit, **sums),
        span=span,
        open=tuple(reservation(row, budget, stamp, path) for row in rows),
        clock_behind_s=(stamp - microseconds(now)) // _SECOND,
    )


def microseconds_in(span: timedelta) -> int:
    """A length of time in microseconds."""
    return span // timedelta(microseconds=1)
