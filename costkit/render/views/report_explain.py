"""The page of `costkit report --explain`: file by file, what counts and why the rest does not."""

from __future__ import annotations

from collections.abc import Iterator

from costkit.render.text import plural
from costkit.render.view import Cell, Column, Kind, Labelled, Table, View
from costkit.report.explained import REASONS, ExplainedFile, Explanation

_COLUMNS = (
    Column("file", "file"),
    Column("dialect", "dialect"),
    Column("what", "what"),
    Column("count", "count", Kind.COUNT),
    Column("first places", "examples"),
)
_MOST_SHOWN = 3


def report_explain_view(explanation: Explanation, again: str) -> View:
    """For each file what counts, then everything else by reason; `again` is the command that reports."""
    rows = tuple(row for file in explanation.files for row in _rows(file))
    read = f"{plural(explanation.documents, 'document')} read"
    headline = f"{plural(explanation.counted, 'response')} counted · {explanation.not_counted:,} left out · {read}"
    if explanation.more_files:
        headline += f" · {plural(explanation.more_files, 'file')} not shown"
    return View(headline, (Table(_COLUMNS, rows),), next_command=f"{again}   says what they cost")


def _rows(file: ExplainedFile) -> Iterator[tuple[Cell, ...]]:
    spoken = ", ".join(dialect.name for dialect in file.dialects) or None
    yield (file.file, spoken, "counted", file.counted.times, _places(file.counted.examples))
    for reason in file.others:
        means = REASONS.get(reason.reason)
        what = Labelled(reason.reason, reason.reason if means is None else f"{reason.reason}: {means}")
        yield (file.file, None, what, reason.count, None if reason.whole_files else _places(reason.examples))


def _places(examples: tuple[str, ...]) -> str | None:
    return ", ".join(place.rpartition(":")[2] for place in examples[:_MOST_SHOWN]) or None
