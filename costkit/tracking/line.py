"""One line of the usage log out of one response: what was billed, when, for whom, and the outline of the request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from costkit.cache.outline import outline_of
from costkit.core.request import parse_request
from costkit.core.response import read_usage
from costkit.errors import InvalidInput
from costkit.tracking.answer import Answer
from costkit.tracking.labels import Tags

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECRETS = frozenset({"authorization_token"})
"""Fields of a request that hold a credential of the caller's (of MCP servers)."""
_HIDDEN = "(not recorded)"
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)


class Sent(NamedTuple):
    """What is known of a call before its response."""

    body: Mapping[str, object] | None
    """The request as JSON; `None` for the results of a batch."""
    began: int
    """Nanoseconds since 1970."""
    tags: Tags
    batch_id: str | None = None


def usage_line(
    sent: Sent, answer: Answer, ended: str, *, request_id: str | None, took_ms: float, content: bool
) -> bytes:
    """The line, without a newline.

    `blocks` and `prompt` are missing for the results of batches and for a request that is no Messages body;
    `incomplete` is there only where a stream ended before its last usage, and says how it `ended`.
    """
    message = answer.message
    usage = message.get("usage")
    line: dict[str, object] = {
        "ts": _rfc3339(sent.began),
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
    if sent.body is not None:
        line |= _outline(sent.body, usage)
    if content:
        line |= {"request": _without_secrets(sent.body), "response": message}
    return _JSON.encode(line).encode("utf-8", "backslashreplace")


def _outline(body: Mapping[str, object], usage: object) -> dict[str, object]:
    try:
        request = parse_request(body)
        billed = read_usage(usage) if isinstance(usage, Mapping) else None
    except (InvalidInput, ValueError):
        return {}
    return outline_of(request).as_json(billed) if request.blocks else {}


def _without_secrets(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _HIDDEN if key in _SECRETS else _without_secrets(item) for key, item in value.items()}
    return [_without_secrets(item) for item in value] if isinstance(value, list) else value


def _rfc3339(nanoseconds: int) -> str:
    moment = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
