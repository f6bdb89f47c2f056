"""A Messages request as blocks in cache order: tools, then system, then messages.

Accepted shapes follow https://platform.claude.com/docs/en/api/messages; only what decides a price or a place in the
cache is looked at, everything else stays untouched in `Request.body`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from costkit.core.response import MOST_TOKENS
from costkit.errors import InvalidInput

LEVELS = ("tools", "system", "messages")
"""The cache hierarchy: a change on one level invalidates everything to its right."""
TTLS = ("5m", "1h")

_T = TypeVar("_T")
_OBJECT: type[Mapping[str, object]] = Mapping  # type: ignore[type-abstract]
_CHECKED: tuple[tuple[str, type[object], str], ...] = (
    ("thinking", _OBJECT, "an object"),
    ("speed", str, "text"),
    ("inference_geo", str, "text"),
    ("service_tier", str, "text"),
)
"""What prices and counts depend on besides the blocks."""


@dataclass(frozen=True, slots=True)
class CacheControl:
    """A cache breakpoint (`{"type": "ephemeral", "ttl": …}`)."""

    ttl: str = "5m"


@dataclass(frozen=True, slots=True)
class Block:
    """One tool, one system block or one content block: the unit that cache entries and `--tree` are made of."""

    path: str
    """Its place in the body, such as `messages[2].content[0]`."""
    level: str
    """One of `LEVELS`."""
    kind: str
    """`tool` for a tool definition, else the API's content type (`text`, `image`, `tool_use`, …)."""
    value: Mapping[str, object]
    """The block in its long form: a bare string became `{"type": "text", "text": …}`."""
    role: str | None = None
    """`user` or `assistant` on the messages level."""
    message: int | None = None
    """Index of the message on the messages level."""
    cache_control: CacheControl | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the Messages API."""

    body: Mapping[str, object]
    blocks: tuple[Block, ...]
    """All blocks in cache order."""
    model: str | None = None
    max_tokens: int | None = None
    cache_control: CacheControl | None = None
    """Automatic caching: the top-level `cache_control`."""

    def level(self, level: str) -> tuple[Block, ...]:
        """The blocks of one cache level."""
        return tuple(block for block in self.blocks if block.level == level)


def text_request(text: str) -> Request:
    """The request that a bare prompt stands for: one user message."""
    return parse_request({"messages": [{"role": "user", "content": text}]})


def parse_request(body: object, where: str | None = None) -> Request:
    """Check a Messages body and lay out its blocks.

    `where` names the file for messages. Raises `InvalidInput` naming the place inside the body.
    """
    place = f"{where}:" if where else ""
    if not isinstance(body, Mapping):
        raise InvalidInput("a request must be a JSON object with messages", where=where)
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        raise InvalidInput("messages must be a list with at least one message", where=f"{place}messages")
    try:
        blocks = (*_tools(body), *_system(body), *_messages(body["messages"]))
        model = _optional(body, "model", str, "text")
        for name, kind, spoken in _CHECKED:
            if name in body:
                _optional(body, name, kind, spoken)
        max_tokens = _optional(body, "max_tokens", int, "a whole number")
        automatic = _cache_control(body, "cache_control")
    except _Misshapen as problem:
        raise InvalidInput(problem.message, where=f"{place}{problem.path}") from None
    if model is not None and not model.strip():
        raise InvalidInput("model is empty", where=f"{place}model", hint="name one, or leave it out")
    if max_tokens is not None and max_tokens < 0:
        raise InvalidInput("max_tokens must not be negative", where=f"{place}max_tokens")
    if max_tokens is not None and max_tokens > MOST_TOKENS:
        raise InvalidInput("max_tokens is absurdly large", where=f"{place}max_tokens")
    return Request(body, blocks, model, max_tokens, automatic)


class _Misshapen(Exception):
    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


def _optional(
    holder: Mapping[str, object], name: str, kind: type[_T], spoken: str, path: str | None = None
) -> _T | None:
    value = holder.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _Misshapen(f"{path}.{name}" if path else name, f"{name} must be {spoken}")
    return value


def _tools(body: Mapping[str, object]) -> Iterator[Block]:
    tools = body.get("tools")
    if tools is None:
        return
    if not isinstance(tools, list):
        raise _Misshapen("tools", "tools must be a list")
    for index, tool in enumerate(tools):
        path = f"tools[{index}]"
        if not isinstance(tool, Mapping):
            raise _Misshapen(path, "a tool must be an object")
        for name in ("type", "name", "description"):
            _optional(tool, name, str, "text", path)
        _optional(tool, "input_schema", _OBJECT, "an object", path)
        yield Block(path, "tools", "tool", tool, cache_control=_cache_control(tool, path))


def _system(body: Mapping[str, object]) -> Iterator[Block]:
    for path, block in _content(body.get("system"), "system"):
        yield Block(path, "system", _kind(block, path), block, cache_control=_cache_control(block, path))


def _messages(messages: list[object]) -> Iterator[Block]:
    for index, message in enumerate(messages):
        path = f"messages[{index}]"
        if not isinstance(message, Mapping):
            raise _Misshapen(path, "a message must be an object with role and content")
        role = message.get("role")
        if role not in ("user", "assistant", "system"):
            raise _Misshapen(f"{path}.role", "role must be user or assistant")
        content = message.get("content")
        if content is None:
            raise _Misshapen(f"{path}.content", "content is missing")
        for where, block in _content(content, f"{path}.content"):
            mark = _cache_control(block, where)
            yield Block(where, "messages", _kind(block, where), block, str(role), index, mark)


def _content(content: object, path: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    if content is None:
        return
    if isinstance(content, str):
        yield path, {"type": "text", "text": content}
        return
    if not isinstance(content, list):
        raise _Misshapen(path, "must be text or a list of blocks")
    for index, block in enumerate(content):
        if isinstance(block, str):
            yield f"{path}[{index}]", {"type": "text", "text": block}
        elif isinstance(block, Mapping):
            yield f"{path}[{index}]", block
        else:
            raise _Misshapen(f"{path}[{index}]", "a block must be an object")


def _kind(block: Mapping[str, object], path: str) -> str:
    kind = block.get("type")
    if not isinstance(kind, str):
        raise _Misshapen(f"{path}.type", "type must be text")
    if kind == "text" and not isinstance(block.get("text"), str):
        raise _Misshapen(f"{path}.text", "text must be text")
    if kind == "tool_use":
        _optional(block, "name", str, "text", path)
        _optional(block, "input", _OBJECT, "an object", path)
    if kind == "thinking":
        _optional(block, "thinking", str, "text", path)
    if kind in ("image", "document"):
        _source(block, path)
    inside = block.get("content") if kind == "tool_result" else None
    for where, inner in _content(inside, f"{path}.content"):
        _kind(inner, where)
    return kind


def _source(block: Mapping[str, object], path: str) -> None:
    source = _optional(block, "source", _OBJECT, "an object", path) or {}
    for name in ("type", "media_type", "data", "url"):
        _optional(source, name, str, "text", f"{path}.source")


def _cache_control(holder: Mapping[str, object], path: str) -> CacheControl | None:
    control = holder.get("cache_control")
    if control is None:
        return None
    where = path if path == "cache_control" else f"{path}.cache_control"
    if not isinstance(control, Mapping) or control.get("type") != "ephemeral":
        raise _Misshapen(where, 'cache_control must be {"type": "ephemeral"}')
    ttl = control.get("ttl", "5m")
    if ttl not in TTLS:
        raise _Misshapen(f"{where}.ttl", f"ttl must be 5m or 1h, not {ttl!r}")
    return CacheControl(str(ttl))
