"""The processes that read logs for `costkit report`: none is left behind, whatever ends the command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to see processes")
_LARGE = 70_000_000
_PATIENCE_S = 60.0
_LINE = b'{"id":"m","type":"message","model":"claude-opus-5-5","usage":{"input_tokens":1}}\n'


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A report that has started its worker and waits for a pipe that nobody writes to."""
    log, pipe = tmp_path / "log.jsonl", tmp_path / "pipe"
    log.write_bytes(_LINE * (_LARGE // len(_LINE)))
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "costkit", "report", str(log), str(pipe), "--workers", "2", "--json", "--no-cache"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    yield process
    process.kill()
    process.communicate()


def _until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    assert holds()


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _workers(process: subprocess.Popen[bytes]) -> list[int]:
    _until(lambda: _children(process.pid))
    return _children(process.pid)


def test_an_interrupted_report_leaves_no_process_behind(reading: subprocess.Popen[bytes]) -> None:
    workers = _workers(reading)
    time.sleep(0.5)  # the interrupt comes while everything is at work
    os.killpg(reading.pid, signal.SIGINT)
    _, errors = reading.communicate(timeout=_PATIENCE_S)

    assert reading.returncode == 130
    assert b"Traceback" not in errors
    _until(lambda: not any(map(_lives, workers)))


def test_workers_end_with_the_report_that_started_them(reading: subprocess.Popen[bytes]) -> None:
    workers = _workers(reading)
    os.kill(reading.pid, signal.SIGKILL)

    _until(lambda: not any(map(_lives, workers)))


def test_small_logs_are_read_by_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from costkit.adapters.logs import crew
    from costkit.adapters.logs.summaries import summarize_logs
    from costkit.report import FoldOptions

    monkeypatch.delattr(crew, "Worker")
    (tmp_path / "log.jsonl").write_bytes(_LINE * 1000)

    assert summarize_logs([str(tmp_path)], FoldOptions(), workers=8).records == 1000
