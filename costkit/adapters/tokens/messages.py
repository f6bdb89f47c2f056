"""The messages of a request as pieces: turns, texts, thinking, and what the modules for tools and media add."""

from __future__ import annotations

from collections.abc import Iterator

from costkit.adapters.tokens import media
from costkit.adapters.tokens.overheads import Profile
from costkit.adapters.tokens.piece import Piece, known, known_between, text_piece
from costkit.adapters.tokens.rounds import MEDIA, call_pieces, loading_pieces, result_pieces, search_pieces
from costkit.adapters.tokens.walk import Walk
from costkit.core.request import Block, Request


def message_pieces(request: Request, profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    """The pieces of all messages in order; what was met is added to `kinds`."""
    blocks = _after_compaction(request.level("messages"))
    prompts = (block.message or 0 for block in blocks if block.role == "user" and block.kind != "tool_result")
    walk = Walk(request, profile, kinds, max(prompts, default=-1))
    for block in blocks:
        if block.message != walk.message:
            yield known("", _turn(block, walk))
            if block.role != walk.role:
                walk.turn, walk.calls, walk.after_result = block.message or 0, 0, False
            walk.message, walk.role, walk.text = block.message or 0, block.role, ""
        yield from _block(block, walk)


def _after_compaction(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """A compaction block stands for everything before it: the API drops that."""
    compacted = [index for index, block in enumerate(blocks) if block.kind == "compaction"]
    return blocks[compacted[-1] :] if compacted else blocks


def _turn(block: Block, walk: Walk) -> int:
    """What begins a message; the first is in the frame, and an answer is counted with the prompt after it."""
    if walk.role is None:
        return 0
    if block.role == walk.role:
        return walk.profile.merged if block.kind == "text" and not (walk.calls or walk.after_result) else 0
    if block.role == "system":
        return walk.profile.system_message
    return walk.profile.turn if block.role == "user" else 0


def _block(block: Block, walk: Walk) -> Iterator[Piece]:
    if block.kind == "tool_result":
        walk.kinds.append("tools")
        walk.after_result = True
        yield from result_pieces(block, walk)
        return
    if walk.after_result:
        walk.after_result = False
        yield known(block.path, round(walk.rule("after_result")))
    if block.kind == "text":
        walk.text = str(block.value["text"])
        yield text_piece(block.path, walk.text)
    elif block.kind in ("tool_use", "server_tool_use"):
        walk.kinds.append("tools" if block.kind == "tool_use" else "special_tools")
        yield from call_pieces(block, walk)
    elif block.kind == "tool_search_tool_result":
        walk.kinds.append("special_tools")
        yield from search_pieces(block, walk)
    elif block.kind in ("thinking", "redacted_thinking"):
        walk.kinds.append("thinking")
        yield from _thinking(block, walk)
    elif block.kind in MEDIA:
        yield from media.pieces(block.path, block.value, walk.profile, walk.kinds)
    else:
        walk.calls, walk.text = 0, ""
        yield from loading_pieces(block.path, block.value, walk)


def _thinking(block: Block, walk: Walk) -> Iterator[Piece]:
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
