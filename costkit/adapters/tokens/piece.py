"""The smallest thing that is counted: a text for a tokenizer, or a number of tokens with its own band."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from costkit.errors import InvalidInput

CONTEXT = 24
"""Characters before a text that may matter for how it is cut into tokens."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a request at `path` (empty for what surrounds the blocks).

    Either a `text`, or `text` is empty and the tokens are known to lie in `low` … `high`. `before` is the end of the
    text that stands directly before `text` and is counted elsewhere: tokenizers may join the two.
    """

    path: str
    text: str
    tokens: int = 0
    low: int = 0
    high: int = 0
    before: str = ""


def text_piece(path: str, text: str, *, before: str = "") -> Piece:
    """A text to count; half surrogate pairs, which no tokenizer takes, become replacement characters."""
    return Piece(path, _whole(text), before=_whole(before[-CONTEXT:]))


def _whole(text: str) -> str:
    return _LONE_SURROGATE.sub("\ufffd", text)


def known(path: str, tokens: int) -> Piece:
    """A known number of tokens."""
    return Piece(path, "", tokens, tokens, tokens)


def known_between(path: str, tokens: int, low: int, high: int) -> Piece:
    """A number of tokens known only to lie between two ends."""
    return Piece(path, "", tokens, low, high)


def json_text(value: object, *, escape: bool = False, indent: int | None = None) -> str:
    """The text of a JSON value as the API writes it into a prompt; `InvalidInput` if nested too deeply."""
    try:
        return json.dumps(value, ensure_ascii=escape, indent=indent, default=str)
    except RecursionError:
        raise InvalidInput("a value inside the request is nested too deeply to count") from None
