"""Cut a job into batches: in input order, by exact bytes, as few as possible.

Limits: https://platform.claude.com/docs/en/build-with-claude/batch-processing (100,000 requests or 256 MB). Batches of
a job get different numbers of requests where that needs no further batch: the number helps to tell them apart in the
API's list, where nothing else does.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from costkit.batch.lint import CLOSING, COMMA, OPENING

MOST_REQUESTS = 100_000
MOST_BYTES = 256_000_000 * 98 // 100
"""Two percent below the API's limit, which doesn't say what exactly it counts."""
_AROUND = len(OPENING) + len(CLOSING) - len(COMMA)
_MOST_TRIES = 10_000
_MANY_BATCHES = 400
"""More batches than this are not told apart by their counts any more."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A run of consecutive items that become one batch."""

    first: int
    """Index of its first item."""
    requests: int
    bytes: int
    """Length of the body that is posted."""


def plan_cuts(
    lengths: Sequence[int], *, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES
) -> tuple[Cut, ...]:
    """Cut items with canonical lines of these lengths into the fewest batches that keep both limits.

    Each item must fit a batch alone; ValueError otherwise.
    """
    if not lengths:
        return ()
    if max(lengths) + _AROUND + len(COMMA) > most_bytes or most_requests < 1:
        raise ValueError("an item doesn't fit a batch")
    search = _Search(_sums(lengths), most_requests, most_bytes)
    counts = search.different_counts() or search.fewest(0)
    cuts, first = [], 0
    for count in counts:
        cuts.append(Cut(first, count, search.size(first, count)))
        first += count
    return tuple(cuts)


def body_size(lengths: Sequence[int]) -> int:
    """The length of the body that holds lines of these lengths."""
    return _AROUND + sum(lengths) + len(COMMA) * len(lengths)


def _sums(lengths: Sequence[int]) -> array[int]:
    """Where each line would end in one endless body."""
    sums = array("Q", [0])
    for length in lengths:
        sums.append(sums[-1] + length + len(COMMA))
    return sums


@dataclass(slots=True)
class _Search:
    sums: array[int]
    most_requests: int
    most_bytes: int
    tries: int = 0
    _needed: dict[int, int] = field(default_factory=dict)

    def size(self, first: int, count: int) -> int:
        """The length of the body of `count` items."""
        return _AROUND + self.sums[first + count] - self.sums[first]

    def most(self, first: int) -> int:
        """How many items from `first` on fit into one batch."""
        end = bisect_right(self.sums, self.sums[first] + self.most_bytes - _AROUND) - 1
        return min(end - first, self.most_requests)

    def fewest(self, first: int) -> list[int]:
        """Counts of the fewest batches from an item on: each as full as it can be."""
        counts = []
        while first < len(self.sums) - 1:
            counts.append(self.most(first))
            first += counts[-1]
        return counts

    def different_counts(self) -> list[int] | None:
        """As few batches, all with different counts; `None` if there is no such cut, or none is found soon."""
        batches = len(self.fewest(0))
        return self._from(0, [], batches) if batches <= _MANY_BATCHES else None

    def _from(self, first: int, counts: list[int], batches: int) -> list[int] | None:
        """Cut the rest into exactly `batches`, none with a count that is taken; the fullest first."""
        if first == len(self.sums) - 1:
            return counts if batches == 0 else None
        left = len(self.sums) - 1 - first
        for count in range(self.most(first), 0, -1):
            self.tries += 1
            if self.tries > _MOST_TRIES or not self._fits(first + count, batches - 1):
                return None
            if batches == 1 and count < left:
                return None
            if count not in counts:
                found = self._from(first + count, [*counts, count], batches - 1)
                if found is not None:
                    return found
        return None

    def _fits(self, first: int, batches: int) -> bool:
        """Whether the items from `first` on fit into so many batches: later beginnings need fewer or as many."""
        if first not in self._needed:
            self._needed[first] = len(self.fewest(first))
        return self._needed[first] <= batches
