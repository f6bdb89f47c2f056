"""`costkit report --explain`: reads logs as a report does, and keeps for every file what was made of its documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from costkit.adapters.logs.detect import Result, check_dialect
from costkit.adapters.logs.documents import Document
from costkit.adapters.logs.reader import read_source
from costkit.adapters.logs.sources import find_sources
from costkit.report.explained import MOST_FILES, ExplainedFile, Explanation, Spoken
from costkit.report.quality import Places, SkippedReason
from costkit.report.records import FileRead, Item, Record, RecordedCost, Remark, Skipped, check_dedupe, response_key

MOST_PLACES = 5
"""How many places of each reason are named."""


def explain_logs(
    paths: Sequence[str], *, dialect: str | None = None, dedupe: str = "auto", stdin: IO[bytes] | None = None
) -> Explanation:
    """Read logs one document after the other and say what was made of each file.

    Of several copies the first one that is read counts. Raises what `read_logs` raises. Memory grows with the
    number of distinct responses and with the documents of one file.
    """
    check_dedupe(dedupe)
    if dialect is not None:
        check_dialect(dialect)
    sources, skipped = find_sources(paths)
    seen: set[bytes] = set()
    files = [
        ExplainedFile(place.path, others=(SkippedReason(place.reason, 1, (place.path,), whole_files=True),))
        for place in skipped
    ]
    more, documents, counted, others = 0, 0, 0, 0
    for source in sources:
        if dedupe == "file":
            seen.clear()
        sorting = _Sorting(seen, dedupe)
        for item in read_source(source, dialect=dialect, stdin=stdin, witness=sorting):
            sorting.take(item)
        explained = sorting.explained(source.name)
        documents += explained.documents
        counted += explained.counted.times
        others += sum(reason.count for reason in explained.others)
        files.append(explained)
        if len(files) > MOST_FILES:
            files.pop()
            more += 1
    return Explanation(
        tuple(files[:MOST_FILES]), more + len(files[MOST_FILES:]), documents, counted, others + len(skipped)
    )


class _Places:
    """How often something was met, and the first few places."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[tuple[int, int]] = []

    def add(self, line: int, offset: int) -> None:
        """One more."""
        self.count += 1
        self._first = sorted({*self._first, (offset, line)})[:MOST_PLACES]

    def examples(self, name: str) -> tuple[str, ...]:
        """The first few as `file:line`."""
        return tuple(dict.fromkeys(f"{name}:{line}" if line else name for _, line in self._first))


class _Sorting:
    """Sorts what a file holds: a `reader.Witness` that is also handed the bills."""

    def __init__(self, seen: set[bytes], dedupe: str) -> None:
        self._seen, self._dedupe = seen, dedupe
        self._documents: dict[str, int] = {}
        self._records: dict[str, int] = {}
        self._dialects: dict[tuple[int, int], str | None] = {}
        self._explained: set[tuple[int, int]] = set()
        self._counted = _Places()
        self._others: dict[str, _Places] = {}
        self._whole: set[str] = set()
        self._undecoded = 0
        self._all = 0

    def read(self, document: Document, dialect: str | None, results: Sequence[Result]) -> None:
        """Learn which dialect a document speaks."""
        self._all += 1
        if dialect is not None:
            self._documents[dialect] = self._documents.get(dialect, 0) + 1
        self._dialects[document.line, document.offset] = dialect
        self._explained.update((result.line, result.offset) for result in results)

    def unbilled(self, kind: str, line: int, offset: int) -> None:
        """Learn why a response is not billed."""
        self._explained.add((line, offset))
        self._leave(kind, line, offset)

    def take(self, item: Item) -> None:
        """Sort one thing that the reader has found."""
        if isinstance(item, FileRead):
            self._undecoded = item.documents - self._all
            return
        self._explained.add((item.line, item.offset))
        if isinstance(item, Record):
            self._take_record(item)
        elif isinstance(item, Skipped):
            self._leave(item.reason, item.line, item.offset)
            if not item.line:
                self._whole.add(item.reason)
        elif isinstance(item, RecordedCost):
            self._leave("recorded-cost", item.line, item.offset)
        elif isinstance(item, Remark):
            return

    def explained(self, name: str) -> ExplainedFile:
        """What was made of the file."""
        for (line, offset), dialect in self._dialects.items():
            if (line, offset) not in self._explained:
                self._leave("unknown" if dialect is None else "no-bill", line, offset)
        if self._undecoded:
            self._others.setdefault("no-usage", _Places()).count += self._undecoded
        others = [
            SkippedReason(reason, places.count, places.examples(name), reason in self._whole)
            for reason, places in sorted(self._others.items(), key=lambda entry: (-entry[1].count, entry[0]))
        ]
        spoken = [Spoken(dialect, count, self._records.get(dialect, 0)) for dialect, count in self._documents.items()]
        counted = Places(self._counted.count, self._counted.examples(name))
        return ExplainedFile(name, self._all + self._undecoded, tuple(spoken), counted, tuple(others))

    def _take_record(self, record: Record) -> None:
        dialect = self._dialects.get((record.line, record.offset))
        if dialect is not None:
            self._records[dialect] = self._records.get(dialect, 0) + 1
        key = response_key(record.message_id, record.request_id, self._dedupe)
        if key is None or key not in self._seen:
            self._counted.add(record.line, record.offset)
        else:
            self._leave("copy", record.line, record.offset)
        if key is not None:
            self._seen.add(key)

    def _leave(self, reason: str, line: int, offset: int) -> None:
        self._others.setdefault(reason, _Places()).add(line, offset)
