"""Puts breakpoints into request bodies, in place of those that are there, and shows the difference."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence

from costkit.cache.marks import Mark
from costkit.core.request import Request

_STEP = re.compile(r"([a-z]+)|\[(\d+)\]")


def marked_body(request: Request, marks: Sequence[Mark]) -> dict[str, object]:
    """A body with these breakpoints and no others; everything else stays as it is, key by key.

    Texts that get a breakpoint become blocks, which the API takes for the same.
    """
    body = _without_marks(request.body)
    for mark in marks:
        control = {"type": "ephemeral"} if mark.ttl == "5m" else {"type": "ephemeral", "ttl": mark.ttl}
        _mark(body, request.blocks[mark.position].path, control)
    return body


def _mark(body: dict[str, object], path: str, control: dict[str, str]) -> None:
    steps: list[str | int] = [name or int(number) for name, number in _STEP.findall(path)]
    holder: object = body
    for step in steps[:-1]:
        holder = holder[step]  # type: ignore[index]  # paths come from the body itself
    last = steps[-1]
    value = holder[last]  # type: ignore[index]  # same
    if isinstance(value, str):
        block: dict[str, object] = {"type": "text", "text": value, "cache_control": control}
        marked: object = block if isinstance(last, int) else [block]
    else:
        marked = {**value, "cache_control": control}
    holder[last] = marked  # type: ignore[index]  # same


def _without_marks(body: Mapping[str, object]) -> dict[str, object]:
    bare = {key: value for key, value in body.items() if key != "cache_control"}
    for level in ("tools", "system"):
        if isinstance(bare.get(level), list):
            bare[level] = _bare_blocks(bare[level])
    messages = bare["messages"]
    if isinstance(messages, list):
        bare["messages"] = [
            {key: _bare_blocks(value) if key == "content" else value for key, value in message.items()}
            for message in messages
        ]
    return bare


def _bare_blocks(value: object) -> object:
    """Blocks without marks, inside of tool results and documents too; JSON of the caller's own is not touched."""
    if isinstance(value, list):
        return [_bare_blocks(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    bare = {key: item for key, item in value.items() if key != "cache_control"}
    for key in ("content", "source"):
        if key in bare:
            bare[key] = _bare_blocks(bare[key])
    return bare


def difference(before: Mapping[str, object], after: Mapping[str, object], name: str) -> list[str]:
    """The unified diff of two bodies as indented JSON, line by line; empty where nothing changes."""
    old, new = (json.dumps(body, indent=2, ensure_ascii=False).splitlines() for body in (before, after))
    return list(difflib.unified_diff(old, new, name, f"{name} (with breakpoints)", lineterm=""))
