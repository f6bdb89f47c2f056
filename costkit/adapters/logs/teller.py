"""Counts what the lines of a file bill, into a summary: one decoded line after the other."""

from __future__ import annotations

from msgspec import UNSET, DecodeError

from costkit.adapters.logs.bills import Bill, Unsure, bill_of, bill_of_logged, flags_of, fromisoformat
from costkit.adapters.logs.shapes import Line, Message, decode_line, decode_logged
from costkit.core.response import Counts
from costkit.report.fold import add_response
from costkit.report.records import response_key
from costkit.report.summary import UsageSummary
from costkit.report.table import NO_TIME, Attributes, Response

_STAMP, _HOUR, _POINT = len("2026-11-21T09:00:00.000Z"), len("2026-11-21T09:"), len("2026-11-21T09:00:00")
"""Times within one hour come in the order of their text where the first of them is written this way: a comma, which
may stand for the point, comes before it."""
_Names = tuple[str | None, str | None, str | None, str | None, str | None, str | None]


class Teller:
    """Counts the lines of one file. The response that was met last stays open: most often the next line is about it.

    `settle` must be called at the end.
    """

    def __init__(self, summary: UsageSummary, path: str) -> None:
        self._summary, self._path = summary, path
        self._table, self._dedupe = summary.responses, summary.options.dedupe
        self.bills = 0
        """Lines with a bill."""
        self.others = 0
        """Lines without one."""
        self._numbers: dict[_Names, int] = {}
        """Of the attributes in the table of responses."""
        self._names: _Names | None = None
        self._number = 0
        self._key: bytes | None = None
        """Of the open response."""
        self._counts: tuple[int, ...] = ()
        self._place = (0, 0, 0)
        self._flags = 0
        self._message_id: str | None = None
        """`None` where a copy has to be looked at as a whole."""
        self._request_id: str | None = None
        self._model: str | None = None
        self._time = ""

    def count(self, text: memoryview, offset: int, number: int) -> bool:
        """Count a line, which begins at an offset and has a number; tells whether it could be read this way."""
        try:
            line = decode_line(text)
            message = line.message
            if message is not None and message.id == self._message_id is not None and self._count_copy(line, message):
                self.bills += 1
                return True
            if line.type is None and line.ts is not UNSET:
                return self._count_logged(text, offset, number)
            bill = bill_of(line)
        except (DecodeError, Unsure, RecursionError, UnicodeDecodeError):
            return False
        if bill is None:
            self.others += 1
        else:
            self.bills += 1
            self._add(bill, line, offset, number)
        return True

    def count_own(self, text: memoryview, offset: int, number: int) -> bool:
        """The same for a line that is most likely one of costkit's own log."""
        return self._count_logged(text, offset, number) or self.count(text, offset, number)

    def _count_logged(self, text: memoryview, offset: int, number: int) -> bool:
        try:
            bill = bill_of_logged(decode_logged(text))
        except (DecodeError, Unsure, RecursionError, UnicodeDecodeError):
            return False
        self.bills += 1
        self._add(bill, None, offset, number)
        return True

    def settle(self) -> None:
        """Write down the open response."""
        if self._key is not None:
            key, self._key, self._message_id = self._key, None, None
            self._write(key, self._counts, self._place, self._flags)

    def _write(self, key: bytes, counts: tuple[int, ...], place: tuple[int, int, int], flags: int) -> None:
        table, number = self._table, self._number
        if table.append(key, counts, place, number, flags) is None:
            time, offset, line = place
            table.put(key, Response(Counts(*counts), time, table.names[number], offset, line, flags, ()))

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
            or message.model != self._model
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
        self._flags &= flags_of(message, counts, provisional=line.is_of_sub_agent())
        if counts != self._counts:
            self._counts = tuple(map(max, counts, self._counts))
        summary.records += 1
        summary.copies += 1
        return True

    def _add(self, bill: Bill, line: Line | None, offset: int, number: int) -> None:
        """Count a response, or a copy of one that is not open."""
        counts, message_id, request_id, time, names, flags, iterations = bill
        if self._key is not None:
            self.settle()
        if names != self._names:
            self._names, self._number = names, self._number_of(names)
        key, place, summary = response_key(message_id, request_id, self._dedupe), (time, offset, number), self._summary
        if key is None or iterations:
            attributes = self._table.names[self._number]
            response = Response(Counts(*counts), time, attributes, offset, number, flags, iterations)
            add_response(summary, message_id, request_id, response)
            return
        summary.records += 1
        summary.copies += 1
        if line is None or line.message is None or line.type != "assistant":
            self._write(key, counts, place, flags)
            return
        self._key, self._counts, self._place, self._flags = key, counts, place, flags
        message, text = line.message, line.timestamp
        if text and time != NO_TIME and len(text) == _STAMP and text[_POINT] == "." and text[-1] == "Z":
            self._message_id, self._request_id, self._model, self._time = message_id, line.request, message.model, text

    def _number_of(self, names: _Names) -> int:
        number = self._numbers.get(names)
        if number is None:
            number = self._numbers[names] = self._table.number(Attributes(*names, self._path, ()))
        return number
