"""The main table of a view as CSV: exact values under stable column names, one row per line."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from io import StringIO

from costkit.core.money import exact_text
from costkit.render.harmless import harmless
from costkit.render.view import Cell, Kind, Labelled, View

_NO_FORMULA = re.compile(r"-|[+-]?\d+(\.\d+)?", re.ASCII)
"""Begins like a formula and is none: a dash alone, such as the path of standard input, and a number."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def render_csv(view: View) -> str:
    """Write the first table of a view.

    Numbers stay numbers; a text that a spreadsheet would run as a formula is prefixed with an apostrophe, control
    characters are shown as escapes. Unknown values are empty.
    """
    table = view.tables[0]
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = [(position, column) for position, column in enumerate(table.columns) if column.for_programs]
    writer.writerow([harmless(column.key) for _, column in columns])
    for row in table.rows[: len(table.rows) - table.total_rows]:
        writer.writerow([_cell(row[position], column.kind) for position, column in columns])
    return out.getvalue()


def _cell(cell: Cell, kind: Kind) -> str:
    if isinstance(cell, Labelled):
        cell = cell.value
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return exact_text(cell)
    text = str(cell)
    risky = kind is Kind.TEXT and text.startswith(_FORMULA_STARTS) and not _NO_FORMULA.fullmatch(text)
    return f"'{harmless(text)}" if risky else harmless(text)
