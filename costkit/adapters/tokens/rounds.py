"""Tool calls and their results as pieces: what the model reads in place of the API's blocks.

The form was found by trying renderings on recorded requests until what remained was the same number in every round.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from costkit.adapters.tokens import media
from costkit.adapters.tokens.definitions import definition_pieces, loaded_pieces
from costkit.adapters.tokens.piece import Piece, json_text, known, text_piece
from costkit.adapters.tokens.walk import Walk
from costkit.core.request import Block

MEDIA = frozenset(("image", "document", "search_result"))
"""Blocks that are counted as what they show."""
_PREFIX = "antml:"
_LOADING = frozenset(("tool_reference", "tool_addition", "tool_removal"))


def call_pieces(block: Block, walk: Walk) -> Iterator[Piece]:
    """A `tool_use` (or `server_tool_use`) block; the first of a message opens the list of calls."""
    given = block.value.get("input")
    arguments = given if isinstance(given, Mapping) else {}
    walk.calls += 1
    first = walk.calls == 1
    text = _invocation(str(block.value.get("name", "")), arguments)
    if first and walk.profile.listed_calls:
        text = f"<{_PREFIX}function_calls>\n{text}\n</{_PREFIX}function_calls>"
    if first and walk.text:
        yield text_piece(block.path, f"\n\n{text}", before=walk.text)
    else:
        yield text_piece(block.path, text)
    extra = walk.profile.round + walk.rule("call" if first else "parallel")
    if walk.calls == 2:  # noqa: PLR2004 - the second call makes it several
        extra += walk.rule("several")
    yield known(block.path, round(extra))
    identifier = str(block.value.get("id", ""))
    walk.called[identifier] = str(block.value.get("name", ""))
    walk.together.setdefault(walk.turn, []).append(identifier)


def _invocation(name: str, arguments: Mapping[str, object]) -> str:
    lines = [f'<{_PREFIX}invoke name="{name}">']
    for key, value in arguments.items():
        spoken = value if isinstance(value, str) else json_text(value)
        lines.append(f'<{_PREFIX}parameter name="{key}">{spoken}</{_PREFIX}parameter>')
    return "\n".join([*lines, f"</{_PREFIX}invoke>"])


def result_pieces(block: Block, walk: Walk) -> Iterator[Piece]:
    """A `tool_result` block; where several calls were made together, each result names its tool."""
    content = block.value.get("content")
    extra = 0.0 if content else walk.rule("empty")
    if block.value.get("is_error"):
        extra += walk.rule("error")
    yield known(block.path, round(extra))
    identifier = str(block.value.get("tool_use_id", ""))
    if any(identifier in calls and len(calls) > 1 for calls in walk.together.values()):
        yield text_piece(block.path, walk.called.get(identifier, ""))
    yield from _result_content(block.path, content, walk)


def _result_content(path: str, content: object, walk: Walk) -> Iterator[Piece]:
    items = content if isinstance(content, list) else [content] if content else []
    pictured = any(_text_of(item) is None for item in items)
    for index, item in enumerate(items):
        text = _text_of(item)
        if text is None and isinstance(item, Mapping):
            yield from _other_item(path, item, walk)
        elif pictured and index:
            yield text_piece(path, text or "")
    if pictured:
        yield known(path, round(walk.rule("item") * (len(items) - 1)))
    if items:
        first = _text_of(items[0]) or "" if pictured else "".join(_text_of(item) or "" for item in items)
        yield text_piece(path, f"{first}</output>")


def _text_of(item: object) -> str | None:
    if not isinstance(item, Mapping):
        return item if isinstance(item, str) else json_text(item)
    return str(item.get("text", "")) if item.get("type") == "text" else None


def _other_item(path: str, item: Mapping[str, object], walk: Walk) -> Iterator[Piece]:
    if item.get("type") in MEDIA:
        if item.get("type") == "image":
            yield known(path, round(walk.rule("picture")))
        yield from media.pieces(path, item, walk.profile, walk.kinds)
    else:
        yield from loading_pieces(path, item, walk)


def search_pieces(block: Block, walk: Walk) -> Iterator[Piece]:
    """The result of the API's own tool search: the definitions that it found."""
    walk.calls, walk.text = 0, ""
    yield known(block.path, round(walk.rule("searched")))
    content = block.value.get("content")
    found = content.get("tool_references") if isinstance(content, Mapping) else None
    for reference in found if isinstance(found, list) else ():
        if isinstance(reference, Mapping):
            yield from loading_pieces(block.path, reference, walk)
    if not isinstance(found, list):
        yield text_piece(block.path, json_text(content))


def loading_pieces(path: str, item: Mapping[str, object], walk: Walk) -> Iterator[Piece]:
    """Tools that a message loads, else (results of server tools, whatever is new) the text of the JSON."""
    tool = item.get("tool")
    walk.kinds.append("special_tools" if item.get("type") in _LOADING else "other")
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
