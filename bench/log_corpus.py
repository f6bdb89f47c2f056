"""Logs to measure reports with: the same bytes on every machine, in the proportions of real ones.

Transcript-like: user lines are 21 % of all lines and 60 % of the bytes, assistant lines 39 and 18 %, progress lines 7
and 15 %; 41 % of the lines have a usage, and a response is written 2.3 times, two in three times with the usage of the
time before; a few responses of sub-agents stand in `agent_progress` lines.
Dense: Message objects, each a response of its own.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-4-6")
FILES = 2_000
DENSE_FILES = 8
_POOL = 1 << 20


def transcripts(folder: Path, size: int, files: int = FILES) -> Path:
    """A folder of `files` sessions, `size` bytes in all."""
    target = folder / f"transcripts-{size}-{files}"
    return _written(target, {f"project-{n // 50}/session-{n}.jsonl": _session(n, size // files) for n in range(files)})


def dense(folder: Path, size: int) -> Path:
    """A folder of eight files of Message objects."""
    target = folder / f"dense-{size}"
    return _written(target, {f"part-{n}.jsonl": _messages(n, size // DENSE_FILES) for n in range(DENSE_FILES)})


def one_file(folder: Path, size: int) -> Path:
    """A folder with a single long session."""
    return _written(folder / f"one-{size}", {"session.jsonl": _session(0, size)})


def _written(target: Path, files: dict[str, Iterator[bytes]]) -> Path:
    done = target / ".done"
    if not done.exists():
        for name, lines in files.items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.writelines(lines)
        done.touch()
    return target


class _Text:
    """Pieces of one long text: code, prose, and now and then a letter that is not ASCII."""

    def __init__(self, chance: random.Random) -> None:
        words = ["return", "value", "def", "the", "\\n", "\\t", "caf\u00e9", "\u2192", "self.count", '\\"name\\":', "}"]
        weights = [9, 9, 9, 30, 8, 8, 1, 1, 9, 3, 3]
        text = " ".join(chance.choices(words, weights, k=_POOL // 5))
        self._pool, self._chance = text.encode(), chance

    def take(self, mean: int) -> bytes:
        size = int(self._chance.expovariate(1 / mean)) + 1
        pieces = []
        while size > 0:
            at = self._chance.randrange(_POOL // 2)
            at = self._pool.index(b" ", at)
            pieces.append(self._pool[at : self._pool.index(b" ", at + min(size, _POOL // 4))])
            size -= len(pieces[-1])
        return b"".join(pieces)


def _usage(chance: random.Random, output: int) -> bytes:
    written = chance.randrange(3_000)
    value = {
        "input_tokens": chance.randrange(1, 400),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": chance.randrange(90_000),
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output,
        "service_tier": "standard",
        "inference_geo": "not_available",
    }
    return json.dumps(value, separators=(",", ":")).encode()


def _message(ids: tuple[int, int], content: bytes, usage: bytes, stop: bytes) -> bytes:
    number, model = ids
    return (
        b'{"model":"%s","id":"msg_%024d","type":"message","role":"assistant","content":[%s],"stop_reason":%s,'
        b'"stop_sequence":null,"usage":%s}' % (MODELS[model].encode(), number, content, stop, usage)
    )


def _session(number: int, size: int) -> Iterator[bytes]:
    """Lines of a session until it has so many bytes."""
    chance = random.Random(number)  # noqa: S311  # the same log every time
    text, at, written = _Text(chance), 0, 0
    session = f"{number:08x}-0000-4000-8000-{number:012x}"
    while written < size:
        at += 1
        for line in _turn(chance, text, f"{session}-{at}", number * 1_000_000 + at, session, at):
            written += len(line)
            yield line


def _turn(chance: random.Random, text: _Text, uuid: str, response: int, session: str, at: int) -> Iterator[bytes]:
    second = at * 7
    model = at % 50 // 40 + response // 1_000_000 % 3

    def stamp() -> bytes:
        nonlocal second
        second += 1
        day, rest = second // 80_000 % 28 + 1, second % 80_000
        return f"2026-10-{day:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.{at % 1000:03}Z".encode()

    head = (
        b'{"parentUuid":"%s","isSidechain":false,"userType":"external","cwd":"/home/ada/project","sessionId":"%s",'
        % (
            uuid.encode(),
            session.encode(),
        )
    )
    head += b'"version":"2.1.39","gitBranch":"main",'
    tail = b'"uuid":"%s","timestamp":"%s"}\n'
    for _ in range(chance.choice((1, 1, 2))):
        content = b'[{"tool_use_id":"toolu_%d","type":"tool_result","content":"%s"}]' % (response, text.take(5_450))
        result = b'"toolUseResult":{"stdout":"%s","stderr":""},' % text.take(5_450)
        yield (
            head + b'"type":"user","message":{"role":"user","content":%s},' % content + result + tail % (b"u", stamp())
        )
    blocks = chance.choice((1, 2, 2, 3, 3, 4))
    output = chance.randrange(1, 400)
    for block in range(blocks):
        output += chance.choice((0, 0, chance.randrange(1, 400)))
        kind = b'{"type":"text","text":"%s"}' % text.take(1_000)
        stop = b'"tool_use"' if block == blocks - 1 else b"null"
        message = _message((response, model), kind, _usage(random.Random(response), output), stop)  # noqa: S311
        ids = b'"requestId":"req_%024d","type":"assistant",' % response
        yield head + b'"message":' + message + b"," + ids + tail % (b"a%d" % block, stamp())
    if chance.random() < 0.33:
        hook = b'"type":"progress","data":{"type":"hook_progress","command":"%s"},' % text.take(8_900)
        yield head + hook + tail % (b"p", stamp())
    if chance.random() < 0.12:
        message = _message((response + 500_000, 2), b"", _usage(chance, 5), b"null")
        inner = b'{"type":"assistant","timestamp":"%s","message":%s,"requestId":"req_%d","uuid":"i"}' % (
            stamp(),
            message,
            response,
        )
        data = b'"type":"progress","data":{"message":%s,"type":"agent_progress","prompt":"%s"},' % (
            inner,
            text.take(4_000),
        )
        yield head + data + tail % (b"g", stamp())
    for index in range(chance.choice((1, 2, 2, 3, 3))):
        system = b'"type":"system","subtype":"hook","content":"%s",' % text.take(480)
        yield head + system + tail % (b"s%d" % index, stamp())


def _messages(number: int, size: int) -> Iterator[bytes]:
    chance = random.Random(-number - 1)  # noqa: S311  # the same log every time
    text, at, written = _Text(chance), 0, 0
    while written < size:
        at += 1
        content = b'{"type":"text","text":"%s"}' % text.take(2_900)
        line = _message((number * 10_000_000 + at, at % 4), content, _usage(chance, at % 900), b'"end_turn"') + b"\n"
        written += len(line)
        yield line
