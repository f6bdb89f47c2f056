"""What the API's replies about Message Batches mean: documents as values, status codes as outcomes.

Documented at https://platform.claude.com/docs/en/api/creating-message-batches and
https://platform.claude.com/docs/en/api/errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from costkit.batch.job import RemoteBatch, RequestCounts
from costkit.batch.ports import Outcome, OutcomeUnknown, Refused

_DEFINITE = frozenset((400, 401, 402, 403, 404, 413, 422, 429))
"""Statuses of a create call after which there is no batch. After any other failure there may be one."""
_STATUSES = ("in_progress", "canceling", "ended")
_LONGEST_MESSAGE = 500


def remote_batch(document: object) -> RemoteBatch:
    """Read a `message_batch` object; raises ValueError, naming the field, where it isn't one."""
    if not isinstance(document, Mapping):
        raise ValueError("not an object")
    status = _text(document, "processing_status")
    if status not in _STATUSES:
        raise ValueError(f"unknown processing_status {status!r}")
    return RemoteBatch(
        _text(document, "id"),
        status,
        _counts(document.get("request_counts")),
        _time(document, "created_at"),
        _time(document, "expires_at"),
        _time(document, "ended_at") if document.get("ended_at") is not None else None,
    )


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is not text")
    return value


def _time(document: Mapping[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(document, name))
    except ValueError:
        raise ValueError(f"{name} is not a time") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _counts(document: object) -> RequestCounts:
    if not isinstance(document, Mapping):
        raise ValueError("request_counts is not an object")
    names = ("processing", "succeeded", "errored", "canceled", "expired")
    values = [document.get(name) for name in names]
    if not all(isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in values):
        raise ValueError("request_counts holds something that is no count")
    return RequestCounts(*values)  # type: ignore[arg-type]  # all were checked to be counts


def outcome_of_failure(status: int, body: object, headers: Mapping[str, str]) -> Outcome:
    """What the answer to a create call that isn't a success says about the batch."""
    if status not in _DEFINITE:
        return OutcomeUnknown(f"the API answered {status}: {error_message(body, status)}")
    error = _error(body)
    details = error.get("details")
    code = details.get("error_code") if isinstance(details, Mapping) else None
    kind = error.get("type")
    return Refused(
        status,
        kind if isinstance(kind, str) else "error",
        error_message(body, status),
        code if isinstance(code, str) else None,
        retry_after(headers),
    )


def error_message(body: object, status: int) -> str:
    """The API's own words on one line, or the status where it has none."""
    message = _error(body).get("message")
    return " ".join(str(message or f"status {status}").split())[:_LONGEST_MESSAGE]


def _error(body: object) -> Mapping[str, Any]:
    error = body.get("error") if isinstance(body, Mapping) else None
    return error if isinstance(error, Mapping) else {}


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """How many seconds the API asks to wait (`retry-after-ms`, or `retry-after` in seconds or as a date)."""
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / per_second
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    moment = http_date(headers.get("retry-after"))
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds()) if moment else None


def http_date(text: str | None) -> datetime | None:
    """The moment of a `Date` header; `None` if it is absent or unreadable."""
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def public_url(url: str) -> str:
    """A base URL without a trailing slash, and without a user or password that it may carry."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    address = f"[{host}]" if ":" in host else host
    place = f"{address}:{parts.port}" if parts.port else address
    return urlunsplit((parts.scheme, place, parts.path.rstrip("/"), "", ""))
