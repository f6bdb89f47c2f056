"""JSON documents out of a stream of bytes, however they were written down, each with its place.

Understood are one document per line, several glued together on one line, a document over many lines, an array of
documents, and the `data:` lines of a server-sent event stream. What can't be read is skipped by itself, with a
reason; what follows it is read. Memory is bounded by the longest single document, at most `feed.LONGEST`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from costkit.adapters.logs.feed import LONGEST, Feed, Read, TooLong, Torn
from costkit.adapters.logs.labels import Picker
from costkit.adapters.logs.values import (
    DEEP,
    NOT_UTF8,
    NULS,
    TOO_DEEP,
    TOO_LONG,
    TORN,
    Broken,
    bracket_depth,
    values_in,
    whole,
)
from costkit.report.records import GLUED, TORN_LAST_LINE, Remark, Skipped

_BLANK = b" \t\r\n\f\v"
_BOM = b"\xef\xbb\xbf"
_SSE_FIELD = re.compile(rb"(?:event|id|retry)?:")
LONG = 1024
"""A line above this many bytes that bills nothing is not decoded: most bytes of a transcript are in such lines."""
USAGE = b'"usage"'
TRANSCRIPT = b'{"parentUuid"'
"""What most lines of a transcript begin with, and no other system's."""
TRANSCRIPT_MARKS = (b'"cost-state"',)
"""A line that begins so and bills something holds `USAGE` or, near its beginning or its end, one of these."""
OTHER_MARKS = (b'"custom_id"', b'"message_stop"', *TRANSCRIPT_MARKS)
"""The same for lines that begin in another way, where some only end what is billed; of all lines without such a mark
only those that `looks_foreign` knows are handed on."""
FOREIGN_MARKS = (b'_tokens"', b"TokenCount", b'okenUsage"', b'trace_id"', b'"traceId"')
"""What lines of other systems hold somewhere: their counts, and a span without any says whose parent it is."""


@dataclass(slots=True)
class Document:
    """A JSON object and its place."""

    value: dict[str, object]
    path: str
    line: int
    offset: int
    pickers: tuple[Picker, ...] = ()

    def labels(self) -> tuple[str | None, ...]:
        """The values that the report groups by, see `labels.pickers`."""
        return tuple([pick(self.value) for pick in self.pickers])


Found = Document | Skipped | Remark


