"""Calls that lie inside each other: a span or an observation often repeats the sums of those below it.

An agent's span adds up what its steps used, and a framework's span tells again what the client's own below it tells:
of calls that lie inside each other only the innermost ones count. That can be said once a trace is complete. Traces
may be mixed, and parents come before or after their children, so calls are kept until the end of the file; above
`MOST_KEPT` spans the oldest trace is taken for complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from costkit.adapters.logs.dialects import openinference, otel
from costkit.adapters.logs.dialects.counted import Part, Parts, record, skipped
from costkit.adapters.logs.dialects.dialect import Found, Unbilled
from costkit.adapters.logs.dialects.spans import Span, spans_in
from costkit.adapters.logs.documents import Document

MOST_KEPT = 200_000
REPEATED = "repeated-by-parent-span"
"""The kind of a call that repeats those that lie inside of it."""


@dataclass(slots=True)
class _Trace:
    parents: dict[str, str] = field(default_factory=dict)
    calls: dict[str, Part] = field(default_factory=dict)

    def holds(self, name: str) -> bool:
        """Whether a span was met before."""
        return name in self.parents or name in self.calls

    def settle(self) -> list[Part]:
        """What counts, in the order of arrival."""
        repeated: set[str] = set()
        for inner in self.calls:
            if inner in repeated:  # whoever found that has been at all those above it
                continue
            seen, outer = {inner}, self.parents.get(inner)
            while outer is not None and outer not in seen and outer not in repeated:
                if outer in self.calls:
                    repeated.add(outer)
                seen.add(outer)
                outer = self.parents.get(outer)
        return [
            Unbilled(REPEATED, call.line, call.offset) if name in repeated else call
            for name, call in self.calls.items()
        ]


@dataclass(slots=True)
class Traces:
    """Collects the calls of one file."""

    is_used: bool = False
    """Whether what was read so far decides about what comes next."""
    _open: dict[str, _Trace] = field(default_factory=dict)
    _kept: int = 0
    _looked_into: Document | None = None
    _found: list[Span] | None = None

    def recognise(self, document: Document) -> Found | None:
        """Read a document of spans."""
        spans = self._spans(document)
        return None if spans is None else self._read(document, spans)

    def recognise_openinference(self, document: Document) -> Found | None:
        """Read a document of spans of which one at least has OpenInference's counts."""
        spans = self._spans(document)
        if spans is None or not any(openinference.PROMPT in span.attributes for span in spans):
            return None
        return self._read(document, spans)

    def add(self, trace: str, name: str, parent: str | None, call: Part | None) -> Parts:
        """Take a span; the answer is what has become complete by it."""
        self.is_used = True
        known = self._open.setdefault(trace, _Trace())
        self._kept += (parent is not None or call is not None) and not known.holds(name)
        if parent:
            known.parents[name] = parent
        if call is not None:
            known.calls[name] = call
        if self._kept <= MOST_KEPT:
            return ()
        oldest = self._open.pop(next(iter(self._open)))
        self._kept -= len(oldest.parents.keys() | oldest.calls.keys())
        return oldest.settle()

    def finish(self) -> list[Part]:
        """What is left at the end of the file."""
        left, self._open, self._kept = self._open, {}, 0
        return [part for trace in left.values() for part in trace.settle()]

    def _spans(self, document: Document) -> list[Span] | None:
        """What a document holds; it is asked for more than once."""
        if self._looked_into is not document:
            self._looked_into, self._found = document, spans_in(document.value)
        return self._found

    def _read(self, document: Document, spans: Sequence[Span]) -> Found:
        return [part for span in spans for part in self.add(span.trace, span.id, span.parent, _part(document, span))]


def _part(document: Document, span: Span) -> Part | None:
    try:
        call = openinference.call_of(span) or otel.call_of(span)
    except ValueError as problem:
        return skipped(document, problem)
    if call is None:
        return None
    return record(document, call if call.id else call._replace(id=f"{span.trace}/{span.id}"))
