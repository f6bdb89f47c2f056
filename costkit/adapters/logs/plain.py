"""Plain log files, line by line, out of a buffer that is used again and again: the quick way through most bytes.

A line is looked at as little as its answer needs: one without a mark is passed over, one with a usage is decoded into
`shapes`. For anything else, and wherever there is the least doubt, the exact reader takes over from the beginning of
that line until it is at the beginning of another. A file may be read in ranges of bytes, each by another process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import RawIOBase
from typing import NamedTuple

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from costkit.adapters.logs.detect import Detector
from costkit.adapters.logs.documents import (
    FOREIGN_MARKS,
    LONG,
    OTHER_MARKS,
    TRANSCRIPT,
    TRANSCRIPT_MARKS,
    USAGE,
    Document,
    Documents,
    Found,
    any_line,
    looks_foreign,
)
from costkit.adapters.logs.feed import Feed
from costkit.adapters.logs.labels import pickers
from costkit.adapters.logs.search import find, is_fast
from costkit.adapters.logs.teller import Teller
from costkit.adapters.logs.turns import Span
from costkit.report.fold import add_item
from costkit.report.records import FileRead
from costkit.report.summary import UsageSummary

BUFFER = 1 << 20
"""Bytes of a good buffer. Enough for most files at once, and little enough for the cache of a processor."""
UNKNOWN_LINE = -(1 << 62)
"""The number of the first line in a range that does not begin with its file: what is negative is not known."""
_BEYOND = 64 << 10
_MOST_STEPS = 16
_FAR = 1 << 62
_RUN = 100
"""Lines with a usage that are counted together at most."""
_OPEN, _CLOSE, _NEWLINE = b"{}\n"


class _Anything(Struct):
    """An object, whatever is in it."""


_decode_anything = Decoder(_Anything).decode


class Range(NamedTuple):
    """What became of a range of bytes of a file."""

    entered: int
    """Where the first line that belongs to it begins."""
    left: int
    """Where the first line after it begins."""
    alone: bool
    """Whether it could be read without knowing what comes before it in the file."""


NO_LINE = Range(-1, -1, alone=True)
"""What becomes of a range within a line that is longer than it: whoever read its beginning has read it."""


class _LineEnds(Exception):
    """Raised for what does not end with its line."""


def _no_more(_size: int) -> bytes:
    raise _LineEnds


class PlainReader:
    """Reads the lines of a file that begin from `start` on and before `stop`; what they come to goes into `summary`.

    `buffer` is worked in: one for all files saves the system the work of giving out memory. `passed` is told the bytes
    of each read.
    """

    def __init__(
        self,
        file: RawIOBase,
        name: str,
        summary: UsageSummary,
        buffer: bytearray,
        start: int = 0,
        stop: int | None = None,
        passed: Callable[[int], None] = lambda _size: None,
    ) -> None:
        self._file, self.name, self._start, self._stop = file, name, start, stop
        self._summary, self._passed = summary, passed
        self._buffer, self._view = buffer, memoryview(buffer)
        self._pickers = pickers(summary.options.labels)
        dialect = summary.options.dialect
        self._detector = Detector(dialect)
        self._wanted = None if dialect is None else any_line
        self._base = start
        self._filled = 0
        self._line = UNKNOWN_LINE if start else 1
        self._passed_over = self._steps = 0
        self._at_end = False
        self._marked: dict[tuple[bytes, ...], bool] = {}
        """Whether one of some marks is in the buffer, once somebody asks."""
        self._may_bill = not self._pickers and dialect is None
        """Whether a line's bill is all that is asked for, so that it may be read by the quick way."""
        self._nul = self._usage = -1
        """Where the next NUL byte and the next usage in the buffer are, if that is known already."""
        self._most = _RUN
        """Lines with a usage to count together: few after an odd one, which costs another look at those behind it."""
        self._foreign: tuple[bytes, ...] | None = None
        """Those of the `FOREIGN_MARKS` that are in the buffer, once somebody asks."""
        self._teller = Teller(summary, name)

    def read(self) -> Range:
        """Go through the range. Raises OSError where the system fails."""
        if self._start and not self._align():
            return NO_LINE
        entered = self._base
        while not self._at_end and (self._stop is None or self._base < self._stop):
            self._fill()
            last = self._filled if self._at_end else self._buffer.rfind(b"\n", 0, self._filled) + 1
            if last == 0 and self._filled < len(self._buffer):
                continue
            at = self._go_on(last) if last else self._step(0)
            self._forget(at)
        teller = self._teller
        teller.settle()
        alone = not self._detector.keeps_state
        for item in self._detector.finish(self.name, self._passed_over + teller.others):
            if isinstance(item, FileRead):
                files = 0 if self._start else 1
                add_item(self._summary, item._replace(documents=item.documents + teller.bills, files=files))
            else:
                add_item(self._summary, item)
        return Range(entered, self._base, alone)

    def _align(self) -> bool:
        """Go to the beginning of a line; tell whether one begins in the range."""
        self._base = self._start - 1
        self._file.seek(self._base)
        while not self._at_end and (self._stop is None or self._base + 1 < self._stop):
            self._fill()
            at = self._buffer.find(b"\n", 0, self._filled) + 1
            self._forget(at or self._filled)
            if at:
                return self._stop is None or self._base < self._stop
        return self._at_end

    def _fill(self) -> None:
        room = len(self._buffer)
        if self._stop is not None:
            wanted = self._stop - self._base - self._filled
            room = min(room, self._filled + max(wanted, _BEYOND))
        size = self._file.readinto(self._view[self._filled : room])
        self._at_end = not size and room > self._filled
        self._filled += size or 0
        self._passed(size or 0)

    def _forget(self, at: int) -> None:
        """Keep what comes after a place in the buffer."""
        if at < self._filled:
            rest = self._filled - at
            self._buffer[:rest] = self._buffer[at : self._filled]
            self._filled = rest
        elif at > self._filled:
            self._file.seek(self._base + at)
            self._filled = 0
            self._at_end = False
        else:
            self._filled = 0
        self._base += at

    def _go_on(self, last: int) -> int:
        """Go through the lines in the buffer before `last`; returns how far that went."""
        self._nul = self._usage = -1
        self._foreign = None
        self._marked.clear()
        stop = last if self._stop is None else min(last, self._stop - self._base)
        at, is_odd = 0, True
        while at < stop:
            if self._wanted is None:
                at, is_odd = self._run(at, stop, last)
            if is_odd and self._buffer[at] == _NEWLINE:
                self._line += 1
                at += 1
            elif is_odd:
                at = self._step(at)
        return at

    def _run(self, at: int, stop: int, last: int) -> tuple[int, bool]:
        """Go through some of the lines between `at` and `stop`; returns how far, and whether an odd line follows."""
        first = self._line
        spans, at, line, is_odd = self._look(at, stop, last)
        counted = self._teller.count(self._view, spans, self._base)
        self._most = min(2 * self._most, _RUN)
        if counted < len(spans):
            at, _, line = spans[counted]
            is_odd, self._most, self._usage = True, 1, -1
        self._line = line
        self._passed_over += line - first - counted
        return at, is_odd

    def _look(self, at: int, stop: int, last: int) -> tuple[list[Span], int, int, bool]:
        """Look at lines until there are enough with a usage, or an odd one.

        Returns those with a usage, where the next one begins, its number, and whether it is odd.
        """
        buffer, view, newline, startswith = self._buffer, self._view, self._buffer.find, self._buffer.startswith
        opening, closing, may_bill, most = _OPEN, _CLOSE, self._may_bill, self._most
        is_unmarked = self._marked.get(TRANSCRIPT_MARKS) is False
        spans: list[Span] = []
        line, is_odd = self._line, True
        if self._nul < at:
            self._nul = _or_last(newline(b"\0", at, last), last)
        if self._usage < at:
            self._usage = _or_last(find(buffer, USAGE, at, last), last)
        nul, usage = self._nul, self._usage
        while at < stop and len(spans) < most:
            end = newline(b"\n", at, last)
            if (
                buffer[at] != opening
                or not at < end < nul
                or (buffer[end - 1] != closing and not buffer.endswith(b"}\r", at, end))
            ):
                break
            if usage < end:
                if not may_bill:
                    break
                spans.append((at, end, line))
                usage = _or_last(find(buffer, USAGE, end, last), last)
            elif not (is_unmarked and startswith(TRANSCRIPT, at) and (end - at > LONG or _is_object(view[at:end]))):
                if not self._bills_nothing(at, end, last):
                    break
                is_unmarked = self._marked.get(TRANSCRIPT_MARKS) is False
            line += 1
            at = end + 1
        else:
            is_odd = False
        self._usage = usage
        return spans, at, line, is_odd

    def _bills_nothing(self, at: int, end: int, last: int) -> bool:
        """Whether a line without a usage can be left out: not if it may bill something under another name."""
        buffer = self._buffer
        is_of_transcript = buffer.startswith(TRANSCRIPT, at)
        marks = TRANSCRIPT_MARKS if is_of_transcript else OTHER_MARKS
        if marks not in self._marked:
            self._marked[marks] = not is_fast or any(find(buffer, mark, at, last) >= 0 for mark in marks)
        if self._marked[marks] and any(
            buffer.find(mark, at, min(end, at + LONG)) >= 0 or buffer.find(mark, max(at, end - LONG), end) >= 0
            for mark in marks
        ):
            return False
        if not is_of_transcript:
            if self._foreign is None:
                self._foreign = tuple(mark for mark in FOREIGN_MARKS if find(buffer, mark, at, last) >= 0)
            if self._foreign and looks_foreign(buffer, at, end, self._foreign):
                return False
        return end - at > LONG or _is_object(self._view[at:end])

    def _step(self, at: int) -> int:
        """Let the exact reader go on from a place in the buffer to the beginning of another line."""
        end = self._buffer.find(b"\n", at, self._filled) + 1
        if end and self._read_line(at, end):
            return end
        self._steps += 1
        place, until = self._base + at, self._base + (end or self._filled)
        feed = Feed(self._reader(at), place, self._line)
        documents = Documents(feed, self.name, self._pickers, self._wanted)
        if self._steps > _MOST_STEPS:  # a file that is not made of lines
            until = max(until, self._stop or _FAR)
        while not documents.at_end and feed.offset < until:
            self._take(documents.unit())
        self._finish(documents, feed)
        self._file.seek(self._base + self._filled)
        return feed.offset - self._base

    def _read_line(self, at: int, end: int) -> bool:
        """Read a line exactly, if it can be read without those that follow."""
        feed = Feed(_no_more, self._base + at, self._line, bytes(self._view[at:end]))
        documents = Documents(feed, self.name, self._pickers, self._wanted)
        found: list[Found] = []
        try:
            while feed.offset < self._base + end:
                found.extend(documents.unit())
        except _LineEnds:
            return False
        self._take(found)
        self._finish(documents, feed)
        return True

    def _reader(self, at: int) -> Callable[[int], bytes]:
        """What follows a place in the buffer: first the rest of the buffer, a little at a time, then of the file."""

        def read(size: int) -> bytes:
            nonlocal at
            if at < self._filled:
                piece = bytes(self._view[at : min(at + size, at + _BEYOND, self._filled)])
                at += len(piece)
                return piece
            return self._file.read(size) or b""

        return read

    def _take(self, found: Iterable[Found]) -> None:
        for item in found:
            if isinstance(item, Document):
                for record in self._detector.read(item):
                    add_item(self._summary, record)
            else:
                add_item(self._summary, item)

    def _finish(self, documents: Documents, feed: Feed) -> None:
        self._passed_over += documents.passed_over
        self._line = feed.line


def _or_last(found: int, last: int) -> int:
    return last if found < 0 else found


def _is_object(line: memoryview) -> bool:
    try:
        _decode_anything(line)
    except (DecodeError, RecursionError):
        return False
    return True
