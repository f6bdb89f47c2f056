"""What collecting needs from the outside: a place for downloaded results, and an index that joins them to the input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol


class Place(NamedTuple):
    """Where a result is: a line of the spooled results of a batch."""

    batch_id: str
    offset: int
    length: int


class Found(NamedTuple):
    """A result as it was found."""

    custom_id: str
    category: str
    """Its failure class, or `succeeded`."""
    offset: int
    length: int


class Asked(NamedTuple):
    """An item of a job's input."""

    position: int
    line: int
    custom_id: str
    absence: str
    """The class that it has without a result: one of `classes.ABSENCES`."""


class Attempt(NamedTuple):
    """What one job of a family did for an item: the best of its results, or none."""

    generation: int
    absence: str
    category: str | None
    place: Place | None
    copies: int
    """How many lines its results have for the item."""


class Item(NamedTuple):
    """An item of the first job of a family, with its attempts, newest first."""

    position: int
    line: int
    custom_id: str
    attempts: tuple[Attempt, ...]


class ResultsSpool(Protocol):
    """Downloaded results on disk, so that a crash costs no second download."""

    def has(self, batch_id: str) -> bool:
        """Whether the results of a batch are there, whole and checked."""

    def receive(self, batch_id: str, chunks: Iterable[bytes]) -> None:
        """Write a download to disk, provisionally."""

    def lines(self, batch_id: str) -> Iterator[tuple[int, bytes]]:
        """The lines of a batch with their offsets, provisional or not; ValueError for a line without an end."""

    def keep(self, batch_id: str) -> None:
        """Make a provisional download a whole one that survives a crash."""

    def discard(self, batch_id: str) -> None:
        """Forget what is there of a batch."""

    def read(self, place: Place) -> bytes:
        """One line, without its line feed."""


class ResultsIndex(Protocol):
    """Joins results to items by custom_id, in bounded memory."""

    def ask(self, generation: int, items: Iterable[Asked]) -> None:
        """Add the items of a job; the first job of a family is generation 0."""

    def add(self, generation: int, batch_id: str, results: Iterable[Found]) -> int:
        """Add the results of a batch, all or, if reading them fails, none; return how many custom_ids there are."""

    def drop(self, batch_id: str) -> None:
        """Forget the results of a batch."""

    def strangers(self, generation: int, batch_id: str, first: int, requests: int) -> tuple[int, int]:
        """Of a batch that should hold a run of items: how many of its results are none of them, how many are absent."""

    def mark(self, generation: int, first: int, requests: int, absence: str) -> None:
        """Change the class that a run of items has without a result."""

    def ask_for_what_is_there(self) -> None:
        """Let every result stand for an item: for a batch whose input nobody knows."""

    def by_arrival(self) -> None:
        """Put the items into the order in which their results came, those without a result last."""

    def items(self) -> Iterator[Item]:
        """The items of the first job, in order."""

    def unknown(self) -> Iterator[str]:
        """The custom_ids of results that no item asked for, in order of arrival."""


class Output(Protocol):
    """Where collected rows go; leaving it without `commit` leaves nothing behind."""

    def write(self, row: bytes, *, failed: bool) -> None:
        """Add a row, without its line feed."""

    def commit(self) -> bool:
        """Make the rows visible, all at once; no if the reader went away before the end."""


OpenOutput = AbstractContextManager[Output]
