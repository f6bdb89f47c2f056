"""Plans for logs and for one repeated request."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from cache_requests import HOUR, MARK, body, layout, logged, talk, text, tool
from hypothesis import given, settings
from hypothesis import strategies as st

from costkit.cache.marks import SECOND
from costkit.cache.plan import CachePlan, plan_breakpoints, plan_repeats
from costkit.cache.timeline import in_order, repeated
from costkit.cache.traffic import LoggedRequest
from costkit.errors import InvalidInput

UNIT = Decimal("0.000004")
"""One token of plain input on claude-opus-5-5, in US dollars."""


def plan(requests: Sequence[LoggedRequest]) -> CachePlan:
    return plan_breakpoints(in_order(requests), layout())


def question(number: int, gap: float) -> LoggedRequest:
    """4,500 tokens that all requests share, one of four documents of 12,000, and a question of 150; marked last."""
    content = (f"12000 tokens of document {number % 4}", f"150 tokens of question {number}")
    request = body(*content, system="4500 tokens", cache_control=MARK)
    return logged(request, number * gap)


def tokens(usd: Decimal) -> int:
    """Dollars as tokens of plain input; none of the bills here ends in a fraction of one."""
    whole = usd / UNIT
    assert whole == int(whole)
    return int(whole)


def units(plan: CachePlan, name: str) -> int:
    return tokens(plan.row(name).cost_usd)


def test_questions_about_documents_cost_an_eighth_of_what_automatic_caching_costs() -> None:
    found = plan([question(number, 5) for number in range(40)])
    assert (units(found, "automatic"), units(found, "none"), units(found, "best")) == (832_500, 666_000, 102_000)
    assert units(found, "as-written") == 832_500
    assert [(mark.path.partition(":")[2], mark.ttl) for mark in found.row("best").marks] == [
        ("system", "5m"),
        ("messages[0].content[0]", "5m"),
    ]
    assert (found.recommended, tokens(found.saving_usd), found.exhaustive) == ("best", 730_500, True)


@pytest.mark.parametrize(
    ("gap", "best", "ttls"),
    [(180, 141_375, ["1h", "1h"]), (600, 141_375, ["1h", "1h"]), (1_800, 503_775, ["1h"])],
)
def test_the_slower_the_questions_the_longer_the_ttl_and_the_fewer_the_breakpoints(
    gap: float, best: int, ttls: list[str]
) -> None:
    found = plan([question(number, gap) for number in range(40)])
    assert units(found, "best") == best
    assert [mark.ttl for mark in found.row("best").marks] == ttls


def test_an_agent_of_long_turns_keeps_a_breakpoint_at_the_end_of_the_previous_one() -> None:
    """30 blocks of 100 tokens a turn are more than a breakpoint looks back."""
    turns: list[dict[str, Any]] = [{"role": "user", "content": "5000 tokens"}]
    requests = []
    for number in range(12):
        requests.append(
            logged({"model": "claude-opus-5-5", "messages": list(turns), "cache_control": MARK}, number * 20)
        )
        answer = [text(f"100 tokens {number}.{block}") for block in range(30)]
        turns += [{"role": "assistant", "content": answer}, {"role": "user", "content": f"10 tokens {number}"}]
    found = plan(requests)
    assert units(found, "automatic") > units(found, "none")
    assert [mark.place for mark in found.row("best").marks] == ["the end of the previous turn", "the last block"]
    assert units(found, "best") < units(found, "none") / 4


def test_a_log_is_judged_on_the_half_that_did_not_choose() -> None:
    found = plan([question(number, 5) for number in range(40)])
    assert (found.requests, found.held_out) == (40, 20)
    for row in found.rows:
        assert row.chosen_on_usd is not None
        assert row.scored_on_usd is not None
        assert row.chosen_on_usd + row.scored_on_usd == row.cost_usd


def test_a_plan_that_fails_on_the_second_half_is_not_recommended() -> None:
    """The first half shares its system prompt, the second half never does."""
    early = [logged(body("10 tokens", system="5000 tokens"), number) for number in range(10)]
    late = [logged(body("10 tokens", system=f"5000 tokens {number}"), 10 + number) for number in range(10)]
    found = plan([*early, *late])
    assert found.row("best").chosen_on_usd < found.row("none").chosen_on_usd  # type: ignore[operator]
    assert found.row("best").scored_on_usd > found.row("none").scored_on_usd  # type: ignore[operator]
    assert (found.recommended, tokens(found.saving_usd), found.row("best").marks != ()) == ("as-written", 0, True)
    assert found.plan == ()
    assert "not-confirmed" in [notice.code for notice in found.notices]


def test_requests_that_are_marked_as_well_as_can_be_are_left_alone() -> None:
    system = [text("5000 tokens", MARK)]
    found = plan([logged(body(f"10 tokens {number}", system=system), number) for number in range(20)])
    assert (found.recommended, found.row("best").cost_usd) == ("as-written", found.row("as-written").cost_usd)


def test_breakpoints_that_cost_more_than_none_are_taken_away() -> None:
    found = plan([logged(body(text(f"5000 tokens {number}", HOUR)), number * 9_000) for number in range(20)])
    assert (found.recommended, units(found, "none"), tokens(found.saving_usd)) == ("none", 100_000, 100_000)


def test_few_requests_hold_nothing_out_and_say_so() -> None:
    found = plan([question(number, 5) for number in range(5)])
    assert (found.held_out, found.row("best").chosen_on_usd) == (0, None)
    assert "nothing-held-out" in [notice.code for notice in found.notices]


def test_what_a_breakpoint_saves_is_what_the_plan_costs_without_it() -> None:
    """Without the documents' breakpoint: 36 of them at 1 instead of 0.05, four at 1 instead of 1.25."""
    marks = plan([question(number, 5) for number in range(40)]).row("best").marks
    assert [tokens(mark.saves_usd) for mark in marks] == [16_200, 36 * 11_400 - 4 * 3_000]


