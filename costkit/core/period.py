"""Calendar windows in a time zone: days, weeks and months as people mean them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, tzinfo

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}|\d{4}-W\d{2}-\d|\d{4}W\d{3}", re.ASCII)
UNITS = ("hour", "day", "week", "month")


def label(moment: datetime, unit: str, zone: tzinfo) -> str:
    """Name the calendar window of a unit that a moment falls in: `2026-11-20`, `2026-W47`, `2026-11`, or an hour.

    Hours carry their UTC offset, because a zone that turns its clocks back has one of them twice.
    """
    local = moment.astimezone(zone)
    if unit == "hour":
        return local.replace(minute=0, second=0, microsecond=0).isoformat(timespec="minutes")
    if unit == "day":
        return local.date().isoformat()
    if unit == "week":
        year, week, _ = local.isocalendar()
        return f"{year:04d}-W{week:02d}"
    if unit == "month":
        return f"{local.year:04d}-{local.month:02d}"
    raise ValueError(f"unknown calendar unit {unit!r}")


def day_in(text: str) -> date | None:
    """Read a day in any form of ISO 8601: `2026-11-20`, `20261120`, `2026-W47-5`.

    `None` for a text of another form, ValueError for a day that no calendar has.
    """
    return date.fromisoformat(text) if _DAY.fullmatch(text) else None


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """The first moment of a local day, so that windows are half-open even across a clock change."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def day_after(day: date) -> date:
    """The next calendar day."""
    return day + timedelta(days=1)
