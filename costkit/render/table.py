"""Views as tables for a terminal or a log, through rich."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from costkit.core.money import display, times
from costkit.render.harmless import harmless
from costkit.render.text import DASH, for_people
from costkit.render.view import Cell, Column, Currency, Kind, Table, View

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable


_LONGEST_NAME = 32


def render_table(view: View, *, width: int, color: bool, also: Currency | None = None) -> str:
    """Lay a view out as text of at most `width` columns, with ANSI colours if `color`."""
    from rich.console import Console
    from rich.text import Text

    out = StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(Text(harmless(view.headline), style="bold" if color else ""), soft_wrap=True)
    for table in view.tables:
        if table.rows:
            _print_table(console, table.for_people(), also)
    for line in (line for figure in view.figures for line in figure):
        console.print(Text(harmless(line)), soft_wrap=True)
    for fact in view.facts:
        console.print(Text(harmless(fact)), soft_wrap=True)
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def _print_table(console: Console, table: Table, also: Currency | None) -> None:
    from rich.text import Text

    if table.title:
        console.print(Text(harmless(table.title), style="bold"), soft_wrap=True)
    console.print(_lay_out(table, also), crop=False)


def _lay_out(table: Table, also: Currency | None) -> RichTable:
    from rich.cells import cell_len
    from rich.table import Table as RichTable
    from rich.text import Text

    grid = RichTable(box=None, pad_edge=True, padding=(0, 1), header_style="dim")
    money = _money_column(table, also)
    for position, column in enumerate(table.columns):
        texts = [_text(table, position, row) for row in table.rows]
        _add_column(grid, column, max(map(cell_len, [column.title, *texts])))
        if column is money and also:
            converted = [_converted(row[position], also) for row in table.rows]
            _add_column(grid, Column(also.code, "", Kind.USD), max(map(cell_len, [also.code, *converted])))
    first_total = len(table.rows) - table.total_rows
    for number, row in enumerate(table.rows):
        cells: list[Text] = []
        for position, column in enumerate(table.columns):
            cells.append(Text(_text(table, position, row)))
            if column is money and also:
                cells.append(Text(_converted(row[position], also)))
        grid.add_row(*cells, style="bold" if number >= first_total else None)
    return grid


def _text(table: Table, position: int, row: tuple[Cell, ...]) -> str:
    column = table.columns[position]
    return for_people(row[position], column.kind, (table.empty or {}).get(column.key, DASH))


def _add_column(grid: RichTable, column: Column, longest: int) -> None:
    """Numbers and names are never broken over lines or cut; long text may fold where the page is too narrow."""
    from rich.text import Text

    whole = column.kind is not Kind.TEXT or longest <= _LONGEST_NAME
    grid.add_column(
        Text(column.title),
        justify="left" if column.kind is Kind.TEXT else "right",
        no_wrap=whole,
        overflow="fold",
        min_width=longest if whole else None,
    )


def _money_column(table: Table, also: Currency | None) -> Column | None:
    """The column that a second currency is shown for: the total, else the last amount."""
    if also is None:
        return None
    amounts = [column for column in table.columns if column.kind is Kind.USD]
    totals = [column for column in amounts if column.title in ("total", "cost")]
    shown = totals or amounts
    return shown[-1] if shown else None


def _converted(cell: Cell, also: Currency) -> str:
    from decimal import Decimal

    return display(times(cell, also.per_usd), "") if isinstance(cell, Decimal) else DASH
