"""A stateful stand-in for the Claude API on loopback: strict about what it gets, with faults on demand.

    with ApiServer() as api:
        api.fail(Fault(on="create", after=True, reset=True))
        ...                                    # the batch is created, and its reply is lost
        assert api.creates == 1
        api.end()                              # all batches are processed

In a process of its own, for benchmarks and for trying costkit without a key (`make demo-api`):

    python tests/api_server.py --port 8788 --seconds-per-batch 20

The parts are in `stand_in/`: values, rules of the bodies, the fake model, batches, faults, endpoints, HTTP, control.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from stand_in.answers import tokens_of
from stand_in.batches import StoredBatch
from stand_in.state import ORGANIZATION, WORKSPACE, State
from stand_in.values import Account, Fault, Outcome, Received
from stand_in.wire import Server, handler_of

__all__ = [
    "ORGANIZATION",
    "WORKSPACE",
    "Account",
    "ApiServer",
    "Fault",
    "Outcome",
    "Received",
    "StoredBatch",
    "tokens_of",
]


class ApiServer(State):
    """The server; a context manager that listens on loopback, on a free port unless told."""

    def __init__(
        self, key: str = "sk-ant-test-0123456789", *, port: int = 0, seconds_per_batch: float | None = None
    ) -> None:
        super().__init__(key, Path(tempfile.mkdtemp(prefix="stand-in-")), seconds_per_batch)
        self._server = Server(("127.0.0.1", port), handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def environ(self) -> dict[str, str]:
        """The variables that point the SDK here."""
        return {"ANTHROPIC_API_KEY": self.key, "ANTHROPIC_BASE_URL": self.url}


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A stand-in for the Claude API on loopback.")
    parser.add_argument("--port", type=int, default=8788, help="0 for any free one")
    parser.add_argument("--seconds-per-batch", type=float, default=20, help="how long a batch takes")
    parser.add_argument("--faults", type=int, metavar="SEED", help="let things go wrong at random")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    server = ApiServer("sk-ant-demo", port=options.port, seconds_per_batch=options.seconds_per_batch)
    if options.faults is not None:
        server.script.at_random(options.faults)
    with server:
        lines = [f"export {name}={value}" for name, value in sorted(server.environ.items())]
        sys.stdout.write("\n".join([*lines, "# paste these into another terminal; Ctrl-C ends the server", ""]))
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
