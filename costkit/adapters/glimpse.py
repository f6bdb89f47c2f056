"""A first look at a line of a long file: whether its request has the usual shape, and what a sample must know of it.

Of a hundred thousand lines a sample counts a thousand; the others only have to be right. Nearly all are of one shape,
which takes a few looks to recognise. Whatever is different is left to `parse_request`, which takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from costkit.core.response import MOST_TOKENS

_USUAL = frozenset(
    (
        *("model", "max_tokens", "messages", "system", "tools", "tool_choice", "metadata", "output_config"),
        *("temperature", "top_k", "top_p", "stop_sequences", "stream"),
    )
)
"""Fields of a body that `parse_request` either doesn't look at or that are checked here."""
_TOOL = frozenset(("name", "description", "input_schema"))
_ROLES = ("user", "assistant")


class Glimpse(NamedTuple):
    """A request of the usual shape: texts and tools, without marks for the cache, images or a speed of its own."""

    model: str | None
    max_tokens: int | None


def glimpse(value: object, kind: str | None, *, shares: bool) -> Glimpse | None:
    """Look at the JSON value of a line; `None` where only `parse_request` can say what it is.

    `kind` is what the file is said to hold, if anything; `shares` says that a system prompt or tools will be added,
    which a request must not have already.
    """
    body = _body(value, kind)
    if body is None or not _USUAL.issuperset(body) or (shares and (body.get("system") or body.get("tools"))):
        return None
    model, limit = body.get("model"), body.get("max_tokens")
    right = (
        (model is None or (type(model) is str and bool(model.strip())))
        and (limit is None or (type(limit) is int and 0 <= limit <= MOST_TOKENS))
        and _plain(body.get("system", ""))
        and _tools(body.get("tools"))
        and _messages(body["messages"])
    )
    return Glimpse(model, limit) if right else None  # type: ignore[arg-type]  # their types were looked at


def _body(value: object, kind: str | None) -> Mapping[str, object] | None:
    if type(value) is not dict or "requests" in value or kind not in (None, "batch"):
        return None
    body = value.get("params", value)
    usual = type(body) is dict and "messages" in body and ("params" in value or "role" not in value)
    return body if usual and (body is value or "messages" not in value) else None


def _messages(messages: object) -> bool:
    if type(messages) is not list or not messages:
        return False
    for message in messages:
        if type(message) is not dict or message.get("role") not in _ROLES or not _plain(message.get("content")):
            return False
    return True


def _plain(content: object) -> bool:
    """Whether it is a text, or blocks that are."""
    if type(content) is str:
        return True
    if type(content) is not list:
        return False
    for block in content:
        if type(block) is not dict or len(block) != len(("type", "text")):
            return False
        if block.get("type") != "text" or type(block.get("text")) is not str:
            return False
    return True


def _tools(tools: object) -> bool:
    if tools is None:
        return True
    return type(tools) is list and all(
        type(tool) is dict
        and _TOOL.issuperset(tool)
        and type(tool.get("name", "")) is str
        and type(tool.get("description", "")) is str
        and type(tool.get("input_schema", {})) is dict
        for tool in tools
    )
