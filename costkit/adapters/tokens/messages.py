"""The messages of a request as pieces: turns, texts, tool calls and their results, thinking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from costkit.adapters.tokens import media
from costkit.adapters.tokens.definitions import definition_pieces, loaded_pieces
from costkit.adapters.tokens.overheads import Profile
from costkit.adapters.tokens.piece import Piece, json_text, known, known_between, text_piece
from costkit.core.request import Block, Request


@dataclass(slots=True)
class _Walk:
    """What all blocks share, and what the next block adds depends on."""

    request: Request
    profile: Profile
    kinds: list[str]
    last_prompt: int
    """The last user message that isn't a tool result: what comes after it is the running tool loop."""
    message: int = -1
    role: str | None = None
    texts: int = 0
    calls: int = 0
    after_result: bool = False

    def rule(self, name: str) -> float:
        return self.profile.rule("rounds", name)


def message_pieces(request: Request, profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    """The pieces of all messages in order; what was met is added to `kinds`."""
    blocks = _after_compaction(request.level("messages"))
    prompts = (block.message or 0 for block in blocks if block.role == "user" and block.kind != "tool_result")
    walk = _Walk(request, profile, kinds, max(prompts, default=-1))
    for block in blocks:
        if block.message != walk.message:
            yield known("", _turn(block, walk))
            walk.message, walk.role = block.message or 0, block.role
            walk.texts = walk.calls = 0
            walk.after_result = False
        yield from _block(block, walk)


def _after_compaction(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """A compaction block stands for everything before it: the API drops that."""
    compacted = [index for index, block in enumerate(blocks) if block.kind == "compaction"]
    return blocks[compacted[-1] :] if compacted else blocks


def _turn(block: Block, walk: _Walk) -> int:
    """What begins a message; the first is in the frame, and an answer is counted with the prompt after it."""
    if walk.role is None:
        return 0
    if block.role == walk.role:
        return walk.profile.merged
    if block.role == "system":
        return walk.profile.system_message
    return walk.profile.turn if block.role == "user" else 0


def _block(block: Block, walk: _Walk) -> Iterator[Piece]:
    if block.kind == "tool_result":
        walk.kinds.append("tools")
        walk.after_result = True
        yield from _tool_result(block, walk)
        return
    if walk.after_result:
        walk.after_result = False
        yield known(block.path, round(walk.rule("after_result")))
    if block.kind == "text":
        walk.texts += 1
        yield text_piece(block.path, str(block.value["text"]))
    elif block.kind == "tool_use":
        walk.kinds.append("tools")
        yield from _tool_use(block, walk)
    elif block.kind in ("thinking", "redacted_thinking"):
        walk.kinds.append("thinking")
        yield from _thinking(block, walk)
    elif block.kind in ("image", "document"):
        yield from media.pieces(block.path, block.value, walk.profile, walk.kinds)
    else:
        walk.kinds.append("other")
        yield from _unmodelled(block.path, block.value, walk)


def _tool_use(block: Block, walk: _Walk) -> Iterator[Piece]:
    given = block.value.get("input")
    arguments = given if isinstance(given, Mapping) else {}
    lines = [f'<invoke name="{block.value.get("name", "")}">']
    lines += [f'<parameter name="{name}">{_spoken(value)}</parameter>' for name, value in arguments.items()]
    yield text_piece(block.path, "\n".join([*lines, "</invoke>"]))
    walk.calls += 1
    extra = walk.profile.round + walk.rule("parameter") * len(arguments)
    extra += walk.rule("call" if walk.calls == 1 else "parallel")
    if walk.calls == 1 and walk.texts:
        extra += walk.rule("after_text")
    if walk.calls == 2:  # noqa: PLR2004 - the second call makes it several
        extra += walk.rule("several")
    yield known(block.path, round(extra))


def _spoken(value: object) -> str:
    return value if isinstance(value, str) else json_text(value)


def _tool_result(block: Block, walk: _Walk) -> Iterator[Piece]:
    content = block.value.get("content")
    extra = 0.0 if content else walk.rule("empty")
    if block.value.get("is_error"):
        extra += walk.rule("error")
    yield known(block.path, round(extra))
    items = content if isinstance(content, list) else [content] if content else []
    for item in items:
        yield from _result_item(block.path, item, walk)


def _result_item(path: str, item: object, walk: _Walk) -> Iterator[Piece]:
    if not isinstance(item, Mapping):
        yield text_piece(path, _spoken(item))
    elif item.get("type") == "text":
        yield text_piece(path, str(item.get("text", "")))
    elif item.get("type") in ("image", "document"):
        yield known(path, round(walk.rule("picture")))
        yield from media.pieces(path, item, walk.profile, walk.kinds)
    else:
        walk.kinds.append("other")
        yield from _unmodelled(path, item, walk)


def _thinking(block: Block, walk: _Walk) -> Iterator[Piece]:
    """Thinking counts on models that keep it, and on the others within the running tool loop."""
    if walk.profile.forgets_thinking and (block.message or 0) < walk.last_prompt:
        return
    text = block.value.get("thinking")
    if isinstance(text, str):
        yield text_piece(block.path, text)
    else:
        hidden = len(str(block.value.get("data", "")))
        yield known_between(block.path, hidden // 8, 0, hidden // 2)
    yield known(block.path, walk.profile.rules["extras"]["kept_thinking"]["tokens"])


def _unmodelled(path: str, item: Mapping[str, object], walk: _Walk) -> Iterator[Piece]:
    """Tools that a message loads, else (results of server tools, whatever is new) the text of the JSON."""
    tool = item.get("tool")
    if item.get("type") == "tool_reference":
        yield known(path, round(walk.profile.rule("tools", "loaded")))
        yield from loaded_pieces(path, item.get("tool_name"), walk.request, walk.profile)
    elif item.get("type") == "tool_addition" and isinstance(tool, Mapping):
        yield known(path, round(walk.profile.rule("tools", "added")))
        if tool.get("type") == "tool_reference":
            yield from loaded_pieces(path, tool.get("tool_name", tool.get("name")), walk.request, walk.profile)
        else:
            yield from definition_pieces(path, tool, walk.profile)
    else:
        yield text_piece(path, json_text({k: v for k, v in item.items() if k not in ("type", "cache_control")}))
