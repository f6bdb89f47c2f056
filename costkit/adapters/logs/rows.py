"""Copies of responses on their way into a table: many rows at once go in quickly, each by itself does not."""

from __future__ import annotations

from costkit.adapters.logs.bills import Names
from costkit.report.attributes import Attributes
from costkit.report.table import ResponseTable, Row

_MANY = 1000
"""Rows that go into the table at once: so many that it is done quickly, so few that they take no memory."""


class Rows:
    """The rows of one file that are not in the table yet."""

    def __init__(self, table: ResponseTable, path: str) -> None:
        self._table, self._path = table, path
        self._numbers: dict[Names, int] = {}
        self._rows: list[Row] = []
        self.add = self._rows.append
        """Add a row."""

    def number_of(self, names: Names) -> int:
        """The number that attributes with these names have in the table."""
        number = self._numbers.get(names)
        if number is None:
            number = self._numbers[names] = self._table.number(Attributes(*names, self._path, ()))
        return number

    def settle_many(self) -> None:
        """Put the rows into the table, if there are enough by now."""
        if len(self._rows) > _MANY:
            self.settle()

    def settle(self) -> None:
        """Put the rows into the table."""
        if self._rows:
            self._table.extend(self._rows)
            self._rows.clear()
