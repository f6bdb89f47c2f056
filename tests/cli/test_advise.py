"""`costkit advise` as people and scripts use it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from advise_logs import answered, request, response
from cache_requests import MARK, body, text
from looking import DESK, PHONE, assert_looks_right, assert_readable_by_all, needs_browser, outline_of
from published_schemas import problems

Write = Callable[[str, object], Path]
RULES = "Answer in one sentence, and say which page it is from. " * 80
ODD = "<script>alert(1)</script>"


def log_of(lines: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def asked(number: int) -> dict[str, Any]:
    return body(f"Question {number}?", system=[text(RULES)])


REQUESTS = log_of([answered(60 * n, n, asked(n), input=1_000, output=20) for n in range(10)])
MIXED = log_of(
    [
        response(60, 101, "claude-opus-4-1", input=50_000, output=900, stop_reason="end_turn"),
        response(86_400, 102, input=500, output=90, stop_reason="end_turn", tags={"job": "nightly", "who": ODD}),
        response(99_999, 103, "claude-gone-9", input=1),
        request(5, body(text("What now?", MARK), model="claude-opus-5-5")),
    ]
)


def test_the_amounts_come_first_and_the_next_command_last(program: Any, write: Write) -> None:
    write("log.jsonl", REQUESTS)
    answer = program("advise", "log.jsonl", "--offline")
    assert answer.code == 0
    first = answer.out.splitlines()[0]
    assert first.startswith("$0.0440 spent · 10 requests · $0.0")
    assert "could be saved" in first
    assert "repeated prefixes sent uncached" in answer.out
    assert answer.err.splitlines()[-1].startswith("costkit cache plan LOG --apply DIR")


@pytest.mark.parametrize("log", [REQUESTS, MIXED, "", "{}\n", MIXED + REQUESTS + '{"torn'])
def test_the_document_fits_its_schema(program: Any, write: Write, log: str) -> None:
    write("log.jsonl", log)
    answer = program("advise", "log.jsonl", "--offline", "--json")
    assert answer.code == answer.document["exit"] == 0
    assert problems(answer.document) == []


def test_a_log_from_a_pipe_and_a_packed_one_give_the_same_findings(program: Any, write: Write) -> None:
    import gzip

    write("log.jsonl.gz", gzip.compress(MIXED.encode()))
    piped = program("advise", "-", "--json", "--offline", stdin=MIXED).document["result"]
    packed = program("advise", "log.jsonl.gz", "--json", "--offline").document["result"]
    assert [f["saving_usd"] for f in piped["findings"]] == [f["saving_usd"] for f in packed["findings"]] != []


def test_markdown_is_fit_for_an_issue(program: Any, write: Write) -> None:
    write("log.jsonl", MIXED)
    answer = program("advise", "log.jsonl", "--offline", "-f", "markdown")
    lines = answer.out.splitlines()
    assert lines[0].startswith("**at least $0.8")
    assert lines[2].startswith("| finding | saves |")
    assert "<script>" not in answer.out


def test_top_shows_the_first_and_counts_the_others(program: Any, write: Write) -> None:
    write("log.jsonl", MIXED)
    answer = program("advise", "log.jsonl", "--offline", "--top", "1")
    assert "more: a larger --top shows them" in answer.out


def test_what_no_log_tells_is_named_as_an_assumption(program: Any, write: Write) -> None:
    write("log.jsonl", MIXED)
    found = program("advise", "log.jsonl", "--offline", "--json").document["assumptions"]
    assert ("newer_tokenizer_per_older_token", "1.30") in [(each["name"], each["value"]) for each in found]


def test_nothing_to_judge_is_said_first(program: Any) -> None:
    answer = program("advise", "-", stdin="no log at all\n")
    assert (answer.code, answer.out.splitlines()[0]) == (0, "$0.00 spent · 0 requests · nothing to judge")


def test_dates_cut_the_log(program: Any, write: Write) -> None:
    write("log.jsonl", MIXED)
    since = program("advise", "log.jsonl", "--offline", "--json", "--since", "2026-11-22").document["result"]
    assert (since["requests"], since["unpriced"][0]["requests"]) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("missing.jsonl", "missing.jsonl"),
        ("log.jsonl --since yesterday", "--since 'yesterday' is not a date"),
        ("log.jsonl --dedupe twice", "unknown way to dedupe 'twice'"),
        ("log.jsonl --tokens guess", "--tokens"),
        ("log.jsonl --top 0", "--top"),
        ("log.jsonl --since 2026-11-22 --until 2026-11-20", "--since must come before --until"),
    ],
)
def test_bad_input_is_one_line_and_one_document(program: Any, write: Write, arguments: str, message: str) -> None:
    write("log.jsonl", MIXED)
    answer = program("advise", *arguments.split(), "--json")
    assert answer.code == answer.document["exit"] == 2
    assert message in answer.document["error"]["message"]
    assert len(answer.err.splitlines()) == 1


def test_requests_that_no_api_would_take_are_skipped_by_reason(program: Any, write: Write) -> None:
    broken = {"ts": "2026-11-21T12:00:00Z", "request": {"model": "claude-opus-5-5", "messages": [{"role": "robot"}]}}
    write("log.jsonl", MIXED + log_of([broken]) + '{"ts": 1, "usage": {"input_tokens": -1}, "model": "m"}\n')
    skipped = program("advise", "log.jsonl", "--offline", "--json").document["result"]["skipped"]
    assert [(entry["reason"], entry["examples"]) for entry in skipped] == [
        ("bad-usage: usage.input_tokens is negative", ["log.jsonl:6"]),
        ("invalid-request", ["log.jsonl:5"]),
    ]


@pytest.fixture
def page(program: Any, write: Write) -> Path:
    """The page of a log with findings of several kinds on several days."""
    path = write("log.jsonl", MIXED + REQUESTS)
    assert program("advise", "log.jsonl", "--offline", "-o", "advise.html").code == 0
    return path.parent / "advise.html"


def test_the_page_has_a_picture_and_every_finding(page: Path) -> None:
    assert_readable_by_all(page)
    assert {"svg", "article", "ul"} <= set(outline_of(page).tags)


@needs_browser
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("dark", [True, False])
def test_a_browser_shows_the_page_without_a_complaint(page: Path, tmp_path: Path, width: int, dark: Any) -> None:
    assert_looks_right(page, tmp_path, width=width, dark=dark)


def test_the_answer_goes_to_the_terminal_beside_the_page(program: Any, write: Write) -> None:
    write("log.jsonl", MIXED)
    assert "spent" in program("advise", "log.jsonl", "--offline", "-o", "a.html").out
