"""HTTP: reads requests as they come in, and sends replies whole, slowly, cut or not at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import socket
import struct
import sys
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl

from stand_in.control import PREFIX, obey
from stand_in.intake import CHUNK, BadBodyError, drain, spool
from stand_in.routes import Call, answer_call, route_of
from stand_in.state import State
from stand_in.values import Account, Fault, Received, Reply, error

_SLOW_PIECES = 20


class Gone(ConnectionError):
    """The sender left before its body was complete."""


class Server(ThreadingHTTPServer):
    """Listens on loopback only; quiet about clients that leave."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report bugs of this server, and nothing else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def handler_of(state: State) -> type[BaseHTTPRequestHandler]:
    """The handler of a server with this state."""
    return type("Handler", (_Handler,), {"state": state})


class _Handler(BaseHTTPRequestHandler):
    state: State
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.state.now().timestamp() if timestamp is None else timestamp)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Tests look at `requests` instead."""

    @property
    def _host(self) -> str:
        address = cast("tuple[str, int]", self.server.server_address)
        return f"http://{address[0]}:{address[1]}"

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        if path.startswith(PREFIX):
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            self._send(obey(self.state, path.removeprefix(PREFIX), content), None, None)
            return
        route, batch_id = route_of(self.command, path)
        fault = self.state.script.take(route)
        account = self._account()
        if fault and fault.early:
            self._record(None)
            self._break(reset=fault.reset)
            return
        wanted = account is not None and (fault is None or fault.lets_work)
        body = self._read(route, wanted=wanted)
        self._record(None if isinstance(body, tuple | Reply) else body)
        if fault and (not fault.lets_work or (fault.then_answer and not fault.after)):
            self.state.stopping.wait(fault.delay_s)
        if fault and not fault.lets_work:
            self._fail(fault, account)
            return
        reply = self._answer(route, batch_id, dict(parse_qsl(query)), body, account)
        if fault and fault.after:
            self.state.stopping.wait(fault.delay_s)
            if not fault.then_answer:
                self._fail(fault, account)
                return
        self._send(reply, account, fault)

    def _account(self) -> Account | None:
        bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
        return self.state.keys.get(self.headers.get("x-api-key") or bearer)

    def _record(self, body: Any) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.state.lock:
            self.state.requests.append(Received(self.command, self.path, headers, body))

    def _read(self, route: str, *, wanted: bool) -> Any:
        """The body as JSON, the file it was put in, or the reply to a body that isn't taken."""
        if "content-length" not in self.headers:
            self.close_connection = self.command == "POST" and "transfer-encoding" in self.headers
            return error(411, "Content-Length is required") if self.close_connection else None
        length = int(self.headers["content-length"])
        most = self.state.max_batch_bytes if route == "create" else self.state.max_body_bytes
        source = cast("BinaryIO", self.rfile)
        if length > most or not wanted:
            drain(source, length)
            return error(413, "Request exceeds the maximum size") if length > most else None
        if route == "create" and length:
            return self._spool(source, length)
        content = source.read(length)
        if len(content) < length:
            raise Gone
        try:
            return json.loads(content) if content else None
        except ValueError:
            return error(400, "The request body is not valid JSON")

    def _spool(self, source: BinaryIO, length: int) -> tuple[Path, str] | Reply:
        path = self.state.folder / f"{uuid.uuid4().hex}.json"
        try:
            sha256 = spool(source, length, path)
        except BadBodyError as problem:
            path.unlink()
            return error(400, str(problem))
        if sha256 is None:
            path.unlink()
            raise Gone
        return path, sha256

    def _answer(self, route: str, batch_id: str, query: Mapping[str, str], body: Any, account: Account | None) -> Reply:
        if account is None:
            return error(401, "invalid x-api-key")
        if not route:
            return error(404, f"no such endpoint: {self.path}")
        version = self.headers.get("anthropic-version", "")
        if not version:
            return error(400, "anthropic-version: header is required")
        if isinstance(body, Reply):
            return body
        upload = body if isinstance(body, tuple) else None
        return answer_call(self.state, route, Call(account, version, self._host, query, body, batch_id, upload))

    def _fail(self, fault: Fault, account: Account | None) -> None:
        if fault.reset or fault.hang_up:
            self._break(reset=fault.reset)
        elif fault.redirect_to:
            self._send(Reply(302, headers={"location": fault.redirect_to, **fault.headers}), account, None)
        else:
            reply = error(fault.status, fault.message, code=fault.error_code)
            self._send(Reply(reply.status, reply.document, fault.headers), account, None)

    def _send(self, reply: Reply, account: Account | None, fault: Fault | None) -> None:
        request_id = f"req_{len(self.state.requests):06}"
        headers = {"content-type": "application/json", "request-id": request_id}
        if account:
            headers["anthropic-organization-id"] = account.organization_id
        if account and account.workspace_id:
            headers["anthropic-workspace-id"] = account.workspace_id
        source, size = self._content(reply, request_id, headers)
        with source:
            size, cut = _cut(source, size, fault)
            headers["content-length"] = str(size)
            self.send_response(reply.status)
            for name, value in {**headers, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self._copy(source, size if cut is None else cut, fault.body_s if fault else 0)
        if cut is not None and fault:
            self._break(reset=fault.cut == "reset")

    def _content(self, reply: Reply, request_id: str, headers: dict[str, str]) -> tuple[BinaryIO, int]:
        if reply.events:
            headers["content-type"] = "text/event-stream; charset=utf-8"
            lines = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in reply.events)
            content = "".join(lines).encode()
            if self.state.compress_results and "gzip" in self.headers.get("accept-encoding", ""):
                headers["content-encoding"] = "gzip"
                content = gzip.compress(content)
            return io.BytesIO(content), len(content)
        if reply.file is None:
            extra = {"request_id": request_id} if reply.document.get("type") == "error" else {}
            content = json.dumps({**reply.document, **extra}).encode()
            return io.BytesIO(content), len(content)
        headers["content-type"] = "application/x-jsonl"
        if self.state.compress_results and "gzip" in self.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            content = gzip.compress(reply.file.read_bytes())
            return io.BytesIO(content), len(content)
        return reply.file.open("rb"), reply.file.stat().st_size

    def _copy(self, source: BinaryIO, size: int, seconds: float) -> None:
        piece = max(1, size // _SLOW_PIECES) if seconds else CHUNK
        while size > 0:
            data = source.read(min(piece, size))
            if not data:
                return
            self.wfile.write(data)
            size -= len(data)
            if seconds:
                self.state.stopping.wait(seconds / _SLOW_PIECES)

    def _break(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            with contextlib.suppress(OSError):  # the client may have left first
                self.connection.shutdown(socket.SHUT_WR)


def _cut(source: BinaryIO, size: int, fault: Fault | None) -> tuple[int, int | None]:
    """The length to promise, and where to break off if that is earlier."""
    if fault is None or fault.cut is None:
        return size, None
    kept = int(size * fault.cut_at)
    if fault.cut in ("reset", "close"):
        return size, kept
    whole_lines = source.read(kept).rfind(b"\n") + 1
    source.seek(0)
    return (whole_lines if fault.cut == "lines" else max(kept - (kept == whole_lines), 0)), None
