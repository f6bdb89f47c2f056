"""Findings add up whatever a log holds, and advice never costs more than doing nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from advise_logs import advice_of, answered, request, response
from cache_requests import HOUR, MARK, body, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from costkit.adapters.logs import read_logs
from costkit.adapters.pricing_yaml import built_in_book
from costkit.advise import ORDER, Advice
from costkit.advise.replay import moved
from costkit.cache.store import Served
from costkit.core.money import total
from costkit.core.usage import Usage
from costkit.report import ReportOptions, report_on

MODELS = st.sampled_from(
    ["claude-opus-5-5", "claude-opus-4-1", "claude-haiku-5-5", "claude-haiku-4-5", "claude-sonnet-4-6", "gpt-x"]
)
TOKENS = st.sampled_from([0, 1, 10, 300, 1_000, 5_000, 30_000, 99_000, 104_000, 400_000])
SECONDS = st.integers(0, 20_000) | st.integers(0, 40) | st.sampled_from([0, 300, 3_600])
ENDS = st.sampled_from([None, "end_turn", "max_tokens", "tool_use", "refusal"])
TAGS = st.sampled_from([{}, {"session": "a"}, {"session": "b"}, {"job": "nightly"}, {"app": "mail"}])
MARKS = st.sampled_from([None, MARK, HOUR])


@st.composite
def responses(draw: st.DrawFn) -> dict[str, Any]:
    tier = draw(st.sampled_from([{}, {}, {"service_tier": "batch"}, {"speed": "fast"}]))
    counts = {name: draw(TOKENS) for name in ("input", "output", "read", "w5", "w1")}
    more = {"tags": draw(TAGS), "stop_reason": draw(ENDS), "usage": tier}
    return response(draw(SECONDS), draw(st.integers(0, 60)), draw(MODELS), **counts, **more)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    stamp = draw(st.sampled_from(["", "\nThe time is 2026-11-21 12:00:00", "\nThe time is 2026-11-21 12:00:01"]))
    system = text(f"{draw(TOKENS)} tokens of rules{stamp}", draw(MARKS))
    marked = draw(MARKS) if system.get("cache_control") != MARK else draw(st.sampled_from([None, MARK]))
    question = text(f"{draw(TOKENS)} tokens of question {draw(st.integers(0, 3))}", marked)
    model = draw(MODELS.filter(lambda name: name != "gpt-x"))
    return body(question, system=[system], model=model)


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    asked = draw(bodies())
    if draw(st.booleans()):
        return request(draw(SECONDS), asked)
    counts = {name: draw(TOKENS) for name in ("input", "output", "read", "w5")}
    end = draw(ENDS)
    return answered(draw(SECONDS), draw(st.integers(0, 60)), asked, **counts, stop_reason=end)


def check_sums(advice: Advice) -> None:
    """The savings are exact, and those of the days are the same as those of the findings."""
    assert total(found.saving_usd for found in advice.findings) == advice.saving_usd
    assert 0 <= advice.saving_usd <= advice.spent_usd
    assert all(found.saving_usd >= 0 and found.saving_usd >= found.at_least_usd for found in advice.findings)
    by_day = total(day.cost_usd - day.after_usd for day in advice.days)
    assert by_day == advice.saving_usd
    assert total(day.cost_usd for day in advice.days) == advice.spent_usd
    codes = [found.code for found in sorted(advice.findings, key=lambda found: found.order)]
    assert codes == [code for code, _ in ORDER if code in codes]
    amounts = [found.saving_usd for found in advice.findings]
    assert amounts == sorted(amounts, reverse=True)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(lines=st.lists(responses(), max_size=25))
def test_savings_of_usage_logs_add_up_and_what_was_spent_is_what_the_report_says(
    tmp_path: Path, lines: list[dict[str, Any]]
) -> None:
    advice = advice_of(tmp_path, lines)
    check_sums(advice)
    report = report_on(read_logs([str(tmp_path / "log.jsonl")]), built_in_book(), ReportOptions(date(2026, 11, 21)))
    assert advice.spent_usd == report.total.cost_usd
    assert advice.requests == report.total.requests
    assert sum(entry.requests for entry in advice.unpriced) == sum(entry.requests for entry in report.unpriced)
    assert advice.duplicates == report.duplicates


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(lines=st.lists(requests() | responses(), max_size=25))
def test_savings_of_logs_with_requests_add_up(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    check_sums(advice_of(tmp_path, lines))


@pytest.mark.parametrize("lines", [[], [{"no": "bill"}]])
def test_a_log_without_a_response_gives_nothing_and_says_so(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    advice = advice_of(tmp_path, lines)
    assert (advice.spent_usd, advice.saving_usd, advice.findings) == (Decimal(0), Decimal(0), ())
    assert [notice.code for notice in advice.notices] == ["nothing-to-judge"]


PARTS = st.tuples(*[st.integers(0, 10_000)] * 4)


@given(before=PARTS, other=PARTS, billed=PARTS)
def test_what_the_cache_does_differently_takes_no_token_out_of_a_bill(
    before: tuple[int, ...], other: tuple[int, ...], billed: tuple[int, ...]
) -> None:
    """However many more tokens were counted than billed: a request of the same length has the same length."""
    length = sum(before)
    read = min(other[0], length)
    after = Served(length - read, read, 0, 0)
    usage = Usage(billed[0], billed[1], billed[2], billed[3])
    assert moved(usage, Served(before[0], before[1], before[2], before[3]), after).prompt_tokens == usage.prompt_tokens
