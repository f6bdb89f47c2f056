"""The neutral page between results and formats: typed columns, raw values, no layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto


class Kind(Enum):
    """What a column holds; each writer decides how that looks."""

    TEXT = auto()
    COUNT = auto()
    """A whole number, written out."""
    TOKENS = auto()
    """A whole number that may be shortened for people (6.21M)."""
    USD = auto()
    """An exact amount; only writers for people round it."""
    RATE = auto()
    """A list price; written out with every digit, because it is compared with a page."""
    RATIO = auto()
    """A plain number, written out."""
    SHARE = auto()
    """A fraction between 0 and 1, shown as percent."""


Cell = str | int | Decimal | None
"""`None` is unknown or not applicable: a dash for people, empty in CSV."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading for people, its name for programs, and what it holds."""

    title: str
    key: str
    kind: Kind = Kind.TEXT
    for_people: bool = True
    """Whether tables show it; formats for programs always do."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of raw cells under typed columns; `empty` holds what to show instead of a dash, by column key."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str | None = None
    empty: Mapping[str, str] | None = None
    total_rows: int = 0
    """How many of the last rows add up the others; formats for programs leave them out."""

    def for_people(self) -> Table:
        """The same table without the columns that only programs want."""
        shown = [position for position, column in enumerate(self.columns) if column.for_people]
        columns = tuple(self.columns[position] for position in shown)
        rows = tuple(tuple(row[position] for position in shown) for row in self.rows)
        return Table(columns, rows, self.title, self.empty, self.total_rows)


@dataclass(frozen=True, slots=True)
class View:
    """A page: the answer in one line, tables, and facts that belong to the answer."""

    headline: str
    tables: tuple[Table, ...] = ()
    facts: tuple[str, ...] = ()
    """Lines under the tables that are part of the answer, such as what was skipped."""
    next_command: str | None = None
    """What one would type next; a hint for people only."""
    figures: tuple[tuple[str, ...], ...] = ()
    """Drawings in plain text, line by line, shown between tables and facts; for people only."""


@dataclass(frozen=True, slots=True)
class Currency:
    """A second currency for people, by a rate that they gave."""

    code: str
    per_usd: Decimal
