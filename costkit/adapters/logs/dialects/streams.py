"""Recorded event streams: the server-sent events of a streaming request, as text or one event a line.

Quirks: `usage` in `message_delta` is cumulative, so it replaces what `message_start` said: the output always, the
other counts where they are not null. It never repeats the TTL split, the service tier, the geography and the speed:
those stay. Events of several streams may follow each other or be mixed; a delta does not name its message, so it goes
to the stream of the same channel that was at work last, preferring one whose prompt counts agree. A stream that was
cut off has no final output count.
Documented at https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from dataclasses import dataclass, field

from costkit.adapters.logs.dialects.dialect import Found, Holder, build_record
from costkit.adapters.logs.documents import Document
from costkit.report.records import Record

_EVENTS = frozenset(
    {
        "message_start",
        "message_delta",
        "message_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "ping",
        "error",
    }
)
_WRAPPERS = ("event", "data", "chunk")
_CHANNEL = ("request_id", "requestId", "stream_id", "message_id", "session_id", "parent_tool_use_id")
_REPLACED = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "server_tool_use", "iterations")
_PROMPT = _REPLACED[:3]
_MOST_OPEN = 256


@dataclass(slots=True)
class _Stream:
    document: Document
    holders: tuple[Holder, ...]
    message: Holder
    usage: dict[str, object]
    channel: tuple[object, ...]
    is_final: bool = False
    stop_reason: object = None

    def record(self) -> Record:
        """The bill as far as the stream tells it."""
        return build_record(
            self.document,
            self.message,
            self.holders,
            usage=self.usage,
            incomplete=not self.is_final,
            stop_reason=self.stop_reason,
        )


@dataclass(slots=True)
class Streams:
    """Collects the events of one file; keeps the streams that are not finished."""

    _open: list[_Stream] = field(default_factory=list)
    """The one that was at work last comes last."""
    is_used: bool = False
    """Whether there was any event."""

    def recognise(self, document: Document) -> Found | None:
        """Take one event; the bill comes with the last one of its stream."""
        wrapper = document.value
        event = _event(wrapper)
        if event is None:
            return None
        self.is_used = True
        channel = () if event is wrapper else tuple(str(wrapper.get(name)) for name in _CHANNEL)
        kind = event["type"]
        if kind == "message_start":
            return self._start(document, event, channel)
        if kind == "message_delta":
            self._update(event, channel)
        elif kind == "message_stop":
            stream = self._last(channel)
            if stream is not None:
                self._open.remove(stream)
                return [stream.record()]
        return []

    def finish(self) -> list[_Stream]:
        """The streams that never ended; call at the end of the file."""
        left, self._open = self._open, []
        return left

    def _start(self, document: Document, event: Holder, channel: tuple[object, ...]) -> Found:
        message = event.get("message")
        if not isinstance(message, dict) or not isinstance(message.get("usage"), dict):
            raise ValueError("message_start has no usage")
        holders = tuple(holder for holder in (document.value, event, message) if holder is not None)
        self._open.append(_Stream(document, holders, message, dict(message["usage"]), channel))
        return [self._open.pop(0).record()] if len(self._open) > _MOST_OPEN else []

    def _update(self, event: Holder, channel: tuple[object, ...]) -> None:
        usage = event.get("usage")
        if usage is None:
            return
        if not isinstance(usage, dict):
            raise ValueError("usage is not an object")
        stream = self._last(channel, usage)
        if stream is None:
            raise ValueError("message_delta without its message_start")
        stream.usage.update({name: usage[name] for name in _REPLACED if usage.get(name) is not None})
        delta = event.get("delta")
        if isinstance(delta, dict) and delta.get("stop_reason") is not None:
            stream.stop_reason = delta["stop_reason"]
        if usage.get("output_tokens") is not None:
            stream.usage["output_tokens"] = usage["output_tokens"]
            stream.is_final = True
        self._open.remove(stream)
        self._open.append(stream)

    def _last(self, channel: tuple[object, ...], usage: Holder | None = None) -> _Stream | None:
        here = [stream for stream in self._open if stream.channel == channel]
        alike = [stream for stream in here if usage is not None and _agree(stream.usage, usage)]
        found = alike or here
        return found[-1] if found else None


def _event(value: Holder) -> Holder | None:
    """The event that a document is or wraps."""
    if value.get("type") == "message":
        return None
    if _is_event(value):
        return value
    for name in _WRAPPERS:
        inner = value.get(name)
        if isinstance(inner, dict) and _is_event(inner):
            return inner
    return None


def _is_event(value: Holder) -> bool:
    kind = value.get("type")
    return isinstance(kind, str) and kind in _EVENTS


def _agree(start: Holder, delta: Holder) -> bool:
    named = [name for name in _PROMPT if delta.get(name) is not None]
    return bool(named) and all(start.get(name) == delta[name] for name in named)
