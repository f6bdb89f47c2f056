"""Values inside a document that a report can be grouped by: `key:PATH` and `tag:NAME`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from costkit.core.text import clean

EVERY_TAG = "tag:*"
"""All tags of a document as one text, such as `feature=rerank, team=search`."""
Picker = Callable[[dict[str, object]], str | None]


def pickers(names: Sequence[str]) -> tuple[Picker, ...]:
    """One function for each dimension: it finds the value in a document, or `None`."""
    return tuple(_picker(name) for name in names)


def _picker(name: str) -> Picker:
    if name == EVERY_TAG:
        return _every_tag
    kind, _, rest = name.partition(":")
    path = ["tags", rest] if kind == "tag" else rest.split(".")
    return lambda document: _text(_follow(document, path))


def _every_tag(document: dict[str, object]) -> str | None:
    tags = document.get("tags")
    if not isinstance(tags, dict):
        return None
    texts = ((name, _text(value)) for name, value in sorted(tags.items()))
    return clean(", ".join(f"{name}={text}" for name, text in texts if text is not None)) or None


def _follow(value: object, path: list[str]) -> object:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isascii() and step.isdigit():
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return clean(value)
    return json.dumps(value) if isinstance(value, bool | int | float) else None
