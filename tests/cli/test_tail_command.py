"""What `costkit tail` shows while a program writes, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from costkit.adapters.usage_writer import UsageWriter


def line(number: int, minute: int = 0, **tags: str) -> bytes:
    """A response for exactly $0.50."""
    usage = {"input_tokens": 1_000_000, "output_tokens": 0, "service_tier": "batch"}
    told = {"ts": f"2026-11-21T09:{minute:02}:00Z", "model": "claude-haiku-4-5", "id": f"msg_{number}", "usage": usage}
    return json.dumps({**told, "tags": tags}).encode()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "usage.jsonl"
    writer = UsageWriter(path)
    writer.append(line(1, team="sea"))
    writer.append(line(2, 1, team="land", feature="tides"))
    return path


def test_once_shows_what_is_there(program: Any, log: Path) -> None:
    answer = program("tail", log, "--once")
    assert answer.code == 0
    assert answer.out.startswith("$1.00 · 2 requests · 2026-11-21 09:00 to 09:01 UTC\n")
    assert "feature=tides, team=land" in answer.out
    assert answer.out.index("09:01 ") < answer.out.index("team=sea")


def test_a_document_holds_each_minute_by_model_and_tags(program: Any, log: Path) -> None:
    result = program("tail", log, "--once", "--json").document["result"]
    assert [(row["minute"], row["tags"], row["cost_usd"]) for row in result["rows"]] == [
        ("2026-11-21T09:01:00Z", "feature=tides, team=land", "0.5"),
        ("2026-11-21T09:00:00Z", "team=sea", "0.5"),
    ]
    assert (result["total"]["cost_usd"], result["total"]["complete"]) == ("1", True)


def test_older_minutes_leave_the_table(program: Any, log: Path) -> None:
    answer = program("tail", log, "--once", "--minutes", "1", "--json")
    assert [row["minute"] for row in answer.document["result"]["rows"]] == ["2026-11-21T09:01:00Z"]
    assert answer.document["result"]["total"]["requests"] == 2


def test_an_empty_log_is_an_answer(program: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    answer = program("tail", tmp_path / "empty.jsonl", "--once", "--json")
    assert (answer.code, answer.document["result"]["total"]["requests"]) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("missing.jsonl --once", "does not exist"),
        (". --once", "is a folder"),
        ("- --once", "only files are followed"),
        ("usage.jsonl --json", "this never ends"),
        ("usage.jsonl --once --for 3s", "contradict"),
        ("usage.jsonl --for soon", "not a length of time"),
        ("usage.jsonl --once --interval 0s", "more than nothing"),
        ("usage.jsonl --once --minutes 0", "minutes"),
    ],
)
@pytest.mark.usefixtures("log")
def test_what_means_nothing_is_refused(program: Any, arguments: str, message: str) -> None:
    answer = program("tail", *arguments.split())
    assert answer.code == 2
    assert message in answer.err


def start(log: Path, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "costkit", "tail", str(log), "--interval", "0.1s", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **streams)


def test_each_interval_with_news_is_a_line_and_ctrl_c_ends_with_the_totals(log: Path) -> None:
    running = start(log)
    assert running.stdout is not None
    first = running.stdout.readline()
    assert "$1.00 · 2 requests" in first
    UsageWriter(log).append(line(3, 2))
    assert "1 request  $0.5000  ·  $1.50 · 3 requests" in running.stdout.readline()
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert out.startswith("$1.50 · 3 requests")
    assert "Traceback" not in err


def test_a_program_gets_one_document_even_when_it_is_interrupted(log: Path) -> None:
    running = start(log, "--for", "1h", "--json")
    time.sleep(2)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=60)
    assert (running.returncode, json.loads(out)["error"]["code"]) == (130, "interrupted")


def test_a_watch_of_some_time_ends_by_itself_and_sees_what_came_through_a_rotation(log: Path) -> None:
    running = start(log, "--for", "4s", "--json")
    time.sleep(2)
    log.rename(log.with_name("rotated.jsonl"))
    UsageWriter(log).append(line(3, 3))
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 0
    assert json.loads(out)["result"]["total"]["requests"] == 3


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def test_on_a_terminal_the_table_is_drawn_anew(log: Path, terminal: tuple[int, int]) -> None:
    """Until the end, which leaves one table behind."""
    ours, theirs = terminal
    command = [sys.executable, "-m", "costkit", "tail", str(log), "--interval", "0.2s"]
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    running = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environ)
    seen = bytearray()
    threading.Thread(target=_drain, args=(ours, seen), daemon=True).start()
    _wait_for(seen, b"2 requests")
    UsageWriter(log).append(line(3, 2))
    _wait_for(seen, b"3 requests")
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 130
    _wait_for(seen, b"interrupted")
    assert b"\x1b[" in seen


def _drain(handle: int, seen: bytearray) -> None:
    while True:
        try:
            seen += os.read(handle, 65536)
        except OSError:
            return


def _wait_for(seen: bytearray, text: bytes) -> None:
    until = time.monotonic() + 60
    while text not in seen:
        assert time.monotonic() < until, bytes(seen)
        time.sleep(0.02)
