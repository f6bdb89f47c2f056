"""A request without its text: what the cache commands need of it, small enough for every line of a usage log.

    {"blocks": ["<digest>:<tokens>", …],
     "prompt": {"tools": 3, "system": 1, "turns": ["user:2", "assistant:1"], "kinds": {"5": "tool_result"},
                "marks": {"3": "1h"}, "automatic": "5m", "settings": {…}}}

A block's digest is the one that requests with text get, so logs of both kinds can be compared. It hides long texts;
a short one can be found by trying. The tokens are shares of what the API billed, by the length of the blocks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from costkit.cache.breakpoints import AUTOMATIC, breakpoints_of, is_empty
from costkit.cache.content import DIGEST, content_bytes, digest_of, to_bytes
from costkit.cache.divergence import start_of_level
from costkit.core.request import LEVELS, TTLS, Block, CacheControl, Request
from costkit.core.response import MOST_TOKENS, BilledUsage
from costkit.errors import InvalidInput

_SETTINGS = ("max_tokens", "speed", "inference_geo", "tool_choice", "thinking")
_EMPTY = "empty"
"""The kind of a text without a visible character."""
_CITED = "+citations"
"""Behind the kind of a document that is to be cited."""
_BYTES_PER_TOKEN = 4
_MOST_BLOCKS = 1_000_000
Json = Mapping[str, object]


class Outlined(NamedTuple):
    """A request that was read from its outline."""

    request: Request
    """Every block says its digest instead of its text."""
    digests: tuple[bytes, ...]
    tokens: tuple[int, ...]


class Outline(NamedTuple):
    """Everything that a line will say of a request, but for its tokens, which only the response knows."""

    digests: tuple[str, ...]
    lengths: tuple[int, ...]
    """The bytes of the blocks."""
    last_mark: int
    """The position of the last breakpoint, or -1."""
    prompt: Json

    def as_json(self, usage: BilledUsage | None) -> dict[str, object]:
        """The `blocks` and the `prompt` of a line, with what was billed divided among the blocks."""
        tokens = shared_tokens(self.lengths, self.last_mark, usage)
        blocks = [f"{digest}:{count}" for digest, count in zip(self.digests, tokens, strict=True)]
        return {"blocks": blocks, "prompt": self.prompt}


def outline_of(request: Request) -> Outline:
    """Digests, lengths and structure of a request."""
    blocks = request.blocks
    marks = breakpoints_of(request)
    static = [start_of_level(blocks, level) for level in LEVELS[1:]]
    prompt: dict[str, object] = {"tools": static[0], "system": static[1] - static[0]}
    prompt["turns"] = list(_turns(blocks[static[1] :]))
    more = {
        "kinds": {str(at): kind for at, kind in enumerate(map(_kind, blocks)) if kind},
        "marks": {str(mark.position): mark.ttl for mark in marks if mark.path != AUTOMATIC},
        "automatic": request.cache_control.ttl if request.cache_control else None,
        "settings": _settings(request.body),
    }
    prompt |= {name: value for name, value in more.items() if value}
    return Outline(
        tuple([digest_of(block).hex() for block in blocks]),
        tuple([_length(block) for block in blocks]),
        max((mark.position for mark in marks), default=-1),
        prompt,
    )


def _length(block: Block) -> int:
    """The bytes that stand for a block when a prompt's tokens are divided among its blocks."""
    text = block.value.get("text")
    if block.kind == "text" and isinstance(text, str):
        return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return len(content_bytes(block))


