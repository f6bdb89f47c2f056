"""`costkit cache lint` through the program: files, exit codes, formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MARK = {"type": "ephemeral"}
GOOD = {
    "model": "claude-opus-5-5",
    "max_tokens": 50,
    "system": [{"type": "text", "text": "Answer with care. " * 400, "cache_control": MARK}],
    "messages": [{"role": "user", "content": "Hello"}],
}
SMALL = {**GOOD, "model": "claude-opus-4-6"}
Write = Callable[[str, object], Path]


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def test_sound_requests_end_with_exit_code_0(program: Any, write: Write) -> None:
    write("body.json", GOOD)
    answer = program("cache", "lint", "body.json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines()[0] == "1 request · 1 breakpoint · nothing to put right"


def test_findings_end_with_exit_code_4_and_name_file_line_and_path(program: Any, write: Write) -> None:
    write("log.jsonl", lines({"ts": 1, "request": GOOD}, {"ts": 2, "request": SMALL}))
    answer = program("cache", "lint", "log.jsonl")
    assert answer.code == 4
    assert "log.jsonl:2:request.system[0].cache_control" in answer.out
    assert "below-cache-minimum" in answer.out
    assert answer.err == "costkit: 1 finding to put right\n"


def test_the_document_holds_the_missing_tokens(program: Any, write: Write) -> None:
    write("body.json", SMALL)
    document = program("cache", "lint", "body.json", "--json").document
    (finding,) = document["result"]["findings"]
    assert (document["schema"], document["exit"], finding["model"]) == ("costkit/cache-lint@1", 4, "claude-opus-4-6")
    assert 0 < finding["missing_tokens"] < 4096


@pytest.mark.parametrize("format_", ["csv", "markdown"])
def test_other_formats_hold_the_same_findings(program: Any, write: Write, format_: str) -> None:
    write("body.json", SMALL)
    answer = program("cache", "lint", "body.json", "-f", format_)
    assert answer.code == 4
    assert "too few for claude-opus-4-6" in answer.out


def test_several_files_a_folder_and_stdin(program: Any, write: Write) -> None:
    write("prompts/a.json", GOOD)
    write("prompts/b.jsonl", lines({"custom_id": "x", "params": SMALL}))
    assert program("cache", "lint", "prompts").out.startswith("2 requests · 2 breakpoints · 1 finding")
    assert program("cache", "lint", "-", stdin=json.dumps(SMALL)).code == 4


def test_a_body_that_the_api_would_not_take_is_a_finding(program: Any, write: Write) -> None:
    bad = {**GOOD, "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "2h"}}]}
    write("log.jsonl", lines(bad, GOOD))
    answer = program("cache", "lint", "log.jsonl", "--json")
    (finding,) = answer.document["result"]["findings"]
    assert (answer.code, finding["code"], finding["where"]) == (4, "invalid-request", "log.jsonl:1")
    assert "ttl must be 5m or 1h" in finding["message"]


def test_an_unknown_model_leaves_its_minimum_undecided(program: Any, write: Write) -> None:
    write("body.json", {**GOOD, "model": "claude-gone-9"})
    answer = program("cache", "lint", "body.json", "--json")
    assert (answer.code, answer.warnings) == (5, ["unknown-model"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lines({"ts": 1, "usage": {"input_tokens": 5}}), "no request body found"),
        ("", "empty-file"),
        ("hello", "log.jsonl:1: is no JSON"),
    ],
)
def test_files_without_a_request_are_invalid_input(program: Any, write: Write, content: str, said: str) -> None:
    write("log.jsonl", content)
    answer = program("cache", "lint", "log.jsonl")
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_help_lists_the_three_commands(program: Any) -> None:
    answer = program("cache", "--help")
    assert answer.code == 0
    assert [name for name in ("lint", "why", "plan") if f"\n  {name} " in answer.out] == ["lint", "why", "plan"]
