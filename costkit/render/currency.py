"""A second currency for people: converted amounts beside those in US dollars."""

from __future__ import annotations

from decimal import Decimal

from costkit.core.money import display, times
from costkit.render.view import Cell, Column, Currency, Kind, Labelled, Table

_TOTALS = ("total", "cost")


def with_currency(table: Table, also: Currency | None) -> Table:
    """The table with the total, else its last amount, converted by a rate that somebody gave."""
    amounts = [position for position, column in enumerate(table.columns) if column.kind is Kind.USD]
    if also is None or not amounts:
        return table
    totals = [position for position in amounts if table.columns[position].title in _TOTALS]
    at = (totals or amounts)[-1] + 1
    columns = (*table.columns[:at], Column(also.code, also.code, Kind.USD), *table.columns[at:])
    rows = tuple((*row[:at], _converted(row[at - 1], also), *row[at:]) for row in table.rows)
    return Table(columns, rows, table.title, table.empty, table.total_rows)


def _converted(cell: Cell, also: Currency) -> Cell:
    if not isinstance(cell, Decimal):
        return None
    amount = times(cell, also.per_usd)
    return Labelled(amount, display(amount, ""))
