"""Lint before money: every rule, its line, and what is remembered of lines that are right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from costkit.adapters.pricing_yaml import built_in_book
from costkit.batch.canonical import RawLine, Shape
from costkit.batch.lint import Linted, Problem, lint_lines
from costkit.batch.rules import Rules

DAY = date(2026, 11, 21)
GOOD: dict[str, Any] = {
    "model": "claude-haiku-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hello"}],
}
MARK = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}


def text(words: str = "Hello", **more: object) -> dict[str, object]:
    return {"type": "text", "text": words, **more}


def line(custom_id: str = "a", /, **params: object) -> str:
    """A batch line; a parameter that is `...` is left out."""
    whole = {name: value for name, value in {**GOOD, **params}.items() if value is not ...}
    return json.dumps({"custom_id": custom_id, "params": whole})


def lint(lines: Iterable[str], **shape: Any) -> Linted:
    raw = (RawLine(number, data.encode(), len(data.encode())) for number, data in enumerate(lines, 1))
    return lint_lines("in.jsonl", raw, Shape(lambda: "0123abcd", **shape), Rules(built_in_book(), DAY))


def found(*lines: str) -> tuple[Problem, ...]:
    return lint(lines).report.problems


def codes(*lines: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in found(*lines)]


def test_a_file_without_problems_is_digested_line_by_line() -> None:
    lines = [line("a"), line("b", model="claude-opus-5-5"), line("c")]
    report = lint(lines).report
    canonical = [json.loads(own) for own in lines]
    data = [
        b'{"custom_id":"%s","params":%s}' % (x["custom_id"].encode(), json.dumps(x["params"]).encode())
        for x in canonical
    ]
    assert report.digest == hashlib.sha256(b"".join(own + b"\n" for own in data)).hexdigest()
    assert report.bytes == sum(map(len, data))
    assert (report.requests, report.problems, report.problems_total) == (3, (), 0)
    assert [(row.model, row.requests) for row in report.models] == [("claude-haiku-5-5", 2), ("claude-opus-5-5", 1)]


def test_the_manifest_knows_each_item_by_index_line_and_id() -> None:
    manifest = lint([line("first"), line("second-one"), line("x" * 64)]).manifest
    assert manifest is not None
    assert list(manifest.custom_ids()) == [(0, 1, "first"), (1, 2, "second-one"), (2, 3, "x" * 64)]
    assert list(manifest.max_tokens) == [100, 100, 100]


@pytest.mark.parametrize("missing", ["model", "max_tokens", "messages"])
def test_model_limit_and_messages_must_be_there(missing: str) -> None:
    assert codes(line(), line("b", **{missing: ...})) == [(2, "missing-parameter")]
    assert codes(line(), line("b", **{missing: None})) == [(2, "missing-parameter")]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"stream": True}, "refused-parameter"),
        ({"speed": "fast"}, "refused-parameter"),
        ({"speed": "standard"}, "refused-parameter"),
        ({"store": True}, "refused-parameter"),
        ({"previous_thread_event_id": "e"}, "refused-parameter"),
        ({"cache_hint": {}}, "refused-parameter"),
        ({"context_hint": {}}, "refused-parameter"),
        ({"research_preview_2026_02": "active"}, "refused-parameter"),
        ({"max_tokens": 0}, "refused-parameter"),
        ({"temperature": 0}, "refused-parameter"),
        ({"top_p": 0.5}, "refused-parameter"),
        ({"top_k": 5}, "refused-parameter"),
        ({"temprature": 1}, "unknown-parameter"),
        ({"custom_id": "b"}, "unknown-parameter"),
        ({"max_tokens": -1}, "invalid-request"),
        ({"max_tokens": "100"}, "invalid-request"),
        ({"max_tokens": True}, "invalid-request"),
        ({"max_tokens": 1.5}, "invalid-request"),
        ({"max_tokens": 300_001}, "max-tokens-above-maximum"),
        ({"messages": []}, "invalid-request"),
        ({"messages": "Hello"}, "invalid-request"),
        ({"messages": [{"role": "robot", "content": "Hello"}]}, "invalid-request"),
        ({"messages": [{"role": "user"}]}, "invalid-request"),
        ({"system": 5}, "invalid-request"),
        ({"tools": {}}, "invalid-request"),
        ({"model": 5}, "invalid-request"),
        ({"model": "claude-haiku-9"}, "unknown-model"),
        ({"model": "gpt-5"}, "unknown-model"),
        ({"model": "anthropic.claude-haiku-4-5-20251001-v1:0"}, "unknown-model"),
        ({"model": "anthropic/claude-haiku-4-5"}, "unknown-model"),
        ({"model": "claude-haiku-4.5"}, "unknown-model"),
        ({"model": "claude-3-opus-20240229"}, "retired-model"),
    ],
)
def test_what_batches_refuse_is_found_in_its_line(params: dict[str, object], code: str) -> None:
    assert codes(line(), line("b", **params), line("c")) == [(2, code)]


@pytest.mark.parametrize(
    "params",
    [
        {"stream": False},
        {"stream": None},
        {"speed": None},
        {"temperature": None},
        {"max_tokens": 300_000},
        {"inference_geo": "us", "metadata": {"user_id": "u"}, "stop_sequences": ["x"], "service_tier": "auto"},
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        {"model": "claude-haiku-4-5"},
        {"model": "claude-haiku-4-5-20251001"},
        {"tools": [{"name": "look", "input_schema": {"type": "object"}}], "tool_choice": {"type": "auto"}},
        {"container": None, "mcp_servers": [], "context_management": {}},
    ],
)
def test_what_batches_take_is_not_complained_about(params: dict[str, object]) -> None:
    assert found(line(), line("b", **params)) == ()


def test_an_unknown_model_is_named_with_the_ones_that_it_may_mean() -> None:
    [problem] = found(line(model="claude-haiku-5-6"))
    assert "'claude-haiku-5-6'" in problem.message
    assert "did you mean claude-haiku-5-5" in problem.message


def test_a_name_of_another_platform_is_translated() -> None:
    [problem] = found(line(model="anthropic/claude-haiku-4-5"))
    assert problem.message.endswith("is the name of another platform: write claude-haiku-4-5-20251001")


def test_the_place_of_a_misshapen_block_is_told() -> None:
    [problem] = found(line(messages=[{"role": "user", "content": [text(), {"text": "no type"}]}]))
    assert problem.message == "params.messages[0].content[1].type: type must be text"


def test_all_problems_of_a_line_are_told() -> None:
    assert codes(line(model=..., stream=True, temperature=1, messages=[])) == [
        (1, "refused-parameter"),
        (1, "refused-parameter"),
        (1, "missing-parameter"),
        (1, "invalid-request"),
    ]


SYSTEM_3 = [text(cache_control=MARK)] * 3


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"system": [*SYSTEM_3, text(), text(cache_control=MARK), text(cache_control=MARK)]}, "too-many-breakpoints"),
        ({"system": [*SYSTEM_3, text(cache_control=MARK)], "cache_control": MARK}, "too-many-breakpoints"),
        ({"system": [text(cache_control=MARK), text(cache_control=HOUR)]}, "ttl-order"),
        ({"system": [text(cache_control=MARK)], "cache_control": HOUR}, "ttl-order"),
        (
            {
                "tools": [{"name": "look", "input_schema": {"type": "object"}, "cache_control": MARK}],
                "messages": [{"role": "user", "content": [text(cache_control=HOUR)]}],
            },
            "ttl-order",
        ),
        (
            {"messages": [{"role": "user", "content": [text(cache_control=HOUR)]}], "cache_control": MARK},
            "cache-mark-refused",
        ),
        ({"system": [text("", cache_control=MARK)]}, "cache-mark-refused"),
        (
            {
                "messages": [
                    {"role": "user", "content": "Hi"},
                    {
                        "role": "assistant",
                        "content": [{"type": "thinking", "thinking": "m", "signature": "s", "cache_control": MARK}],
                    },
                    {"role": "user", "content": "Go on"},
                ]
            },
            "cache-mark-refused",
        ),
        ({"system": [text(cache_control={"type": "ephemeral", "ttl": "2h"})]}, "invalid-request"),
        ({"system": [text(cache_control={"type": "eternal"})]}, "invalid-request"),
    ],
)
def test_cache_breakpoints_keep_the_rules_of_one_body(params: dict[str, object], code: str) -> None:
    assert codes(line(), line("b", **params)) == [(2, code)]


@pytest.mark.parametrize(
    "params",
    [
        {"system": [*SYSTEM_3, text(cache_control=MARK)]},
        {"system": SYSTEM_3, "cache_control": MARK},
        {"system": [text(cache_control=HOUR), text(cache_control=MARK)]},
        {"system": [text(cache_control=HOUR)], "cache_control": MARK},
        {
            "system": SYSTEM_3,
            "messages": [{"role": "user", "content": [text(cache_control=MARK)]}],
            "cache_control": MARK,
        },
        {"messages": [{"role": "user", "content": 'The word "cache_control" alone is no breakpoint'}]},
    ],
)
def test_breakpoints_within_the_rules_pass(params: dict[str, object]) -> None:
    """Automatic caching takes a slot of its own, unless the last block already has a mark of the same ttl."""
    assert found(line(**params)) == ()


def test_breakpoints_inside_of_tool_results_count() -> None:
    result = {
        "type": "tool_result",
        "tool_use_id": "t",
        "content": [text(cache_control=MARK), text(cache_control=MARK)],
        "cache_control": HOUR,
    }
    own = line(system=SYSTEM_3, messages=[{"role": "user", "content": [result]}])
    assert codes(own) == [(1, "too-many-breakpoints"), (1, "ttl-order")]


def test_a_breakpoint_with_an_escaped_name_is_one() -> None:
    own = line(system=[text(cache_control=MARK), text(cache_control=HOUR)]).replace("cache_", "cache\\u005f")
    assert codes(own) == [(1, "ttl-order")]


def test_every_use_of_an_id_after_its_first_is_told_with_the_first() -> None:
    lines = [line("x"), line("y"), line("x"), line("z"), line("x"), line("y")]
    assert [(p.line, p.code, p.custom_id) for p in found(*lines)] == [
        (3, "duplicate-custom-id", "x"),
        (5, "duplicate-custom-id", "x"),
        (6, "duplicate-custom-id", "y"),
    ]
    assert found(*lines)[0].message == "custom_id 'x' is already used in line 1"


def test_an_id_that_a_refused_line_used_is_used() -> None:
    assert codes(line("x", stream=True), line("x")) == [(1, "refused-parameter"), (2, "duplicate-custom-id")]


def test_a_made_id_can_collide_with_a_given_one() -> None:
    assert codes(line("0123abcd-2"), json.dumps(GOOD)) == [(2, "duplicate-custom-id")]


def test_an_input_without_requests_is_refused() -> None:
    report = lint([]).report
    assert [(p.line, p.code) for p in report.problems] == [(0, "empty-input")]
    assert report.digest is None


def test_of_many_problems_the_first_twenty_are_told_and_all_are_counted() -> None:
    report = lint(line(f"id-{number}", stream=True) for number in range(5_000)).report
    assert [problem.line for problem in report.problems] == list(range(1, 21))
    assert report.problems_total == 5_000
    assert [(count.code, count.count) for count in report.problem_counts] == [("refused-parameter", 5_000)]


def test_many_duplicates_are_counted_too() -> None:
    report = lint([line("same")] * 3_000).report
    assert report.problems_total == 2_999
    assert [problem.line for problem in report.problems] == list(range(2, 22))


def test_one_bad_line_among_a_hundred_thousand_is_found_and_nothing_may_be_sent() -> None:
    lines = (line(f"id-{number}", **{"max_tokens": 0} if number == 77_776 else {}) for number in range(100_000))
    linted = lint(lines)
    assert [(p.line, p.code, p.custom_id) for p in linted.report.problems] == [
        (77_777, "refused-parameter", "id-77776")
    ]
    assert linted.report.requests == 100_000
    assert linted.manifest is None


def test_tools_that_the_api_runs_and_breakpoints_are_noted() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    manifest = lint([line("a"), line("b", tools=[search]), line("c", cache_control=MARK)]).manifest
    assert manifest is not None
    assert (manifest.with_server_tools, manifest.with_breakpoints) == (1, 1)
