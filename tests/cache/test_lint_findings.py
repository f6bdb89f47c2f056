"""What `cache lint` says, and what it is silent about."""

from __future__ import annotations

from typing import Any

import pytest
from cache_requests import DAY, HOUR, MARK, OPUS, StatedCounter, body, logged, talk, text, tool

from costkit.cache.lint import CacheLint, lint_caching
from costkit.cache.traffic import LoggedRequest, Unusable
from costkit.core.pricebook import PriceBook


@pytest.fixture
def lint(book: PriceBook) -> Any:
    def run(*requests: Any, models: tuple[str, ...] = (OPUS,)) -> CacheLint:
        items = [item if isinstance(item, LoggedRequest | Unusable) else logged(item, where="f") for item in requests]
        return lint_caching(items, StatedCounter(), book, DAY, models)

    return run


def found(result: CacheLint) -> list[tuple[str, str]]:
    return [(finding.code, finding.where.removeprefix("f:")) for finding in result.findings]


def test_a_sound_request_has_no_findings(lint: Any) -> None:
    result = lint(body(text("900 tokens", MARK), "20 tokens", system=[text("5000 tokens", HOUR)]))
    assert (result.requests, result.breakpoints, result.findings) == (1, 2, ())


def test_a_request_without_breakpoints_has_no_findings(lint: Any) -> None:
    result = lint(body("5 tokens at 2026-11-21T10:00:00Z"))
    assert (result.breakpoints, result.findings) == (0, ())


def test_more_than_four_breakpoints(lint: Any) -> None:
    five = [text(f"900 tokens {number}", MARK) for number in range(5)]
    assert found(lint(body(*five))) == [("too-many-breakpoints", "messages[0].content[4].cache_control")]


def test_automatic_caching_counts_as_one_of_four(lint: Any) -> None:
    marked = [text(f"900 tokens {number}", MARK) for number in range(4)]
    (finding,) = lint(body(*marked, "1 token", cache_control=MARK)).findings
    assert (finding.code, finding.where) == ("too-many-breakpoints", "f:cache_control")
    assert "automatic caching included" in finding.message


def test_automatic_caching_that_repeats_the_last_breakpoint_counts_nothing(lint: Any) -> None:
    marked = [text(f"900 tokens {number}", MARK) for number in range(4)]
    assert found(lint(body(*marked, cache_control=MARK))) == []


def test_automatic_caching_may_not_contradict_the_last_breakpoint(lint: Any) -> None:
    assert found(lint(body(text("900 tokens", HOUR), cache_control=MARK))) == [("ttl-conflict", "cache_control")]


def test_breakpoints_inside_of_tool_results_count_too(lint: Any) -> None:
    inner = [text(f"900 tokens {number}", MARK) for number in range(5)]
    result = {"type": "tool_result", "tool_use_id": "t", "content": inner}
    (finding, *_) = lint(body("900 tokens", result)).findings
    assert (finding.code, finding.where) == (
        "too-many-breakpoints",
        "f:messages[0].content[1].content[4].cache_control",
    )


def test_an_hour_after_five_minutes(lint: Any) -> None:
    request = body(text("900 tokens", HOUR), system=[text("900 tokens", MARK)])
    assert found(lint(request)) == [("ttl-order", "messages[0].content[0].cache_control")]


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text", "text": " \n", "cache_control": MARK},
        {"type": "thinking", "thinking": "…", "signature": "s", "cache_control": MARK},
        {"type": "redacted_thinking", "data": "x", "cache_control": MARK},
    ],
)
def test_a_breakpoint_on_a_block_that_carries_none(lint: Any, block: dict[str, Any]) -> None:
    assert found(lint(body("900 tokens", block))) == [("unmarkable-block", "messages[0].content[1].cache_control")]


def test_a_prefix_below_the_minimum_says_how_many_tokens_are_missing_and_who_would_cache_it(lint: Any) -> None:
    (finding,) = lint(body("9 tokens", system=[text("700 tokens", MARK)], model="claude-haiku-4-5")).findings
    assert (finding.code, finding.where) == ("below-cache-minimum", "f:system[0].cache_control")
    assert (finding.model, finding.missing_tokens) == ("claude-haiku-4-5-20251001", 3396)
    assert "enough for claude-" in finding.message


def test_a_prefix_below_every_minimum_says_so(lint: Any) -> None:
    (finding,) = lint(body(text("100 tokens", MARK))).findings
    assert (finding.missing_tokens, "too few for every active model" in finding.message) == (412, True)


def test_a_body_without_a_model_is_held_against_each_given_one(lint: Any) -> None:
    request = body(text("700 tokens", MARK))
    del request["model"]
    result = lint(request, models=(OPUS, "claude-haiku-4-5", "claude-sonnet-4-5"))
    assert [(f.model, f.missing_tokens) for f in result.findings] == [
        ("claude-haiku-4-5-20251001", 3396),
        ("claude-sonnet-4-5-20250929", 324),
    ]


def test_an_unknown_model_is_a_notice_and_the_other_rules_hold(lint: Any) -> None:
    result = lint(body(text("9 tokens", MARK), text("9 tokens", HOUR), model="claude-gone-9"))
    assert found(result) == [("ttl-order", "messages[0].content[1].cache_control")]
    assert [notice.code for notice in result.notices] == ["unknown-model"]


