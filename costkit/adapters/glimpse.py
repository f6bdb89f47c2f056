"""A first look at a line of a long file: whether its request has the usual shape, and what a sample must know of it.

Of a hundred thousand lines a sample counts a thousand; the others only have to be right. Nearly all are of one shape,
which msgspec checks while it decodes. Whatever is different is left to `parse_request`, which takes ten times as long.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from costkit.core.response import MOST_TOKENS

_HEAD = 200
_PARAMS = b'"params"'


class Glimpse(NamedTuple):
    """A request of the usual shape: texts and tools, without marks for the cache, images or a speed of its own."""

    model: str | None
    max_tokens: int | None


class _Text(msgspec.Struct, tag_field="type", tag="text", forbid_unknown_fields=True, gc=False):
    text: str


_Content = str | list[_Text]


class _Message(msgspec.Struct, gc=False):
    role: Literal["user", "assistant"]
    content: _Content


class _Tool(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: str = ""
    description: str = ""
    input_schema: dict[str, Any] = {}


class _Body(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Fields that `parse_request` either doesn't look at or that are checked by their types."""

    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    model: str | None = None
    max_tokens: int | float | None = None
    """`5.0` would pass for a whole number otherwise."""
    system: _Content = ""
    tools: list[_Tool] | None = None
    tool_choice: Any = None
    metadata: Any = None
    output_config: Any = None
    temperature: Any = None
    top_k: Any = None
    top_p: Any = None
    stop_sequences: Any = None
    stream: Any = None


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    params: _Body
    custom_id: Any = None


@cache
def _decoder(shape: type[_Body | _Line]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


def glimpse(line: bytes, kind: str | None, *, shares: bool) -> Glimpse | None:
    """Look at a line; `None` where only `parse_request` can say what it is, or what is wrong with it.

    `kind` is what the file is said to hold, if anything; `shares` says that a system prompt or tools will be added,
    which a request must not have already.
    """
    if kind not in (None, "batch"):
        return None
    try:
        if not line.isascii():
            line.decode("utf-8")
        in_params = line.find(_PARAMS, 0, _HEAD) >= 0
        body: _Body = _decoder(_Line).decode(line).params if in_params else _decoder(_Body).decode(line)
    except (ValueError, RecursionError):  # what msgspec raises is a ValueError
        return None
    if (shares and (body.system or body.tools)) or (body.model is not None and not body.model.strip()):
        return None
    limit = body.max_tokens
    if limit is not None and (type(limit) is not int or not 0 <= limit <= MOST_TOKENS):
        return None
    return Glimpse(body.model, limit)
