"""The canonical line: what is hashed is what is sent, down to the last byte of the caller's own `params`.

Version 1 is `{"custom_id":"…","params":…}` with the bytes of `params` exactly as they stand in the input. Three shapes
are read: `{"custom_id","params"}`, a bare Messages body, and `{"id","content"}` with a model and an output limit given
once for all lines. Bodies follow https://platform.claude.com/docs/en/api/creating-message-batches
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from json import JSONDecodeError, JSONDecoder
from typing import NamedTuple

MOST_BYTES_OF_ITEM = 32_000_000
"""Longest line that is sent. The API says 32 MB; the smaller reading of it is always accepted."""
COMPOSED = -1
"""In place of a position: the params were put together from the line and what holds for all lines."""
_SPACE = re.compile(r"[ \t\r\n]*")
_SPACES = frozenset(" \t\r\n")
_PLAIN_KEY = re.compile(r'"([^"\\\x00-\x1f]*)"[ \t\r\n]*:[ \t\r\n]*')
"""A key without escapes up to its value; other keys are read with more care, and more slowly."""
_USUAL_START = re.compile(
    r'\{[ \t\r\n]*"custom_id"[ \t\r\n]*:[ \t\r\n]*"([a-zA-Z0-9_-]{1,64})"[ \t\r\n]*,[ \t\r\n]*'
    r'"params"[ \t\r\n]*:[ \t\r\n]*(?=\{)',
    re.ASCII,
)
"""How nearly every line begins, up to its params. Whatever is different is read with more care, and more slowly."""
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}", re.ASCII)
_AROUND = len('{"custom_id":"","params":}')
"""Bytes of a canonical line that are neither its id nor its params."""
_ITEM_KEYS = ("custom_id", "params")
_SHORT_KEYS = ("id", "content")


class RawLine(NamedTuple):
    """One line of the input that is not blank."""

    number: int
    """From 1, blank lines counted."""
    data: bytes
    """Without white space around it; only the beginning of a line that is far too long."""
    size: int
    """Its length, also where `data` was cut."""
    start: int = 0
    """Bytes before it in the unpacked file."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How lines become items."""

    file_id: Callable[[], str]
    """The first 8 characters of the SHA-256 of the whole (unpacked) input, asked for only where a line has no id."""
    model: str | None = None
    """For lines of the shape `{"id","content"}`."""
    max_tokens: int | None = None
    """For lines of the shape `{"id","content"}`."""


class Item(NamedTuple):
    """One line, understood."""

    custom_id: str
    params: Mapping[str, object]
    data: bytes
    """The canonical line, without a newline."""
    given: bool
    """Whether the id stands in the input; else it was made from the digest of the file and the line's number."""
    start: int
    """Where the bytes of `params` stand in the line as it was given; `COMPOSED` where they don't."""


