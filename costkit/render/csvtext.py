"""The main table of a view as CSV: exact values under stable column names, one row per line."""

from __future__ import annotations

import csv
from decimal import Decimal
from io import StringIO

from costkit.core.money import exact_text
from costkit.render.harmless import harmless
from costkit.render.view import Cell, Kind, View

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def render_csv(view: View) -> str:
    """Write the first table of a view.

    Numbers stay numbers; a text that a spreadsheet would run as a formula is prefixed with an apostrophe, control
    characters are shown as escapes. Unknown values are empty.
    """
    table = view.tables[0]
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.key for column in table.columns])
    for row in table.rows[: len(table.rows) - table.total_rows]:
        writer.writerow([_cell(cell, column.kind) for column, cell in zip(table.columns, row, strict=True)])
    return out.getvalue()


def _cell(cell: Cell, kind: Kind) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return exact_text(cell)
    text = str(cell)
    risky = kind is Kind.TEXT and text.startswith(_FORMULA_STARTS)
    return f"'{harmless(text)}" if risky else harmless(text)
