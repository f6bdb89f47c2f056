"""Random logs in every dialect, and damage to them: the raw material of the properties and of the fuzzing."""

from __future__ import annotations

import json
import random
from typing import Any

MODELS = (
    "claude-opus-5-5",
    "claude-haiku-5-5",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "claude-opus-4-6[1m]",
    "claude-haiku-4.5",
    "gpt-x",
    None,
)
_DAYS = (
    "2026-10-31T23:59:59.999Z",
    "2026-11-01T00:30:00+09:00",
    "2026-11-10T12:00:00Z",
    "2025-06-01",
    1_793_520_000,
    "soon",
)
_TEXT = ('says "usage": {"input_tokens": 9}', "{}[]\\ \u2028 caf\u00e9", "x" * 1500)
_PIECES = (
    b'"usage"', b'"usage":', b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\0", b"\r", b"\xff", b"\xc3",
    b"\xef\xbb\xbf", b"\xed\xa0\x80", b"NaN", b"-1", b"1e999", b"0.5", b"7.0", b"9" * 30, b"9" * 5000, b"null", b"true",
    b'"\\ud800"', b'"model":null,', b'"__proto__":{},', b"data: ", b"event: ping", b"data:[DONE]", b" ", b"\t", b"\x0c",
    b"[" * 600, b'{"a":' * 600, b'"type":"cost-state",', b'{"usage":{"output_tokens":1}}', b"\x1f\x8b", b"PK\x03\x04",
)  # fmt: skip


def usage(chance: random.Random) -> dict[str, Any]:
    """The API's usage object, with any of its modifiers."""
    size = chance.choice((10, 1_000, 250_000))
    counts: dict[str, Any] = {name: chance.randrange(size) for name in ("input_tokens", "output_tokens")}
    if chance.random() < 0.6:
        short, long, rest = (chance.randrange(size) for _ in range(3))
        counts["cache_creation_input_tokens"] = chance.choice((short + long, short + long + rest, None))
        split = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long}
        counts["cache_creation"] = chance.choice((split, dict.fromkeys(split, 0), None))
        counts["cache_read_input_tokens"] = chance.choice((chance.randrange(size), None))
    if chance.random() < 0.4:
        counts["service_tier"] = chance.choice(("standard", "batch", "priority", None))
        counts["inference_geo"] = chance.choice(("us", "global", "not_available", "mars", None))
        counts["speed"] = chance.choice(("standard", "fast", None))
        counts["server_tool_use"] = chance.choice(({"web_search_requests": chance.randrange(4)}, None))
    if chance.random() < 0.2:
        iterations = [{**usage(chance), "model": chance.choice(MODELS)} for _ in range(chance.randrange(3))]
        counts["iterations"] = chance.choice((iterations, None))
    return counts


def message(chance: random.Random) -> dict[str, Any]:
    """A Message of the API; few ids, so that copies of one response meet."""
    number = chance.randrange(12)
    return {
        "id": chance.choice((f"msg_{number}", f"msg_{number}", None)),
        "type": "message",
        "role": "assistant",
        "model": MODELS[number % len(MODELS)],
        "content": [
            {"type": "text", "text": chance.choice(_TEXT)},
            {"type": "tool_use", "input": {"usage": {"input_tokens": 5}, "model": None}},
        ],
        "stop_reason": chance.choice(("end_turn", "refusal", None)),
        "usage": usage(chance),
    }


def documents(chance: random.Random) -> list[dict[str, Any]]:
    """One or a few documents of one dialect, or something else altogether."""
    inner = message(chance)
    at = {"timestamp": chance.choice(_DAYS)} if chance.random() < 0.8 else {}
    session: dict[str, Any] = {"sessionId": f"s{chance.randrange(3)}", "cwd": f"/p{chance.randrange(2)}", "uuid": "u"}
    if chance.random() < 0.2:
        others = {name: chance.choice(("t", "u", "", None, 7)) for name in ("sessionId", "session_id", "session")}
        session |= dict(chance.sample(sorted(others.items()), 2))
    line = {"type": "assistant", "requestId": "r1", "message": inner, **session, **at}
    kind = chance.randrange(11)
    if kind < 2:
        return [chance.choice((inner, {**at, "response": inner}, {"data": inner, **at}))]
    if kind < 5:
        return [{**line, "isSidechain": chance.random() < 0.3}]
    if kind == 5:
        return [{"type": "progress", "data": {"type": "agent_progress", "message": line}, **session, **at}]
    if kind == 6:
        return [{"ts": chance.choice(_DAYS), "model": inner["model"], "id": inner["id"], **_logged(chance, inner)}]
    if kind == 7:
        result = {"type": "succeeded", "message": inner}
        return [{"custom_id": "c", "result": chance.choice((result, {"type": "errored"}, {"type": "expired"}))}]
    if kind == 8:
        delta = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}
        events: list[dict[str, Any]] = [
            {"type": "message_start", "message": inner, **at},
            delta,
            {"type": "message_stop"},
        ]
        return events[: chance.randrange(1, 4)]
    if kind == 9:
        return [spend_row(chance)]
    made_up = {**line, "message": {**inner, "model": "<synthetic>"}, "isApiErrorMessage": chance.random() < 0.5}
    cost = {"type": "cost-state", "totalCostUSD": chance.randrange(100) / 64, **session}
    return [chance.choice((made_up, cost, {"type": "user", "message": {"content": "usage"}, **session}, {"a": 1}))]


