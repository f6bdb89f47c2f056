"""The JSON values in a piece of text, and why a text is not JSON."""

from __future__ import annotations

import json
import re
from typing import NamedTuple, Self

TORN, INVALID, TOO_LONG = "torn-json", "invalid-json", "line-too-long"
NOT_UTF8, NULS, TOO_DEEP, BIG_NUMBER = "invalid-utf8", "nul-bytes", "nested-too-deep", "number-too-long"
DEEP = 500
"""No log nests deeper than this; what does is either not decoded or reported."""

_GAP = re.compile(r"[\s,\0]*")
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[][{}"]')
_MOST_DIGITS = 4300  # of a number that int() takes from text
_decode = json.JSONDecoder().raw_decode
MONEY = ("ost", "pend")
"""What the names of all fields with a cost or a spend have in them."""
_COST, _SPEND = (mark.encode() for mark in MONEY)


class Written(float):
    """A number with its text: what is money must not go by way of a float."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """The number of a text of JSON."""
        number = super().__new__(cls, text)
        number.text = text
        return number


_decode_money = json.JSONDecoder(parse_float=Written).raw_decode
_decode_patiently = json.JSONDecoder(
    parse_int=lambda text: int(text) if len(text) < _MOST_DIGITS else float(text), parse_float=Written
).raw_decode


def decoded(text: str) -> object:
    """The value of a text of JSON; where costs are mentioned in it, numbers keep their text. Raises ValueError."""
    return json.loads(text, parse_float=Written if any(mark in text for mark in MONEY) else None)


class Broken(NamedTuple):
    """Why a text stops being JSON, and at which character the value that breaks off begins."""

    reason: str
    at: int = 0
    unfinished: bool = False
    """An object whose end is missing, not in the middle of a text: the next line may bring it."""


def whole(line: bytes) -> dict[str, object] | None:
    """The object that a line consists of: the quick way for what most lines are; `None` for anything else."""
    try:
        text = _text(line)
        try:
            value, end = (_decode_money if _COST in line or _SPEND in line else _decode)(text)
        except json.JSONDecodeError:
            return None
        except ValueError:  # a number with thousands of digits: nothing that is counted, but a bill may be beside it
            value, end = _decode_patiently(text)
    except (ValueError, RecursionError):
        return None
    if end != len(text) and not text[end:].isspace():
        return None
    return value if isinstance(value, dict) else None


def _text(line: bytes) -> str:
    """The text of a line; what is no UTF-8 in it costs no bill beside it."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode(errors="replace")


def values_in(line: bytes) -> tuple[list[tuple[object, int]], Broken | None]:
    """All values of a text that may be glued together, each with the bytes before it, and what is broken at the end.

    When a writer died in the middle of a document and another went on right behind it, only the first is lost.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return [], Broken(NOT_UTF8)
    values, broken, at = _values(text, 0)
    restart = None if broken is None or at is None else _restart(text, broken.at, at)
    if broken is not None and restart is not None:
        others, trouble, _ = _values(text, restart)
        if others and trouble is None:
            values, broken = [*values, *others], Broken(TORN, broken.at)
    if text.isascii():
        return values, broken
    return [(value, len(text[:at].encode())) for value, at in values], broken


def _values(text: str, at: int) -> tuple[list[tuple[object, int]], Broken | None, int | None]:
    """The values from a character on; if the text breaks off, why, and the character that was not expected."""
    values: list[tuple[object, int]] = []
    decode = _decode_money if any(mark in text for mark in MONEY) else _decode
    while True:
        at = _after_gap(text, at)
        if at == len(text):
            return values, None, None
        try:
            value, end = decode(text, at)
        except json.JSONDecodeError as error:
            return values, _broken(text, at, error), error.pos
        except RecursionError:
            return values, Broken(TOO_DEEP, at), None
        except ValueError:
            return values, Broken(BIG_NUMBER, at), None
        if not isinstance(value, dict | list) and (values or _after_gap(text, end) < len(text)):
            return values, Broken(INVALID, at), None
        values.append((value, at))
        at = end


def _after_gap(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at


def _broken(text: str, at: int, error: json.JSONDecodeError) -> Broken:
    if error.pos >= len(text.rstrip()):
        return Broken(TORN, at, unfinished=text[at] == "{")
    return Broken(TORN if error.msg.startswith("Unterminated string") else INVALID, at)


def _restart(text: str, at: int, unexpected: int) -> int | None:
    """Where another document begins in the middle of a broken one: `{"` where the grammar allows none."""
    for start in (unexpected, unexpected - 2):
        if start > at and text.startswith('{"', start):
            return start
    return None


def bracket_depth(line: bytes, depth: int) -> tuple[int | None, int | None]:
    """How deep the brackets are nested after a line, from a depth before it, and where they are closed within it.

    `(None, None)` for a line that ends inside a text; JSON does not allow that.
    """
    for token in _STRUCTURE.finditer(line):
        mark = token.group()
        if mark == b'"':
            return None, None
        depth += (mark in (b"{", b"[")) - (mark in (b"}", b"]"))
        if depth == 0:
            return 0, token.end()
    return depth, None
