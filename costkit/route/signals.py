"""What rules look at in a request: its task and a few sizes, read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from costkit.core.request import Block, Request

_THINKING_OFF = ("disabled", None)


@dataclass(frozen=True, slots=True)
class Signals:
    """The features of one request. Characters are those of texts; images and documents are only counted."""

    task: str
    """The text of the last user message that has any."""
    characters: int
    """Of all texts of the prompt, system and tool results included."""
    messages: int
    tools: tuple[str, ...]
    """The names of the tools, or their types where they have no name."""
    media: int
    """Images and documents."""
    max_tokens: int | None
    thinks: bool
    """Whether the body switches thinking on."""
    effort: str | None
    """`output_config.effort`."""


def signals_of(request: Request) -> Signals:
    """Read the features of a request."""
    messages = request.level("messages")
    config = request.body.get("output_config")
    effort = config.get("effort") if isinstance(config, Mapping) else None
    thinking = request.body.get("thinking")
    return Signals(
        _task(messages),
        sum(len(text) for block in request.blocks if block.level != "tools" for text in _texts(block.value)),
        1 + max((block.message or 0 for block in messages), default=0),
        tuple(str(tool.value.get("name") or tool.value.get("type") or "") for tool in request.level("tools")),
        sum(block.kind in ("image", "document") for block in messages),
        request.max_tokens,
        isinstance(thinking, Mapping) and thinking.get("type") not in _THINKING_OFF,
        effort if isinstance(effort, str) else None,
    )


def _task(messages: tuple[Block, ...]) -> str:
    last = max((b.message or 0 for b in messages if b.role == "user" and b.kind == "text"), default=None)
    return "\n".join(str(b.value["text"]) for b in messages if b.message == last and b.kind == "text").strip()


def _texts(value: Mapping[str, object]) -> Iterator[str]:
    """The texts of a block and of what a tool result holds."""
    for name in ("text", "thinking"):
        text = value.get(name)
        if isinstance(text, str):
            yield text
    content = value.get("content")
    if isinstance(content, str):
        yield content
    for inner in content if isinstance(content, list) else ():
        if isinstance(inner, Mapping):
            yield from _texts(inner)
