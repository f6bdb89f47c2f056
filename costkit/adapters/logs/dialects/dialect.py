"""What the dialects share: the shape of their answer, and how they read texts, times and usages.

A dialect is a function from a document to what it bills: `None` for "not mine", an empty list for "mine, but no
bill". It raises ValueError, in a few words, for a document of its own whose usage can't be believed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from costkit.adapters.logs.documents import Document
from costkit.core.response import Counts, read_usage
from costkit.core.text import clean
from costkit.report.charge import Charge
from costkit.report.group import microseconds
from costkit.report.records import Record, RecordedCost, Skipped

SYNTHETIC = "<synthetic>"
"""The model of messages that Claude Code made up itself, for example to show an error."""
REFUSAL = "refusal"
TIMES = ("timestamp", "ts", "created_at", "created", "time", "start_time")
REQUEST_IDS = ("requestId", "request_id", "_request_id")
SESSIONS = ("sessionId", "session_id", "session")
PROJECTS = ("cwd", "project")
LATEST = microseconds(datetime(9000, 1, 1, tzinfo=UTC))
_EARLIEST_MICROSECONDS, _EARLIEST_MILLISECONDS, _EARLIEST_NANOSECONDS = 10**14, 10**11, 10**17


_BILLED = {"iterations", "server_tool_use", "cache_creation", *Counts._fields}


class Unbilled(NamedTuple):
    """A response that is known to cost nothing."""

    kind: str
    line: int = 0
    """Where it stands; 0 for the document that was just read."""
    offset: int = 0


Found = Sequence[Record | RecordedCost | Unbilled | Skipped]
Holder = Mapping[str, object]


def build_record(
    document: Document,
    message: Holder,
    holders: Sequence[Holder],
    *,
    usage: object = None,
    placeholder: bool = False,
    incomplete: bool = False,
    stop_reason: object = None,
    charge: Charge | None = None,
) -> Record:
    """Make a record of a message; time, request id, session and project come from the first holder that has them.

    `usage` and `stop_reason` replace the message's own. Raises ValueError where usage or model are not what they must
    be.
    """
    given = message.get("usage") if usage is None else usage
    if not isinstance(given, dict):
        raise ValueError("usage is not an object")
    if not any(name in given for name in _BILLED):
        raise ValueError("usage names no tokens")
    model = message.get("model")
    if model is not None and not isinstance(model, str):
        raise ValueError("model is not text")
    return Record(
        read_usage(given),
        document.path,
        document.line,
        document.offset,
        None if model is None else clean(model),
        first_text((message,), ("id",)),
        first_text(holders, REQUEST_IDS),
        first_time(holders),
        first_text(holders, SESSIONS),
        first_text(holders, PROJECTS),
        document.labels(),
        placeholder,
        incomplete,
        REFUSAL in (stop_reason, message.get("stop_reason")),
        charge,
    )


def first_text(holders: Sequence[Holder], names: Sequence[str]) -> str | None:
    """The first text (or whole number) under one of these names; empty ones don't count."""
    for holder in holders:
        for name in names:
            value = holder.get(name)
            if isinstance(value, str) and value:
                return clean(value)
            if isinstance(value, int) and not isinstance(value, bool):
                return str(value)
    return None


def first_time(holders: Sequence[Holder]) -> int | None:
    """The first readable time under one of the usual names."""
    for holder in holders:
        for name in TIMES:
            value = holder.get(name)
            if value is not None:
                moment = timestamp(value)
                if moment is not None:
                    return moment
    return None


def timestamp(value: object) -> int | None:
    """Microseconds since 1970 from ISO 8601 text (UTC if it names no zone) or from an epoch in s, ms, µs or ns.

    `None` for anything else, and for times before 1970 or so late that a calendar ends.
    """
    moment = _iso(value) if isinstance(value, str) else _number(value)
    return moment if moment is not None and 0 < moment < LATEST else None


def _iso(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.strip().upper().removesuffix(" UTC"))
        return microseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return _epoch_text(text.strip())


def _number(value: object) -> int | None:
    return _epoch(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _epoch_text(text: str) -> int | None:
    try:
        return _epoch(float(text)) if text.isascii() else None
    except ValueError:
        return None


def _epoch(number: float) -> int | None:
    if not 0 < number < 10**20:
        return None
    if number >= _EARLIEST_NANOSECONDS:
        return int(number) // 1000
    if number >= _EARLIEST_MICROSECONDS:
        return int(number)
    if number >= _EARLIEST_MILLISECONDS:
        return round(number * 1000)
    return round(number * 1_000_000)
