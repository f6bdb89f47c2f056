"""A stateful stand-in for the Claude API on loopback: strict about what it gets, with faults on demand.

    with ApiServer() as api:
        api.fail(Fault(status=429, headers={"retry-after": "0.01"}))
        ...                                    # the first request is answered with 429
        assert len(api.requests) == 2

A route is a function from the server and a JSON body to a reply; new endpoints are new entries of `ROUTES`.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

ORGANIZATION = "00000000-0000-4000-8000-000000000001"
_COUNT_FIELDS = frozenset(
    (
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "output_format",
        "cache_control",
        "speed",
        "context_management",
        "mcp_servers",
        "compaction",
    )
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next request instead of an answer; the request is recorded all the same."""

    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "scripted fault"
    reset: bool = False
    """Cut the connection without an answer."""
    delay_s: float = 0.0
    """Wait before answering; with `then_answer`, the answer is the real one."""
    then_answer: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Reply:
    """A status with a JSON document."""

    status: int
    document: Mapping[str, Any]


class ApiServer:
    """The server; a context manager that listens on a free port of loopback."""

    def __init__(self, key: str = "sk-ant-test-0123456789") -> None:
        self.key = key
        self.requests: list[Received] = []
        self.retired_models: set[str] = set()
        self._faults: deque[Fault] = deque()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environ(self) -> dict[str, str]:
        """The variables that point the SDK here."""
        return {"ANTHROPIC_API_KEY": self.key, "ANTHROPIC_BASE_URL": self.url}

    def fail(self, *faults: Fault) -> None:
        """Script the next requests, in order of arrival."""
        with self._lock:
            self._faults.extend(faults)

    def answer(self, received: Received) -> Reply | Fault:
        """Record a request and decide what comes back."""
        with self._lock:
            self.requests.append(received)
            fault = self._faults.popleft() if self._faults else None
        if fault and not fault.then_answer:
            return fault
        if fault:
            time.sleep(fault.delay_s)
        if self.key not in (received.headers.get("x-api-key"), received.headers.get("authorization", "")[7:]):
            return error(401, "authentication_error", "invalid x-api-key")
        route = ROUTES.get((received.method, received.path.split("?")[0]))
        if route is None:
            return error(404, "not_found_error", f"no such endpoint: {received.path}")
        return route(self, received.body)


Route = Callable[[ApiServer, Any], Reply]


def error(status: int, kind: str, message: str) -> Reply:
    """An error document as the API writes it."""
    return Reply(status, {"type": "error", "error": {"type": kind, "message": message}})


def tokens_of(body: Mapping[str, Any]) -> int:
    """The deterministic count of this server: one token for every four characters of the prompt's JSON."""
    prompt = {name: value for name, value in body.items() if name != "model"}
    return 1 + len(json.dumps(prompt)) // 4


def count_tokens(server: ApiServer, body: Any) -> Reply:
    """`POST /v1/messages/count_tokens`, as strict about fields as the API."""
    problem = _problem(body)
    if problem:
        return error(400, "invalid_request_error", problem)
    if body["model"] in server.retired_models or not body["model"].startswith("claude-"):
        return error(404, "not_found_error", f"model: {body['model']}")
    return Reply(200, {"input_tokens": tokens_of(body)})


def _problem(body: Any) -> str | None:
    if not isinstance(body, dict):
        return "Input should be an object"
    for name in ("model", "messages"):
        if name not in body:
            return f"{name}: Field required"
    for name in body:
        if name not in _COUNT_FIELDS:
            return f"{name}: Extra inputs are not permitted"
    if not isinstance(body["messages"], list) or not body["messages"]:
        return "messages: at least one message is required"
    return None


ROUTES: dict[tuple[str, str], Route] = {("POST", "/v1/messages/count_tokens"): count_tokens}


def _handler_of(server: ApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            try:
                body = json.loads(content)
            except ValueError:
                body = None
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(server.answer(Received("POST", self.path, headers, body)))

        def _send(self, reply: Reply | Fault) -> None:
            if isinstance(reply, Fault) and reply.reset:
                self._reset()
                return
            extra: Mapping[str, str] = {}
            if isinstance(reply, Fault):
                time.sleep(reply.delay_s)
                extra = reply.headers
                reply = error(reply.status, "api_error", reply.message)
            content = json.dumps(reply.document).encode()
            self.send_response(reply.status)
            fixed = {
                "content-type": "application/json",
                "content-length": str(len(content)),
                "request-id": f"req_{len(server.requests):06}",
                "anthropic-organization-id": ORGANIZATION,
            }
            for name, value in {**fixed, **extra}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def _reset(self) -> None:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Tests look at `requests` instead."""

    return Handler
