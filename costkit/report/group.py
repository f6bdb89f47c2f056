"""How a report is cut: the dimensions of `--by`, time zones, and the ends of a date range."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from costkit.core.period import UNITS, day_after, day_in, start_of_day
from costkit.core.suggest import close_names
from costkit.errors import InvalidInput

DIMENSIONS = ("model", *UNITS, "project", "session", "tier", "speed", "file")
LABELS = ("key:", "tag:")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_OFFSET = re.compile(r"(?:UTC)?([+-])(\d{1,2})(?::?(\d{2}))?")
_MOST_OFFSET_HOURS = 15
_MINUTES = (0, 15, 30, 45)
"""Of an offset: what is counted is told apart by quarter hours, and no zone in use is cut finer."""


def parse_by(texts: str | Iterable[str]) -> tuple[str, ...]:
    """Read `--by model,day`, given once or several times; an unknown dimension raises `InvalidInput`.

    `key:PATH` is a value inside the log's own documents (`key:metadata.user_id`), `tag:NAME` one of their `tags`.
    """
    parts = [part.strip() for text in ([texts] if isinstance(texts, str) else texts) for part in text.split(",")]
    chosen = tuple(dict.fromkeys(_dimension(part) for part in parts if part))
    if not chosen:
        raise InvalidInput("--by needs at least one dimension", hint=f"choose from {_choices()}")
    return chosen


def _dimension(text: str) -> str:
    if text in DIMENSIONS:
        return text
    prefix, _, rest = text.partition(":")
    if f"{prefix}:" in LABELS and rest.strip("."):
        return text
    if f"{prefix}:" in LABELS:
        example = "key:metadata.user_id" if prefix == "key" else "tag:team"
        raise InvalidInput(f"{text!r} in --by names nothing", hint=f"write it as {example}")
    close = close_names(text, [*DIMENSIONS, *LABELS], most=2)
    hint = f"did you mean {' or '.join(close)}?" if close else f"choose from {_choices()}"
    raise InvalidInput(f"unknown dimension {text!r} in --by", hint=hint)


def _choices() -> str:
    return ", ".join((*DIMENSIONS, "key:PATH", "tag:NAME"))


def labels_in(by: Iterable[str]) -> tuple[str, ...]:
    """The dimensions whose values come out of the documents themselves."""
    return tuple(dict.fromkeys(name for name in by if name.startswith(LABELS)))


def parse_zone(text: str) -> tzinfo:
    """Read `--tz`: an IANA name such as `Europe/Berlin`, `UTC`, or an offset such as `+09:00`."""
    if text.upper() in ("UTC", "Z"):
        return UTC
    offset = _OFFSET.fullmatch(text)
    if offset:
        sign, hours, minutes = offset.groups()
        span = timedelta(hours=int(hours), minutes=int(minutes or 0))
        if span <= timedelta(hours=_MOST_OFFSET_HOURS) and int(minutes or 0) in _MINUTES:
            return timezone(-span if sign == "-" else span)
    return _named_zone(text)


def _named_zone(text: str) -> tzinfo:
    from zoneinfo import ZoneInfo, available_timezones

    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        names = available_timezones()
    folded = {name.casefold(): name for name in names}
    close = close_names(text.casefold().replace(" ", "_"), folded, most=2)
    hint = f"did you mean {' or '.join(folded[name] for name in close)}?" if close else "for example Europe/Berlin"
    raise InvalidInput(f"unknown time zone {text!r}", hint=hint)


def parse_since(text: str, zone: tzinfo) -> int:
    """The first microsecond that counts: `2026-11-01` from its local midnight on, or a moment (`2026-11-01T08:30`)."""
    return _parse(text, zone, "--since", start_of_day)


def parse_until(text: str, zone: tzinfo) -> int:
    """The first microsecond that no longer counts: a date includes that whole local day, a moment is exclusive."""
    return _parse(text, zone, "--until", lambda day, local: start_of_day(day_after(day), local))


def _parse(text: str, zone: tzinfo, flag: str, edge: Callable[[date, tzinfo], datetime]) -> int:
    try:
        day = day_in(text.strip())
        moment = _moment(text.strip()) if day is None else edge(day, zone)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return microseconds(moment)
    except (ValueError, OverflowError):
        hint = "write a date such as 2026-11-01 or a moment such as 2026-11-01T08:30"
        raise InvalidInput(f"{flag} {text!r} is not a date", hint=hint) from None


def _moment(text: str) -> datetime:
    """Read a day with a time of day; a week or a month alone is neither a day nor a moment."""
    if "T" not in text.upper() and " " not in text:
        raise ValueError("no time of day")
    return datetime.fromisoformat(text)


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970 of an aware moment."""
    return (moment - EPOCH) // _MICROSECOND


def moment_of(timestamp: int) -> datetime:
    """The aware moment (UTC) of whole microseconds since 1970."""
    return EPOCH + timestamp * _MICROSECOND
