"""What became of each item of the input, over all jobs that tried it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from costkit.batch.classes import NOT_SENT, SUCCEEDED, type_of
from costkit.batch.results import Attempt, Item, Place


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result that counts for an item: the newest success, else whatever the newest attempt came to."""

    position: int
    line: int
    custom_id: str
    category: str
    """Its failure class, or `succeeded`."""
    place: Place | None
    """Where the result is; `None` without one."""
    attempts: int
    """How many jobs have sent it."""
    superseded: tuple[Place, ...] = ()
    """Older successes, which were billed too."""
    copies: int = 1
    """How many lines the results have for it where there should be one."""

    @property
    def type(self) -> str | None:
        """The `result.type`; `None` for a row that is missing."""
        return type_of(self.category)


def outcomes(items: Iterable[Item]) -> Iterator[Outcome]:
    """Settle items one by one, in their order."""
    return map(outcome_of, items)


def outcome_of(item: Item) -> Outcome:
    """Settle one item."""
    tried = [attempt for attempt in item.attempts if attempt.category or attempt.absence not in NOT_SENT]
    successes = [attempt for attempt in tried if attempt.category and type_of(attempt.category) == SUCCEEDED]
    counts: Attempt = (successes or tried or item.attempts)[0]
    return Outcome(
        item.position,
        item.line,
        item.custom_id,
        counts.category or counts.absence,
        counts.place,
        len(tried),
        tuple(attempt.place for attempt in successes[1:] if attempt.place),
        max((attempt.copies for attempt in item.attempts), default=0),
    )
