"""Budgets, reservations and events as rows of their file, and back."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from costkit.adapters.budgets.schema import BudgetsUnusable
from costkit.budget.amount import Amount
from costkit.budget.result import Event, Reservation
from costkit.budget.rules import BudgetRule
from costkit.budget.scope import parse_scope, scope_text
from costkit.budget.window import parse_window
from costkit.errors import InvalidInput

Value = str | int | None
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

RULE_COLUMNS = ("unit", "limit_amount", "window", "zone", "scope", "soft", "notify", "inference_geo")


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment."""
    return (moment - EPOCH) // _MICROSECOND


def moment_at(stamp: int) -> datetime:
    """The moment, UTC, of so many microseconds since 1970."""
    return EPOCH + stamp * _MICROSECOND


def rule_row(rule: BudgetRule) -> tuple[Value, ...]:
    """The values of `RULE_COLUMNS`."""
    limit = rule.limit
    scope = scope_text(rule.scope)
    return limit.unit, limit.value, str(rule.window), rule.zone, scope, rule.soft, rule.notify, rule.inference_geo


def rule_of(row: sqlite3.Row) -> BudgetRule:
    """The budget of a row."""
    return BudgetRule(
        name=row["name"],
        limit=Amount(row["unit"], row["limit_amount"]),
        window=parse_window(row["window"]),
        zone=row["zone"],
        scope=() if row["scope"] is None else parse_scope(row["scope"]),
        soft=row["soft"],
        notify=row["notify"],
        inference_geo=row["inference_geo"],
    )


def reservation_of(row: sqlite3.Row, budget: sqlite3.Row, now: int) -> Reservation:
    """The reservation of a row, as it stands at a moment."""
    unit, state, committed = budget["unit"], row["state"], row["committed"]
    return Reservation(
        id=row["id"],
        budget=budget["name"],
        state="uncertain" if state == "open" and row["lease_until"] <= now else state,
        reserved=Amount(unit, row["reserved"]),
        committed=None if committed is None else Amount(unit, committed),
        reserved_at=moment_at(row["at"]),
        lease_until=moment_at(row["lease_until"]),
        model=row["model"],
        batch=bool(row["batch"]),
        note=row["note"],
    )


def event_of(row: sqlite3.Row) -> Event:
    """The event of a row that was joined with its budget."""
    amount = row["amount"]
    return Event(
        moment_at(row["at"]),
        row["name"],
        row["event"],
        row["reservation"],
        None if amount is None else Amount(row["unit"], amount),
        row["note"],
    )


@contextlib.contextmanager
def believable(path: Path) -> Iterator[None]:
    """Turn values that no version of costkit writes into one line."""
    try:
        yield
    except (InvalidInput, TypeError, ValueError, ArithmeticError) as problem:
        message = f"the budget file holds a value that makes no sense: {problem}"
        raise BudgetsUnusable(message, where=str(path)) from None
