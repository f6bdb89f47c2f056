"""What advice says about models, contents and repeats, priced by hand."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from advise_logs import CharacterCounter, advice_of, answered, codes, finding, request, response
from cache_requests import body, talk, text

USD = Decimal


def test_a_model_with_a_cheaper_successor_is_priced_with_its_extra_tokens(tmp_path: Path) -> None:
    """15/75 against 4/20 with 1.3 times the tokens, at worst 1.46 times."""
    advice = advice_of(tmp_path, [response(0, 1, "claude-opus-4-1", input=100_000, output=10_000)])
    found = finding(advice, "cheaper-successor")
    assert advice.spent_usd == USD("2.25")
    assert found.saving_usd == USD("2.25") - USD("1.3") * (USD("0.4") + USD("0.2"))
    assert found.at_least_usd == USD("2.25") - USD("1.46") * (USD("0.4") + USD("0.2"))
    assert found.remedy == "use claude-opus-5-5 instead of claude-opus-4-1-20250805"
    assert found.certainty == "likely"


def test_the_tokens_of_a_logged_text_are_counted_and_not_estimated(tmp_path: Path) -> None:
    """The counter of this test gives the same number to every tokenizer: only the output is estimated."""
    lines = [answered(0, 1, body("100000 tokens", model="claude-opus-4-1"), input=100_000, output=10_000)]
    found = finding(advice_of(tmp_path, lines), "cheaper-successor")
    assert found.saving_usd == USD("2.25") - (USD("0.4") + USD("1.3") * USD("0.2"))


def test_a_successor_that_could_cost_more_at_worst_is_only_a_candidate(tmp_path: Path) -> None:
    """claude-opus-4-6 at 5/25 and $0.50 for a read, claude-opus-5-5 at 4/20 and $0.20."""
    lines = [response(0, 1, "claude-opus-4-6", input=100_000, output=10_000, read=300_000)]
    found = finding(advice_of(tmp_path, lines), "cheaper-successor")
    assert found.certainty == "candidate"
    assert found.saving_usd > 0 > found.at_least_usd


def test_fast_mode_is_priced_at_the_standard_speed(tmp_path: Path) -> None:
    lines = [response(0, 1, input=10_000, output=1_000, usage={"speed": "fast"})]
    advice = advice_of(tmp_path, lines)
    assert codes(advice) == ["fast-mode"]
    assert advice.spent_usd - advice.saving_usd == USD("0.06")


def test_a_prompt_just_over_a_tier_is_priced_at_its_end(tmp_path: Path) -> None:
    advice = advice_of(tmp_path, [response(0, 1, "claude-haiku-5-5", input=100_001, output=2_000)])
    found = finding(advice, "tier-cliff")
    assert (advice.spent_usd, found.saving_usd) == (USD("0.0550005"), USD("0.0440005"))
    assert found.observed.tokens == 1


def test_a_prompt_far_over_a_tier_is_left_alone(tmp_path: Path) -> None:
    assert codes(advice_of(tmp_path, [response(0, 1, "claude-haiku-5-5", input=110_001, output=10)])) == []


def test_identical_requests_are_paid_once(tmp_path: Path) -> None:
    lines = [answered(n, n, body("1000 tokens of the same"), input=1_000, output=100) for n in range(4)]
    lines.append(answered(9, 9, body("1000 tokens of the same", temperature=0.5), input=1_000, output=100))
    found = finding(advice_of(tmp_path, lines), "identical-requests")
    assert found.saving_usd == 3 * (USD("0.004") + USD("0.002"))
    assert found.observed.requests == 3
    assert found.at_least_usd == 0


def test_a_refused_request_sent_again_is_waste_for_sure(tmp_path: Path) -> None:
    lines = [
        answered(n, n, body("1000 tokens to refuse"), input=1_000, output=10, stop_reason="refusal") for n in range(3)
    ]
    found = finding(advice_of(tmp_path, lines), "refused-requests")
    assert found.saving_usd == 3 * USD("0.0042")
    assert found.at_least_usd == 2 * USD("0.0042")
    assert found.what == "3 refused (2 of them sent before), 0 cut off and sent again"


def test_an_answer_that_was_cut_off_and_asked_for_again_was_wasted(tmp_path: Path) -> None:
    question = body("1000 tokens of question")
    lines = [
        answered(0, 1, question, input=1_000, output=100, stop_reason="max_tokens"),
        answered(9, 2, {**question, "max_tokens": 500}, input=1_000, output=300),
    ]
    found = finding(advice_of(tmp_path, lines), "refused-requests")
    assert found.saving_usd == found.at_least_usd == USD("0.006")


def tool_round(name: str, number: int, words: str) -> list[dict[str, Any]]:
    """A call of a tool and its result."""
    call = {"type": "tool_use", "id": f"toolu_{number}", "name": "read", "input": {"path": name}}
    result = {"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": "", "text": words}
    return [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]


def test_a_tool_result_that_was_there_before_is_sent_as_a_reference(tmp_path: Path) -> None:
    """5,000 tokens the second time, in two requests: 20 tokens each instead."""
    start = [{"role": "user", "content": "100 tokens of task"}]
    first, again = tool_round("a.py", 1, "5000 tokens"), tool_round("a.py", 2, "5000 tokens")
    other = tool_round("b.py", 3, "300 tokens")
    base = {"model": "claude-opus-5-5", "max_tokens": 100}
    lines = [
        request(0, {**base, "messages": start + first}),
        request(5000, {**base, "messages": start + first + again}),
        request(9999, {**base, "messages": start + first + again + other}),
    ]
    found = finding(advice_of(tmp_path, lines), "repeated-tool-calls")
    assert found.saving_usd == 2 * 4_980 * USD("0.000004")
    assert found.what.startswith("1 result the same")


def test_old_tool_results_are_cleared_where_that_saves_more_than_it_invalidates(tmp_path: Path) -> None:
    messages: list[dict[str, Any]] = [{"role": "user", "content": "1000 tokens of task"}]
    lines = []
    for turn in range(12):
        lines.append(request(7200 * turn, {"model": "claude-opus-5-5", "max_tokens": 9, "messages": list(messages)}))
        messages += tool_round(f"{turn}.py", turn, "10000 tokens")
    advice = advice_of(tmp_path, lines)
    found = finding(advice, "growing-contexts")
    assert "from 30,000 tokens on, clear tool results but the last 3" in found.remedy
    assert found.saving_usd > advice.spent_usd / 3
    assert found.certainty == "candidate"


def test_a_growing_session_of_a_usage_log_is_summarised_and_pays_for_the_summary(tmp_path: Path) -> None:
    lines = [
        response(60 * n, n, read=5_000 + 9_000 * n, w5=9_000, input=5, output=200, tags={"session": "s"})
        for n in range(40)
    ]
    found = finding(advice_of(tmp_path, lines), "growing-contexts")
    assert "summarise the conversation" in found.remedy
    assert 0 < found.saving_usd < found.observed.cost_usd
    assert found.how == ("/compact   in Claude Code; in a program, ask for a summary and begin anew with it",)


def test_indented_json_is_counted_with_and_without_its_white_space(tmp_path: Path) -> None:
    """`{"a": [1, 2]}` over several lines: the white space between the values is 30 characters, tokens here."""
    indented = json.dumps({"a": [1, 2], "b": "x  y"}, indent=4)
    compact = '{"a":[1,2],"b":"x  y"}'
    lines = [request(400 * n, body(f"Case {n}\n{indented}\nWhat is it?")) for n in range(3)]
    found = finding(advice_of(tmp_path, lines, CharacterCounter()), "indented-json")
    assert found.saving_usd == 3 * (len(indented) - len(compact)) * USD("0.000004")
    assert found.certainty == "computed"


def test_short_simple_requests_on_a_top_model(tmp_path: Path) -> None:
    lines = [response(9000 * n, n, input=1_000, output=100, stop_reason="end_turn") for n in range(3)]
    lines.append(response(50_000, 9, input=50_000, output=100, stop_reason="end_turn"))
    found = finding(advice_of(tmp_path, lines), "smaller-model")
    assert found.saving_usd == 3 * (USD("0.006") - USD("0.00015"))
    assert found.what.startswith("3 of 4 requests")
    assert ("claude-haiku-5-5", "$0.00045") in found.detail
    assert found.at_least_usd == 0


@pytest.mark.parametrize(
    "more",
    [
        {"stop_reason": "tool_use"},
        {"usage": {"service_tier": "batch"}},
        {"output": 301},
        {"model": "claude-sonnet-5-5"},
    ],
)
def test_what_is_not_short_and_simple_on_a_top_model(tmp_path: Path, more: dict[str, Any]) -> None:
    lines = [response(0, 1, **{"input": 1_000, "output": 100, **more})]
    assert codes(advice_of(tmp_path, lines)) == []


def test_requests_that_nobody_waited_for_by_their_tag(tmp_path: Path) -> None:
    """Half of the undiscounted price, and nothing is read from a cache there."""
    lines = [
        response(n, n, input=9_000, output=1_000, tags={"job": "nightly"}, stop_reason="end_turn") for n in range(4)
    ]
    lines.append(response(99, 99, input=9_000, output=1_000, tags={"job": "chat"}, stop_reason="end_turn"))
    found = finding(advice_of(tmp_path, lines), "batch-candidates")
    assert found.saving_usd == 4 * USD("0.056") / 2
    assert found.detail == (("job=nightly", "4 requests: the tag says 'nightly'"),)
    assert (found.certainty, found.at_least_usd) == ("candidate", USD(0))


@pytest.mark.parametrize(
    ("starts", "sign"),
    [
        ([float(n) for n in range(20)], "bursts, 19 of 19 within two seconds of the one before"),
        ([n * 86_400.0 + 60 * k for n in range(4) for k in range(5)], "always in the hour from 12:00 UTC, on 4 days"),
    ],
)
def test_requests_that_nobody_waited_for_by_their_rhythm(tmp_path: Path, starts: list[float], sign: str) -> None:
    lines = [response(s, n, input=9_000, output=1_000, tags={"a": "b"}) for n, s in enumerate(starts)]
    assert finding(advice_of(tmp_path, lines), "batch-candidates").detail[0][1].endswith(sign)


def test_people_at_work_are_no_batch(tmp_path: Path) -> None:
    lines = [response(700 * n, n, input=9_000, output=1_000, tags={"a": "b"}) for n in range(20)]
    assert codes(advice_of(tmp_path, lines)) == []


def test_reads_that_a_batch_may_not_find_can_make_it_dearer(tmp_path: Path) -> None:
    lines = [response(n, n, read=100_000, input=10, output=10, tags={"job": "eval"}) for n in range(4)]
    assert codes(advice_of(tmp_path, lines)) == []


def test_a_generous_limit_is_told_without_dollars(tmp_path: Path) -> None:
    lines = [answered(0, 1, {**talk("3000 tokens"), "max_tokens": 64_000}, input=3_000, output=100)]
    found = finding(advice_of(tmp_path, lines), "generous-limits")
    assert (found.saving_usd, found.remedy) == (USD(0), "set max_tokens to about 200")
    assert "by up to $1.28" in found.risk


def test_a_usage_log_says_what_to_log_for_the_rest(tmp_path: Path) -> None:
    advice = advice_of(tmp_path, [response(0, 1, input=9_000, output=1_000)])
    missing = {entry.code: entry.log for entry in advice.not_judged}
    assert "costkit.track" in missing["uncached-prefixes"]
    assert "content=True" in missing["indented-json"]
    assert "session" in missing["lifetimes"]


def test_a_log_with_everything_leaves_nothing_unjudged(tmp_path: Path) -> None:
    lines = [answered(0, 1, body(text("3000 tokens")), input=3_000, output=100)]
    assert advice_of(tmp_path, lines).not_judged == ()
