"""How a log was read: which dialects it speaks, which places count, and why the others don't."""

from __future__ import annotations

from typing import NamedTuple

from costkit.report.quality import NOWHERE, Places, SkippedReason

MOST_FILES = 100
"""How many files are told apart; the others are only added up."""


class Spoken(NamedTuple):
    """A dialect in a file."""

    name: str
    documents: int
    """The documents that it knew, with or without a bill."""
    records: int
    """The bills in them, copies included."""

    def as_json(self) -> dict[str, object]:
        """An entry of `dialects`."""
        return self._asdict()


class ExplainedFile(NamedTuple):
    """What was made of a file."""

    file: str
    documents: int = 0
    dialects: tuple[Spoken, ...] = ()
    counted: Places = NOWHERE
    """The bills that count."""
    others: tuple[SkippedReason, ...] = ()
    """Everything that does not count, by reason."""

    def as_json(self) -> dict[str, object]:
        """An entry of `files`."""
        return {
            "file": self.file,
            "documents": self.documents,
            "dialects": [spoken.as_json() for spoken in self.dialects],
            "counted": self.counted.as_json(),
            "not_counted": [reason.as_json() for reason in self.others],
        }


class Explanation(NamedTuple):
    """The result of `costkit report --explain`."""

    files: tuple[ExplainedFile, ...]
    """The first `MOST_FILES`."""
    more_files: int = 0
    documents: int = 0
    counted: int = 0
    not_counted: int = 0
    """All three of all files."""

    def as_json(self) -> dict[str, object]:
        """The `result` of the document."""
        return {**self._asdict(), "files": [file.as_json() for file in self.files]}


REASONS = {
    "copy": "a copy of a response that counts once",
    "no-usage": "no usage in it",
    "no-bill": "known, but bills nothing by itself",
    "unknown": "no known dialect",
    "recorded-cost": "what a client thinks that its session cost",
}
"""What the reasons mean; those that speak for themselves have no entry."""
