"""What a response body says, taken from its bytes as they pass: a message, an event stream, the results of a batch.

Each collector is fed decoded bytes of any size and asked at the end. In a stream the usage is complete only with the
last `message_delta`: its counts replace those of `message_start`, which keep what it does not repeat (the TTL split,
service tier, geography, speed). https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

_WANTED = frozenset({b"message_start", b"message_delta", b"message_stop"})
_PARTS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
_QUICK = msgspec.json.Decoder()
_LONGEST = 64 * 1024 * 1024
"""A body without a usable end is not kept beyond this."""


class Answer(NamedTuple):
    """A message, and whether its usage is final."""

    message: dict[str, object]
    is_final: bool
    custom_id: str | None = None


class WholeBody:
    """A body that is one JSON document."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Answer]:
        """Keep the bytes."""
        self._size += len(data)
        if self._size <= _LONGEST:
            self._pieces.append(data)
        return []

    def finish(self) -> list[Answer]:
        """The message, if the body is one."""
        value = _object(b"".join(self._pieces))
        return [Answer(value, is_final=True)] if value is not None else []


class EventStream:
    """Server-sent events of one message; the content is put together only where it is wanted."""

    def __init__(self, *, content: bool) -> None:
        self._content = content
        self._rest = b""
        self._event = b""
        self._message: dict[str, object] | None = None
        self._inputs: dict[object, str] = {}
        self._is_final = False

    def feed(self, data: bytes) -> list[Answer]:
        """Look at the lines that are complete."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"event:"):
                self._event = line[6:].strip()
            elif line.startswith(b"data:") and (self._content or self._event in _WANTED):
                event = _object(line[5:])
                if event is not None:
                    self._take(event)
        return []

    def finish(self) -> list[Answer]:
        """The message as far as it came."""
        return [] if self._message is None else [Answer(self._message, self._is_final)]

    def _take(self, event: Mapping[str, object]) -> None:
        kind, message = event.get("type"), event.get("message")
        if kind == "message_start" and isinstance(message, dict):
            self._message = {**message, "content": []}
        elif self._message is None:
            return
        elif kind == "message_delta":
            self._update(self._message, event)
        elif self._content:
            self._build(self._message["content"], event)

    def _update(self, message: dict[str, object], event: Mapping[str, object]) -> None:
        delta, usage, known = event.get("delta"), event.get("usage"), message.get("usage")
        if isinstance(delta, Mapping):
            message.update({name: value for name, value in delta.items() if value is not None})
        if isinstance(usage, Mapping):
            counts = {name: value for name, value in usage.items() if value is not None}
            message["usage"] = {**known, **counts} if isinstance(known, Mapping) else counts
            self._is_final = self._is_final or "output_tokens" in counts

    def _build(self, content: object, event: Mapping[str, object]) -> None:
        assert isinstance(content, list)  # noqa: S101  made in `_take`
        kind, delta, index = event.get("type"), event.get("delta"), event.get("index")
        if kind == "content_block_start" and isinstance(event.get("content_block"), dict):
            content.append(event["content_block"])
        elif kind == "content_block_delta" and content and isinstance(delta, Mapping):
            self._extend(content[-1], delta, index)
        elif kind == "content_block_stop" and content and index in self._inputs:
            content[-1]["input"] = _object(self._inputs.pop(index).encode()) or {}

    def _extend(self, block: dict[str, object], delta: Mapping[str, object], index: object) -> None:
        kind = str(delta.get("type"))
        name = _PARTS.get(kind)
        if name is not None:
            block[name] = f"{block.get(name) or ''}{delta.get(name, '')}"
        elif kind == "input_json_delta":
            self._inputs[index] = self._inputs.get(index, "") + str(delta.get("partial_json", ""))
        elif kind == "citations_delta":
            known = block.get("citations")
            block["citations"] = [*(known if isinstance(known, list) else ()), delta.get("citation")]


class BatchResults:
    """The rows of a finished batch: each success was billed, at the batch price."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Answer]:
        """The rows that are complete."""
        if b"\n" not in data:
            self._rest += data
            return []
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [answer for line in lines for answer in _row(line)]

    def finish(self) -> list[Answer]:
        """The last row, where it has no newline."""
        return _row(self._rest)


Collector = WholeBody | EventStream | BatchResults


def _row(line: bytes) -> list[Answer]:
    row = _object(line)
    result = row.get("result") if row else None
    message = result.get("message") if isinstance(result, dict) else None
    if row is None or not isinstance(message, dict) or not isinstance(message.get("usage"), dict):
        return []
    if message["usage"].get("service_tier") is None:
        message["usage"]["service_tier"] = "batch"
    custom_id = row.get("custom_id")
    return [Answer(message, is_final=True, custom_id=custom_id if isinstance(custom_id, str) else None)]


def _object(text: bytes) -> dict[str, object] | None:
    try:
        value = _QUICK.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        try:
            value = json.loads(text)  # takes a little more for JSON
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None
