"""The failures of a job in a table that says what to do next: how many, billed or not, and the API's own words."""

from __future__ import annotations

from dataclasses import dataclass, field

from costkit.batch.classes import CLASSES, DONE, FailureClass, ResultError
from costkit.batch.outcome import Outcome

EXAMPLES = 5
MOST_MESSAGES = 100
"""So many different messages of a class are kept apart; what comes after is counted together."""
OTHERS = "(other messages)"


@dataclass(slots=True)
class MessageGroup:
    """Failures with the same message."""

    message: str
    requests: int = 0
    lines: list[int] = field(default_factory=list)
    """The first few lines of the input; empty where the input isn't known."""
    custom_ids: list[str] = field(default_factory=list)
    """The first few."""


@dataclass(slots=True)
class FailureRow:
    """The failures of one class."""

    failure: FailureClass
    requests: int = 0
    messages: dict[str, MessageGroup] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The row as the commands publish it."""
        return {
            "class": self.failure.code,
            "requests": self.requests,
            "billed": self.failure.billed,
            "retry": self.failure.retry,
            "todo": self.failure.todo,
            "messages": self.largest(),
        }

    def largest(self) -> list[MessageGroup]:
        """The messages, the most frequent first."""
        return sorted(self.messages.values(), key=lambda group: (-group.requests, group.message))


class Failures:
    """Counts what is not well, class by class, in bounded memory."""

    def __init__(self) -> None:
        self._rows: dict[str, FailureRow] = {}

    def add(self, outcome: Outcome, error: ResultError | None) -> None:
        """Count an outcome; one that succeeded is no failure. `error` is what an errored result says."""
        if outcome.category == DONE:
            return
        entry = next(entry for entry in CLASSES if entry.code == outcome.category)
        row = self._rows.setdefault(entry.code, FailureRow(entry))
        row.requests += 1
        message = " ".join(error.message.split()) or error.type if error else ""
        if message not in row.messages and len(row.messages) >= MOST_MESSAGES:
            message = OTHERS
        group = row.messages.setdefault(message, MessageGroup(message))
        group.requests += 1
        if len(group.custom_ids) < EXAMPLES:
            group.custom_ids.append(outcome.custom_id)
            group.lines += [outcome.line] if outcome.line else []

    def rows(self) -> tuple[FailureRow, ...]:
        """The classes that occur, in their fixed order."""
        return tuple(self._rows[entry.code] for entry in CLASSES if entry.code in self._rows)

    def count(self, *codes: str) -> int:
        """How many failures there are of some classes."""
        return sum(self._rows[code].requests for code in codes if code in self._rows)
