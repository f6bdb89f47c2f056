"""`costkit cache plan` through the program."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from published_schemas import problems

MARK = {"type": "ephemeral"}
RULES = "Answer with care, by the rules. " * 300
Write = Callable[[str, object], Path]


def body(question: str = "Hello", **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": question}]
    return {"model": "claude-opus-5-5", "max_tokens": 50, "system": RULES, "messages": messages, **more}


def log(count: int = 20, field: str = "request", **more: Any) -> str:
    return "".join(
        json.dumps({"ts": 1_795_251_600 + number * 10, field: body(f"Question {number}", **more)}) + "\n"
        for number in range(count)
    )


@pytest.mark.parametrize("field", ["request", "params"])
def test_a_log_shows_every_row_and_what_each_breakpoint_saves(program: Any, write: Write, field: str) -> None:
    write("log.jsonl", log(field=field, cache_control=MARK))
    answer = program("cache", "plan", "log.jsonl")
    assert answer.code == 0
    assert answer.out.startswith("20 requests · best: 1 breakpoint, saves $")
    for row in (" best ", " runner-up ", " automatic ", " as-written ", " none "):
        assert f"\n{row}" in answer.out
    assert f"log.jsonl:1:{field}.system" in answer.out
    assert "chosen on the first 10 requests, scored on the other 10" in answer.out
    assert "--apply DIR" in answer.err


def test_the_document_fits_its_schema(program: Any, write: Write) -> None:
    write("log.jsonl", log())
    answer = program("cache", "plan", "log.jsonl", "--apply", "marked", "--json")
    assert problems(answer.document) == []
    result = answer.document["result"]
    assert (result["recommended"], result["exhaustive"], result["held_out"]) == ("best", True, 10)


def test_one_body_is_repeated(program: Any, write: Write) -> None:
    write("body.json", body())
    answer = program("cache", "plan", "body.json", "--repeats", "40", "--every", "10min", "--json")
    assert problems(answer.document) == []
    best = answer.document["result"]["rows"][0]
    assert [mark["ttl"] for mark in best["marks"]] == ["1h"]
    assert answer.document["assumptions"] == [
        {
            "name": "new_in_every_request",
            "value": "messages[0].content",
            "source": "breakpoints and levels of the request",
        }
    ]


def test_applied_requests_are_valid_and_planned_as_best_again(program: Any, write: Write, tmp_path: Path) -> None:
    write("log.jsonl", log(cache_control=MARK))
    answer = program("cache", "plan", "log.jsonl", "--apply", "marked")
    assert answer.code == 0
    assert "--- log.jsonl:1" in answer.out
    assert '+      "cache_control": {' in answer.out
    written = [json.loads(line) for line in (tmp_path / "marked/log.jsonl").read_text("utf-8").splitlines()]
    assert len(written) == 20
    assert written[3]["ts"] == 1_795_251_630
    assert "cache_control" not in written[3]["request"]
    assert program("cache", "lint", "marked/log.jsonl").code == 0
    again = program("cache", "plan", "marked/log.jsonl", "--json").document["result"]
    assert (again["recommended"], again["saving_usd"]) == ("as-written", "0")


def test_a_body_is_applied_as_a_body(program: Any, write: Write, tmp_path: Path) -> None:
    write("body.json", body())
    assert program("cache", "plan", "body.json", "-n", "40", "--apply", "marked").code == 0
    marked = json.loads((tmp_path / "marked/body.json").read_text("utf-8"))
    assert marked == {**body(), "system": [{"type": "text", "text": RULES, "cache_control": MARK}]}


def test_nothing_is_written_where_nothing_is_better(program: Any, write: Write, tmp_path: Path) -> None:
    system = [{"type": "text", "text": RULES, "cache_control": MARK}]
    write("log.jsonl", log(system=system))
    answer = program("cache", "plan", "log.jsonl", "--apply", "marked", "--json")
    assert (answer.code, answer.document["result"]["applied"]) == (0, None)
    assert not (tmp_path / "marked").exists()


def test_what_was_read_is_never_written_over(program: Any, write: Write, tmp_path: Path) -> None:
    write("log.jsonl", log())
    before = (tmp_path / "log.jsonl").read_bytes()
    answer = program("cache", "plan", "log.jsonl", "--apply", ".")
    assert (answer.code, (tmp_path / "log.jsonl").read_bytes()) == (2, before)
    assert "written over" in answer.err


@pytest.mark.parametrize(
    ("arguments", "content", "said"),
    [
        (("log.jsonl",), json.dumps(body()), "--repeats N --every GAP"),
        (("log.jsonl",), f"{json.dumps(body())}\n{json.dumps(body())}\n", "no request says when it was sent"),
        (("log.jsonl", "--repeats", "0"), json.dumps(body()), "not between 1"),
        (("log.jsonl", "--every", "soon"), json.dumps(body()), "not a duration"),
        (("log.jsonl", "--every", "-5s"), json.dumps(body()), "negative"),
        (("log.jsonl", "--repeats", "5"), log(3), "need one request, not 3"),
        (("log.jsonl",), log(3, cache_control={"type": "ephemeral", "ttl": "2h"}), "ttl must be 5m or 1h, not '2h'"),
        (("log.jsonl", "--apply", "log.jsonl"), log(), "is a file, not a folder"),
        (
            ("log.jsonl",),
            log(3, system=[{"type": "text", "text": RULES, "cache_control": MARK}] * 5),
            "5 breakpoints; the API allows 4",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    program: Any, write: Write, arguments: tuple[str, ...], content: str, said: str
) -> None:
    write("log.jsonl", content)
    answer = program("cache", "plan", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_standard_input_can_be_planned_but_not_applied(program: Any) -> None:
    assert program("cache", "plan", "-", stdin=log()).code == 0
    answer = program("cache", "plan", "-", "--apply", "marked", stdin=log())
    assert (answer.code, "--apply needs files" in answer.err) == (2, True)