def _logged(chance: random.Random, inner: dict[str, Any]) -> dict[str, Any]:
    """The other fields of a line of costkit's own log."""
    found: dict[str, Any] = {"usage": usage(chance), "stop_reason": inner["stop_reason"]}
    names = ("session", "session_id", "sessionId", "cwd", "project", "requestId", "request_id", "ts")
    tags = {"team": chance.choice("ab"), **{name: chance.choice(("t", "", 7)) for name in chance.sample(names, 2)}}
    found["tags"] = chance.choice((tags, {"team": chance.choice("ab")}, {}, None))
    more: dict[str, Any] = {
        "request_id": chance.choice(("r1", "", None)),
        "duration_ms": 12.5,
        "incomplete": chance.choice(("cancelled", None)),
        "custom_id": "c",
        "content": [],
        "event": {"type": "message_stop"},
    }
    return {**found, **{name: more[name] for name in chance.sample(sorted(more), chance.randrange(3))}}


def spend_row(chance: random.Random) -> dict[str, Any]:
    """What LiteLLM says of a response and of its cost; few ids, as those of a Message."""
    cost = chance.choice((chance.randrange(10**6) / 7e6, chance.randrange(3), "0.25", -1, None, True, "one", 1e-300))
    metadata = chance.choice(({}, {}, {"currency": "EUR"}, json.dumps({"cost_unit": "cents"})))
    return {
        "request_id": f"msg_{chance.randrange(12)}",
        "call_type": "acompletion",
        "model": f"anthropic/{chance.choice(MODELS)}",
        "prompt_tokens": chance.randrange(2_000),
        "completion_tokens": chance.randrange(90),
        "startTime": chance.choice(_DAYS),
        "metadata": metadata,
        chance.choice(("spend", "response_cost")): cost,
    }


def line(chance: random.Random) -> bytes:
    """A whole line of a log, without its line feed."""
    separators = chance.choice(((",", ":"), (", ", ": ")))
    ascii_only = chance.random() < 0.5
    glue = chance.choice(("", " ")) if chance.random() < 0.05 else None
    texts = [json.dumps(item, separators=separators, ensure_ascii=ascii_only) for item in documents(chance)]
    if glue is not None:
        return glue.join(texts * 2).encode()
    return "\n".join(texts).encode()


def log(chance: random.Random, lines: int) -> bytes:
    """A log of whole lines, with a few that are none."""
    parts = [line(chance) if chance.random() < 0.95 else damaged(chance, line(chance), b"{}") for _ in range(lines)]
    return b"\n".join(parts) + chance.choice((b"", b"\n", b'\n{"torn": '))


def damaged(chance: random.Random, text: bytes, other: bytes) -> bytes:
    """A line after something happened to it; it stays one line."""
    data = bytearray(text)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((1, 2, 10, 1000)))
        kind = chance.randrange(7)
        if kind == 0:
            data[at:end] = b""
        elif kind == 1:
            data[at:at] = chance.choice(_PIECES)
        elif kind == 2:
            data[at:end] = chance.choice(_PIECES)
        elif kind == 3:
            data[at:end] = bytes(chance.randrange(256) for _ in range(end - at))
        elif kind == 4:
            del data[at:]
        elif kind == 5:
            data[at:at] = data[at:end]
        else:
            data[at:] = other[chance.randrange(len(other) + 1) :]
    return bytes(data).replace(b"\n", b" ")
