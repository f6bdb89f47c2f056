"""Which dialect a document speaks, found by its content: one file may mix them. `dialects` says how to add one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from costkit.adapters.logs.dialects import batch_results, messages, transcripts, usage_log
from costkit.adapters.logs.dialects.dialect import TIMES, Found, Unbilled
from costkit.adapters.logs.dialects.streams import Streams
from costkit.adapters.logs.documents import Document
from costkit.errors import InvalidInput
from costkit.report.records import UNREADABLE_TIME, FileRead, Record, RecordedCost, Remark, Skipped

if TYPE_CHECKING:
    from costkit.adapters.logs.dialects.traces import Traces

Recognise = Callable[[Document], Found | None]
Result = Record | RecordedCost | Skipped | Remark
Note = Callable[[str, int, int], None]
"""Is told a kind, a line and an offset."""


UNKNOWN_FORMAT = "unknown-format: holds a Message and its usage, in no form that is known"
DIALECTS = (
    "claude-code",
    "batch-results",
    "stream",
    "costkit",
    "bedrock",
    "litellm",
    "langfuse",
    "openinference",
    "otel",
    "promptfoo",
    "inspect",
    "llm",
    "messages",
)
"""The names that `--input` takes, in the order in which the dialects are asked; only a bare Message is one before the
dialects of other systems are asked, whatever else it holds."""


def check_dialect(name: str) -> str:
    """Accept the name of a dialect or raise `InvalidInput` with those that come close."""
    if name in DIALECTS:
        return name
    close = get_close_matches(name.lower(), DIALECTS, n=2, cutoff=0.4)
    close += [known for known in DIALECTS if known in name.lower() and known not in close]
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    raise InvalidInput(f"unknown dialect {name!r}", hint=f"{hint}known are {', '.join(DIALECTS)}")


class Detector:
    """Turns the documents of one file into records, and counts those without a bill."""

    def __init__(self, only: str | None = None, note: Note = lambda _kind, _line, _offset: None) -> None:
        """Ask all dialects, or `only` one of them; `note` is told each response that is known to cost nothing."""
        self._note = note
        self._streams = Streams()
        self._traces: Traces | None = None
        self._others: dict[str, Recognise] = {}
        """Empty until a document is none of ours: then those of other systems are loaded, and asked as well."""
        self._only = only
        self._dialects: dict[str, Recognise] = {
            "claude-code": transcripts.recognise,
            "batch-results": batch_results.recognise,
            "stream": self._streams.recognise,
            "costkit": usage_log.recognise,
        }
        if only is not None:
            known = self._dialects if check_dialect(only) in self._dialects else self._load()
            self._dialects = {only: known[only]}
        else:
            self._dialects["messages"] = messages.recognise_bare
        self.spoken: str | None = None
        """The dialect of the last document; `None` where none knew it."""
        self._unbilled: dict[str, int] = {}
        self.documents = 0
        """How many it was given."""
        self._other = 0

    @property
    def keeps_state(self) -> bool:
        """Whether what was read so far decides about what comes next."""
        return self._streams.is_used or (self._traces is not None and self._traces.is_used)

    def read(self, document: Document) -> Sequence[Result]:
        """What a document bills."""
        self.documents += 1
        try:
            found = self._ask(document)
        except ValueError as problem:
            return (Skipped(f"bad-usage: {problem}", document.path, document.line, document.offset),)
        if not found:
            self._other += 1
            if self.spoken is None and self._only is None and messages.is_hidden_in(document):
                return (Skipped(UNKNOWN_FORMAT, document.path, document.line, document.offset),)
        results = self._billed(found, document.line, document.offset)
        if any(isinstance(item, Record) and item.timestamp is None for item in results) and any(
            document.value.get(name) is not None for name in TIMES
        ):
            results.append(Remark(UNREADABLE_TIME, document.path, document.line, document.offset))
        return results

    def _billed(self, found: Found, line: int = 0, offset: int = 0) -> list[Result]:
        records: list[Result] = []
        for item in found:
            if isinstance(item, Unbilled):
                self._unbilled[item.kind] = self._unbilled.get(item.kind, 0) + 1
                self._note(item.kind, item.line or line, item.offset or offset)
            else:
                records.append(item)
        return records

    def finish(self, path: str, passed_over: int) -> Iterator[Result | FileRead]:
        """What is left at the end of a file, and what it held besides records."""
        for stream in self._streams.finish():
            try:
                yield stream.record()
            except ValueError as problem:
                yield Skipped(f"bad-usage: {problem}", path, stream.document.line, stream.document.offset)
        if self._traces is not None:
            yield from self._billed(self._traces.finish())
        yield FileRead(
            path, self.documents + passed_over, self._other + passed_over, tuple(sorted(self._unbilled.items()))
        )

    def _load(self) -> dict[str, Recognise]:
        """The dialects that are asked last."""
        from costkit.adapters.logs.dialects.foreign import foreign_dialects
        from costkit.adapters.logs.dialects.traces import Traces

        self._traces = Traces()
        self._others = {**foreign_dialects(self._traces), "messages": messages.recognise}
        return self._others

    def _ask(self, document: Document) -> Found:
        found = self._first(self._dialects, document)
        if found is None and self._only is None:
            found = self._first(self._others or self._load(), document)
        if found is None:
            self.spoken = None
        return found or ()

    def _first(self, dialects: Mapping[str, Recognise], document: Document) -> Found | None:
        for name, recognise in dialects.items():
            self.spoken = name
            found = recognise(document)
            if found is not None:
                return found
        return None
