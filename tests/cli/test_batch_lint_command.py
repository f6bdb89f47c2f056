"""`costkit batch lint` as a program: pages, documents, exit codes, and what to type next."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

Write = Callable[[str, object], Path]
BODY = {"model": "claude-haiku-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}


def lines(*changes: dict[str, object]) -> str:
    items = [{"custom_id": f"id-{n}", "params": {**BODY, **change}} for n, change in enumerate(changes, 1)]
    return "\n".join(map(json.dumps, items)) + "\n"


def problems_with_the_schema(document: Any) -> list[str]:
    schema = json.loads((resources.files("costkit") / "schemas" / "batch-lint.json").read_text("utf-8"))
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def test_a_file_that_is_ready_shows_what_is_in_it_and_how_to_send_it(program: Any, write: Write) -> None:
    write("in.jsonl", lines({}, {"model": "claude-opus-5-5"}, {}))
    answer = program("batch", "lint", "in.jsonl")
    assert answer.code == 0
    assert answer.out.startswith("in.jsonl · 3 requests · ")
    assert "no problems" in answer.out
    assert answer.err.strip().endswith("costkit batch submit in.jsonl")


def test_findings_are_listed_with_their_lines_and_end_with_4(program: Any, write: Write) -> None:
    write("in.jsonl", lines({}, {"stream": True}, {}, {"max_tokens": 0}))
    answer = program("batch", "lint", "in.jsonl")
    assert answer.code == 4
    assert "in.jsonl · 4 requests · 2 problems" in answer.out
    assert [row.split()[:3] for row in answer.out.split("\n")[2:4]] == [
        ["2", "id-2", "refused-parameter"],
        ["4", "id-4", "refused-parameter"],
    ]
    assert "costkit: 2 problems: nothing was sent" in answer.err


def test_of_many_findings_twenty_are_listed_and_the_rest_is_counted(program: Any, write: Write) -> None:
    write("in.jsonl", lines({"stream": True}) * 30)
    answer = program("batch", "lint", "in.jsonl")
    assert answer.out.count("\n ") == 1 + 20
    assert "39 more; in all 30 refused-parameter, 29 duplicate-custom-id" in answer.out


@pytest.mark.parametrize("changes", [({},), ({"stream": True},), ({}, {"stream": True, "model": "claude-gone-9"}), ()])
def test_documents_fit_their_schema(program: Any, write: Write, changes: tuple[dict[str, object], ...]) -> None:
    write("in.jsonl", lines(*changes))
    answer = program("batch", "lint", "in.jsonl", "--json")
    assert answer.code == answer.document["exit"]
    assert problems_with_the_schema(answer.document) == []


def test_a_document_holds_digest_models_and_the_next_command(program: Any, write: Write) -> None:
    write("my file.jsonl", lines({}, {}))
    result = program("batch", "lint", "my file.jsonl", "--json").document["result"]
    assert result["models"] == [{"model": "claude-haiku-5-5", "requests": 2}]
    assert len(result["digest"]) == 64
    assert result["next"] == "costkit batch submit 'my file.jsonl'"


def test_a_document_of_findings_has_no_digest_and_no_next_command(program: Any, write: Write) -> None:
    write("in.jsonl", lines({}, {"model": "claude-haiku-5-6"}))
    result = program("batch", "lint", "in.jsonl", "--json").document["result"]
    assert (result["digest"], result["bytes"], result["next"], result["models"]) == (None, None, None, [])
    assert [(problem["line"], problem["code"]) for problem in result["problems"]] == [(2, "unknown-model")]
    assert result["problem_counts"] == [{"code": "unknown-model", "count": 1}]


def test_flags_for_lines_of_content_come_back_in_the_next_command(program: Any, write: Write) -> None:
    write("in.jsonl", '{"id":"a","content":"Hello"}\n')
    answer = program("batch", "lint", "in.jsonl", "-m", "claude-haiku-5-5", "--max-tokens", "50", "--json")
    assert answer.document["result"]["next"] == (
        "costkit batch submit in.jsonl --model claude-haiku-5-5 --max-tokens 50"
    )
    assert program("batch", "lint", "in.jsonl").code == 4


def test_gzip_and_standard_input_are_read(program: Any, write: Write) -> None:
    write("in.jsonl.gz", gzip.compress(lines({}).encode()))
    assert program("batch", "lint", "in.jsonl.gz").code == 0
    assert program("batch", "lint", "-", stdin=lines({})).code == 0
    assert program("batch", "lint", "-", stdin=lines({"stream": True})).code == 4


def test_a_retired_model_is_judged_on_the_day_that_is_asked_about(program: Any, write: Write) -> None:
    write("in.jsonl", lines({"model": "claude-3-opus-20240229"}))
    assert program("batch", "lint", "in.jsonl").code == 4
    assert program("batch", "lint", "in.jsonl", "--as-of", "2025-01-01").code == 0


def test_an_input_that_can_not_be_opened_is_an_error(program: Any) -> None:
    answer = program("batch", "lint", "missing.jsonl", "--json")
    assert answer.code == answer.document["exit"] == 2
    assert answer.document["schema"] == "costkit/error@1"


def test_a_csv_holds_the_problems(program: Any, write: Write) -> None:
    write("in.jsonl", lines({"stream": True}))
    rows = program("batch", "lint", "in.jsonl", "-f", "csv").out.splitlines()
    assert rows[0] == "line,custom_id,code,message"
    assert rows[1].startswith("1,id-1,refused-parameter,")


def test_what_a_file_says_comes_out_harmless(program: Any, write: Write) -> None:
    write("in.jsonl", lines({"model": "claude-\x1b[31mred\n"}))
    answer = program("batch", "lint", "in.jsonl")
    assert "\x1b" not in answer.out + answer.err
