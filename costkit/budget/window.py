"""The time that a budget is for: a calendar day, week or month in a time zone, the last few hours, or all of it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from costkit.core.period import day_after, start_of_day
from costkit.errors import InvalidInput

CALENDAR = ("day", "week", "month")
TOTAL, ROLLING = "total", "rolling"
_LENGTH = re.compile(r"rolling:(\d{1,6}) ?(s|m|h|d)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST = timedelta(days=366)
_MICROSECOND = timedelta(microseconds=1)
_NEXT_MONTH_AT_LEAST = timedelta(days=31)


class Window(NamedTuple):
    """One of `day`, `week` (from Monday), `month`, `total`, or `rolling` with its length."""

    kind: str
    length: timedelta | None = None

    def __str__(self) -> str:
        if self.length is None:
            return self.kind
        seconds = int(self.length.total_seconds())
        unit = next(unit for unit in "dhms" if seconds % _SECONDS[unit] == 0)
        return f"{ROLLING}:{seconds // _SECONDS[unit]}{unit}"


class Span(NamedTuple):
    """A half-open range of moments, UTC: `start` belongs to it, `end` no longer does; `None` is unbounded."""

    start: datetime | None
    end: datetime | None


def parse_window(text: str) -> Window:
    """Read `day`, `week`, `month`, `total` or `rolling:5h`; raises `InvalidInput` for anything else."""
    name = text.strip().lower()
    if name in (*CALENDAR, TOTAL):
        return Window(name)
    match = _LENGTH.fullmatch(name)
    length = timedelta(seconds=int(match[1]) * _SECONDS[match[2]]) if match else timedelta(0)
    if not timedelta(0) < length <= _LONGEST:
        raise InvalidInput(
            f"--window {text!r} is no window", hint="day, week, month, total, or rolling:5h (up to rolling:366d)"
        )
    return Window(ROLLING, length)


def span_at(window: Window, moment: datetime, zone: tzinfo) -> Span:
    """The window that a moment falls in.

    Calendar windows begin at local midnight, so a day may have 23 or 25 hours; weeks begin on Monday, as ISO 8601 has
    it. What was spent at `t` counts in a rolling window of 5 hours from `t` until before `t` + 5 h.
    """
    now = moment.astimezone(UTC)
    if window.kind == TOTAL:
        return Span(None, None)
    if window.length is not None:
        return Span(now - window.length + _MICROSECOND, None)
    first, after = _days(window.kind, moment.astimezone(zone).date())
    return Span(start_of_day(first, zone).astimezone(UTC), start_of_day(after, zone).astimezone(UTC))


def _days(kind: str, today: date) -> tuple[date, date]:
    """The first day of a calendar window, and the first one after it."""
    if kind == "day":
        return today, day_after(today)
    if kind == "week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=7)
    first = today.replace(day=1)
    return first, (first + _NEXT_MONTH_AT_LEAST).replace(day=1)
