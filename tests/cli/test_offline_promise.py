"""`--offline` opens no socket, and no run without a key does either."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

WATCHED = """\
import runpy, sys

def refuse(event, arguments):
    if event.startswith("socket."):
        sys.stderr.write(f"OPENED {event} {arguments}\\n")
        sys.stderr.flush()
        import os
        os._exit(99)

sys.addaudithook(refuse)
PROBE = sys.argv[1] == "probe"
if PROBE:
    import socket
    socket.socket()
runpy.run_module("costkit", run_name="__main__", alter_sys=True)
"""
needs_ctok = pytest.mark.skipif(
    importlib.util.find_spec("ctok") is None, reason="without it tiktoken may fetch its vocabulary"
)
KEY = {"ANTHROPIC_API_KEY": "sk-ant-not-a-key"}


def watched(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the program where the interpreter itself aborts at the first use of a socket."""
    command = [sys.executable, "-c", WATCHED, *words]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env={**os.environ, **environ}, timeout=60, check=False
    )


@pytest.fixture(autouse=True)
def _prompt(write: Callable[[str, object], Path]) -> None:
    write("prompt.md", "Say hello.")


def test_the_watch_bites(tmp_path: Path) -> None:
    done = watched(tmp_path, "probe")
    assert done.returncode == 99
    assert "OPENED socket.__new__" in done.stderr


@pytest.mark.parametrize(
    ("words", "environ"),
    [
        ("estimate prompt.md --offline", KEY),
        ("estimate prompt.md --offline --tokens fast", KEY),
        ("estimate prompt.md", KEY | {"COSTKIT_OFFLINE": "1"}),
        pytest.param("estimate prompt.md", {}, marks=needs_ctok),
        ("pricing list --offline", {}),
        ("pricing check", {}),
    ],
)
def test_no_socket_is_opened(tmp_path: Path, words: str, environ: dict[str, str]) -> None:
    done = watched(tmp_path, *words.split(), **environ)
    assert (done.returncode, "OPENED" in done.stderr) == (0, False)
    assert KEY["ANTHROPIC_API_KEY"] not in done.stdout + done.stderr
