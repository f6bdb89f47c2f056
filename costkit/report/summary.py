"""What reading a log, or any part of one, comes to: a partial result that merges with others in any order.

Stored are whole tokens, never dollars: a summary can be priced again with other prices without reading again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from costkit.core.response import BilledUsage, Counts, Iteration
from costkit.core.usage import Usage
from costkit.report.options import FoldOptions
from costkit.report.records import FileRead, Item, Record, Skipped, response_key, smallest_places
from costkit.report.table import ANSWERED, INCOMPLETE, NO_TIME, PLACEHOLDER, Attributes, Response, ResponseTable

QUARTER_HOUR = 15 * 60 * 1_000_000
"""Microseconds. Every time zone in use is a whole number of quarter hours away from UTC."""
EXAMPLES = 5
"""How many places are kept for each reason."""

Place = tuple[str, int, int]
"""Path, byte offset, line."""


def place_text(place: Place) -> str:
    """`file:line`, or the file alone where all of it is meant."""
    path, _, line = place
    return f"{path}:{line}" if line else path


class Part(NamedTuple):
    """A piece of a response that has one price: the message itself or one of its iterations."""

    model: str | None
    usage: Usage
    assumed_5m_tokens: int
    is_request: bool
    """Exactly one part of a response counts as the request."""


class Cell(NamedTuple):
    """What responses that are counted at once must share: everything that can group them or select their price."""

    attributes: Attributes
    quarter_hour: int | None
    model: str | None
    bracket: int


@dataclass(slots=True)
class Tally:
    """Whole numbers of many responses in one `Cell`."""

    usage: Usage = field(default_factory=Usage)
    requests: int = 0
    assumed_5m_tokens: int = 0
    placeholders: int = 0
    incomplete: int = 0
    priority: int = 0
    """Requests in the priority tier, whose price is a contract's."""
    refusals: int = 0
    """Responses that were refused; those without output may not be billed."""
    first: int = NO_TIME
    last: int = -NO_TIME

    def absorb(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.usage += other.usage
        self.requests += other.requests
        self.assumed_5m_tokens += other.assumed_5m_tokens
        self.placeholders += other.placeholders
        self.incomplete += other.incomplete
        self.priority += other.priority
        self.refusals += other.refusals
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)


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
    skipped: dict[str, Omission] = field(default_factory=dict)
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
        return self.other > 0 and not self.records and not self.unbilled

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

    def absorb(self, other: UsageSummary) -> None:
        """Merge another summary, made with the same options, into this one."""
        if other.options != self.options:
            raise ValueError("summaries made with different options can't be merged")
        self.responses.absorb(other.responses)
        for cell, tally in other.tallies.items():
            self.tally(cell).absorb(tally)
        for reason, omission in other.skipped.items():
            self.skipped.setdefault(reason, Omission()).absorb(omission)
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


def summarize(items: Iterable[Item], options: FoldOptions) -> UsageSummary:
    """Fold what a reader yields into a summary.

    With `dedupe="file"` the records of a file must come one after the other; its responses are closed at its end,
    so memory does not grow with the number of responses.
    """
    summary = UsageSummary(options)
    path = None
    for item in items:
        if isinstance(item, Record):
            if options.dedupe == "file" and item.path != path:
                _close(summary)
                path = item.path
            _add(summary, item)
        elif isinstance(item, Skipped):
            _skip(summary, item.reason, (item.path, item.offset, item.line))
        else:
            _note(summary, item)
    if options.dedupe == "file":
        _close(summary)
    return summary


def parts_of(model: str | None, counts: Counts, iterations: tuple[Iteration, ...]) -> tuple[Part, ...]:
    """What a response bills, part by part, each with its own model.

    The request is counted with the first part at the message's own model, or with the first part if none is.
    """
    if not iterations:
        return (Part(model, counts.usage(), counts.assumed_5m_tokens, is_request=True),)
    bill = BilledUsage(counts, iterations=iterations).bill()
    models = [model if part.model is None else part.model for part in bill]
    request = models.index(model) if model in models else 0
    return tuple(
        Part(models[index], part.counts.usage(), part.counts.assumed_5m_tokens, index == request)
        for index, part in enumerate(bill)
    )


def _add(summary: UsageSummary, record: Record) -> None:
    if len(record.labels) != len(summary.options.labels):
        raise ValueError("the reader was not asked for the labels of this report")
    summary.records += 1
    response = response_of(record)
    key = response_key(record, summary.options.dedupe)
    if key is None:
        _count(summary, response)
    else:
        summary.copies += 1
        summary.responses.put(key, response)


def response_of(record: Record) -> Response:
    """The row of a table that a record becomes."""
    usage = record.usage
    return Response(
        usage.counts,
        NO_TIME if record.timestamp is None else record.timestamp,
        Attributes(
            record.model,
            usage.service_tier,
            usage.speed,
            usage.inference_geo,
            record.session,
            record.project,
            record.path,
            record.labels,
        ),
        record.offset,
        record.line,
        PLACEHOLDER * record.placeholder | INCOMPLETE * record.incomplete | ANSWERED * (not record.refused),
        usage.iterations,
    )


def _count(summary: UsageSummary, response: Response) -> None:
    options = summary.options
    if options.since is not None or options.until is not None:
        if response.timestamp == NO_TIME:
            _skip(summary, "no-timestamp", (response.attributes.path, response.offset, response.line))
            return
        if not within(response.timestamp, options):
            return
    for cell, tally in cells_of(response, options.brackets):
        summary.tally(cell).absorb(tally)


def cells_of(response: Response, brackets: tuple[int, ...]) -> Iterator[tuple[Cell, Tally]]:
    """What one response adds to which cells: one entry for each part of its bill."""
    time, attributes = response.timestamp, response.attributes
    quarter, last = (None, -NO_TIME) if time == NO_TIME else (time // QUARTER_HOUR, time)
    for part in parts_of(attributes.model, response.counts, response.iterations):
        flags = response.flags if part.is_request else ANSWERED
        cell = Cell(attributes, quarter, part.model, bisect_left(brackets, part.usage.prompt_tokens))
        yield (
            cell,
            Tally(
                part.usage,
                int(part.is_request),
                part.assumed_5m_tokens,
                int(flags & PLACEHOLDER > 0),
                int(flags & INCOMPLETE > 0),
                int(part.is_request and attributes.service_tier == "priority"),
                int(not flags & ANSWERED),
                time,
                last,
            ),
        )


def within(timestamp: int, options: FoldOptions) -> bool:
    """Whether a moment lies in the half-open date range of the options."""
    after = options.since is None or timestamp >= options.since
    return after and (options.until is None or timestamp < options.until)


def _close(summary: UsageSummary) -> None:
    """Count the responses of a finished file and forget them."""
    for response in summary.responses.values():
        _count(summary, response)
    summary.merged += summary.copies - len(summary.responses)
    summary.copies = 0
    summary.responses = ResponseTable()


def _skip(summary: UsageSummary, reason: str, place: Place) -> None:
    summary.skipped.setdefault(reason, Omission()).add(place)


def _note(summary: UsageSummary, file: FileRead) -> None:
    summary.files += 1
    summary.documents += file.documents
    summary.other += file.other
    for kind, count in file.unbilled:
        summary.unbilled[kind] = summary.unbilled.get(kind, 0) + count