def test_one_body_is_repeated_with_a_new_question_each_time() -> None:
    tools = [tool("look", "6000 tokens")]
    timeline = repeated(logged(body("100 tokens", tools=tools)), (number * 60 * SECOND for number in range(40)))
    found = plan_repeats(timeline, layout())
    assert [(mark.place, mark.ttl) for mark in found.row("best").marks] == [("the last tool", "5m")]
    assert units(found, "best") == 6_000 * Decimal("1.25") + 39 * 6_000 * Decimal("0.05") + 40 * 100
    assert [(a.name, a.value) for a in found.assumptions] == [("new_in_every_request", "messages[0].content[0]")]


def test_a_body_without_tools_and_system_is_taken_to_be_the_same_every_time() -> None:
    timeline = repeated(logged(body("6000 tokens")), (number * 60 * SECOND for number in range(10)))
    found = plan_repeats(timeline, layout())
    assert units(found, "best") == 6_000 * Decimal("1.25") + 9 * 6_000 * Decimal("0.05")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (body(*(text(f"900 tokens {number}", MARK) for number in range(5))), "too-many-breakpoints"),
        (body(text("900 tokens", MARK), text("900 tokens", HOUR)), "ttl-order"),
        (body({"type": "thinking", "thinking": "…", "cache_control": MARK}), "unmarkable-block"),
    ],
)
def test_breakpoints_that_the_api_refuses_can_not_be_compared_with(request_: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        plan([logged(request_, where="log.jsonl:1"), logged(body("9 tokens"), 1)])
    assert refused.value.code == code
    assert str(refused.value).startswith("log.jsonl:1:messages[0].content[")


def test_the_order_of_the_lines_does_not_matter() -> None:
    requests = [question(number, 5) for number in range(12)]
    assert plan(requests[::-1]).as_json() == plan(requests).as_json()


WORDS = ["700 tokens a", "700 tokens b", "3000 tokens c", "20 tokens d"]
turns = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5)
sends_of = st.tuples(turns, st.sampled_from([0, 5, 299, 301, 4_000]), st.sampled_from([None, MARK, HOUR]))


@settings(max_examples=150, deadline=None)
@given(st.lists(sends_of, min_size=2, max_size=14))
def test_what_is_recommended_never_costs_more_than_the_requests_as_written_or_than_none(
    sends: list[tuple[list[str], int, Any]],
) -> None:
    moment, requests = 0, []
    for words, gap, mark in sends:
        moment += gap
        requests.append(logged(talk(*words, mark_last=mark if len(words) % 2 else None), moment))
    found = plan(requests)
    recommended = found.row(found.recommended)
    assert recommended.cost_usd <= min(found.row("as-written").cost_usd, found.row("none").cost_usd)
    assert found.saving_usd == found.row("as-written").cost_usd - recommended.cost_usd
    assert found.exhaustive
