"""Message objects of the API, bare or wrapped by whoever logged them.

Quirks: the wrapper (`response`, `message`, `result.message`, `body`, `data`, also one inside the other) may hold
the time and the request id, and repeat the usage; the message itself never has a time. A `usage` without the API's
token counts belongs to somebody else's format and bills nothing here. Only wrappers are looked into, never content or
tool input.
Documented at https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

from costkit.adapters.logs.dialects.dialect import SYNTHETIC, Found, Holder, Unbilled, build_record
from costkit.adapters.logs.documents import Document

_WRAPPERS = ("response", "message", "result", "body", "data")
_DEEPEST, _DEEPEST_HIDDEN = 4, 6
_SAID = {"content", "input", "messages", "system", "tools", "toolUseResult"}
"""What somebody said may look like a message and is none."""
_COUNTS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


def recognise(document: Document) -> Found | None:
    """Find the message in a document."""
    holders = _unwrap(document.value, _DEEPEST)
    if not holders:
        return None
    message = holders[-1]
    if message.get("model") == SYNTHETIC:
        return [Unbilled("synthetic")]
    return [build_record(document, message, holders)]


def recognise_bare(document: Document) -> Found | None:
    """Read a Message that nobody wrapped."""
    value = document.value
    return recognise(document) if value.get("type") == "message" and _is_message(value) else None


def is_hidden_in(document: Document) -> bool:
    """Whether a message stands where it is not looked for: what it bills would be missing without a word."""
    return _holds_message(document.value, _DEEPEST_HIDDEN)


def _holds_message(value: object, depth: int) -> bool:
    if isinstance(value, list):
        return depth > 0 and any(_holds_message(item, depth - 1) for item in value)
    if not isinstance(value, dict):
        return False
    usage = value.get("usage")
    if isinstance(usage, dict) and isinstance(value.get("model"), str) and any(name in usage for name in _COUNTS):
        return True
    return depth > 0 and any(_holds_message(value[name], depth - 1) for name in value.keys() - _SAID)


def _unwrap(holder: Holder, depth: int) -> tuple[Holder, ...]:
    """The way from the document to the message, both included; empty if there is no message."""
    is_message = _is_message(holder)
    if is_message and (holder.get("type") == "message" or holder.get("model") is not None):
        return (holder,)
    if depth:
        for name in _WRAPPERS:
            inner = holder.get(name)
            if isinstance(inner, dict):
                way = _unwrap(inner, depth - 1)
                if way:
                    return (holder, *way)
    return (holder,) if is_message else ()


def _is_message(holder: Holder) -> bool:
    usage = holder.get("usage")
    if usage is None:
        return False
    if holder.get("type") == "message":
        return True
    if isinstance(usage, dict):
        return any(name in usage for name in _COUNTS)
    return holder.get("role") == "assistant"
