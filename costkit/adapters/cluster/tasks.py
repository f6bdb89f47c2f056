"""What workers do: each function is one task, whole or not at all, so that the engine may do it again anywhere."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from costkit import __version__
from costkit.adapters.cluster.objects import Mark, explain, is_unchanged, opener, why_unreadable
from costkit.adapters.logs.pieces import Folder, Load, Piece
from costkit.adapters.logs.plain import Range
from costkit.errors import CostkitError
from costkit.report.options import FoldOptions
from costkit.report.partition import join, settle_part, size_of, split
from costkit.report.summary import UsageSummary
from costkit.report.table import Columns, ResponseTable

_BLOCK = 1 << 20


class Failure(NamedTuple):
    """A piece of a load that could not be read."""

    position: int
    reason: str
    changed: bool
    """Whether it is not what it was when it was found."""


class PiecesFailed(Exception):
    """Raised by a worker with all pieces of its load that could not be read: what it came to is of no use then."""

    def __init__(self, failures: list[Failure]) -> None:
        super().__init__(failures)
        self.failures = failures


class OtherVersion(Exception):
    """Raised by a worker that came later and has another costkit: the message names both."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What holds for every load of a report."""

    options: FoldOptions
    folder: str
    """Where relative paths begin."""
    buckets: int
    """Into how many shares each load parts its responses."""
    version: str = __version__


@dataclass(frozen=True, slots=True)
class Order:
    """A load, and what its files were when they were found."""

    load: Load
    marks: dict[str, Mark]

    @property
    def size(self) -> int:
        """Bytes to read."""
        return sum(_size(piece) for piece in self.load)


def _size(piece: Piece) -> int:
    size = piece.source.size or 0
    return (size if piece.stop is None else piece.stop) - piece.start


class Head(NamedTuple):
    """What the one who gave the order has to know about a load: kilobytes."""

    rest: UsageSummary
    """Everything but the responses that have an identity."""
    ranges: list[Range | None]
    responses: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a load came to. It stays with the worker."""

    head: Head
    buckets: list[Columns]


def read_load(order: Order, setup: Setup) -> Reading:
    """Read the pieces of a load. Raises `PiecesFailed` where some can't be read, or are not what they were."""
    if setup.version != __version__:
        raise OtherVersion(f"it has costkit {__version__}, this is costkit {setup.version}")
    stop = order.load[-1].stop if len(order.load) == 1 else None
    folder = Folder(setup.options, open_file=opener(setup.folder, order.marks, stop))
    ranges: list[Range | None] = []
    failures: list[Failure] = []
    for index in range(len(order.load)):
        found = _fold(folder, index, order, setup)
        if isinstance(found, Failure):
            failures.append(found)
        else:
            ranges.append(found)
    if failures:
        raise PiecesFailed(failures)
    folder.join(list(folder.split))
    summary = folder.summary
    columns, summary.responses = summary.responses.columns(), ResponseTable()
    head = Head(summary, ranges, size_of(columns))
    return Reading(head, split(columns, setup.buckets) if head.responses else [])


def _fold(folder: Folder, index: int, order: Order, setup: Setup) -> Range | Failure | None:
    piece = order.load[index]
    path = piece.source.path
    changed, reason = False, ""
    try:
        found = folder.fold(piece)
    except Exception as error:  # noqa: BLE001  # one bad file must not stop the others
        reason = _reason(error)
    with suppress(OSError):  # what is gone can't be read either, and that has been noticed
        changed = not is_unchanged(path, setup.folder, order.marks[path])
    if changed or reason:
        return Failure(index, reason, changed)
    return found


def _reason(error: Exception) -> str:
    if isinstance(error, CostkitError):
        return str(error).removeprefix(f"{error.where}: ").removeprefix("reading failed: ")
    return explain(error)


def first_unreadable(urls: list[str]) -> tuple[str, str] | None:
    """The first of some objects that this worker can't read, and why."""
    reasons = ((url, why_unreadable(url)) for url in urls)
    return next(((url, why) for url, why in reasons if why is not None), None)


def head_of(reading: Reading) -> Head:
    """What is said about a load."""
    return reading.head


def bucket_of(reading: Reading, number: int) -> Columns:
    """The share of a load with one hash."""
    return reading.buckets[number]


def regroup(shares: list[Columns], parts: int) -> list[Columns]:
    """Bring shares of one hash together and part them further."""
    return split(join(shares), parts, digit=1)


def part_of(parts: list[Columns], number: int) -> Columns:
    """One of them."""
    return parts[number]


@dataclass(frozen=True, slots=True)
class Settling:
    """What holds for the responses of every hash."""

    options: FoldOptions
    sessions: frozenset[str]
    """Those that have a recorded cost somewhere."""


def given(settling: Settling) -> Settling:
    """Hand over once what many tasks need."""
    return settling


def settle(shares: list[Columns], settling: Settling) -> UsageSummary:
    """Merge the copies of responses and close them; what is left are tallies."""
    return settle_part(shares, settling.options, settling.sessions)


def count_lines(start: int, stop: int, order: Order, setup: Setup) -> int:
    """How many lines end in a range of the file of an order. Raises OSError."""
    count = 0
    with opener(setup.folder, order.marks, stop)(order.load[0].source.path) as file:
        file.seek(start)
        while start < stop:
            block = file.read(min(_BLOCK, stop - start))
            if not block:
                break
            count += block.count(b"\n")
            start += len(block)
    return count
