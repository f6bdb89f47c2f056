"""What advice says about caching, priced by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from advise_logs import advice_of, answered, codes, finding, request, response
from cache_requests import HOUR, MARK, body, text

USD = Decimal


def asked(number: int, mark: object = None, system: str = "10000 tokens of rules", **more: Any) -> dict[str, Any]:
    """A request with a long system prompt and a question of its own."""
    return body(f"200 tokens of question {number}", system=[text(system, mark)], **more)


def test_a_repeated_prefix_without_breakpoints_is_priced_with_the_best_ones(tmp_path: Path) -> None:
    """Ten times 10,200 tokens at $4, against one write at $5, nine reads at $0.20 and ten questions."""
    advice = advice_of(tmp_path, [request(60 * number, asked(number)) for number in range(10)])
    assert advice.spent_usd == USD("0.408")
    found = finding(advice, "uncached-prefixes")
    assert found.saving_usd == USD("0.408") - (USD("0.05") + 9 * USD("0.002") + USD("0.008"))
    assert found.observed.tokens == 90_000
    assert found.observed.places[0].endswith("log.jsonl:1")
    assert "the last system block (5m)" in found.remedy
    assert (found.certainty, found.at_least_usd) == ("computed", found.saving_usd)


def test_a_mark_on_a_block_that_always_changes_costs_its_premium(tmp_path: Path) -> None:
    lines = [
        request(60 * n, body(text(f"2000 tokens of question {n}", MARK), system=[text(f"9000 tokens {n}")]))
        for n in range(6)
    ]
    advice = advice_of(tmp_path, lines)
    assert codes(advice) == ["idle-breakpoints"]
    assert advice.saving_usd == 6 * 11_000 * USD("0.000001")


def test_entries_that_expire_between_requests_are_priced_for_an_hour(tmp_path: Path) -> None:
    """The golden example of the simulator: every 400 seconds, five minutes cost 0.508, an hour 0.106 (no output)."""
    advice = advice_of(tmp_path, [request(400 * number, asked(number, MARK)) for number in range(10)])
    assert advice.spent_usd == USD("0.508")
    found = finding(advice, "expired-entries")
    assert found.saving_usd == USD("0.402")
    assert found.remedy == "let the entries live for an hour on the last system block"
    assert found.detail == (("keep-alive requests instead", "$0.0180 for 9 pauses"),)
    assert [(miss.cause, miss.requests) for miss in advice.misses] == [("ttl-expired", 9)]


def test_keep_alive_requests_cost_what_the_tier_of_their_prompt_costs(tmp_path: Path) -> None:
    """200,000 tokens read at 0.05 and not at 0.01, twice in ten minutes; after 280 seconds the entry is still there."""
    starts = (0, 600, 880)
    lines = [response(s, n, "claude-haiku-5-5", w5=200_000, tags={"session": "a"}) for n, s in enumerate(starts[:2])]
    lines.append(response(starts[2], 2, "claude-haiku-5-5", read=200_000, tags={"session": "a"}))
    found = finding(advice_of(tmp_path, lines), "expired-entries")
    assert found.detail == (("keep-alive requests instead", "$0.0200 for 1 pause"),)


def test_an_hour_is_not_bought_where_five_minutes_are_read(tmp_path: Path) -> None:
    advice = advice_of(tmp_path, [request(60 * number, asked(number, HOUR)) for number in range(10)])
    assert codes(advice) == ["hour-entries"]
    assert advice.saving_usd == USD("0.03")


def test_a_breakpoint_below_the_minimum_is_filled_up_where_reads_pay_for_it(tmp_path: Path) -> None:
    """3,000 tokens on claude-haiku-4-5 are not cached; 4,096 are, and are read nine times at a tenth."""
    lines = [
        request(60 * n, asked(n, MARK, "3000 tokens of rules", model="claude-haiku-4-5-20251001")) for n in range(10)
    ]
    advice = advice_of(tmp_path, lines)
    assert advice.spent_usd == USD("0.032")
    moved = finding(advice, "cheaper-successor")
    assert moved.saving_usd > 0, "the successor has a lower minimum, and caches the prefix as it is"
    assert "small-prefixes" not in codes(advice)


def test_a_breakpoint_below_the_minimum_of_a_current_model(tmp_path: Path) -> None:
    lines = [request(20 * n, asked(n, MARK, "500 tokens of rules")) for n in range(40)]
    found = finding(advice_of(tmp_path, lines), "small-prefixes")
    plain, filled = 40 * 500 * USD("0.000004"), (512 * USD("0.000005") + 39 * 512 * USD("0.0000002"))
    assert found.saving_usd == plain - filled
    assert (found.certainty, found.at_least_usd) == ("likely", USD(0))


def test_a_prefix_below_the_minimum_that_nobody_would_read_is_told_without_dollars(tmp_path: Path) -> None:
    lines = [request(9000 * n, asked(n, MARK, "300 tokens of rules")) for n in range(3)]
    found = finding(advice_of(tmp_path, lines), "small-prefixes")
    assert (found.saving_usd, found.remedy[:19]) == (USD(0), "drop the breakpoint")


def test_turns_of_more_than_twenty_blocks_lose_their_entry(tmp_path: Path) -> None:
    lines = []
    for turn in range(4):
        messages: list[dict[str, Any]] = []
        for earlier in range(turn + 1):
            blocks = [text(f"100 tokens {earlier} {number}") for number in range(25)]
            blocks[-1] = text(f"100 tokens {earlier} last", MARK if earlier == turn else None)
            messages += [{"role": "user", "content": blocks}, {"role": "assistant", "content": [text("5 tokens ok")]}]
        lines.append(request(30 * turn, {"model": "claude-opus-5-5", "max_tokens": 9, "messages": messages[:-1]}))
    advice = advice_of(tmp_path, lines)
    found = finding(advice, "lost-breakpoints")
    read = 2500 + 2505 + 2500 + 2505 + 2505 + 2500
    assert found.saving_usd == read * (USD("0.000005") - USD("0.0000002"))


def test_requests_at_the_same_instant_can_not_read_each_others_entries(tmp_path: Path) -> None:
    advice = advice_of(tmp_path, [request(0, asked(number, MARK)) for number in range(5)])
    found = finding(advice, "simultaneous-requests")
    assert found.saving_usd == 4 * 10_000 * (USD("0.000005") - USD("0.0000002"))
    assert found.observed.requests == 4
    assert codes(advice) == ["simultaneous-requests"], "sent one after the other, they read what the first one wrote"


def test_a_timestamp_in_the_system_prompt_is_moved_behind_the_prefix(tmp_path: Path) -> None:
    lines = [
        request(60 * n, asked(n, MARK, f"10000 tokens of rules\nThe time is 2026-11-21 12:{n:02}:00")) for n in range(9)
    ]
    advice = advice_of(tmp_path, lines)
    assert codes(advice) == ["idle-breakpoints", "volatile-prefixes"]
    assert advice.spent_usd - advice.saving_usd == USD("0.05") + 8 * USD("0.002") + 9 * 200 * USD("0.000004")


def test_what_was_billed_is_the_measure_where_the_simulation_disagrees(tmp_path: Path) -> None:
    """The log says that everything was read already: nothing can be saved by better breakpoints."""
    lines = [answered(60 * n, n, asked(n, MARK), input=200, read=10_000, output=10) for n in range(10)]
    advice = advice_of(tmp_path, lines)
    assert (advice.findings, advice.saving_usd) == ((), USD(0))


def test_a_saving_is_scaled_down_where_more_was_counted_than_billed(tmp_path: Path) -> None:
    """The bills say half of what the blocks say: so does the saving."""
    whole = [answered(60 * n, n, asked(n), input=10_200, output=10) for n in range(10)]
    half = [answered(60 * n, n, asked(n), input=5_100, output=10) for n in range(10)]
    savings = [finding(advice_of(tmp_path, lines), "uncached-prefixes").saving_usd for lines in (whole, half)]
    assert savings == [USD("0.332"), USD("0.166")]


def test_a_usage_log_shows_entries_that_expired_in_a_session(tmp_path: Path) -> None:
    """Ten minutes between turns: 20,000 tokens are written again, then 21,000, instead of read."""
    lines = [
        response(0, 1, w5=20_000, input=10, output=50, tags={"session": "s"}),
        response(600, 2, w5=21_000, input=10, output=50, tags={"session": "s"}),
        response(1200, 3, w5=22_000, input=10, output=50, tags={"session": "s"}),
    ]
    found = finding(advice_of(tmp_path, lines), "expired-entries")
    before = 63_000 * USD("0.000005")
    after = 22_000 * USD("0.000008") + 41_000 * USD("0.0000002")
    assert found.saving_usd == before - after
    assert found.certainty == "likely"


def test_a_session_that_wrote_and_never_read_needs_no_cache(tmp_path: Path) -> None:
    lines = [response(9000 * n, n, w5=8_000 + n, tags={"session": "s"}) for n in range(4)]
    advice = advice_of(tmp_path, lines)
    assert codes(advice) == ["idle-breakpoints"]
    assert advice.saving_usd == sum(8_000 + n for n in range(4)) * USD("0.000001")


def test_responses_with_the_same_tags_stand_for_a_session_where_none_is_named(tmp_path: Path) -> None:
    lines = [response(600 * n, n, w5=8_000, input=100, tags={"app": "mail"}) for n in range(5)]
    found = finding(advice_of(tmp_path, lines), "expired-entries")
    assert found.saving_usd == 5 * USD("0.04") - (USD("0.064") + 4 * USD("0.0016"))


def test_a_conversation_that_shrinks_is_not_taken_for_an_expired_entry(tmp_path: Path) -> None:
    """After the pause it began anew: an hour would not have helped."""
    lines = [
        response(0, 1, w5=50_000, tags={"session": "s"}),
        response(60, 2, read=50_000, w5=500, tags={"session": "s"}),
        response(900, 3, w5=9_000, tags={"session": "s"}),
    ]
    assert "expired-entries" not in codes(advice_of(tmp_path, lines))
