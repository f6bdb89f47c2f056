"""A request as pieces to count: texts for a tokenizer, and known numbers for everything around them.

Every engine shares this layout, so engines differ only in how they count a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from costkit.adapters.tokens import media
from costkit.adapters.tokens.definitions import tool_pieces
from costkit.adapters.tokens.overheads import KINDS, Profile
from costkit.adapters.tokens.piece import Piece, json_text, known, known_between, text_piece
from costkit.core.request import Block, Request


@dataclass(frozen=True, slots=True)
class Layout:
    """The pieces of a request in cache order and the kind whose measured band applies."""

    pieces: tuple[Piece, ...]
    kind: str


@dataclass(slots=True)
class _Rounds:
    """Where we are among the messages: what the next block adds depends on what came before it."""

    seen_users: int = 0
    message: int = -1
    texts: int = 0
    calls: int = 0
    last_prompt: int = field(default=-1)


def lay_out(request: Request, profile: Profile) -> Layout:
    """Split a request into countable pieces; their texts and numbers sum to the request's input tokens."""
    kinds = ["text"]
    pieces = [
        known("", profile.frame),
        *tool_pieces(request, profile, kinds),
        *_system(request, profile),
        *_messages(request, profile, kinds),
        *_parameters(request.body, profile, kinds),
    ]
    return Layout(tuple(pieces), max(kinds, key=KINDS.index))


def _system(request: Request, profile: Profile) -> Iterator[Piece]:
    blocks = request.level("system")
    for block in blocks:
        yield text_piece(block.path, str(block.value.get("text", "")))
    if blocks:
        yield known("", profile.system)


def _messages(request: Request, profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    blocks = request.level("messages")
    state = _Rounds(last_prompt=_last_prompt(blocks))
    for block in blocks:
        if block.message != state.message:
            if block.role != "assistant":
                state.seen_users += 1
                if state.seen_users > 1:
                    yield known("", profile.turn)
            state.message, state.texts, state.calls = block.message or 0, 0, 0
        yield from _block(block, state, profile, kinds)


def _last_prompt(blocks: Sequence[Block]) -> int:
    """The last user message that isn't a tool result: what comes after it is the running tool loop."""
    return max((b.message or 0 for b in blocks if b.role == "user" and b.kind != "tool_result"), default=-1)


def _block(block: Block, state: _Rounds, profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    if block.kind == "text":
        yield from _text(block, state, profile)
    elif block.kind == "tool_use":
        yield from _tool_use(block, state, profile)
        kinds.append("tools")
    elif block.kind == "tool_result":
        yield from _tool_result(block, profile, kinds)
        kinds.append("tools")
    elif block.kind in ("thinking", "redacted_thinking"):
        yield from _thinking(block, state, profile)
        kinds.append("thinking")
    elif block.kind in ("image", "document"):
        yield from media.pieces(block.path, block.value, profile, kinds)
    else:
        yield from _unmodelled(block)
        kinds.append("other")


def _text(block: Block, state: _Rounds, profile: Profile) -> Iterator[Piece]:
    state.texts += 1
    yield text_piece(block.path, str(block.value["text"]))
    if state.texts > 1:
        yield known(block.path, profile.block)


def _tool_use(block: Block, state: _Rounds, profile: Profile) -> Iterator[Piece]:
    given = block.value.get("input")
    arguments = given if isinstance(given, Mapping) else {}
    lines = [f'<invoke name="{block.value.get("name", "")}">']
    lines += [f'<parameter name="{name}">{_spoken(value)}</parameter>' for name, value in arguments.items()]
    yield text_piece(block.path, "\n".join([*lines, "</invoke>"]))
    state.calls += 1
    first = "call" if state.calls == 1 else "parallel"
    extra = profile.rule("rounds", first) + profile.rule("rounds", "parameter") * len(arguments)
    if state.calls == 1 and state.texts:
        extra += profile.rule("rounds", "after_text")
    yield known(block.path, round(extra))


def _spoken(value: object) -> str:
    return value if isinstance(value, str) else json_text(value)


def _tool_result(block: Block, profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    content = block.value.get("content")
    extra = profile.rule("rounds", "result")
    if not content:
        extra += profile.rule("rounds", "empty")
    if block.value.get("is_error"):
        extra += profile.rule("rounds", "error")
    yield known(block.path, round(extra))
    if isinstance(content, str):
        yield text_piece(block.path, content)
    elif isinstance(content, list):
        yield from _results(block.path, content, profile, kinds)


def _results(path: str, content: Iterable[object], profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    for item in content:
        if isinstance(item, str):
            yield text_piece(path, item)
        elif not isinstance(item, Mapping):
            yield text_piece(path, json_text(item))
        elif item.get("type") == "text":
            yield text_piece(path, str(item.get("text", "")))
        elif item.get("type") in ("image", "document"):
            yield from media.pieces(path, item, profile, kinds)
        else:
            kinds.append("other")
            yield text_piece(path, json_text(item))


def _thinking(block: Block, state: _Rounds, profile: Profile) -> Iterator[Piece]:
    """Earlier thinking counts only on models that keep it, and within the running tool loop."""
    if profile.forgets_thinking and (block.message or 0) < state.last_prompt:
        return
    text = block.value.get("thinking")
    if isinstance(text, str):
        yield text_piece(block.path, text)
    else:
        hidden = str(block.value.get("data", ""))
        yield known_between(block.path, len(hidden) // 8, 0, len(hidden) // 2)
    yield known(block.path, profile.rules["extras"]["kept_thinking"]["tokens"])


def _unmodelled(block: Block) -> Iterator[Piece]:
    """Results of server tools and whatever is new: counted as the text of their JSON, in the widest band."""
    value = {key: item for key, item in block.value.items() if key not in ("type", "cache_control")}
    yield text_piece(block.path, json_text(value))


def _parameters(body: Mapping[str, object], profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    extras = profile.rules["extras"]
    yield from _thinking_parameter(body, profile, kinds)
    config = body.get("output_config")
    config = config if isinstance(config, Mapping) else {}
    schema = config.get("format") or body.get("output_format")
    if isinstance(schema, Mapping):
        kinds.append("structured")
        yield text_piece("", json_text(schema.get("schema", schema)))
        yield known_between("", **extras["structured_output"])
    if config.get("task_budget"):
        yield known("", extras["task_budget"]["tokens"])
    if any(body.get(name) for name in ("mcp_servers", "container", "context_management")):
        kinds.append("other")


def _thinking_parameter(body: Mapping[str, object], profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    thinking = body.get("thinking")
    mode = thinking.get("type") if isinstance(thinking, Mapping) else None
    tokens = {"enabled": profile.thinking, "adaptive": 0 if body.get("tools") else profile.adaptive}
    if mode in tokens:
        if mode == "enabled":
            kinds.append("thinking")
        yield known("", tokens[str(mode)])
