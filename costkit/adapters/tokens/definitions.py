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
        kinds.append("special_tools")
        yield known("", round(profile.rule("tools", "deferred")))
    for block in blocks:
        if block.value.get("defer_loading"):
            continue
        if _is_custom(block.value):
            yield from definition_pieces(block.path, block.value, profile)
            yield known(block.path, 1)
        else:
            yield _provided(block, profile, kinds)
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
    """A deferred definition that a message refers to by the tool's name."""
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


def _provided(block: Block, profile: Profile, kinds: list[str]) -> Piece:
    """A tool that the API defines itself, known by the start of its type."""
    kind = str(block.value.get("type"))
    rules = profile.rules["server_tools"]
    known_starts = {start: group for group in ("client", "server") for start in rules[group]}
    start = max((start for start in known_starts if kind.startswith(start)), key=len, default="other")
    group = known_starts[start]
    kinds.append("special_tools" if group == "client" else "tool_search" if "tool_search" in start else "server_tools")
    tokens = rules[group][start][profile.family]
    spread = round(tokens * rules["share"]) if start == "other" or profile.family != "v3" else 0
    return known_between(block.path, tokens, tokens - spread, tokens + spread)
