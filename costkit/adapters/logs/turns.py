"""Counts the lines of transcripts that are as nearly all are: a block of a response each, several of one in a row.

Most lines with a usage come here, so what is done for each is written out in one loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import DecodeError

from costkit.adapters.logs.bills import flags_of, is_time, moment_of, names_tokens
from costkit.adapters.logs.dialects.dialect import REFUSAL, SYNTHETIC
from costkit.adapters.logs.rows import Rows
from costkit.adapters.logs.shapes import decode_turn
from costkit.report.records import response_key
from costkit.report.table import ANSWERED, Row

_STAMP, _HOUR, _POINT = len("2026-11-21T09:00:00.000Z"), len("2026-11-21T09:"), len("2026-11-21T09:00:00")
"""Times within one hour come in the order of their text where the first of them is written this way: a comma, which
may stand for the point, comes before it."""

Span = tuple[int, int, int]
"""Where a line begins and ends in what is looked at, and its number in the file."""


class _Open(NamedTuple):
    """The response that was met last: most often the next line is about it."""

    row: Row | None = None
    message_id: str | None = None
    """`None` where a copy has to be looked at as a whole."""
    request_id: str | None = None
    priced_by: tuple[str | None, ...] = ()
    """What selects its price: model, tier, speed, geography."""
    since: str = ""
    """Its time, as it is written."""


class Turns:
    """Counts the lines of a file that are about a block of a response, most often several of one in a row.

    What was met last is added when another response is met, or by `settle`.
    """

    def __init__(self, rows: Rows, dedupe: str) -> None:
        self._rows, self._dedupe = rows, dedupe
        self._open = _Open()

    def count(self, view: memoryview, lines: Sequence[Span], base: int) -> int:
        """Count lines, up to the first that is not such a line; returns their number.

        Of a later copy of a response nothing but counts and flags matters: time, session and so on are those of the
        earliest one.
        """
        row, message_id, request_id, priced_by, since = self._open
        key, counts, place, number, flags = row or (None, (), (0, 0, 0), 0, 0)
        hour, counted = since[:_HOUR], 0
        for begin, end, line in lines:
            try:
                turn = decode_turn(view[begin:end])
            except (DecodeError, RecursionError, UnicodeDecodeError):
                break
            message, time = turn.message, turn.timestamp
            usage, reason = message.usage, message.stop_reason
            found = usage.counts()
            if usage.iterations or not names_tokens(found):
                break
            flagged = ANSWERED if reason and reason != REFUSAL else flags_of(reason, found, turn)
            if (
                message.id == message_id
                and turn.request == request_id
                and since < time
                and hour == time[:_HOUR]
                and len(time) == _STAMP
                and time[-1] == "Z"
                and (message.model, usage.service_tier, usage.speed, usage.inference_geo) == priced_by
                and is_time(time)
            ):
                flags &= flagged
                if found != counts:
                    counts = tuple(map(max, found, counts))
            else:
                moment, identity = moment_of(time), response_key(message.id, turn.request, self._dedupe)
                if moment is None or identity is None or message.model == SYNTHETIC:
                    break
                if key is not None:
                    self._rows.add((key, counts, place, number, flags))
                key, counts, place, flags = identity, found, (moment, base + begin, line), flagged
                names = (message.model, usage.service_tier, usage.speed, usage.inference_geo, turn.session, turn.cwd)
                number = self._rows.number_of(names)
                is_plain = len(time) == _STAMP and time[_POINT] == "." and time[-1] == "Z"
                message_id = message.id if is_plain else None
                request_id, priced_by, since, hour = turn.request, names[:4], time, time[:_HOUR]
            counted += 1
        row = None if key is None else (key, counts, place, number, flags)
        self._open = _Open(row, message_id, request_id, priced_by, since)
        return counted

    def settle(self) -> None:
        """Add what was met last."""
        if self._open.row is not None:
            self._rows.add(self._open.row)
        self._open = _Open()
