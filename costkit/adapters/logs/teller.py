"""Counts what the lines of a file bill, into a summary: one decoded line after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import DecodeError

from costkit.adapters.logs.bills import (
    Bill,
    Unsure,
    bill_of,
    bill_of_bare,
    bill_of_logged,
    flags_of,
    fromisoformat,
)
from costkit.adapters.logs.documents import TRANSCRIPT
from costkit.adapters.logs.shapes import Line, Message, decode_bare, decode_line, decode_logged
from costkit.core.response import Counts
from costkit.report.attributes import Attributes
from costkit.report.fold import add_response
from costkit.report.records import response_key
from costkit.report.summary import UsageSummary
from costkit.report.table import NO_TIME, Response, Row

_STAMP, _HOUR, _POINT = len("2026-11-21T09:00:00.000Z"), len("2026-11-21T09:"), len("2026-11-21T09:00:00")
"""Times within one hour come in the order of their text where the first of them is written this way: a comma, which
may stand for the point, comes before it."""
_MANY = 1000
"""Rows that go into the table at once: so many that it is done quickly, so few that they take no memory."""
_HEAD = len(TRANSCRIPT)
_Names = tuple[str | None, str | None, str | None, str | None, str | None, str | None]
_T = TypeVar("_T")


Span = tuple[int, int, int]
"""Where a line begins and ends in what is looked at, and its number in the file."""


class Teller:
    """Counts the lines of one file. What was met last is not in the table yet: `settle` must be called at the end.

    The response that was met last in a transcript stays open, as most often the next line is about it.
    """

    def __init__(self, summary: UsageSummary, path: str) -> None:
        self._summary, self._path = summary, path
        self._table, self._dedupe = summary.responses, summary.options.dedupe
        self.bills = 0
        """Lines with a bill."""
        self.others = 0
        """Lines without one."""
        self._rows: list[Row] = []
        """What is not in the table yet."""
        self._numbers: dict[_Names, int] = {}
        """Of the attributes in the table."""
        self._number = 0
        """Of the attributes that were met last, which are those of the open response."""
        self._key: bytes | None = None
        """Of the open response."""
        self._counts: tuple[int, ...] = ()
        self._place = (0, 0, 0)
        self._flags = 0
        self._message_id: str | None = None
        """`None` where a copy has to be looked at as a whole."""
        self._request_id: str | None = None
        self._priced_by: tuple[str | None, ...] = ()
        """What selects its price: model, tier, speed, geography."""
        self._time = ""

    def count(self, view: memoryview, lines: Sequence[Span], base: int) -> int:
        """Count lines, one after the other; returns how many of them could be read this way, which is most often all.

        `base` is where in the file `view` begins.
        """
        done = 0
        while done < len(lines):
            rest = lines[done:] if done else lines
            counted = 0
            if view[rest[0][0] :][:_HEAD] != TRANSCRIPT:
                counted = self._count_alike(decode_bare, bill_of_bare, view, rest, base) or self._count_alike(
                    decode_logged, bill_of_logged, view, rest, base
                )
            counted = counted or self._count_lines(view, rest, base)
            if not counted:
                break
            done += counted
        if len(self._rows) > _MANY:
            self._settle_rows()
        return done

    def settle(self) -> None:
        """Write down what was met last."""
        self._settle_open()
        self._settle_rows()

    def _settle_open(self) -> None:
        if self._key is not None:
            self._rows.append((self._key, self._counts, self._place, self._number, self._flags))
            self._key = self._message_id = None

    def _settle_rows(self) -> None:
        if self._rows:
            self._table.extend(self._rows)
            self._rows.clear()

    def _count_alike(
        self,
        decode: Callable[[memoryview], _T],
        bill_of: Callable[[_T], Bill],
        view: memoryview,
        lines: Sequence[Span],
        base: int,
    ) -> int:
        """Count lines of which each is a response, up to the first that can't be read so; returns their number."""
        dedupe, add = self._dedupe, self._rows.append
        counted = alone = 0
        for begin, end, number in lines:
            try:
                bill = bill_of(decode(view[begin:end]))
            except (DecodeError, Unsure, RecursionError, UnicodeDecodeError):
                break
            counted += 1
            counts, message_id, request_id, time, names, flags, iterations = bill
            key = response_key(message_id, request_id, dedupe)
            if key is None or iterations:
                alone += 1
                self._add_whole(bill, base + begin, number)
                continue
            add((key, counts, (time, base + begin, number), self._number_of(names), flags))
        self.bills += counted
        self._summary.records += counted - alone
        self._summary.copies += counted - alone
        return counted

    def _count_lines(self, view: memoryview, lines: Sequence[Span], base: int) -> int:
        """Count lines of transcripts and others, up to the first that can't be read so; returns their number."""
        counted = others = 0
        for begin, end, number in lines:
            try:
                line = decode_line(view[begin:end])
                message = line.message
                is_open = message is not None and message.id == self._message_id is not None
                if message is None or not is_open or not self._count_copy(line, message):
                    bill = bill_of(line)
                    if bill is None:
                        others += 1
                    else:
                        self._add(bill, line, base + begin, number)
            except (DecodeError, Unsure, RecursionError, UnicodeDecodeError):
                break
            counted += 1
            if line.type == "message":  # there is a quicker way for what follows
                break
        self.bills += counted - others
        self.others += others
        return counted

    def _count_copy(self, line: Line, message: Message) -> bool:
        """Count a line that is a later copy of the open response; tells whether it is one.

        Of such a copy nothing but counts and flags matters: time, session and so on are those of the earliest one.
        """
        usage, time = message.usage, line.timestamp
        if (
            usage is None
            or usage.iterations
            or line.type != "assistant"
            or not line.request
            or line.request != self._request_id
            or (message.model, usage.service_tier, usage.speed, usage.inference_geo) != self._priced_by
            or not (usage.input_tokens or usage.output_tokens)
            or time is None
            or len(time) != _STAMP
            or time <= self._time
            or time[:_HOUR] != self._time[:_HOUR]
            or time[-1] != "Z"
        ):
            return False
        try:
            fromisoformat(time)
        except ValueError:
            return False
        counts, summary = usage.counts(), self._summary
        self._flags &= flags_of(message, counts, line)
        if counts != self._counts:
            self._counts = tuple(map(max, counts, self._counts))
        summary.records += 1
        summary.copies += 1
        return True

    def _add(self, bill: Bill, line: Line, offset: int, number: int) -> None:
        """Count a response, or a copy of one that is not open."""
        counts, message_id, request_id, time, names, flags, iterations = bill
        self._settle_open()
        key = response_key(message_id, request_id, self._dedupe)
        if key is None or iterations:
            self._add_whole(bill, offset, number)
            return
        self._number = self._number_of(names)
        place, summary, message = (time, offset, number), self._summary, line.message
        summary.records += 1
        summary.copies += 1
        if message is None or line.type != "assistant":
            self._rows.append((key, counts, place, self._number, flags))
            return
        self._key, self._counts, self._place, self._flags = key, counts, place, flags
        text = line.timestamp
        if text and time != NO_TIME and len(text) == _STAMP and text[_POINT] == "." and text[-1] == "Z":
            self._message_id, self._request_id, self._priced_by, self._time = message_id, line.request, names[:4], text

    def _add_whole(self, bill: Bill, offset: int, number: int) -> None:
        """Count a response that does not fit into a row."""
        counts, message_id, request_id, time, names, flags, iterations = bill
        attributes = self._table.names[self._number_of(names)]
        response = Response(Counts(*counts), time, attributes, offset, number, flags, iterations)
        add_response(self._summary, message_id, request_id, response)

    def _number_of(self, names: _Names) -> int:
        number = self._numbers.get(names)
        if number is None:
            number = self._numbers[names] = self._table.number(Attributes(*names, self._path, ()))
        return number
