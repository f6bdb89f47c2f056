"""Which dialect a document speaks, found by its content: one file may mix them. The package says how to add one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from costkit.adapters.logs import batch_results, messages, transcripts, usage_log
from costkit.adapters.logs.dialect import Found, Unbilled
from costkit.adapters.logs.documents import Document
from costkit.adapters.logs.streams import Streams
from costkit.report.records import FileRead, Record, RecordedCost, Skipped

Recognise = Callable[[Document], Found | None]


def dialects(streams: Streams) -> tuple[Recognise, ...]:
    """The dialects in the order in which they are asked; `streams` collects the events of one file."""
    return (
        transcripts.recognise,
        batch_results.recognise,
        streams.recognise,
        usage_log.recognise,
        messages.recognise,
    )


class Detector:
    """Turns the documents of one file into records, and counts those without a bill."""

    def __init__(self) -> None:
        self._streams = Streams()
        self._dialects = dialects(self._streams)
        self._unbilled: dict[str, int] = {}
        self._documents = 0
        self._other = 0

    @property
    def keeps_state(self) -> bool:
        """Whether what was read so far decides about what comes next."""
        return self._streams.is_used

    def read(self, document: Document) -> Sequence[Record | RecordedCost | Skipped]:
        """What a document bills."""
        self._documents += 1
        try:
            found = self._ask(document)
        except ValueError as problem:
            return (Skipped(f"bad-usage: {problem}", document.path, document.line, document.offset),)
        if not found:
            self._other += 1
        records: list[Record | RecordedCost] = []
        for item in found:
            if isinstance(item, Unbilled):
                self._unbilled[item.kind] = self._unbilled.get(item.kind, 0) + 1
            else:
                records.append(item)
        return records

    def finish(self, path: str, passed_over: int) -> Iterator[Record | Skipped | FileRead]:
        """What is left at the end of a file, and what it held besides records."""
        for stream in self._streams.finish():
            try:
                yield stream.record()
            except ValueError as problem:
                yield Skipped(f"bad-usage: {problem}", path, stream.document.line, stream.document.offset)
        yield FileRead(
            path, self._documents + passed_over, self._other + passed_over, tuple(sorted(self._unbilled.items()))
        )

    def _ask(self, document: Document) -> Found:
        for recognise in self._dialects:
            found = recognise(document)
            if found is not None:
                return found
        return ()
