"""Counts what the lines of a file bill, into a summary: one decoded line after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import DecodeError

from costkit.adapters.logs.bills import Bill, Unsure, bill_of, bill_of_bare, bill_of_logged, names_tokens
from costkit.adapters.logs.dialects.dialect import REFUSAL, SYNTHETIC
from costkit.adapters.logs.documents import TRANSCRIPT
from costkit.adapters.logs.rows import Rows
from costkit.adapters.logs.shapes import decode_bare, decode_line, decode_logged
from costkit.adapters.logs.turns import Span, Turns
from costkit.core.response import Counts
from costkit.report.fold import add_response
from costkit.report.records import response_key
from costkit.report.summary import UsageSummary
from costkit.report.table import ANSWERED, NO_TIME, Response

_HEAD = len(TRANSCRIPT)
_FAILURES = (DecodeError, Unsure, RecursionError, UnicodeDecodeError)


class Teller:
    """Counts the lines of one file. What was met last is not in the table yet: `settle` must be called at the end."""

    def __init__(self, summary: UsageSummary, path: str) -> None:
        self._summary = summary
        self._dedupe = summary.options.dedupe
        self.bills = 0
        """Lines with a bill."""
        self.others = 0
        """Lines without one."""
        self._rows = Rows(summary.responses, path)
        self._turns = Turns(self._rows, self._dedupe)

    def count(self, view: memoryview, lines: Sequence[Span], base: int) -> int:
        """Count lines, one after the other; returns how many of them could be read this way, which is most often all.

        `base` is where in the file `view` begins.
        """
        done = 0
        while done < len(lines):
            rest = lines[done:] if done else lines
            counted = self._count_usual(view, rest, base) or self._count_as(_bill_of_line, view, rest, base)
            if not counted:
                break
            done += counted
        self._rows.settle_many()
        return done

    def settle(self) -> None:
        """Write down what was met last."""
        self._turns.settle()
        self._rows.settle()

    def _count_usual(self, view: memoryview, lines: Sequence[Span], base: int) -> int:
        """Count lines of one kind that most logs consist of, up to the first that is not; returns their number."""
        if view[lines[0][0] :][:_HEAD] != TRANSCRIPT:
            counted = self._count_messages(view, lines, base) or self._count_as(_bill_of_logged, view, lines, base)
            if counted:
                return counted
        counted = self._turns.count(view, lines, base)
        self._note(counted)
        return counted

    def _count_messages(self, view: memoryview, lines: Sequence[Span], base: int) -> int:
        """Count Messages with nothing around them, which have neither a time nor a request id."""
        dedupe, add, number_of = self._dedupe, self._rows.add, self._rows.number_of
        counted = alone = 0
        for begin, end, line in lines:
            try:
                message = decode_bare(view[begin:end])
                usage, model = message.usage, message.model
                counts, key = usage.counts(), response_key(message.id or None, None, dedupe)
                if key is None or usage.iterations or model == SYNTHETIC or not names_tokens(counts):
                    self._add(bill_of_bare(message), base + begin, line)
                    alone += 1
                else:
                    number = number_of((model, usage.service_tier, usage.speed, usage.inference_geo, None, None))
                    flags = 0 if message.stop_reason == REFUSAL else ANSWERED
                    add((key, counts, (NO_TIME, base + begin, line), number, flags))
            except _FAILURES:
                break
            counted += 1
        self._note(counted - alone)
        return counted

    def _count_as(
        self,
        bill_of_text: Callable[[memoryview], tuple[Bill | None, bool]],
        view: memoryview,
        lines: Sequence[Span],
        base: int,
    ) -> int:
        """Count lines up to the first that can't be read so, or after which another kind follows; returns how many."""
        counted = 0
        for begin, end, number in lines:
            try:
                bill, is_followed_by_such = bill_of_text(view[begin:end])
            except _FAILURES:
                break
            counted += 1
            if bill is None:
                self.others += 1
            else:
                self._add(bill, base + begin, number)
            if not is_followed_by_such:
                break
        return counted

    def _add(self, bill: Bill, offset: int, number: int) -> None:
        counts, message_id, request_id, time, names, flags, iterations = bill
        key = response_key(message_id, request_id, self._dedupe)
        if key is None or iterations:
            self._add_whole(bill, offset, number)
            return
        self._rows.add((key, counts, (time, offset, number), self._rows.number_of(names), flags))
        self._note(1)

    def _note(self, copies: int) -> None:
        """Count copies that have become rows, or part of one."""
        self.bills += copies
        self._summary.records += copies
        self._summary.copies += copies

    def _add_whole(self, bill: Bill, offset: int, number: int) -> None:
        """Count a response that does not fit into a row."""
        self.bills += 1
        counts, message_id, request_id, time, names, flags, iterations = bill
        attributes = self._summary.responses.names[self._rows.number_of(names)]
        response = Response(Counts(*counts), time, attributes, offset, number, flags, iterations)
        add_response(self._summary, message_id, request_id, response)


def _bill_of_line(text: memoryview) -> tuple[Bill | None, bool]:
    """What a line bills, and whether it is of no usual kind, as are those that follow then."""
    line = decode_line(text)
    return bill_of(line), line.type != "message" and not line.is_turn()


def _bill_of_logged(text: memoryview) -> tuple[Bill | None, bool]:
    return bill_of_logged(decode_logged(text)), True