class LineProblem(Exception):
    """Raised by `read_item` for a line that can't be sent."""

    def __init__(self, code: str, message: str, custom_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.custom_id = custom_id


class _Member(NamedTuple):
    key: str
    value: object
    text: str
    """The value as it is written."""
    at: int
    """Where it begins, in characters."""


def read_item(line: RawLine, shape: Shape) -> Item:
    """Understand one line and bring it to the canonical form; raises `LineProblem`."""
    if line.size > MOST_BYTES_OF_ITEM:
        raise _too_large(line.size)
    text = _text(line.data)
    usual = _usual_item(line, text)
    if usual is not None:
        return usual
    members = {member.key: member for member in _members(text)}
    custom_id, params, value = _parts(members, line, shape)
    data = canonical_line(custom_id, params)
    if len(data) > MOST_BYTES_OF_ITEM:
        raise _too_large(len(data), custom_id)
    given = "custom_id" in members or "id" in members
    return Item(custom_id, value, data, given, _start(text, members))


def same_item(line: RawLine, custom_id: str, start: int, length: int) -> bytes | None:
    """The canonical line of an item that was read before, by what is remembered of it: no JSON is read.

    `start` is that of its `Item`, `length` that of its canonical line. Whether the bytes are still those that were read
    is for the caller to check; `None` where the params were composed.
    """
    if start == COMPOSED:
        return None
    around = len(custom_id) + _AROUND
    if start == around - 1 and line.size == length:  # canonical already
        return line.data
    return canonical_line(custom_id, line.data[start : start + length - around])


def canonical_line(custom_id: str, params: bytes) -> bytes:
    """The bytes that are hashed and sent for one item."""
    return b'{"custom_id":"%s","params":%s}' % (custom_id.encode("ascii"), params)


def _too_large(size: int, custom_id: str | None = None) -> LineProblem:
    message = f"has {size:,} bytes, more than the {MOST_BYTES_OF_ITEM:,} that the API takes for one request"
    return LineProblem("item-too-large", message, custom_id)


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        place = f"byte 0x{data[problem.start]:02x} at offset {problem.start}"
        raise LineProblem("not-utf8", f"is not UTF-8 text ({place})") from None
    if b"\\" in data and ("\\ud" in text or "\\uD" in text):
        _refuse_half_characters(text)
    return text


def _refuse_half_characters(text: str) -> None:
    r"""`"\ud83d"` alone is half of a character: Python reads it, the API does not."""
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise LineProblem("invalid-json", "holds half of a surrogate pair (\\ud800 to \\udfff alone)") from None
    except (ValueError, RecursionError):
        return  # said better by whoever reads it next


def _members(text: str) -> list[_Member]:
    """The members of the object that a line is, each with the text of its value."""
    try:
        return _scan(text)
    except JSONDecodeError as problem:
        raise LineProblem("invalid-json", f"is not valid JSON: {problem.msg} (column {problem.colno})") from None
    except ValueError as problem:  # a number with too many digits, or NaN
        raise LineProblem("invalid-json", f"is not valid JSON: {problem}") from None
    except RecursionError:
        raise LineProblem("invalid-json", "is nested too deeply") from None


def _scan(text: str) -> list[_Member]:
    if not text.startswith("{"):
        _DECODER.decode(text)
        raise LineProblem("not-an-object", "must be a JSON object")
    members: list[_Member] = []
    at = _after_space(text, 1)
    closed = text[at : at + 1] == "}"
    while not closed:
        member, at = _member(text, at)
        members.append(member)
        closed = text[at : at + 1] == "}"
        if not closed:
            if text[at : at + 1] != ",":
                raise JSONDecodeError("Expecting ',' delimiter", text, at)
            at = _after_space(text, at + 1)
    if at + 1 != len(text):
        raise JSONDecodeError("Extra data", text, at + 1)
    _object([(member.key, member.value) for member in members])
    return members


def _member(text: str, at: int) -> tuple[_Member, int]:
    """One member from its key on, and where the next sign stands."""
    plain = _PLAIN_KEY.match(text, at)
    if plain:
        key, start = plain.group(1), plain.end()
    else:
        key, start = _key(text, at)
    value, end = _DECODER.raw_decode(text, start)
    return _Member(key, value, text[start:end], start), _after_space(text, end)


def _key(text: str, at: int) -> tuple[str, int]:
    """A key of any form, and where its value begins."""
    if text[at : at + 1] != '"':
        raise JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
    key, at = _DECODER.raw_decode(text, at)
    at = _after_space(text, at)
    if text[at : at + 1] != ":":
        raise JSONDecodeError("Expecting ':' delimiter", text, at)
    return str(key), _after_space(text, at + 1)


def _after_space(text: str, at: int) -> int:
    if text[at : at + 1] not in _SPACES:
        return at
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """An object whose keys are all different: which of two equal ones the API would take is not for us to guess."""
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for position, key in enumerate(keys) if key in keys[:position])
        raise LineProblem("duplicate-key", f"the key {twice!r} stands twice in one object")
    return value


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON number")


