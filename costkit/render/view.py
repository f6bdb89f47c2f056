"""The neutral page between results and formats: typed columns, raw values, no layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from typing import NamedTuple


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
    CHANGE = auto()
    """A change in percent, shown with its sign; programs get the bare number."""


class Labelled(NamedTuple):
    """A cell that people read as something else than programs: `(3 others)` for `other`."""

    value: str | int | Decimal | None
    label: str


Cell = str | int | Decimal | Labelled | None
"""`None` is unknown or not applicable: a dash for people, empty in CSV."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading for people, its name for programs, and what it holds."""

    title: str
    key: str
    kind: Kind = Kind.TEXT
    for_people: bool = True
    """Whether tables show it."""
    for_programs: bool = True
    """Whether CSV has it; not so where the same is there in exact columns of their own."""
    rank: int = 0
    """On a terminal that is too narrow the columns of the highest rank are left out first; 0 always stays."""


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
        return self._with([position for position, column in enumerate(self.columns) if column.for_people])

    def without_least_important(self) -> Table | None:
        """The table without the last of its columns of the highest rank; `None` where all must stay."""
        highest = max((column.rank for column in self.columns), default=0)
        if not highest:
            return None
        last = max(position for position, column in enumerate(self.columns) if column.rank == highest)
        return self._with([position for position in range(len(self.columns)) if position != last])

    def _with(self, positions: Sequence[int]) -> Table:
        columns = tuple(self.columns[position] for position in positions)
        rows = tuple(tuple(row[position] for position in positions) for row in self.rows)
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