class Documents:
    """Iterates over the documents of one stream.

    `wanted` looks at a line before it is decoded: what it turns down is not handed on.
    """

    def __init__(
        self,
        read: Read | Feed,
        path: str,
        pickers: tuple[Picker, ...] = (),
        wanted: Callable[[bytes], bool] | None = None,
    ) -> None:
        self._feed = read if isinstance(read, Feed) else Feed(read)
        self._path = path
        self._pickers = pickers
        self._wanted = wanted or is_marked
        self.passed_over = 0
        """Documents without a bill that were not handed on."""
        self.at_end = False
        """Whether there is nothing left to read."""

    def __iter__(self) -> Iterator[Found]:
        while not self.at_end:
            yield from self.unit()

    def unit(self) -> Iterator[Found]:
        """What comes next: a line, or all the lines of an array or of a document that goes on over several.

        Between two units there is no state but the place in the feed, so reading may begin or end there.
        """
        feed = self._feed
        line, offset = feed.line, feed.offset
        if feed.at_array():
            yield from self._array(line, offset)
            return
        try:
            text = feed.next_line()
        except TooLong:
            yield self._skipped(TOO_LONG, line, offset)
            return
        if text is None:
            self.at_end = True
            return
        if text[:1] == b"{":
            marked = self._wanted(text)
            if not marked and len(text) > LONG and _looks_whole(text):
                self.passed_over += 1
                return
            value = whole(text)
            if value is not None:
                if marked:
                    yield Document(value, self._path, line, offset, self._pickers)
                else:
                    self.passed_over += 1
                return
        yield from self._line(text, line, offset)

    def _line(self, text: bytes, line: int, offset: int) -> Iterator[Found]:
        """A line that is more, or less, than one document."""
        given, text = text, text.strip(_BLANK + b"\0").removeprefix(_BOM).strip(_BLANK)
        if not text and b"\0" in given:
            yield self._skipped(NULS, line, offset)
        if _SSE_FIELD.match(text):
            return
        event = text.startswith(b"data:")
        if event:
            text = text.removeprefix(b"data:").strip(_BLANK)
            if text == b"[DONE]":
                return
        values, broken = values_in(text)
        if len(values) > 1:
            yield Remark(GLUED, self._path, line, offset)
        yield from self._documents(values, line, offset)
        if broken is None:
            return
        if broken.unfinished and not event and not self._feed.cut_off:
            rest = text.decode()[broken.at :].encode()
            yield from self._over_lines(rest, line, offset + len(text) - len(rest))
            return
        reason = NULS if b"\0" in text else broken.reason
        if self._feed.cut_off and reason != NOT_UTF8:
            reason = TORN_LAST_LINE if _breaks_off(text, broken) else TORN
        yield self._skipped(reason, line, offset)

    def _over_lines(self, first: bytes, line: int, offset: int) -> Iterator[Found]:
        """An object that goes on over the following lines, or a torn line that is followed by whole ones."""
        feed, pieces, size = self._feed, [first], len(first)
        depth, end = bracket_depth(first, 0)
        while depth is not None and 0 < depth <= DEEP and size <= LONGEST:
            here, at = feed.line, feed.offset
            try:
                text = feed.next_line()
            except TooLong:
                break
            if text is None:
                break
            if _stands_alone(text):
                yield self._skipped(TORN, line, offset)
                yield from self._line(text, here, at)
                return
            depth, end = bracket_depth(text, depth)
            pieces.append(text if end is None else text[:end])
            size += len(text)
            if end is not None:
                values, broken = values_in(b"\n".join(pieces))
                yield from self._documents(values, line, offset)
                if broken is not None:
                    yield self._skipped(broken.reason, line, offset)
                yield from self._line(text[end:], here, at + end)
                return
        yield self._skipped(TOO_DEEP if depth is not None and depth > DEEP else TORN, line, offset)

    def _array(self, line: int, offset: int) -> Iterator[Document | Skipped]:
        """The elements of an array, one by one, so that it never has to be held whole."""
        feed = self._feed
        feed.enter_array()
        while True:
            byte = feed.next_in_array()
            if byte in (b"", b"]"):
                feed.take()
                if not byte:
                    yield self._skipped(TORN, line, offset)
                return
            here, at = feed.line, feed.offset
            nested = byte in b'{["'
            try:
                text = feed.take_value(_stands_alone) if nested else feed.take_scalar()
            except Torn:
                yield self._skipped(TORN, here, at)
                continue
            except TooLong:
                yield self._skipped(TOO_LONG, here, at)
                continue
            values, broken = values_in(text)
            if broken is None and values:
                yield from self._documents(values, here, at)
                continue
            yield self._skipped("invalid-json" if broken is None else broken.reason, here, at)
            if not nested:
                feed.pass_over_line()
                return

    def _documents(self, values: list[tuple[object, int]], line: int, offset: int) -> Iterator[Document]:
        for value, at in values:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    yield Document(item, self._path, line, offset + at, self._pickers)
                else:
                    self.passed_over += 1

    def _skipped(self, reason: str, line: int, offset: int) -> Skipped:
        return Skipped(reason, self._path, line, offset)


def _breaks_off(line: bytes, broken: Broken) -> bool:
    """Whether a last line without its line feed is the beginning of a document, not something else altogether."""
    return line[:1] == b"{" and (broken.reason == TORN or line[-1:] != b"}")


def _stands_alone(line: bytes) -> bool:
    """Whether a line that begins at the margin holds a whole document: whatever went on before it was torn."""
    if line[:1] != b"{":
        return False
    values, _ = values_in(line.strip(_BLANK + b"\0"))
    return bool(values) and bool(values[0][0])


def looks_foreign(text: bytes | bytearray, at: int, end: int, marks: Sequence[bytes] = FOREIGN_MARKS) -> bool:
    """Whether a line within a text may bill something by the names of another system."""
    return not text.startswith(TRANSCRIPT, at) and any(text.find(mark, at, end) >= 0 for mark in marks)


def any_line(_line: bytes) -> bool:
    """Wants every line: for a dialect that was named."""
    return True


def is_marked(line: bytes) -> bool:
    """Whether a line may bill something."""
    if USAGE in line[-LONG:] or USAGE in line:  # most often it is near the end
        return True
    head, tail = line[:LONG], line[-LONG:]
    marks = TRANSCRIPT_MARKS if line.startswith(TRANSCRIPT) else OTHER_MARKS
    return any(mark in head or mark in tail for mark in marks) or looks_foreign(line, 0, len(line))


def _looks_whole(line: bytes) -> bool:
    """Whether a long line without a mark ends as a document does: whatever is in between, no bill is lost with it."""
    return line.rstrip(b"\r")[-1:] == b"}" and b"\0" not in line
