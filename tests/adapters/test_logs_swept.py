"""Logs whose lines are all of one kind, which are gone through at one go, come to what the exact reader comes to."""

from __future__ import annotations

import gc
import io
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import random_logs
from hypothesis import given, settings
from hypothesis import strategies as st

from costkit.adapters.logs import plain, read_logs, teller
from costkit.adapters.logs.documents import USAGE
from costkit.adapters.logs.plain import PlainReader
from costkit.adapters.logs.shapes import decode_line
from costkit.adapters.logs.teller import Teller
from costkit.adapters.logs.turns import Span
from costkit.report import FoldOptions, UsageSummary, summarize

OPTIONS = FoldOptions(brackets=(1_000, 100_000))
CHANCE = st.integers(0, 2**32).map(random.Random)


def _transcript(chance: random.Random) -> list[dict[str, Any]]:
    """A response in one to three lines with what stands between them, or something else that a session holds."""
    [line] = [item for item in random_logs.documents(chance) if item.get("type") != "message"][:1] or [{"a": 1}]
    head = {"parentUuid": "u", **{key: value for key, value in line.items() if key != "parentUuid"}}
    text = {"parentUuid": "u", "type": "user", "uuid": "u", "message": {"content": "x" * chance.choice((3, 990, 1100))}}
    found = []
    for second in range(chance.choice((1, 2, 3))):
        grown = json.loads(json.dumps(head))
        if chance.random() < 0.8:
            grown["timestamp"] = f"2026-11-01T08:59:{58 + second:02}.000Z" if second < 2 else "2026-11-01T09:00:00.000Z"
        usage = grown.get("message", {}).get("usage") if isinstance(grown.get("message"), dict) else None
        if isinstance(usage, dict) and chance.random() < 0.5:
            usage["output_tokens"] = chance.randrange(30)
        found += [grown, text] if chance.random() < 0.3 else [grown]
    return found


def _logged(chance: random.Random) -> list[dict[str, Any]]:
    """Lines of costkit's own log."""
    return [item for item in random_logs.documents(chance) if "ts" in item]


def _bare(chance: random.Random) -> list[dict[str, Any]]:
    """Messages with nothing around them, now and then with a field more, and among them something else."""
    more = chance.choice(
        ({}, {}, {}, {"stop_sequence": "x"}, {"container": None}, {"request_id": "r"}, {"ts": 1}, {"isSidechain": True})
    )
    found = [{**random_logs.message(chance), **more}]
    return [*found, *_logged(chance), *_transcript(chance)] if chance.random() < 0.1 else found


def _log(chance: random.Random) -> bytes:
    kind = chance.choice((_transcript, _logged, _bare, random_logs.documents))
    lines: list[bytes] = []
    while len(lines) < 20:
        lines += [json.dumps(item, separators=(",", ":")).encode() for item in kind(chance)]
    if chance.random() < 0.3:
        at = chance.randrange(len(lines))
        lines[at] = random_logs.damaged(chance, lines[at], chance.choice(lines))
    return b"\n".join(lines) + b"\n"


@given(CHANCE, st.sampled_from([700, 5_000, 1 << 20]))
@settings(max_examples=300, deadline=None)
def test_a_log_of_one_kind_comes_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random, buffer: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.jsonl"
    path.write_bytes(_log(chance))
    summary = UsageSummary(OPTIONS)
    with io.FileIO(str(path)) as file:
        PlainReader(file, str(path), summary, bytearray(buffer)).read()

    assert summary == summarize(read_logs([str(path)]), OPTIONS)


MESSAGE = {
    "id": "msg_1",
    "model": "claude-haiku-5-5",
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 2},
}
LINES: dict[str, dict[str, Any]] = {
    "turn": {
        "parentUuid": "u",
        "cwd": "/p",
        "sessionId": "s",
        "message": MESSAGE,
        "requestId": "r",
        "type": "assistant",
        "timestamp": "2026-11-01T08:00:00.000Z",
    },
    "turn without a project": {"parentUuid": "u", "sessionId": "s", "message": MESSAGE, "type": "assistant"},
    "printed by the SDK": {
        "type": "assistant",
        "message": MESSAGE,
        "parent_tool_use_id": None,
        "session_id": "s",
        "uuid": "u",
    },
    "logged": {"ts": "2026-11-01T08:00:00.000Z", **MESSAGE},
    "bare": {"type": "message", "role": "assistant", "content": [], **MESSAGE},
}


