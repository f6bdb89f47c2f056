"""Tool definitions as the model sees them: one line of JSON each, after the model's tool prompt.

Documented overheads: https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from costkit.adapters.tokens.overheads import Profile
from costkit.adapters.tokens.piece import Piece, json_text, known, known_between, text_piece
from costkit.core.request import Block, Request


def tool_pieces(request: Request, profile: Profile, kinds: list[str]) -> Iterator[Piece]:
    """The tool prompt and each definition; nothing for a request without tools."""
    blocks = request.level("tools")
    if not blocks:
        return
    kinds.append("tools")
    yield from _prompt(request.body.get("tool_choice"), profile)
    rules = profile.rules["tools"]
    yield text_piece("", rules["open"])
    for block in blocks:
        kind = block.value.get("type")
        if kind is None or kind == "custom":
            yield text_piece(block.path, rules["line"] % _definition(block.value, profile))
            yield known(block.path, 1)
        else:
            kinds.append("other")
            yield _server_tool(block, str(kind), profile)
    yield text_piece("", rules["close"])


def _prompt(tool_choice: object, profile: Profile) -> Iterator[Piece]:
    choice = tool_choice if isinstance(tool_choice, Mapping) else {}
    forced = choice.get("type") in ("any", "tool")
    tokens = (profile.forced_tool_prompt if forced else profile.tool_prompt) + round(profile.rule("tools", "wrapper"))
    yield known_between("", tokens, max(0, tokens - profile.unsure), tokens + profile.unsure)
    if choice.get("type") == "tool" and isinstance(choice.get("name"), str):
        yield text_piece("", str(choice["name"]))
        yield known("", round(profile.rule("tools", "named")))


def _definition(tool: Mapping[str, object], profile: Profile) -> str:
    """The JSON of one definition; an empty description is left out, as the API does."""
    described = {"description": tool["description"]} if tool.get("description") else {}
    value = {**described, "name": tool.get("name", ""), "parameters": tool.get("input_schema", {})}
    return json_text(value, escape=profile.escape_non_ascii)


def _server_tool(block: Block, kind: str, profile: Profile) -> Piece:
    rules = profile.rules["server_tools"]
    name = next(
        (start for start, value in rules.items() if isinstance(value, dict) and kind.startswith(start)), "other"
    )
    tokens = rules[name][profile.family]
    spread = round(tokens * rules["share"])
    return known_between(block.path, tokens, tokens - spread, tokens + spread)
