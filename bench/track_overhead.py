"""What `costkit.track` adds to a call, against the same call without it, on loopback.

    python bench/track_overhead.py [CALLS] [MILLISECONDS]

The server is a process of its own that answers after so many milliseconds: at once, which no model does, and after
20 ms, which is still a tenth of what the fastest takes. The goal is for the latter.
Each turn makes a call with and a call without tracking, in random order; the median of their difference is compared
with the median of the call without. Some of the work is done in a thread beside while the call waits: the processor
time that tracking adds is that of both.
"""

from __future__ import annotations

import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
from machine import describe_machine

import costkit

GOAL = 1.02
SERVER = """
import json, socketserver, sys, time
answer = json.dumps({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-5-5",
    "content": [{"type": "text", "text": "word " * 300}], "stop_reason": "end_turn", "stop_sequence": None,
    "usage": {"input_tokens": 900, "output_tokens": 300, "cache_read_input_tokens": 0,
              "cache_creation_input_tokens": 0, "service_tier": "standard"}}).encode()
head = f"HTTP/1.1 200 OK\\r\\ncontent-type: application/json\\r\\ncontent-length: {len(answer)}\\r\\n\\r\\n".encode()
class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    def handle(self):
        while True:
            length, line = 0, self.rfile.readline()
            if not line:
                return
            while line.strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
                line = self.rfile.readline()
            self.rfile.read(length)
            time.sleep(float(sys.argv[1]) / 1000)
            self.wfile.write(head + answer)
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
with Server(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
"""
PROMPTS = {"a short prompt": 1, "a conversation of 100 kB in 40 blocks": 40}


def main() -> None:
    """Measure, and print the table."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 1500
    delays = [float(sys.argv[2])] if len(sys.argv) > 2 else [0.0, 20.0]
    print(describe_machine("anthropic", "httpx2"))
    print(
        f"a call with costkit.track against one without, {calls} turns each "
        f"(goal where the server needs 20 ms: at most {GOAL:.2f} x)"
    )
    for delay in delays:
        server = subprocess.Popen([sys.executable, "-c", SERVER, str(delay)], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None  # noqa: S101  a pipe was asked for
            port = int(server.stdout.readline())
            for name, blocks in PROMPTS.items():
                _measure(f"{name}, answered after {delay:g} ms", port, blocks, calls)
        finally:
            server.kill()
            server.wait()


def _measure(name: str, port: int, blocks: int, calls: int) -> None:
    text = "The tide rises, the tide falls. " * (78 if blocks > 1 else 1)
    content = [{"type": "text", "text": f"{number} {text}"} for number in range(blocks)]
    body: dict[str, Any] = {
        "model": "claude-haiku-5-5",
        "max_tokens": 400,
        "messages": [{"role": "user", "content": content}],
    }
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "usage.jsonl"
        plain = anthropic.Anthropic(api_key="none", base_url=f"http://127.0.0.1:{port}", max_retries=0)
        bare = plain.with_middleware(lambda request, call_next: call_next(request))
        tracked = costkit.track(plain, log, tags={"bench": "track"})
        clients = {"plain": plain, "tracked": tracked, "bare": bare}
        times: dict[str, list[float]] = {kind: [] for kind in clients}
        busy: dict[str, list[float]] = {kind: [] for kind in clients}
        order = list(clients.items())
        for turn in range(calls + 20):
            random.shuffle(order)
            for kind, client in order:
                took, used = _time(lambda client=client: client.messages.create(**body))  # type: ignore[misc]
                if turn >= 20:  # the first ones open connections
                    times[kind].append(took)
                    busy[kind].append(used)
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        assert len(lines) == calls + 20  # noqa: S101  nothing may be lost, or the time means nothing
    base = statistics.median(times["plain"])
    added, empty = _added(times, "tracked"), _added(times, "bare")
    print(
        f"  {name:<60} {1 + added / base:6.3f} x   (+{added * 1e6:.0f} µs of {base * 1e6:.0f} µs; "
        f"processor +{_added(busy, 'tracked') * 1e6:.0f} µs; a middleware that does nothing: {1 + empty / base:.3f} x)"
    )


def _added(times: dict[str, list[float]], kind: str) -> float:
    return statistics.median(more - less for more, less in zip(times[kind], times["plain"], strict=True))


def _time(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock, and of the processor, for a call."""
    start, used = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - start, time.process_time() - used


if __name__ == "__main__":
    socket.setdefaulttimeout(30)
    main()