_DECODER = JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def _parts(members: Mapping[str, _Member], line: RawLine, shape: Shape) -> tuple[str, bytes, Mapping[str, object]]:
    """The id, the bytes of the params, and the params."""
    if "params" in members or ("custom_id" in members and "messages" not in members):
        return _from_item(members, line, shape)
    if "messages" in members:
        body = {key: member.value for key, member in members.items()}
        if "custom_id" in body:
            message = "custom_id stands inside the body: write {custom_id, params} with the body as params"
            raise LineProblem("unknown-key", message)
        return _made_id(line, shape), line.data, body
    if "content" in members:
        return _from_content(members, line, shape)
    raise LineProblem("unknown-shape", "holds neither params, nor messages, nor content")


def _usual_item(line: RawLine, text: str) -> Item | None:
    """A line of id and params in this order, as nearly all are; `None` for any other, right or wrong."""
    found = _USUAL_START.match(text)
    if found is None:
        return None
    custom_id, start = found.group(1), found.end()
    try:
        params, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    if text[end:].lstrip(" \t\r\n") != "}":
        return None
    behind = len(text) - end
    if behind == 1 and start == len(custom_id) + _AROUND - 1:
        return Item(custom_id, params, line.data, given=True, start=start)
    data = canonical_line(custom_id, line.data[start : len(line.data) - behind])
    return Item(custom_id, params, data, given=True, start=start)


def _start(text: str, members: Mapping[str, _Member]) -> int:
    """Where the params begin in the bytes of a line that was understood."""
    if "params" in members:
        at = members["params"].at
        return at if text.isascii() else len(text[:at].encode("utf-8"))
    return 0 if "messages" in members else COMPOSED


def _from_item(members: Mapping[str, _Member], line: RawLine, shape: Shape) -> tuple[str, bytes, Mapping[str, object]]:
    custom_id = _custom_id(members["custom_id"].value) if "custom_id" in members else _made_id(line, shape)
    _only(members, _ITEM_KEYS, custom_id)
    if "params" not in members:
        raise LineProblem("missing-parameter", "params is missing", custom_id)
    params = members["params"]
    if not isinstance(params.value, Mapping):
        raise LineProblem("invalid-request", "params must be an object", custom_id)
    return custom_id, params.text.encode("utf-8"), params.value


def _from_content(
    members: Mapping[str, _Member], line: RawLine, shape: Shape
) -> tuple[str, bytes, Mapping[str, object]]:
    given = members["id"].value if "id" in members else None
    written = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
    custom_id = _custom_id(written, "id") if "id" in members else _made_id(line, shape)
    _only(members, _SHORT_KEYS, custom_id)
    if shape.model is None or shape.max_tokens is None:
        message = "holds content only: say --model and --max-tokens for all lines"
        raise LineProblem("missing-parameter", message, custom_id)
    content = members["content"]
    start = {"model": shape.model, "max_tokens": shape.max_tokens}
    written_start = ",".join(starmap("{}:{}".format, ((json.dumps(k), json.dumps(v)) for k, v in start.items())))
    params = f'{{{written_start},"messages":[{{"role":"user","content":{content.text}}}]}}'
    return custom_id, params.encode("utf-8"), {**start, "messages": [{"role": "user", "content": content.value}]}


def _made_id(line: RawLine, shape: Shape) -> str:
    return f"{shape.file_id()}-{line.number}"


def _custom_id(value: object, key: str = "custom_id") -> str:
    if not isinstance(value, str):
        raise LineProblem("invalid-custom-id", f"{key} must be text")
    if not _CUSTOM_ID.fullmatch(value):
        shown = value if len(value) <= 80 else f"{value[:77]}…"  # noqa: PLR2004  what fits a line
        why = f"{key} {shown!r} is not 1 to 64 letters, digits, hyphens and underscores (A-Z a-z 0-9 - _)"
        raise LineProblem("invalid-custom-id", why)
    return value


def _only(members: Mapping[str, _Member], known: Sequence[str], custom_id: str) -> None:
    for key in members:
        if key not in known:
            shown = key if len(key) <= 80 else f"{key[:77]}…"  # noqa: PLR2004  what fits a line
            raise LineProblem("unknown-key", f"the API knows no {shown!r} beside {' and '.join(known)}", custom_id)
