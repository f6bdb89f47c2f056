"""Each miss is put down to its one cause, and priced."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from cache_requests import DAY, HOUR, MARK, StatedCounter, body, layout, logged, talk, text

from costkit.adapters.pricing_yaml import built_in_book
from costkit.cache.miss import CAUSES, CacheWhy, Miss, without_text
from costkit.cache.sent import Layout
from costkit.cache.timeline import in_order
from costkit.cache.traffic import LoggedRequest
from costkit.cache.why import explain_misses

PREFIX = [text("10000 tokens of rules", MARK)]


def explain(requests: Sequence[LoggedRequest]) -> CacheWhy:
    return explain_misses(requests, layout(), starts=[one.sent or 0 for one in requests])


def miss_of(*requests: LoggedRequest) -> Miss:
    (miss,) = explain(requests).misses
    return miss


def ask(number: int, second: float = 0, **more: Any) -> LoggedRequest:
    extra = {name: more.pop(name) for name in ("read", "batch", "message_id", "previous_message_id") if name in more}
    return logged(body(f"20 tokens {number}", **{"system": PREFIX, **more}), second, **extra)


def test_requests_that_read_what_they_can_are_hits() -> None:
    why = explain([ask(1, 0), ask(2, 60), ask(3, 120)])
    assert (why.hits, why.first, why.misses, why.cost_usd) == (2, 1, (), Decimal(0))


def test_a_changed_prefix_costs_write_minus_read_from_the_difference_to_the_breakpoint() -> None:
    """$4 a million tokens: written at 1.25 times that, read at 0.05 times."""
    miss = miss_of(ask(1), ask(2, 10, system=[text("10000 tokens of new rules", MARK)]))
    assert (miss.cause, miss.lost_tokens, miss.unmarked_tokens) == ("changed-prefix", 10_000, 0)
    assert miss.lost_usd == Decimal("0.048")
    assert miss.divergence is not None
    assert (miss.divergence.path, miss.divergence.level, miss.previous) == ("system[0].text", "system", "at 0")


def test_what_was_the_same_but_not_marked_is_told_apart() -> None:
    system = [text("8000 tokens that stay"), text("2000 tokens, Monday", MARK)]
    later = [text("8000 tokens that stay"), text("2000 tokens, Tuesday", MARK)]
    miss = miss_of(ask(1, system=system), ask(2, 10, system=later))
    assert (miss.lost_tokens, miss.unmarked_tokens) == (2_000, 8_000)
    assert (miss.lost_usd, miss.unmarked_usd) == (Decimal("0.0096"), Decimal("0.0384"))
    assert miss.cost_usd == Decimal("0.048")


def test_a_breakpoint_before_the_difference_keeps_what_is_before_it() -> None:
    system = [text("8000 tokens that stay", MARK), text("2000 tokens, Monday", MARK)]
    later = [text("8000 tokens that stay", MARK), text("2000 tokens, Tuesday", MARK)]
    miss = miss_of(ask(1, system=system), ask(2, 10, system=later))
    assert (miss.read_tokens, miss.lost_tokens, miss.unmarked_tokens) == (8_000, 2_000, 0)


def test_a_difference_behind_the_last_breakpoint_costs_nothing() -> None:
    assert explain([ask(1), ask(2, 10)]).misses == ()


def test_automatic_caching_of_a_new_question_loses_the_whole_prompt() -> None:
    automatic: dict[str, Any] = {"system": "10000 tokens of rules", "cache_control": MARK}
    miss = miss_of(ask(1, **automatic), ask(2, 10, **automatic))
    assert (miss.lost_tokens, miss.unmarked_tokens) == (20, 10_000)


@pytest.mark.parametrize(("mark", "idle"), [(MARK, 300), (HOUR, 3_600)])
def test_an_expired_entry_says_how_long_it_was_idle(mark: dict[str, str], idle: int) -> None:
    system = [text("10000 tokens of rules", mark)]
    miss = miss_of(ask(1, system=system), ask(2, 10, system=system), ask(3, 10 + idle, system=system))
    assert (miss.cause, miss.idle_seconds, miss.lost_tokens, miss.previous) == ("ttl-expired", idle, 10_000, "at 10")


def test_an_entry_a_second_before_its_end_is_read() -> None:
    assert explain([ask(1), ask(2, 299)]).misses == ()


def test_requests_at_one_instant_can_not_read_from_each_other() -> None:
    miss = miss_of(ask(1), ask(2))
    assert (miss.cause, miss.lost_tokens, miss.lost_usd) == ("concurrent", 10_000, Decimal("0.048"))


def test_a_prefix_below_the_minimum_says_what_is_missing_and_is_not_priced() -> None:
    small = [text("500 tokens of rules", MARK)]
    first, second = explain([ask(1, system=small), ask(2, 10, system=small)]).misses
    assert (first.cause, second.missing_tokens, second.cost_usd) == ("below-minimum", 12, Decimal(0))


def test_another_model_shares_nothing() -> None:
    miss = miss_of(ask(1), ask(2, 10, model="claude-sonnet-5-5"))
    assert (miss.cause, miss.lost_tokens, miss.previous) == ("model-changed", 10_000, "at 0")
    assert "claude-opus-5-5" in miss.message


def test_another_speed_shares_nothing() -> None:
    assert miss_of(ask(1), ask(2, 10, speed="fast")).cause == "speed-changed"


def test_batches_and_other_requests_share_nothing() -> None:
    assert miss_of(ask(1), ask(2, 10, batch=True)).cause == "batch-apart"


def test_an_entry_that_no_breakpoint_looks_back_to() -> None:
    words = ["900 tokens first", *(f"50 tokens {number}" for number in range(24)), "5 tokens last"]
    long = body(*words[:-1], text(words[-1], MARK))
    miss = miss_of(logged(body(text(words[0], MARK))), logged(long, 10))
    assert (miss.cause, miss.lost_tokens) == ("lookback-exceeded", 900)


def test_a_setting_that_changed_is_a_changed_prefix() -> None:
    earlier, later = talk("900 tokens", "5 a", "5 b", mark_last=MARK), talk("900 tokens", "5 a", "5 b", mark_last=MARK)
    miss = miss_of(logged(earlier), logged({**later, "thinking": {"type": "adaptive"}}, 10))
    assert miss.divergence is not None
    assert (miss.cause, miss.divergence.path, miss.divergence.invalidates) == (
        "changed-prefix",
        "thinking",
        ("messages",),
    )


def test_a_read_that_nothing_speaks_against_and_that_did_not_happen_is_unexplained() -> None:
    why = explain([ask(1, read=0), ask(2, 10, read=0)])
    assert [(miss.cause, miss.lost_tokens, miss.observed_read_tokens) for miss in why.misses] == [
        ("unexplained", 10_000, 0)
    ]
    assert (why.observed, why.agreed) == (2, 1)


def test_a_read_of_something_before_the_log_began_is_a_hit() -> None:
    why = explain([ask(1, read=10_000)])
    assert (why.hits, why.first, why.agreed, why.misses) == (1, 0, 0, ())


def test_requests_without_breakpoints_are_counted_apart() -> None:
    why = explain([ask(1, system="10000 tokens"), ask(2, 10, system="10000 tokens")])
    assert (why.unmarked, why.misses) == (2, ())


def test_a_request_that_names_its_predecessor_is_compared_with_that_one() -> None:
    other = [text("10000 tokens of other rules", MARK)]
    changed = [text("10000 tokens of changed rules", MARK)]
    requests = [
        ask(1, 0, message_id="msg_1"),
        ask(2, 10, system=other),
        ask(3, 20, system=changed, previous_message_id="msg_1"),
    ]
    miss = explain(requests).misses[-1]
    assert (miss.where, miss.previous) == ("at 20", "at 0")


def test_causes_add_up_to_the_whole_and_the_dearest_comes_first() -> None:
    why = explain([ask(1), ask(2), ask(3, 400), ask(4, 410, model="claude-haiku-5-5")])
    assert sum((cause.cost_usd for cause in why.causes), Decimal(0)) == why.cost_usd
    assert [cause.cost_usd for cause in why.causes] == sorted((c.cost_usd for c in why.causes), reverse=True)
    assert {cause.cause for cause in why.causes} <= set(CAUSES)


def test_without_text_no_word_of_the_requests_is_left() -> None:
    why = explain([ask(1), ask(2, 10, system=[text("10000 tokens of secrets", MARK)])])
    assert "secrets" in repr(why)
    assert "secrets" not in repr(without_text(why))


def test_dollars_follow_the_day_of_each_request_and_the_batch_price() -> None:
    book = built_in_book()
    requests = [ask(1, batch=True), ask(2, 10, batch=True, system=[text("10000 tokens of new rules", MARK)])]
    why = explain_misses(requests, Layout(StatedCounter(), book, DAY), starts=[one.sent or 0 for one in requests])
    assert why.cost_usd == Decimal("0.024")


def test_a_request_that_the_api_refused_left_nothing_to_read() -> None:
    five = logged(body(*(text(f"900 tokens {number}", MARK) for number in range(5))), 5, where="log.jsonl:2")
    timeline = in_order([ask(1), five, ask(2, 10)], pairs=True)
    assert [one.where for one in timeline.requests] == ["at 0", "at 10"]
    assert [(notice.code, notice.where) for notice in timeline.notices] == [
        ("too-many-breakpoints", "log.jsonl:2:messages[0].content[4].cache_control")
    ]


def test_a_request_without_content_is_passed_over() -> None:
    empty = logged({"model": "claude-opus-5-5", "messages": [{"role": "user", "content": []}]}, 5, where="log.jsonl:2")
    timeline = in_order([ask(1), empty, ask(2, 10)])
    assert [(notice.code, notice.where) for notice in timeline.notices] == [("no-content", "log.jsonl:2")]
