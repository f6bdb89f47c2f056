"""What reading a log, or any part of one, comes to: a partial result that merges with others in any order.

Stored are whole tokens, never dollars: a summary can be priced again with other prices without reading again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from costkit.report.charged import Charges, add_charges
from costkit.report.dearest import Ranked, dearest
from costkit.report.options import FoldOptions
from costkit.report.recorded import SessionCosts, keep_last
from costkit.report.records import smallest_places
from costkit.report.table import ResponseTable
from costkit.report.tally import Cell, Tally

EXAMPLES = 5
"""How many places are kept for each reason."""

Place = tuple[str, int, int]
"""Path, byte offset, line."""


def place_text(place: Place) -> str:
    """`file:line`, or the file alone where all of it is meant."""
    path, _, line = place
    return f"{path}:{line}" if line else path


@dataclass(slots=True)
class Omission:
    """How often something was skipped for one reason, and the first places."""

    count: int = 0
    places: tuple[Place, ...] = ()

    def absorb(self, other: Omission) -> None:
        """Add another omission with the same reason."""
        self.count += other.count
        self.places = smallest_places((*self.places, *other.places), EXAMPLES)

    def add(self, place: Place) -> None:
        """Count one more."""
        self.absorb(Omission(1, (place,)))


@dataclass(slots=True)
class UsageSummary:
    """A commutative monoid: `UsageSummary(options)` is neutral, `absorb` and `merge` are its addition."""

    options: FoldOptions = field(default_factory=FoldOptions)
    responses: ResponseTable = field(default_factory=ResponseTable)
    """Responses with an identity, each once."""
    tallies: dict[Cell, Tally] = field(default_factory=dict)
    """Responses that count by themselves, already within the date range."""
    dearest: tuple[Ranked, ...] = ()
    """The dearest of those that are no longer in the table, if they are asked for."""
    skipped: dict[str, Omission] = field(default_factory=dict)
    remarks: dict[str, Omission] = field(default_factory=dict)
    """What was odd and could be read all the same, by kind."""
    recorded: SessionCosts = field(default_factory=dict)
    """What clients wrote down as the cost of their sessions."""
    charges: Charges = field(default_factory=dict)
    """What other systems wrote down as the cost of responses that are no longer in the table."""
    unbilled: dict[str, int] = field(default_factory=dict)
    records: int = 0
    """Every record that was read, whether it counts or not."""
    copies: int = 0
    """Records that went into the table; those beyond its length are duplicates."""
    merged: int = 0
    """Duplicates within tables that are closed already (`--dedupe file`)."""
    files: int = 0
    documents: int = 0
    other: int = 0
    """Documents without a bill."""

    @property
    def is_unrecognised(self) -> bool:
        """Whether there was something to read, but nothing in it is a response: most likely the wrong file."""
        return self.other > 0 and not (self.records or self.unbilled or self.recorded)

    @property
    def duplicates(self) -> int:
        """How many records were copies of a response that counts once."""
        return self.merged + self.copies - len(self.responses)

    def tally(self, cell: Cell) -> Tally:
        """The tally of a cell, which is empty at first."""
        found = self.tallies.get(cell)
        if found is None:
            found = self.tallies[cell] = Tally()
        return found

    def keep_dearest(self, ranked: Iterable[Ranked]) -> None:
        """Keep those that are among the dearest."""
        if self.options.ranking is not None:
            self.dearest = dearest((*self.dearest, *ranked), self.options.ranking.count)

    def absorb(self, other: UsageSummary) -> None:
        """Merge another summary, made with the same options, into this one."""
        if other.options != self.options:
            raise ValueError("summaries made with different options can't be merged")
        self.responses.absorb(other.responses)
        for cell, tally in other.tallies.items():
            self.tally(cell).absorb(tally)
        self.keep_dearest(other.dearest)
        for reason, omission in other.skipped.items():
            self.skipped.setdefault(reason, Omission()).absorb(omission)
        for kind, omission in other.remarks.items():
            self.remarks.setdefault(kind, Omission()).absorb(omission)
        for cost in other.recorded.values():
            keep_last(self.recorded, cost)
        add_charges(self.charges, other.charges)
        for kind, count in other.unbilled.items():
            self.unbilled[kind] = self.unbilled.get(kind, 0) + count
        self.records += other.records
        self.copies += other.copies
        self.merged += other.merged
        self.files += other.files
        self.documents += other.documents
        self.other += other.other


def merge(summaries: Iterable[UsageSummary], options: FoldOptions) -> UsageSummary:
    """Merge any number of partial summaries; none gives the neutral one."""
    whole = UsageSummary(options)
    for summary in summaries:
        whole.absorb(summary)
    return whole
