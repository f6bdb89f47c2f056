"""The fake model: the same prompt always gets the same answer, with a usage that adds up."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from stand_in.rules import blocks_of

LEAST_CACHEABLE = 1024
_FILLER = "the stand-in has no opinion of its own and only fills the room that a real answer would take "
_LONGEST = 800


def tokens_of(body: Mapping[str, Any]) -> int:
    """The deterministic count of this server: one token for every four characters of the prompt's JSON."""
    return 1 + len(json.dumps({name: value for name, value in body.items() if name not in _NO_PROMPT})) // 4


_NO_PROMPT = frozenset(
    [
        "model",
        "max_tokens",
        "metadata",
        "stop_sequences",
        "stream",
        "service_tier",
        "container",
        "inference_geo",
        "diagnostics",
        "cache_control",
        "temperature",
        "top_p",
        "top_k",
        "user_profile_id",
    ]
)


def answer(body: Mapping[str, Any], *, name: str, tier: str, cache: set[bytes]) -> dict[str, Any]:
    """The Message for a valid body; `name` makes its id, `cache` remembers prefixes without ever forgetting one."""
    prompt = tokens_of(body)
    digest = hashlib.sha256(json.dumps(body["messages"][-1], sort_keys=True).encode()).digest()
    structured = _structured(body, digest)
    wanted = min(8 + prompt // 2 + digest[0] % 16, _LONGEST) if structured is None else 1 + len(structured) // 4
    output = min(wanted, body["max_tokens"])
    text = structured or _text(body["messages"][-1]["content"], output)
    return {
        "id": "msg_" + hashlib.sha256(name.encode()).hexdigest()[:24],
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": text}] if output else [],
        "stop_reason": "end_turn" if wanted <= output else "max_tokens",
        "stop_sequence": None,
        "stop_details": None,
        "usage": _usage(body, prompt, output, tier, cache),
    }


def events_of(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The same answer as a stream: little usage at the start, all of it near the end."""
    usage = message["usage"]
    start = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(message["content"]):
        yield {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}}
        for piece in re.findall(r".{1,40}", block["text"], re.DOTALL):
            delta = {"type": "text_delta", "text": piece}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {name: usage[name] for name in _IN_DELTAS}}
    yield {"type": "message_stop"}


_IN_DELTAS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")


def _structured(body: Mapping[str, Any], digest: bytes) -> str | None:
    """An object of the schema that the body asks for, its values chosen by the prompt; `None` if it asks for none."""
    schema = ((body.get("output_config") or {}).get("format") or {}).get("schema")
    if schema is None:
        return None
    choices = [(name, value.get("enum") or [False, True]) for name, value in schema["properties"].items()]
    return json.dumps({name: choice[byte % len(choice)] for (name, choice), byte in zip(choices, digest, strict=False)})


def _text(content: Any, tokens: int) -> str:
    asked = content if isinstance(content, str) else next((b["text"] for b in content if b.get("text")), "")
    start = f"Asked {asked[:40]!r}: "
    return (start + _FILLER * (tokens * 4 // len(_FILLER) + 1))[: max(tokens * 4, 1)].rstrip()


def _usage(body: Mapping[str, Any], prompt: int, output: int, tier: str, cache: set[bytes]) -> dict[str, Any]:
    read, hour, minutes = _cached(body, prompt, cache)
    return {
        "input_tokens": prompt - read - hour - minutes,
        "cache_creation_input_tokens": hour + minutes,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": minutes, "ephemeral_1h_input_tokens": hour},
        "output_tokens": output,
        "output_tokens_details": None,
        "server_tool_use": None,
        "service_tier": tier,
        "inference_geo": body.get("inference_geo") or "global",
        "speed": body.get("speed") or "standard",
    }


def _cached(body: Mapping[str, Any], prompt: int, cache: set[bytes]) -> tuple[int, int, int]:
    """Tokens read, written for an hour and written for five minutes."""
    marks = list(_marks(body, prompt))
    read = max((tokens for tokens, _, key in marks if key in cache), default=0)
    hour = max((tokens for tokens, ttl, _ in marks if ttl == "1h"), default=0)
    last = max((tokens for tokens, _, _ in marks), default=0)
    cache.update(key for _, _, key in marks)
    written = max(hour - read, 0)
    return read, written, last - read - written


def _marks(body: Mapping[str, Any], prompt: int) -> list[tuple[int, str, bytes]]:
    """(tokens up to the mark, ttl, key) of each mark that is long enough to matter."""
    digest, characters, marks = hashlib.sha256(body["model"].encode()), 0, []
    blocks = list(blocks_of(body))
    for number, block in enumerate(blocks, 1):
        bare = {key: value for key, value in block.items() if key != "cache_control"}
        text = json.dumps(bare, sort_keys=True)
        digest.update(text.encode())
        characters += len(text)
        mark = block.get("cache_control") or (body.get("cache_control") if number == len(blocks) else None)
        tokens = min(characters // 4, prompt - 1)
        if mark and tokens >= LEAST_CACHEABLE:
            marks.append((tokens, mark.get("ttl", "5m"), digest.digest()))
    return marks
