"""Tool definitions as the model sees them: one line of JSON each, after the model's tool prompt.

Documented overheads: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from costkit.adapters.tokens.overheads import Profile
from costkit.adapters.tokens.piece import Piece, json_text, known, known_between, text_piece
from costkit.core.request import Block, Request


def tool_pieces(request: Request, profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    """The tool prompt and each definition that is loaded from the start; nothing for a request without tools."""
    blocks = request.level("tools")
    if not blocks:
        return
    kinds.append("tools")
    yield from _prompt(request.body.get("tool_choice"), profile)
    rules = profile.rules["tools"]
    yield text_piece("", rules["open"])
    if any(block.value.get("defer_loading") for block in blocks):
        yield known("", round(profile.rule("tools", "deferred")))
    for block in blocks:
        if block.value.get("defer_loading"):
            continue
        if _is_custom(block.value):
            yield from definition_pieces(block.path, block.value, profile)
            yield known(block.path, 1)
        else:
            kinds.append("other")
            yield _server_tool(block, profile)
    yield text_piece("", rules["close"])


def definition_pieces(path: str, tool: Mapping[str, object], profile: Profile) -> Iterator[Piece]:
    """One definition as text; an empty description is left out, as the API does."""
    described = {"description": tool["description"]} if tool.get("description") else {}
    value = {**described, "name": tool.get("name", ""), "parameters": tool.get("input_schema", {})}
    line = str(profile.rules["tools"]["line"])
    yield text_piece(path, line % json_text(value, escape=profile.escape_non_ascii))
    if tool.get("input_examples"):
        yield text_piece(path, json_text(tool["input_examples"], escape=profile.escape_non_ascii))
        yield known(path, round(profile.rule("tools", "examples")))


def loaded_pieces(path: str, name: object, request: Request, profile: Profile) -> Iterator[Piece]:
    """A deferred definition that a message loads by the tool's name."""
    yield known(path, round(profile.rule("tools", "loaded")))
    for block in request.level("tools"):
        if block.value.get("name") == name and _is_custom(block.value):
            yield from definition_pieces(path, block.value, profile)


def _is_custom(tool: Mapping[str, object]) -> bool:
    return tool.get("type") in (None, "custom")


def _prompt(tool_choice: object, profile: Profile) -> Iterator[Piece]:
    choice = tool_choice if isinstance(tool_choice, Mapping) else {}
    forced = choice.get("type") in ("any", "tool")
    tokens = (profile.forced_tool_prompt if forced else profile.tool_prompt) + profile.wrapper
    if choice.get("disable_parallel_tool_use"):
        tokens += profile.rules["tools"]["one_call"].get(profile.generation, 0)
    yield known_between("", tokens, max(0, tokens - profile.unsure), tokens + profile.unsure)
    if choice.get("type") == "tool" and isinstance(choice.get("name"), str):
        yield text_piece("", str(choice["name"]))
        yield known("", round(profile.rule("tools", "named")))


def _server_tool(block: Block, profile: Profile) -> Piece:
    kind = str(block.value.get("type"))
    rules = profile.rules["server_tools"]
    starts = [start for start, value in rules.items() if isinstance(value, dict) and kind.startswith(start)]
    tokens = rules[max(starts, key=len, default="other")][profile.family]
    spread = round(tokens * rules["share"])
    return known_between(block.path, tokens, tokens - spread, tokens + spread)
