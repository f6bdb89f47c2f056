"""Requests whose tokens can be read off their texts, logged at times that a test chooses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from costkit.adapters.pricing_yaml import built_in_book
from costkit.cache.marks import SECOND
from costkit.cache.sent import Layout
from costkit.cache.traffic import LoggedRequest
from costkit.core.pricebook import ModelPrice
from costkit.core.request import Request, parse_request
from costkit.core.response import read_usage
from costkit.core.tokens import NO_TOKENS, PartCount, TokenCount

OPUS = "claude-opus-5-5"
DAY = date(2026, 11, 21)
NOON = 1_795_262_400 * SECOND
"""Noon of that day: second 0 of every test."""
MARK = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}


class StatedCounter:
    """Believes what each block says about itself: the text `250 tokens` has 250; a block that says nothing has none."""

    def count_many(self, jobs: Iterable[tuple[Request, ModelPrice]]) -> Sequence[TokenCount]:
        return [sum((part.count for part in self.count_parts(*job)), NO_TOKENS) for job in jobs]

    def count_parts(self, request: Request, model: ModelPrice) -> Sequence[PartCount]:  # noqa: ARG002  the protocol
        return [PartCount(block.path, block, _stated(block.value)) for block in request.blocks]


def _stated(value: Mapping[str, object]) -> TokenCount:
    first = [*str(value.get("text") or value.get("description")).split(), ""][0]
    tokens = int(first) if first.isdigit() else 0
    return TokenCount(tokens, tokens, tokens, "offline")


def text(words: str, mark: object = None) -> dict[str, Any]:
    """A text block, marked or not."""
    return {"type": "text", "text": words, **({"cache_control": mark} if mark else {})}


def tool(name: str, words: str = "0 tokens", mark: object = None, **schema: Any) -> dict[str, Any]:
    """A tool with a description that states its tokens."""
    control = {"cache_control": mark} if mark else {}
    return {"name": name, "description": words, "input_schema": {"type": "object", **schema}, **control}


def body(*content: dict[str, Any] | str, model: str = OPUS, **more: Any) -> dict[str, Any]:
    """A request with one user message."""
    blocks = [text(block) if isinstance(block, str) else block for block in content]
    return {"model": model, "max_tokens": 100, **more, "messages": [{"role": "user", "content": blocks}]}


def talk(*turns: str, mark_last: object = None, **more: Any) -> dict[str, Any]:
    """A conversation: user and assistant in turn, one text each."""
    messages = [
        {"role": ("user", "assistant")[number % 2], "content": [text(words)]} for number, words in enumerate(turns)
    ]
    if mark_last:
        messages[-1] = {"role": "user", "content": [text(turns[-1], mark_last)]}
    return {"model": OPUS, "max_tokens": 100, **more, "messages": messages}


def logged(request: Mapping[str, Any], second: float = 0, where: str = "", **more: Any) -> LoggedRequest:
    """A request in a log; `read` is what the API billed as read."""
    read = more.pop("read", None)
    usage = (
        None if read is None else read_usage({"input_tokens": 1, "output_tokens": 1, "cache_read_input_tokens": read})
    )
    return LoggedRequest(
        where or f"at {second:g}", parse_request(request), sent=NOON + round(second * SECOND), usage=usage, **more
    )


def layout() -> Layout:
    """A layout that counts what blocks say, at the built-in prices."""
    return Layout(StatedCounter(), built_in_book(), DAY)
