"""`costkit cache why` through the program."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from published_schemas import problems

MARK = {"type": "ephemeral"}
Write = Callable[[str, object], Path]


def body(words: str = "rules", **more: Any) -> dict[str, Any]:
    system = [{"type": "text", "text": f"Answer with care, by the {words}. " * 300, "cache_control": MARK}]
    messages = [{"role": "user", "content": "Hello"}]
    return {"model": "claude-opus-5-5", "max_tokens": 50, "system": system, "messages": messages, **more}


def log(*sends: tuple[str, dict[str, Any]]) -> str:
    return "".join(json.dumps({"ts": f"2026-11-21T{time}Z", "request": request}) + "\n" for time, request in sends)


def test_two_bodies_show_the_place_the_level_the_excerpts_and_the_dollars(program: Any, write: Write) -> None:
    write("a.json", body("rules"))
    write("b.json", body("books"))
    answer = program("cache", "why", "a.json", "b.json")
    assert answer.code == 0
    assert "changed-prefix" in answer.out
    assert "system, messages" in answer.out
    assert "they diverge in system[0].text at byte" in answer.out
    assert "b.json: «Answer with care, by the books." in answer.out


def test_no_text_shows_places_only(program: Any, write: Write) -> None:
    write("a.json", body("rules"))
    write("b.json", body("books"))
    for format_ in ("table", "json", "csv", "markdown"):
        answer = program("cache", "why", "a.json", "b.json", "--no-text", "-f", format_)
        assert answer.code == 0
        assert "Answer with care" not in answer.out


def test_two_bodies_with_the_same_prefix_miss_nothing(program: Any, write: Write) -> None:
    write("a.json", body())
    write("b.json", body(messages=[{"role": "user", "content": "Another question"}]))
    result = program("cache", "why", "a.json", "b.json", "--json").document["result"]
    assert (result["hits"], result["misses"], result["cost_usd"]) == (1, [], "0")


def test_a_log_tells_causes_apart_and_stands_beside_the_apis_own_reason(program: Any, write: Write) -> None:
    response = {
        "usage": {"input_tokens": 5, "output_tokens": 5, "cache_read_input_tokens": 0},
        "diagnostics": {"cache_miss_reason": {"type": "system_changed", "cache_missed_input_tokens": 2000}},
    }
    changed = {"ts": "2026-11-21T09:10:10Z", "request": body("books"), "response": response}
    sends = log(("09:00:00", body()), ("09:00:00", body()), ("09:10:00", body()))
    write("log.jsonl", sends + json.dumps(changed) + "\n")
    answer = program("cache", "why", "log.jsonl", "--json")
    misses = answer.document["result"]["misses"]
    assert [miss["cause"] for miss in misses] == ["concurrent", "ttl-expired", "changed-prefix"]
    assert (misses[2]["api_reason"], misses[2]["api_missed_tokens"]) == ("system_changed", 2000)
    assert misses[2]["divergence"]["invalidates"] == ["system", "messages"]
    assert problems(answer.document) == []


def test_only_the_dearest_misses_are_shown_and_the_rest_counted(program: Any, write: Write) -> None:
    write("log.jsonl", log(*(("09:00:00", body()) for _ in range(5))))
    answer = program("cache", "why", "log.jsonl", "--top", "1")
    assert answer.out.count("concurrent") == 1
    assert "3 more misses" in answer.out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"request": BODY}\n{"request": BODY}\n{"request": BODY}\n', "no request says when it was sent"),
        ('{"ts": "2026-11-21T09:00:00Z", "usage": {"input_tokens": 5}}\n', "no request body found"),
    ],
)
def test_a_log_that_lacks_something_says_what_to_log_and_how(
    program: Any, write: Write, content: str, said: str
) -> None:
    write("log.jsonl", content.replace("BODY", json.dumps(body())))
    answer = program("cache", "why", "log.jsonl")
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert '{"ts": "2026-11-21T09:00:00Z", "request": {' in answer.err


def test_lines_that_can_not_be_used_are_named(program: Any, write: Write) -> None:
    write(
        "log.jsonl", log(("09:00:00", body()), ("09:00:10", body())) + '{"usage": {}}\n{"request": {"messages": []}}\n'
    )
    answer = program("cache", "why", "log.jsonl")
    assert answer.code == 0
    assert "log.jsonl:3: holds no request body" in answer.err
    assert "log.jsonl:4" in answer.err


def test_one_request_alone_is_nothing_to_compare(program: Any, write: Write) -> None:
    write("log.jsonl", log(("09:00:00", body())))
    answer = program("cache", "why", "log.jsonl", "--json")
    assert (answer.code, answer.document["exit"]) == (2, 2)


def test_an_unknown_model_can_not_be_priced(program: Any, write: Write) -> None:
    write("log.jsonl", log(("09:00:00", body(model="claude-gone-9")), ("09:00:10", body())))
    assert program("cache", "why", "log.jsonl").code == 5
