"""Guards for every test: no network but loopback, no key, no state outside the test's own folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("searching", deadline=None)
settings.load_profile("steady" if os.environ.get("CI") else "searching")
"""A gate must say the same of the same code; at a desk, every run looks at new examples."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell starts what is to run in the background so; programs that the tests interrupt would inherit it and wait on
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parent.parent
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_REAL_CONNECT = socket.socket.connect


def _loopback_only(self: socket.socket, address: object) -> None:
    host = address[0] if isinstance(address, tuple) else None
    if host is not None and host not in _LOOPBACK:
        raise AssertionError(f"a test tried to reach {host}")
    _REAL_CONNECT(self, address)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _guarded(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("ANTHROPIC_", "COSTKIT_", "XDG_")) or name in {"FORCE_COLOR", "CI", "COLUMNS"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("COSTKIT_STATE", str(home / "state"))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)


Costkit = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def costkit(tmp_path: Path) -> Costkit:
    """Run the real program in an empty folder: `costkit("estimate", "-", stdin="Hello")`."""

    def run(
        *arguments: str | Path, stdin: str | bytes = "", cwd: Path = tmp_path, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        data = stdin if isinstance(stdin, bytes) else stdin.encode()
        done = subprocess.run(
            [sys.executable, "-m", "costkit", *map(str, arguments)],
            input=data,
            capture_output=True,
            cwd=cwd,
            env={**os.environ, **environ},
            timeout=120,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def examples() -> Path:
    """The examples that the README runs."""
    return ROOT / "examples"
