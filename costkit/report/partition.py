"""Tables of responses shared out by identity: all copies of a response meet in the same part, wherever they were read.

Parts are plain columns of about 70 bytes for each response, which is what waits and travels; only one part at a time
has to become a table.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from struct import Struct, iter_unpack

from costkit.report.fold import close
from costkit.report.options import FoldOptions
from costkit.report.summary import UsageSummary
from costkit.report.table import KEY_BYTES, Columns, ResponseTable

_DIGITS = (Struct(f"<I{KEY_BYTES - 4}x"), Struct(f"<4xI{KEY_BYTES - 8}x"))
"""Identities are digests, so any of their bytes share them out evenly; a second split must not repeat the first."""


def size_of(columns: Columns) -> int:
    """How many responses these columns hold."""
    return len(columns.flags)


def split(columns: Columns, parts: int, digit: int = 0) -> list[Columns]:
    """Share the rows out into so many parts by their identity; `digit` 0 or 1 says by which of its bytes."""
    rows: list[list[int]] = [[] for _ in range(parts)]
    for row, (number,) in enumerate(_DIGITS[digit].iter_unpack(columns.keys)):
        rows[number % parts].append(row)
    return _take(columns, rows)


def join(many: Iterable[Columns]) -> Columns:
    """Columns with the responses of all, each once."""
    return _table(many).columns()


def settle_part(many: Iterable[Columns], options: FoldOptions, sessions: frozenset[str]) -> UsageSummary:
    """Close all responses of a part, from wherever they come; what is left are tallies.

    The records that were copies have to be counted by whoever read them: `merged` is negative, and comes right where
    summaries meet.
    """
    summary = UsageSummary(options, _table(many))
    close(summary, (), sessions)
    return summary


def _table(many: Iterable[Columns]) -> ResponseTable:
    table = ResponseTable()
    for columns in many:
        table.absorb(ResponseTable.of(columns))
    return table


def _take(columns: Columns, parts: Sequence[Sequence[int]]) -> list[Columns]:
    """The rows of each part."""
    count = size_of(columns) or 1
    keys, counts, places = (
        [cell for (cell,) in iter_unpack(f"{len(data) // count or 1}s", data)]
        for data in (columns.keys, columns.counts, columns.places)
    )
    numbers, passes, charges = array("I", columns.numbers), dict(columns.iterations), dict(columns.charges)
    found = []
    for rows in parts:
        known = dict.fromkeys(map(numbers.__getitem__, rows))
        renumbered = {number: fresh for fresh, number in enumerate(known)}
        found.append(
            Columns(
                b"".join(map(keys.__getitem__, rows)),
                columns.counts_type,
                b"".join(map(counts.__getitem__, rows)),
                b"".join(map(places.__getitem__, rows)),
                array("I", [renumbered[numbers[row]] for row in rows]).tobytes(),
                bytes(map(columns.flags.__getitem__, rows)),
                [columns.names[number] for number in known],
                [(at, passes[row]) for at, row in enumerate(rows) if row in passes] if passes else [],
                [(at, charges[row]) for at, row in enumerate(rows) if row in charges] if charges else [],
            )
        )
    return found
