"""The middleware that hears every response of a client, through the SDK's own `client.with_middleware`.

It runs once for each HTTP attempt. Responses to `POST /v1/messages` (beta, `parse`, tools, streams and raw responses
included) and the results of batches are recorded; whatever else the API says has no usage. Whatever goes wrong while
recording is told once to the logger `costkit`, and the call goes on as if nothing had happened.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from anthropic import APIResponse, AsyncAPIResponse, Middleware
from anthropic import AsyncCallNext as AsyncNext
from anthropic import CallNext as Next

from costkit.tracking.answer import Answer, BatchResults, Collector, EventStream, WholeBody
from costkit.tracking.bodies import listened
from costkit.tracking.early import Early
from costkit.tracking.guard import Guard, failing, refuse, settle
from costkit.tracking.labels import Tags, current_tags
from costkit.tracking.line import Sent, known_of, usage_line

if TYPE_CHECKING:
    from costkit.adapters.budgets.handle import Held

_LOG = logging.getLogger("costkit")
_MESSAGES = re.compile(r"(?:https?://[^/?]+)?(?:/[^?]*)?/v1/messages(?:\?.*)?")
_RESULTS = re.compile(r"(?:https?://[^/?]+)?(?:/[^?]*)?/v1/messages/batches/([^/?]+)/results(?:\?.*)?")
_EVENTS = "text/event-stream"


class Recorder(Middleware):
    """Writes a line for each response of the client that it is given to.

    `write` takes a line without its newline and raises nothing; `None` writes nothing. With `content` the request and
    the message are in the line. A `guard` is asked before anything is sent, and only what it raises stops a call.
    """

    def __init__(
        self, write: Callable[[bytes], None] | None, tags: Tags, *, content: bool, guard: Guard | None = None
    ) -> None:
        self._write = write
        self._tags = tags
        self._content = content
        self._guard = guard
        self._told = threading.Event()

    def handle(self, request: Any, call_next: Next) -> APIResponse[Any]:
        """Let a call of a synchronous client pass, and record its response."""
        sent = self._begin(request)
        held = None if self._guard is None else self._guard.reserve(request, sent)
        if sent is not None and sent.known is not None:
            sent.known.begin()
        with failing(held):
            response = call_next(request)
        self._hear(sent, held, response)
        return response

    async def handle_async(self, request: Any, call_next: AsyncNext) -> AsyncAPIResponse[Any]:
        """Let a call of an asynchronous client pass, and record its response."""
        sent = self._begin(request)
        held = None if self._guard is None else await self._guard.reserve_beside(request, sent)
        if sent is not None and sent.known is not None:
            sent.known.begin()
        with failing(held):
            response = await call_next(request)
        self._hear(sent, held, response)
        return response

    def _begin(self, request: Any) -> Sent | None:
        """What the line will need of the call; `None` for one that bills nothing."""
        try:
            method, url = str(request.method).upper(), str(request.url)
            if method == "POST" and _MESSAGES.fullmatch(url):
                body = request.json
                return self._sent(body if isinstance(body, Mapping) else None)
            results = _RESULTS.fullmatch(url) if method == "GET" else None
            return Sent(None, time.time_ns(), self._tags_now(), results.group(1)) if results else None
        except Exception as problem:  # noqa: BLE001  nothing here may stop a call
            self._tell(problem)
            return None

    def _sent(self, body: Mapping[str, object] | None) -> Sent:
        began = time.time_ns()
        return Sent(body, began, self._tags_now(), known=Early(partial(known_of, body, began)) if self._write else None)

    def _tags_now(self) -> Tags:
        here = current_tags()
        return {**self._tags, **here} if here else self._tags

    def _hear(self, sent: Sent | None, held: Held | None, response: Any) -> None:
        """Record a body that was read already, or listen to the one that will be."""
        try:
            http = getattr(response, "http_response", None)
            if sent is None or http is None:  # no call that bills, or another middleware's own answer
                return
            if not http.is_success:
                refuse(held, http.status_code)
                return
            kind = http.headers.get("content-type", "").partition(";")[0].strip().lower()
            collector = self._collector(sent, kind)
            listener = _Listener(self, sent, held, collector, http.headers.get("request-id"))
            if http.is_stream_consumed:
                listener.feed(http.content)
                listener.end("read")
            else:
                response.http_response = listened(http, listener)
        except Exception as problem:  # noqa: BLE001  same
            self._tell(problem)

    def _collector(self, sent: Sent, kind: str) -> Collector:
        if sent.batch_id is not None:
            return BatchResults()
        if kind == _EVENTS:
            return EventStream(content=self._content)
        if not kind.endswith("json"):
            raise ValueError(f"a response of the type {kind or 'unknown'} can't be recorded")
        return WholeBody()

    def record(self, sent: Sent, answer: Answer, ended: str, *, request_id: str | None, took_ns: int) -> None:
        """Write the line of a response that bills something."""
        if self._write is None:
            return
        self._write(
            usage_line(sent, answer, ended, request_id=request_id, took_ms=took_ns / 1_000_000, content=self._content)
        )

    def _tell(self, problem: Exception) -> None:
        if not self._told.is_set():
            self._told.set()
            _LOG.warning("costkit.track: a response was not recorded: %s (said once; requests go on)", problem)


class _Listener:
    """Hears one response body, and has its message recorded when it ends; raises nothing."""

    def __init__(
        self, recorder: Recorder, sent: Sent, held: Held | None, collector: Collector, request_id: str | None
    ) -> None:
        self._recorder = recorder
        self._sent = sent
        self._held = held
        self._collector = collector
        self._request_id = request_id if sent.batch_id is None else None
        self._ended = False
        self._process = os.getpid()

    def feed(self, data: bytes) -> None:
        """Take a decoded piece."""
        try:
            self._record(self._collector.feed(data), "read")
        except Exception as problem:  # noqa: BLE001  nothing here may stop a call
            self._recorder._tell(problem)  # noqa: SLF001  two classes, one duty

    def end(self, how: str) -> None:
        """Record what is known; only the first call counts, and none in a forked child."""
        if self._ended or os.getpid() != self._process:
            return
        self._ended = True
        try:
            answers = self._collector.finish()
            self._record(answers, how)
            settle(self._held, answers)
        except Exception as problem:  # noqa: BLE001  same
            self._recorder._tell(problem)  # noqa: SLF001  same

    def _record(self, answers: list[Answer], how: str) -> None:
        for answer in answers:
            if not isinstance(answer.message.get("usage"), Mapping):
                continue
            took = time.time_ns() - self._sent.began
            self._recorder.record(self._sent, answer, how, request_id=self._request_id, took_ns=max(took, 0))
