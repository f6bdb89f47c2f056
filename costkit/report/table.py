"""The responses of a log, each once: a map from identity to the largest counts seen, in compact columns.

Merging two tables takes the maximum of every count and keeps the attributes of the earliest copy. That is
commutative, associative and idempotent, so a log may be split anywhere and folded in any order.
A response takes about 140 bytes, whatever the size of the log, 200 where there are copies, and one with a recorded
cost about 400.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, KeysView, Sequence
from itertools import chain, count
from struct import Struct, iter_unpack
from struct import error as PackError  # noqa: N812
from typing import NamedTuple

from costkit.core.response import Counts, Iteration, largest_iterations
from costkit.report.attributes import Attributes
from costkit.report.charge import Charge, larger

NO_TIME = 2**63 - 1
"""Stands for a missing timestamp and sorts last."""
PLACEHOLDER, INCOMPLETE, ANSWERED = 1, 2, 4
"""Flags of a response. The last one says that a copy knows of no refusal: one copy that does clears it."""
KEY_BYTES = 12
"""96 bits identify a response: two of a billion responses meet with a probability of 1 in 10^11."""
_FIELDS = len(Counts._fields)
_PLACE = 3
_SLIM, _WIDE, _PLACES = Struct(f"{_FIELDS}I"), Struct(f"{_FIELDS}q"), Struct(f"{_PLACE}q")


class Response(NamedTuple):
    """One row of the table. Every copy of a response becomes such a row before it is merged."""

    counts: Counts
    timestamp: int
    attributes: Attributes
    offset: int
    line: int
    flags: int
    """Bits that hold for every copy; a copy without the bit clears it."""
    iterations: tuple[Iteration, ...]
    charge: Charge | None = None
    """What another system recorded as its cost."""

    @property
    def place(self) -> tuple[int, int, int]:
        """The numbers that belong to one copy: time, offset, line."""
        return (self.timestamp, self.offset, self.line)

    def order(self) -> tuple[int, str, int, tuple[str, ...], int]:
        """Copies are compared by this; the smallest lends its attributes to the response."""
        return (self.timestamp, self.attributes.path, self.offset, self.attributes.order(), self.line)


Row = tuple[bytes, tuple[int, ...], tuple[int, int, int], int, int]
"""A copy of a response without iterations: identity, counts, place, number of its attributes in `names`, flags."""


class Columns(NamedTuple):
    """All that a table holds; the numbers of a column stand one after the other as this machine writes them."""

    keys: bytes
    counts_type: str
    counts: bytes
    places: bytes
    numbers: bytes
    flags: bytes
    names: list[Attributes]
    iterations: list[tuple[int, tuple[Iteration, ...]]]
    charges: list[tuple[int, Charge]]


class ResponseTable:
    """A growing map from the identity of a response to its `Response`."""

    __slots__ = (
        "_charges",
        "_counts",
        "_flags",
        "_form",
        "_iterations",
        "_keys",
        "_known",
        "_numbers",
        "_places",
        "_rows",
        "names",
    )

    def __init__(self) -> None:
        self._keys: dict[bytes, None] = {}
        """The identities of the rows, in their order."""
        self._rows: dict[bytes, int] | None = None
        """Where each of them is, from the first copy on: in many logs there is none."""
        self._counts = array("I")
        self._form = _SLIM
        self._places = array("q")
        self._numbers = array("I")
        self._flags = array("B")
        self._iterations: dict[int, tuple[Iteration, ...]] = {}
        self._charges: dict[int, Charge] = {}
        self.names: list[Attributes] = []
        self._known: dict[Attributes, int] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResponseTable) and dict(self.items()) == dict(other.items())

    __hash__ = None  # type: ignore[assignment]  # a table changes

    def put(self, key: bytes, response: Response) -> int:
        """Merge a copy of a response into the table; returns its row."""
        row = self._row_of(key)
        if row is None:
            number = self.number(response.attributes)
            self._append([(key, response.counts, response.place, number, response.flags)])
            if response.iterations:
                self._iterations[len(self) - 1] = response.iterations
            if response.charge:
                self._charges[len(self) - 1] = response.charge
            return len(self) - 1
        self._raise_counts(row, response.counts)
        self._flags[row] &= response.flags
        if response.iterations or row in self._iterations:
            self._iterations[row] = largest_iterations(self._iterations.get(row, ()), response.iterations)
        charge = response.charge and larger(response.charge, self._charges.get(row))
        if charge:
            self._charges[row] = charge
        mine, theirs = self.names[self._numbers[row]], response.attributes
        since, both = self._places[row * _PLACE], mine
        if response.timestamp < since or (response.timestamp == since and self._comes_first(response, row)):
            _PLACES.pack_into(self._places, row * _PLACES.size, *response.place)
            both = theirs
        if both != mine or mine[1:4] != theirs[1:4]:
            self._numbers[row] = self.number(both.with_modifiers_of(mine, theirs))
        return row

    def extend(self, rows: Sequence[Row]) -> None:
        """Merge copies of responses; those that the table lacks all at once."""
        keys = [row[0] for row in rows]
        if self._keys.keys().isdisjoint(keys) and len(set(keys)) == len(keys):
            self._append(rows)
            return
        fresh: dict[bytes, Row] = {}
        copies = [row for row in rows if row[0] in self._keys or fresh.setdefault(row[0], row) is not row]
        if fresh:
            self._append(list(fresh.values()))
        for key, counts, (time, offset, line), number, flags in copies:
            self.put(key, Response(Counts(*counts), time, self.names[number], offset, line, flags, ()))

    def _append(self, rows: Sequence[Row]) -> None:
        """Add responses that the table does not have."""
        keys, counts, places, numbers, flags = zip(*rows, strict=True)
        counted = list(chain.from_iterable(counts))
        try:
            self._counts.fromlist(counted)
        except OverflowError:
            self._widen()
            self._counts.fromlist(counted)
        self._places.fromlist(list(chain.from_iterable(places)))
        self._numbers.extend(numbers)
        self._flags.extend(flags)
        self._add_keys(dict.fromkeys(keys))

    def _add_keys(self, keys: dict[bytes, None]) -> None:
        if self._rows is not None:
            self._rows.update(zip(keys, count(len(self._keys))))
        self._keys.update(keys)

    def _row_of(self, key: bytes) -> int | None:
        if key not in self._keys:
            return None
        if self._rows is None:
            self._rows = dict(zip(self._keys, count()))
        return self._rows[key]

    def _raise_counts(self, row: int, counts: tuple[int, ...]) -> None:
        """Keep the larger of each count."""
        form = self._form
        known = form.unpack_from(self._counts, row * form.size)
        if known == counts:
            return
        merged = tuple(map(max, known, counts))
        try:
            form.pack_into(self._counts, row * form.size, *merged)
        except PackError:
            self._widen()
            self._form.pack_into(self._counts, row * self._form.size, *merged)

    def _widen(self) -> None:
        """Make room for counts of four billion and more."""
        self._counts = array("q", self._counts)
        self._form = _WIDE

    def absorb(self, other: ResponseTable) -> None:
        """Merge another table into this one: the rows that this one lacks all at once."""
        if not self._keys.keys().isdisjoint(other._keys):
            for key, response in other.items():
                self.put(key, response)
            return
        if other._counts.typecode != self._counts.typecode:
            self._widen()
            counts = array("q", other._counts)
        else:
            counts = other._counts
        base = len(self._keys)
        self._counts.extend(counts)
        self._places.extend(other._places)
        self._flags.extend(other._flags)
        numbers = [self.number(attributes) for attributes in other.names]
        self._numbers.extend(map(numbers.__getitem__, other._numbers))
        self._iterations.update((base + row, passes) for row, passes in other._iterations.items())
        self._charges.update((base + row, charge) for row, charge in other._charges.items())
        self._add_keys(other._keys)

    def __getstate__(self) -> Columns:
        return self.columns()

    def __setstate__(self, columns: Columns) -> None:
        self._take(columns)

    def keys(self) -> KeysView[bytes]:
        """The identities of all responses."""
        return self._keys.keys()

    def rows(self) -> Iterator[tuple[tuple[int, ...], int, int, int, int, int]]:
        """Counts, time, offset, line, number of the attributes in `names`, and flags of each response, by row."""
        counts = zip(*[iter(self._counts)] * _FIELDS, strict=True)
        places = [iter(self._places)] * _PLACE
        return zip(counts, *places, self._numbers, self._flags, strict=True)

    def columns(self) -> Columns:
        """The table as plain values."""
        return Columns(
            b"".join(self._keys),
            self._counts.typecode,
            self._counts.tobytes(),
            self._places.tobytes(),
            self._numbers.tobytes(),
            self._flags.tobytes(),
            self.names,
            list(self._iterations.items()),
            list(self._charges.items()),
        )

    @classmethod
    def of(cls, columns: Columns) -> ResponseTable:
        """The table of these columns. Raises ValueError for columns that don't fit together."""
        table = cls()
        table._take(columns)
        return table

    def _take(self, columns: Columns) -> None:
        self.__init__()  # type: ignore[misc]  # pickles come here without it
        self._keys = dict.fromkeys(key for (key,) in iter_unpack(f"{KEY_BYTES}s", columns.keys))
        if columns.counts_type == "q":
            self._widen()
        self._counts.frombytes(columns.counts)
        self._places.frombytes(columns.places)
        self._numbers.frombytes(columns.numbers)
        self._flags.frombytes(columns.flags)
        self._iterations = dict(columns.iterations)
        self._charges = dict(columns.charges)
        self.names = columns.names
        self._known = {attributes: number for number, attributes in enumerate(columns.names)}
        sizes = (len(self._keys), len(self._counts) / _FIELDS, len(self._places) / _PLACE, len(self._numbers))
        if set(sizes) != {len(self._flags)} or max(self._numbers, default=-1) >= len(self.names):
            raise ValueError("columns of different lengths")

    def rows_of(self, keys: Collection[bytes]) -> set[int]:
        """The rows of some identities."""
        return {row for row in map(self._row_of, keys) if row is not None}

    def rows_with_iterations(self) -> KeysView[int]:
        """The rows of responses that have iterations."""
        return self._iterations.keys()

    def charged(self, but: Collection[int] = ()) -> Iterator[Response]:
        """The responses that have a recorded cost, but those in some rows."""
        return (self.response(row) for row in self._charges if row not in but)

    def only(self, keys: Collection[bytes]) -> ResponseTable:
        """A table of the responses with these identities, as far as this one has them."""
        table = ResponseTable()
        for key in keys:
            row = self._row_of(key)
            if row is not None:
                table.put(key, self.response(row))
        return table

    def items(self) -> Iterator[tuple[bytes, Response]]:
        """Every response with its identity, in no promised order."""
        for row, key in enumerate(self._keys):
            yield key, self.response(row)

    def values(self) -> Iterator[Response]:
        """Every response, in the order in which they were first seen."""
        return map(self.response, range(len(self._keys)))

    def response(self, row: int) -> Response:
        """A row."""
        time, offset, line = self._places[row * _PLACE : (row + 1) * _PLACE]
        return Response(
            Counts(*self._counts[row * _FIELDS : (row + 1) * _FIELDS]),
            time,
            self.names[self._numbers[row]],
            offset,
            line,
            self._flags[row],
            self._iterations.get(row, ()),
            self._charges.get(row),
        )

    def _comes_first(self, response: Response, row: int) -> bool:
        """Compare two copies of the same time: by path and offset, and only if these agree by all the rest."""
        mine = (response.attributes.path, response.offset)
        theirs = (self.names[self._numbers[row]].path, self._places[row * _PLACE + 1])
        return mine < theirs if mine != theirs else response.order() < self.response(row).order()

    def number(self, attributes: Attributes) -> int:
        """Where these attributes are in `names`."""
        number = self._known.get(attributes)
        if number is None:
            number = self._known[attributes] = len(self.names)
            self.names.append(attributes)
        return number
