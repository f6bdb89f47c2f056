"""Views as tables for a terminal or a log, through rich."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from costkit.render.currency import with_currency
from costkit.render.harmless import harmless
from costkit.render.text import DASH, for_people, plural
from costkit.render.view import Cell, Column, Currency, Kind, Table, View

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable


_LONGEST_NAME = 32


def render_table(
    view: View, *, width: int, color: bool, also: Currency | None = None, to_terminal: bool = False
) -> str:
    """Lay a view out as text of at most `width` columns, with ANSI colours if `color`.

    A terminal breaks lines that are too long for it, so there the least important columns are left out until a table
    fits, with a line that says so; anywhere else every column stays.
    """
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
            shown = with_currency(table.for_people(), also)
            _print_table(console, _fitted(shown, width) if to_terminal else shown, len(shown.columns))
    for line in (line for figure in view.figures for line in figure):
        console.print(Text(harmless(line)), soft_wrap=True)
    for fact in view.facts:
        console.print(Text(harmless(fact)), soft_wrap=True)
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def _fitted(table: Table, width: int) -> Table:
    while _width(table) > width:
        narrower = table.without_least_important()
        if narrower is None:
            break
        table = narrower
    return table


def _width(table: Table) -> int:
    """How wide a table is at least; long text folds."""
    return sum(
        2 + (longest if _is_whole(column, longest) else _LONGEST_NAME)
        for column, longest in zip(table.columns, _longest(table), strict=True)
    )


def _longest(table: Table) -> list[int]:
    """The width of the widest cell of each column, headings included."""
    from rich.cells import cell_len

    return [
        max(cell_len(text) for text in (harmless(column.title), *(_text(table, position, row) for row in table.rows)))
        for position, column in enumerate(table.columns)
    ]


def _print_table(console: Console, table: Table, columns: int) -> None:
    from rich.text import Text

    if table.title:
        console.print(Text(harmless(table.title), style="bold"), soft_wrap=True)
    page_width, console.width = console.width, max(console.width, _width(table))  # rich drops columns that don't fit
    console.print(_lay_out(table), crop=False)
    console.width = page_width
    hidden = columns - len(table.columns)
    if hidden:
        line = f"{plural(hidden, 'column')} hidden: a wider terminal, -f csv or --json has all"
        console.print(Text(line, style="dim"), soft_wrap=True)


def _lay_out(table: Table) -> RichTable:
    from rich.table import Table as RichTable
    from rich.text import Text

    grid = RichTable(box=None, pad_edge=True, padding=(0, 1), header_style="dim")
    for column, longest in zip(table.columns, _longest(table), strict=True):
        _add_column(grid, column, longest)
    first_total = len(table.rows) - table.total_rows
    for number, row in enumerate(table.rows):
        cells = [Text(_text(table, position, row)) for position in range(len(table.columns))]
        grid.add_row(*cells, style="bold" if number >= first_total else None)
    return grid


def _text(table: Table, position: int, row: tuple[Cell, ...]) -> str:
    column = table.columns[position]
    return for_people(row[position], column.kind, (table.empty or {}).get(column.key, DASH))


def _is_whole(column: Column, longest: int) -> bool:
    """Numbers and names are never broken over lines or cut; long text may fold where the page is too narrow."""
    return column.kind is not Kind.TEXT or longest <= _LONGEST_NAME


def _add_column(grid: RichTable, column: Column, longest: int) -> None:
    from rich.text import Text

    whole = _is_whole(column, longest)
    grid.add_column(
        Text(harmless(column.title)),
        justify="left" if column.kind is Kind.TEXT else "right",
        no_wrap=whole,
        overflow="fold",
        min_width=longest if whole else None,
    )