@pytest.mark.parametrize("level", ["tools", "system"])
def test_a_timestamp_before_a_breakpoint(lint: Any, level: str) -> None:
    stamped = "900 tokens, the time is 2026-11-21T10:00:00Z"
    blocks: dict[str, Any] = {"tools": [tool("a", stamped)], "system": [text(stamped)]}
    (finding,) = lint(body(text("900 tokens", MARK), **{level: blocks[level]})).findings
    assert (finding.code, finding.where.startswith(f"f:{level}[0].")) == ("volatile-value", True)


def test_a_timestamp_behind_the_last_breakpoint_is_where_it_belongs(lint: Any) -> None:
    system = [text("900 tokens", MARK), text("the time is 2026-11-21T10:00:00Z")]
    assert found(lint(body("hello", system=system))) == []


def test_times_in_the_history_of_a_conversation_are_history(lint: Any) -> None:
    assert found(lint(talk("900 tokens, it is now 10:05", "0 yes", "1 token", mark_last=MARK))) == []


def test_a_value_that_is_the_same_in_all_requests_is_cleared(lint: Any) -> None:
    system = [text("900 tokens, generated 2026-11-21T10:00:00Z", MARK)]
    assert found(lint(*(body(f"question {number}", system=system) for number in range(3)))) == []


def test_a_value_that_differs_is_proved_and_said_once(lint: Any) -> None:
    requests = [body("hi", system=[text(f"900 tokens, session id: s-{number}", MARK)]) for number in (17, 18, 19)]
    (finding,) = lint(*requests).findings
    assert (finding.code, finding.requests) == ("volatile-value", 3)
    assert "s-17, then s-18" in finding.message


def test_tools_in_another_order(lint: Any) -> None:
    tools = [tool("a", "900 tokens"), tool("b", "5 tokens", MARK)]
    result = lint(body("hi", tools=tools), body("hi", tools=[tool("b", "5 tokens"), tool("a", "900 tokens", MARK)]))
    assert found(result) == [("unstable-tool-order", "tools")]


def test_keys_in_another_order(lint: Any) -> None:
    one = tool("a", "900 tokens", MARK, properties={"x": {}, "y": {}})
    other = tool("a", "900 tokens", MARK, properties={"y": {}, "x": {}})
    assert found(lint(body("hi", tools=[one]), body("hi", tools=[other]))) == [
        ("unstable-key-order", "tools[0].input_schema")
    ]


def test_other_tools_are_no_other_order(lint: Any) -> None:
    one = [tool("a", "900 tokens"), tool("b", "5 tokens", MARK)]
    assert found(lint(body("hi", tools=one), body("hi", tools=[tool("c"), tool("a", "900 tokens", MARK)]))) == []


def grown(blocks: int, *marked: int) -> dict[str, Any]:
    """A first message, an answer of some blocks, and a second message, marked at these positions."""
    answer = [text(f"50 tokens {number}", MARK if number + 1 in marked else None) for number in range(blocks)]
    first = [text("900 tokens", MARK if 0 in marked else None)]
    request = body(text("5 tokens", MARK))
    request["messages"] = [{"role": "user", "content": first}, {"role": "assistant", "content": answer}] + request[
        "messages"
    ]
    return request


def test_a_turn_of_twenty_blocks_hides_the_previous_end(lint: Any) -> None:
    (finding,) = lint(grown(19)).findings
    assert (finding.code, finding.where) == ("lookback-exceeded", "f:messages[2].content[0].cache_control")
    assert "messages[0].content[0]" in finding.message


@pytest.mark.parametrize("request_", [grown(18), grown(25, 0), grown(25, 19)])
def test_a_shorter_turn_or_a_breakpoint_in_sight_of_it_is_fine(lint: Any, request_: dict[str, Any]) -> None:
    assert found(lint(request_)) == []


@pytest.mark.parametrize(
    "more",
    [
        {"stream": True},
        {"thinking": {"type": "adaptive"}},
        {"tool_choice": {"type": "any"}},
        {"output_config": {"format": {"type": "json_schema"}}},
    ],
)
def test_prewarming_beside_something_that_asks_for_an_answer(lint: Any, more: dict[str, Any]) -> None:
    request = {**body(text("900 tokens", MARK), **more), "max_tokens": 0}
    assert found(lint(request)) == [("prewarming-refused", "max_tokens")]


def test_prewarming_in_a_batch(lint: Any) -> None:
    warm = {**body(text("900 tokens", MARK)), "max_tokens": 0}
    assert found(lint(warm)) == []
    assert found(lint(logged(warm, where="f", batch=True))) == [("prewarming-refused", "max_tokens")]


def test_what_many_requests_share_is_one_finding_with_a_number(lint: Any) -> None:
    (finding,) = lint(*[body(text("100 tokens", MARK))] * 50).findings
    assert finding.requests == 50


def test_what_is_no_request_is_a_finding_and_what_holds_none_a_notice(lint: Any) -> None:
    bad = Unusable("f:3", "invalid-request", "ttl must be 5m or 1h, not '2h'")
    result = lint(
        bad, Unusable("f:4", "no-request-body", "holds none"), Unusable("f:5", "no-request-body", "holds none")
    )
    assert found(result) == [("invalid-request", "3")]
    assert [(notice.code, notice.message) for notice in result.notices] == [
        ("no-request-body", "holds none (and 1 more lines)")
    ]
