"""What the API refuses in the body of a Messages request, at once or, in a batch, as an errored result.

https://platform.claude.com/docs/en/api/messages and https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

COUNT_FIELDS = frozenset(
    [
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "output_format",
        "cache_control",
        "speed",
        "context_management",
        "mcp_servers",
        "compaction",
    ]
)
MESSAGE_FIELDS = COUNT_FIELDS | frozenset(
    [
        "max_tokens",
        "metadata",
        "stop_sequences",
        "stream",
        "service_tier",
        "container",
        "inference_geo",
        "diagnostics",
        "billing_policy",
        "fallbacks",
        "fallback_credit_token",
        "thread",
        "store",
        "previous_thread_event_id",
        "cache_hint",
        "context_hint",
        "user_profile_id",
    ]
)
SAMPLING_FIELDS = frozenset(("temperature", "top_p", "top_k"))
WITHOUT_SAMPLING = "2026-10-21"
"""From this version of the API on, sampling parameters are unknown fields."""
BATCH_REFUSED = ("speed", "store", "previous_thread_event_id", "cache_hint", "context_hint")
_MOST_MARKS = 4
_TTLS = ("5m", "1h")


def count_problem(body: Any) -> str | None:
    """Why `count_tokens` refuses this body."""
    return _shape_problem(body, ("model", "messages"), COUNT_FIELDS) or _messages_problem(body["messages"])


def message_problem(body: Any, version: str, *, in_batch: bool) -> str | None:
    """Why a Messages request with this body is refused."""
    known = MESSAGE_FIELDS if version >= WITHOUT_SAMPLING else MESSAGE_FIELDS | SAMPLING_FIELDS
    return (
        _shape_problem(body, ("model", "max_tokens", "messages"), known)
        or (_batch_problem(body) if in_batch else None)
        or _limit_problem(body["max_tokens"], 1 if in_batch else 0)
        or _messages_problem(body["messages"])
        or _mark_problem(body)
    )


def blocks_of(body: Mapping[str, Any]) -> Iterator[Any]:
    """The blocks of a prompt in cache order: tools, system, messages."""
    yield from body.get("tools") or ()
    for holder in ({"content": body.get("system") or []}, *body["messages"]):
        content = holder.get("content")
        if isinstance(content, list):
            yield from content
        else:
            yield {"type": "text", "text": content}


def marks_of(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The cache marks of a prompt in order; the automatic one is the last."""
    marks = [
        block["cache_control"] for block in blocks_of(body) if isinstance(block, dict) and "cache_control" in block
    ]
    automatic = body.get("cache_control")
    return [mark for mark in [*marks, automatic] if isinstance(mark, dict)]


def _shape_problem(body: Any, required: tuple[str, ...], known: frozenset[str]) -> str | None:
    if not isinstance(body, dict):
        return "Input should be an object"
    missing = next((name for name in required if name not in body), None)
    if missing:
        return f"{missing}: Field required"
    extra = next((name for name in body if name not in known), None)
    if extra:
        return f"{extra}: Extra inputs are not permitted"
    return None if isinstance(body["model"], str) else "model: Input should be a valid string"


def _batch_problem(body: Mapping[str, Any]) -> str | None:
    if body.get("stream"):
        return "stream: Streaming is not supported in batches"
    refused = next((name for name in BATCH_REFUSED if body.get(name) is not None), None)
    return f"{refused}: not supported in batches" if refused else None


def _limit_problem(max_tokens: Any, least: int) -> str | None:
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int):
        return "max_tokens: Input should be a valid integer"
    return f"max_tokens: Input should be greater than or equal to {least}" if max_tokens < least else None


def _messages_problem(messages: Any) -> str | None:
    if not isinstance(messages, list) or not messages:
        return "messages: at least one message is required"
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
            return f"messages.{index}.role: Input should be 'user' or 'assistant'"
        content = message.get("content")
        if not isinstance(content, str | list) or not content:
            return f"messages.{index}.content: a non-empty string or array is required"
        if isinstance(content, list) and not all(isinstance(block, dict) and "type" in block for block in content):
            return f"messages.{index}.content: every block needs a type"
    return None if messages[0]["role"] == "user" else "messages: first message must use the user role"


def _mark_problem(body: Mapping[str, Any]) -> str | None:
    marks = marks_of(body)
    if len(marks) > _MOST_MARKS:
        return f"A maximum of {_MOST_MARKS} blocks with cache_control may be provided. Found {len(marks)}."
    ttls = [mark.get("ttl", "5m") for mark in marks]
    if any(mark.get("type") != "ephemeral" for mark in marks) or any(ttl not in _TTLS for ttl in ttls):
        return "cache_control: Input should be {'type': 'ephemeral', 'ttl': '5m' or '1h'}"
    if any(earlier == "5m" and later == "1h" for earlier, later in itertools.pairwise(ttls)):
        return "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block"
    return None
