"""Usage logs hold no text, and the cache commands read them all the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from costkit.cache.outline import outline_of
from costkit.core.request import parse_request
from costkit.core.response import read_usage

MARK = {"type": "ephemeral"}


def line(number: int) -> str:
    """The line of a request whose system prompt stays and whose question is new."""
    system = [{"type": "text", "text": "You know the sea. " * 200, "cache_control": MARK}]
    question = [{"role": "user", "content": f"Question {number}?"}]
    body = {"model": "claude-haiku-5-5", "max_tokens": 9, "system": system, "messages": question}
    kind = "cache_read_input_tokens" if number else "cache_creation_input_tokens"
    usage = {"input_tokens": 10, kind: 800, "output_tokens": 5}
    told = {"ts": f"2026-11-21T09:0{number}:00Z", "model": body["model"], "id": f"msg_{number}", "usage": usage}
    return json.dumps(told | outline_of(parse_request(body)).as_json(read_usage(usage))) + "\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "usage.jsonl"
    path.write_text("".join(line(number) for number in range(4)))
    return path


def test_a_log_without_text_is_linted(program: Any, log: Path) -> None:
    answer = program("cache", "lint", log, "--json")
    assert (answer.code, answer.document["result"]["requests"]) == (0, 4)


def test_reads_and_writes_are_explained_without_text(program: Any, log: Path) -> None:
    answer = program("cache", "why", log, "--json")
    result = answer.document["result"]
    assert (answer.code, result["requests"], result["hits"], result["agreed"]) == (0, 4, 3, 4)


def test_breakpoints_are_planned_without_text_but_not_written(program: Any, log: Path, tmp_path: Path) -> None:
    assert program("cache", "plan", log).code == 0
    log.write_text(log.read_text().replace(', "marks": {"0": "5m"}', ""))
    refused = program("cache", "plan", log, "--apply", tmp_path / "marked", "--json")
    assert (refused.code, refused.document["error"]["code"]) == (2, "no-text")


def test_the_same_log_is_reported(program: Any, log: Path) -> None:
    answer = program("report", log, "--json")
    assert answer.document["result"]["total"]["requests"] == 4
