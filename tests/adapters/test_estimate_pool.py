"""A long file counted whole, by several processes: the same answer, in order, and an end when it is asked for."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from costkit.adapters import estimate_pool, prompt_lines
from costkit.adapters.estimate_pool import estimate_file
from costkit.adapters.pricing_yaml import built_in_book
from costkit.adapters.prompt_lines import LongFile, read_sampled
from costkit.adapters.tokens import make_counter
from costkit.errors import InputChanged, OperationFailed
from costkit.estimate import EstimateOptions, Prompt, estimate_requests
from costkit.estimate.run import finish_estimate
from costkit.estimate.sample import OFF

BOOK = built_in_book()
OPTIONS = EstimateOptions(date(2026, 11, 21), output_tokens=5)
MAKE = partial(make_counter, "fast", offline=True, cache_dir=None, environ={"TIKTOKEN_CACHE_DIR": "/nonexistent"})
MODELS = ("claude-opus-5-5", "claude-haiku-4-5", "claude-gone-9")


def lines(count: int, words: int = 5) -> str:
    rows = []
    for number in range(count):
        body = {
            "model": MODELS[number * len(MODELS) // count],
            "messages": [{"role": "user", "content": f"{number} " + "word " * (words + number % 7)}],
        }
        rows.append(json.dumps([body, body] if number % 50 == 7 else body))
    return "\n\n".join(rows) + "\n"


@pytest.fixture
def _portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt_lines, "ALL_UP_TO", 100)
    monkeypatch.setattr(prompt_lines, "PORTION_REQUESTS", 70)
    monkeypatch.setattr(estimate_pool, "_PARALLEL_FROM", 100)


def long_file(path: Path) -> LongFile:
    found, sample = read_sampled(str(path), None, OFF, None)
    assert isinstance(found, LongFile)
    assert sample is None
    return found


def all_prompts(file: LongFile) -> list[Prompt]:
    return [prompt for portion in file.portions() for prompt in file.reader.prompts(portion)]


@pytest.mark.usefixtures("_portions")
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", ["in.jsonl", "in.jsonl.gz"])
def test_the_answer_is_that_of_one_process_on_the_whole(tmp_path: Path, name: str, workers: int) -> None:
    path = tmp_path / name
    data = lines(500).encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    file = long_file(path)
    prompts = all_prompts(file)
    assert [prompt.index for prompt in prompts] == list(range(510))
    part = estimate_file(file, MAKE, BOOK, OPTIONS, workers=workers)
    assert finish_estimate(part, BOOK, OPTIONS) == estimate_requests(prompts, MAKE(), BOOK, OPTIONS)


@pytest.mark.usefixtures("_portions")
def test_a_file_that_changed_after_the_check_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(lines(300))
    file = long_file(path)
    path.write_text(lines(200))
    with pytest.raises(InputChanged):
        estimate_file(file, MAKE, BOOK, OPTIONS, workers=2)


@pytest.mark.usefixtures("_portions")
def test_a_worker_that_dies_is_an_error_and_no_endless_wait(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(lines(300))
    with pytest.raises(OperationFailed, match="ended without an answer"):
        estimate_file(long_file(path), partial(os._exit, 7), BOOK, OPTIONS, workers=2)


def test_ctrl_c_ends_all_processes_at_once(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(lines(20_000, words=2_000))
    command = [sys.executable, "-m", "costkit", "estimate", "in.jsonl", "--sample", "off", "--offline"]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        while not _children(running.pid):
            assert running.poll() is None
            time.sleep(0.05)
        time.sleep(1)
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert not _alive(running.pid)


def _children(pid: int) -> list[str]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.split()


def _alive(group: int) -> list[str]:
    deadline = time.monotonic() + 10
    left = ["?"]
    while left and time.monotonic() < deadline:
        left = subprocess.run(["pgrep", "-g", str(group)], capture_output=True, text=True, check=False).stdout.split()
    return left