@pytest.mark.parametrize(
    ("kind", "others"),
    [("turn", 0), ("turn without a project", 5), ("printed by the SDK", 5), ("logged", 5), ("bare", 0)],
    ids=str,
)
def test_lines_of_our_own_and_others_need_no_exact_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, others: int
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join([json.dumps(LINES[kind], separators=(",", ":")).encode()] * 5) + b"\n")
    found: list[int] = []
    monkeypatch.setattr(PlainReader, "_step", None)
    monkeypatch.setattr(Teller, "_add", lambda *it, add=Teller._add: found.append(1) or add(*it))  # type: ignore[func-returns-value]
    summary = UsageSummary(OPTIONS)
    monkeypatch.setattr(plain, "is_fast", True)
    with io.FileIO(str(path)) as file:
        PlainReader(file, str(path), summary, bytearray(1 << 20)).read()

    assert (len(summary.responses), summary.copies, len(found)) == (1, 5, others)


@pytest.mark.parametrize("kind", LINES)
def test_a_file_that_was_read_leaves_nothing_to_collect(tmp_path: Path, kind: str) -> None:
    """Workers don't collect: what goes round in circles would stay until they end, with the table of its file."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join([json.dumps(LINES[kind], separators=(",", ":")).encode()] * 5) + b"\n")
    gc.collect()
    gc.disable()
    try:
        with io.FileIO(str(path)) as file:
            PlainReader(file, str(path), UsageSummary(OPTIONS), bytearray(1 << 20)).read()
        left = gc.collect()
    finally:
        gc.enable()

    assert left == 0


def test_an_odd_line_does_not_slow_down_those_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    message = {"type": "message", "id": "msg_1", "model": "claude-haiku-5-5", "usage": {"input_tokens": 1}}
    odd = {**message, "id": "msg_2", "created_at": "2026-11-01T08:00:00.000Z"}
    path = tmp_path / "log.jsonl"
    lines = [message] * 300 + [odd] + [message] * 300
    path.write_bytes(b"\n".join(json.dumps(line, separators=(",", ":")).encode() for line in lines) + b"\n")
    decoded: list[int] = []
    monkeypatch.setattr(teller, "decode_line", lambda text: decoded.append(1) or decode_line(text))  # type: ignore[func-returns-value]
    monkeypatch.setattr(plain, "is_fast", True)
    summary = UsageSummary(OPTIONS)
    with io.FileIO(str(path)) as file:
        PlainReader(file, str(path), summary, bytearray(1 << 20)).read()

    assert summary == summarize(read_logs([str(path)]), OPTIONS)
    assert len(decoded) <= 2


def test_lines_are_looked_at_no_more_than_twice_however_many_of_them_are_odd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = {"type": "message", "id": "msg_1", "model": "claude-haiku-5-5", "usage": {"input_tokens": 1}}
    wrapped = [{"response": message}] * 200
    path = tmp_path / "log.jsonl"
    lines = [*wrapped, *[message, {"response": message}] * 100, *[message] * 200, *wrapped]
    path.write_bytes(b"\n".join(json.dumps(line, separators=(",", ":")).encode() for line in lines) + b"\n")
    looked_at: list[int] = []
    count = Teller.count

    def noted(told: Teller, view: memoryview, spans: Sequence[Span], base: int) -> int:
        looked_at.append(len(spans))
        return count(told, view, spans, base)

    monkeypatch.setattr(Teller, "count", noted)
    summary = UsageSummary(OPTIONS)
    with io.FileIO(str(path)) as file:
        PlainReader(file, str(path), summary, bytearray(1 << 20)).read()

    assert summary == summarize(read_logs([str(path)]), OPTIONS)
    assert sum(looked_at) <= 2 * len(lines)


@pytest.mark.parametrize("odd", [b"", b"{broken}", b'{"custom_id":"c","result":{"type":"errored"}}'])
def test_what_a_buffer_lacks_is_looked_for_once_however_many_lines_are_odd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: bytes
) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes((b'{"a":1}\n' + odd + b"\n") * 300)
    searches: list[bytes] = []

    def find(buffer: bytearray, mark: bytes, begin: int, end: int) -> int:
        searches.append(mark)
        return buffer.find(mark, begin, end)

    monkeypatch.setattr(plain, "find", find)
    summary = UsageSummary(OPTIONS)
    with io.FileIO(str(path)) as file:
        PlainReader(file, str(path), summary, bytearray(1 << 20)).read()

    assert summary == summarize(read_logs([str(path)]), OPTIONS)
    assert searches.count(USAGE) == 1
