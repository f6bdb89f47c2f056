"""One line of the usage log out of one response: what was billed, when, for whom, and the outline of the request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from costkit.cache.outline import Outline, outline_of
from costkit.core.request import parse_request
from costkit.core.response import read_usage
from costkit.errors import InvalidInput
from costkit.tracking.answer import Answer
from costkit.tracking.early import Early
from costkit.tracking.labels import Tags

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECRETS = frozenset({"authorization_token"})
"""Fields of a request that hold a credential of the caller's (of MCP servers)."""
_HIDDEN = "(not recorded)"
_QUICK = msgspec.json.Encoder()
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)


class Known(NamedTuple):
    """What a line says of the request alone."""

    moment: str
    """RFC 3339 in UTC, to the millisecond."""
    outline: Outline | None


class Sent(NamedTuple):
    """What is known of a call before its response."""

    body: Mapping[str, object] | None
    """The request as JSON; `None` for the results of a batch."""
    began: int
    """Nanoseconds since 1970."""
    tags: Tags
    batch_id: str | None = None
    known: Early[Known] | None = None
    """`None` for the results of a batch, and where no line will be written."""


def usage_line(
    sent: Sent, answer: Answer, ended: str, *, request_id: str | None, took_ms: float, content: bool
) -> bytes:
    """The line, without a newline.

    `blocks` and `prompt` are missing for the results of batches and for a request that is no Messages body;
    `incomplete` is there only where a stream ended before its last usage, and says how it `ended`.
    """
    message = answer.message
    usage = message.get("usage")
    known = known_of(sent.body, sent.began) if sent.known is None else sent.known.take()
    line: dict[str, object] = {
        "ts": known.moment,
        "model": message.get("model"),
        "id": message.get("id"),
        "request_id": request_id,
        "usage": usage,
        "stop_reason": message.get("stop_reason"),
        "duration_ms": round(took_ms, 1),
        "tags": dict(sent.tags),
    }
    if not answer.is_final:
        line["incomplete"] = ended
    if sent.batch_id is not None:
        line |= {"duration_ms": None, "batch_id": sent.batch_id, "custom_id": answer.custom_id}
    for name in ("stop_details", "diagnostics"):
        if message.get(name) is not None:
            line[name] = message[name]
    if known.outline is not None:
        line |= _shared(known.outline, usage)
    if content:
        line |= {"request": _without_secrets(sent.body), "response": message}
    return _written(line)


def _written(line: Mapping[str, object]) -> bytes:
    try:
        return _QUICK.encode(line)
    except Exception:  # noqa: BLE001  half of a surrogate pair, a value of the caller's own: rare, and written all the same
        return _JSON.encode(line).encode("utf-8", "backslashreplace")


def known_of(body: Mapping[str, object] | None, began: int) -> Known:
    """What is known before the response, for a request that began so many nanoseconds after 1970."""
    return Known(_rfc3339(began), None if body is None else _outlined(body))


def _outlined(body: Mapping[str, object]) -> Outline | None:
    """The outline of a request; `None` for what is no Messages body: its line is worth having without."""
    try:
        request = parse_request(body)
        return outline_of(request) if request.blocks else None
    except (InvalidInput, ValueError, TypeError, RuntimeError):  # no JSON, too deep, or changed meanwhile
        return None


def _shared(outline: Outline, usage: object) -> dict[str, object]:
    try:
        return outline.as_json(read_usage(usage) if isinstance(usage, Mapping) else None)
    except ValueError:
        return {}


def _without_secrets(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _HIDDEN if key in _SECRETS else _without_secrets(item) for key, item in value.items()}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value


def _rfc3339(nanoseconds: int) -> str:
    moment = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
