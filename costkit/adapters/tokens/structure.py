"""A request as pieces to count: texts for a tokenizer, and known numbers for everything around them.

Every engine shares this layout, so engines differ only in how they count a text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from costkit.adapters.tokens.definitions import tool_pieces
from costkit.adapters.tokens.messages import message_pieces
from costkit.adapters.tokens.overheads import KINDS, Profile
from costkit.adapters.tokens.piece import Piece, json_text, known, known_between, text_piece
from costkit.core.request import Request

_UNMODELLED = ("container", "context_management", "compaction")


@dataclass(frozen=True, slots=True)
class Layout:
    """The pieces of a request and the kind whose measured band applies."""

    pieces: tuple[Piece, ...]
    kind: str


def lay_out(request: Request, profile: Profile) -> Layout:
    """Split a request into countable pieces; their texts and numbers sum to the request's input tokens."""
    kinds = ["text"]
    pieces = (
        known("", profile.frame),
        *tool_pieces(request, profile, kinds),
        *_system(request, profile),
        *message_pieces(request, profile, kinds),
        *_thinking(request.body, profile, kinds),
        *_output(request.body, profile, kinds),
    )
    if request.body.get("mcp_servers"):
        kinds.append("server_tools")
    if any(request.body.get(name) for name in _UNMODELLED):
        kinds.append("other")
    return Layout(pieces, max(kinds, key=KINDS.index))


def _system(request: Request, profile: Profile) -> Iterator[Piece]:
    blocks = request.level("system")
    for block in blocks:
        yield text_piece(block.path, str(block.value.get("text", "")))
    if blocks:
        tools = bool(request.level("tools"))
        yield known("", profile.system_after_tools if tools else profile.system)


def _thinking(body: Mapping[str, object], profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    thinking = body.get("thinking")
    mode = thinking.get("type") if isinstance(thinking, Mapping) else None
    if mode == "adaptive" and not body.get("tools"):
        yield known("", profile.adaptive)
    if mode == "enabled":
        kinds.append("thinking")
        yield known("", profile.thinking)
        betas = body.get("betas")
        if body.get("tools") and isinstance(betas, list) and any("interleaved-thinking" in str(b) for b in betas):
            yield known("", profile.interleaved)


def _output(body: Mapping[str, object], profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    extras = profile.rules["extras"]
    config = body.get("output_config")
    config = config if isinstance(config, Mapping) else {}
    form = config.get("format") or body.get("output_format")
    if isinstance(form, Mapping):
        kinds.append("structured")
        yield text_piece("", json_text(form.get("schema", form), indent=2))
        yield known_between("", **extras["structured_output"][profile.family])
    if config.get("task_budget"):
        yield known("", extras["task_budget"]["tokens"])
