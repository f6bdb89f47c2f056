"""The table of failures: how many, billed or not, and what to do next; below it the API's own words."""

from __future__ import annotations

from collections.abc import Sequence

from costkit.batch.failures import FailureRow, MessageGroup
from costkit.render.text import plural
from costkit.render.view import Cell, Column, Kind, Table

_COLUMNS = (
    Column("class", "class"),
    Column("rows", "requests", Kind.COUNT),
    Column("billed", "billed"),
    Column("retry", "retry"),
    Column("what to do", "todo"),
)
_MESSAGE_COLUMNS = (
    Column("class", "class"),
    Column("rows", "requests", Kind.COUNT),
    Column("where", "where"),
    Column("the API says", "message"),
)
_MOST_MESSAGES = 10
_FEW = 3


def failure_tables(rows: Sequence[FailureRow]) -> tuple[Table, ...]:
    """One row for each class; then one for each message of the classes whose lines have to be corrected."""
    if not rows:
        return ()
    classes = Table(_COLUMNS, tuple(_row(row) for row in rows))
    said = [(row, group) for row in rows for group in row.largest() if group.message]
    shown = tuple(_message(row, group) for row, group in said[:_MOST_MESSAGES])
    if not shown:
        return (classes,)
    more = len(said) - len(shown)
    title = f"the first {_MOST_MESSAGES} of {plural(len(said), 'message')}; --json has them all" if more else None
    return (classes, Table(_MESSAGE_COLUMNS, shown, title))


def _row(row: FailureRow) -> tuple[Cell, ...]:
    failure = row.failure
    return (failure.code, row.requests, failure.billed, failure.retry, failure.todo)


def _message(row: FailureRow, group: MessageGroup) -> tuple[Cell, ...]:
    lines = [f"line {group.lines[0]:,}", *(f"{line:,}" for line in group.lines[1:_FEW])] if group.lines else []
    where = ", ".join(lines or group.custom_ids[:_FEW]) + (", …" if group.requests > _FEW else "")
    return (row.failure.code, group.requests, where, group.message)