def shared_tokens(lengths: Sequence[int], last_mark: int, usage: BilledUsage | None) -> list[int]:
    """Divide a prompt's billed tokens among its blocks by their lengths; the shares add up to what was billed.

    What was read and written is everything up to the last breakpoint, so both sides of it are divided apart. A response
    that went through several samplings (server tools, iterations) bills a sum that is no prompt: then, as without a
    usage, four bytes are taken for a token.
    """
    counts = usage.counts if usage else None
    if usage is None or counts is None or usage.iterations or counts.web_search_requests:
        return [-(-length // _BYTES_PER_TOKEN) for length in lengths]
    cached = counts.cache_read_input_tokens + max(
        counts.cache_creation_input_tokens, counts.ephemeral_5m_input_tokens + counts.ephemeral_1h_input_tokens
    )
    at = last_mark + 1 if cached else 0
    if at == len(lengths):
        return shares(cached + counts.input_tokens, lengths)
    return shares(cached, lengths[:at]) + shares(counts.input_tokens, lengths[at:])


def shares(whole: int, weights: Sequence[int]) -> list[int]:
    """Whole numbers in proportion to weights, with exactly this sum."""
    all_weights = sum(weights) or 1
    shares, passed, given = [], 0, 0
    for weight in weights:
        passed += weight
        upto = whole * passed // all_weights
        shares.append(upto - given)
        given = upto
    return shares


def _turns(blocks: Sequence[Block]) -> Iterator[str]:
    for (_, role), message in groupby(blocks, key=lambda block: (block.message, block.role)):
        yield f"{role}:{len(list(message))}"


def _kind(block: Block) -> str | None:
    """What a block is, where that is not a tool of the caller's own or a text."""
    if block.level == LEVELS[0]:
        named = block.value.get("type")
        return named if isinstance(named, str) and named != "custom" else None
    if block.kind == "text":
        return _EMPTY if is_empty(block.value) else None
    citations = block.value.get("citations")
    cited = isinstance(citations, Mapping) and bool(citations.get("enabled"))
    return block.kind + _CITED * cited


def _settings(body: Json) -> dict[str, object]:
    """The parameters that prices and caches depend on; a schema of the caller's own as its digest."""
    found = {name: body[name] for name in _SETTINGS if body.get(name) is not None}
    config = body.get("output_config")
    config = config if isinstance(config, Mapping) else {}
    form = config.get("format") or body.get("output_format")
    output = {"effort": config.get("effort"), "format": _digest(form) if form else None}
    known = {name: value for name, value in output.items() if value is not None}
    diagnostics = body.get("diagnostics")
    if known:
        found["output_config"] = known
    if isinstance(diagnostics, Mapping) and isinstance(diagnostics.get("previous_message_id"), str):
        found["diagnostics"] = {"previous_message_id": diagnostics["previous_message_id"]}
    return found


def _digest(value: object) -> str:
    return hashlib.blake2b(to_bytes(value), digest_size=16).hexdigest()


def read_outline(line: Json, where: str) -> Outlined:
    """Read the request of a log line that has `blocks` and `prompt`. Raises `InvalidInput` for any other shape."""
    prompt, blocks = line.get("prompt"), line.get("blocks")
    if not isinstance(prompt, Mapping) or not isinstance(blocks, list) or not blocks:
        raise InvalidInput("blocks and prompt must be a list and an object", where=f"{where}:blocks")
    digests, tokens = _read_blocks(blocks, where)
    try:
        levels = _read_levels(prompt, len(blocks))
    except (TypeError, ValueError) as problem:
        raise InvalidInput(f"does not fit its blocks: {problem}", where=f"{where}:prompt") from None
    kinds, marks = (_mapping(prompt.get(name)) for name in ("kinds", "marks"))
    read = tuple(
        _block(at, place, kinds.get(str(at)), marks.get(str(at)), digest)
        for at, (place, digest) in enumerate(zip(levels, digests, strict=True))
    )
    settings = dict(_mapping(prompt.get("settings")))
    model, most = line.get("model"), settings.get("max_tokens")
    return Outlined(
        Request(
            settings,
            read,
            model if isinstance(model, str) else None,
            most if isinstance(most, int) and not isinstance(most, bool) else None,
            _control(prompt.get("automatic")),
        ),
        digests,
        tokens,
    )


def _read_blocks(blocks: Sequence[object], where: str) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    digests, tokens = [], []
    for at, text in enumerate(blocks):
        digest, colon, count = text.partition(":") if isinstance(text, str) else ("", "", "")
        try:
            digests.append(bytes.fromhex(digest))
            tokens.append(int(count))
        except ValueError:
            digests.append(b"")
        if not digests[-1] or not colon or not 0 <= tokens[-1] <= MOST_TOKENS:
            raise InvalidInput("a block must be written digest:tokens", where=f"{where}:blocks[{at}]")
    return tuple(digests), tuple(tokens)


def _read_levels(prompt: Json, count: int) -> list[tuple[str, str, str | None, int | None]]:
    """For each block its level, its path, its role and the number of its message."""
    levels: list[tuple[str, str, str | None, int | None]] = []
    for level in LEVELS[:2]:
        levels += [(level, f"{level}[{at}]", None, None) for at in range(_count(prompt.get(level)))]
    turns = prompt.get("turns")
    for number, turn in enumerate(turns if isinstance(turns, list) else ()):
        role, _, blocks = str(turn).partition(":")
        if role not in ("user", "assistant", "system"):
            raise ValueError(f"turns[{number}] names no role")
        place = f"messages[{number}].content"
        levels += [(LEVELS[2], f"{place}[{at}]", role, number) for at in range(_count(int(blocks)))]
    if len(levels) != count:
        raise ValueError(f"{len(levels):,} blocks announced, {count:,} given")
    return levels


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_BLOCKS:
        raise ValueError(f"{value!r} is no number of blocks")
    return value


def _block(at: int, place: tuple[str, str, str | None, int | None], kind: object, ttl: object, digest: bytes) -> Block:
    level, path, role, message = place
    text, _, cited = str(kind or "text").partition(_CITED[0])
    value: dict[str, object] = {"type": text, DIGEST: digest.hex()}
    if level == LEVELS[0]:
        value = {"name": f"tool {at}", "type": text if kind else "custom", DIGEST: digest.hex()}
    elif text in ("text", _EMPTY):
        value |= {"type": "text", "text": "" if text == _EMPTY else digest.hex()}
    if cited:
        value["citations"] = {"enabled": True}
    shown = "tool" if level == LEVELS[0] else str(value["type"])
    return Block(path, level, shown, value, role, message, _control(ttl))


def _control(ttl: object) -> CacheControl | None:
    return CacheControl(ttl) if isinstance(ttl, str) and ttl in TTLS else None


def _mapping(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}
