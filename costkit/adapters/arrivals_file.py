"""Recorded arrivals from a file: one moment a line, as seconds, as a time, or in the `ts` of a log line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from costkit.cache.arrivals import LONGEST_SECONDS, Recorded
from costkit.cache.marks import SECOND
from costkit.errors import InvalidInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOST_DIGITS = 30


def read_arrivals(path: str, data: bytes) -> Recorded:
    """Read arrivals, which must not go back in time; empty lines and `#` comments are skipped.

    A line is a number of seconds (from whatever start), an RFC 3339 time, or a JSON object with either as `ts`.
    Raises `InvalidInput` naming the line.
    """
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise InvalidInput("is not UTF-8 text", where=path) from None
    moments: list[int] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        moment = _moment(text, f"{path}:{number}")
        if moments and moment < moments[-1]:
            seconds = Decimal(moments[-1] - moment) / SECOND
            message = f"this arrival is {seconds.normalize():f} s before the one above it"
            raise InvalidInput(
                message, where=f"{path}:{number}", code="arrivals-out-of-order", hint="sort them by time"
            )
        moments.append(moment)
    if not moments:
        raise InvalidInput("holds no arrivals", where=path)
    if moments[-1] - moments[0] > LONGEST_SECONDS * SECOND:
        raise InvalidInput("spans more than ten years", where=path)
    return Recorded(tuple(moment - moments[0] for moment in moments))


def _moment(text: str, where: str) -> int:
    value: object = text
    if text.startswith("{"):
        value = _stamp(text, where)
    moment = _from_number(value) if isinstance(value, (str, int, Decimal)) else None
    if moment is None and isinstance(value, str):
        moment = _from_time(value)
    if moment is None:
        raise InvalidInput(
            f"{str(value)[:_MOST_DIGITS]!r} is not a moment",
            where=where,
            hint="write seconds, such as 12.5, or a time, such as 2026-11-21T09:30:00Z",
            code="bad-arrival",
        )
    return moment


def _stamp(text: str, where: str) -> object:
    try:
        record = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise InvalidInput("is not valid JSON", where=where) from None
    stamp = record.get("ts") if isinstance(record, Mapping) else None
    if stamp is None or isinstance(stamp, bool):
        raise InvalidInput("has no ts", where=where, hint='log each request as {"ts": "2026-11-21T09:30:00Z", …}')
    return stamp


def _from_number(value: str | int | Decimal) -> int | None:
    if len(str(value)) > _MOST_DIGITS:
        return None
    try:
        seconds = Decimal(value)
        return int(seconds * SECOND) if seconds.is_finite() and abs(seconds.adjusted()) < _MOST_DIGITS else None
    except InvalidOperation:
        return None


def _from_time(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND
