"""What a choice of models costs: switching, tokenizers, and never a dollar that is not on some bill."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.adapters.pricing_yaml import built_in_book
from costkit.adapters.tokens import make_counter
from costkit.core.request import parse_request
from costkit.core.usage import Usage
from costkit.errors import InvalidInput
from costkit.estimate import Prompt
from costkit.route import Kind, Reason, Route, RouteComparison, RouteOptions, Routes, Verdict, compare_routes
from costkit.route.price import Pricer

BOOK = built_in_book()
DAY = date(2026, 11, 21)
COUNTER = make_counter("fast", offline=True, cache_dir=None, environ={})
HAIKU, SONNET, OPUS, OLD = "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-sonnet-4-6"
LONG = "Be brief, be kind and never promise what you can't keep. " * 200
ROUTES = Routes((Route("quick", HAIKU, ("simple",)), Route("rest", OPUS)), OPUS)


def prompt(question: str, *, cached: bool = True, model: str | None = None, ttl: str = "5m") -> Prompt:
    mark = {"cache_control": {"type": "ephemeral", "ttl": ttl}} if cached else {}
    body: dict[str, Any] = {
        "system": [{"type": "text", "text": LONG, **mark}],
        "messages": [{"role": "user", "content": question}],
    }
    return Prompt("log.jsonl", 0, parse_request(body | ({"model": model} if model else {})))


def verdict(complexity: str | None, usage: Usage | None = None, **more: Any) -> Verdict:
    return Verdict(Kind(complexity) if complexity else None, (Reason("complexity", "test", "so"),), usage, **more)


def compare(prompts: list[Prompt], *complexities: str, **options: Any) -> RouteComparison:
    verdicts = [verdict(complexity) for complexity in complexities]
    return compare_routes(prompts, verdicts, ROUTES, COUNTER, BOOK, RouteOptions(DAY, **options))


@pytest.mark.parametrize("ttl", ["5m", "1h"])
def test_a_switch_throws_away_what_the_formula_says(ttl: str) -> None:
    """(w - r) · S · P_new, for the request that finds its prefix in the cache of the other model."""
    prompts = [prompt("One?", ttl=ttl), prompt("Two?", ttl=ttl)]
    pricer = Pricer(prompts, COUNTER, BOOK, DAY)
    plan, (first, second) = pricer.plan("x", [HAIKU, OPUS], Decimal(0))
    rates = BOOK.quote(BOOK.key_for(Usage(), OPUS, DAY)).rates
    written = second.usage.cache_creation_input_tokens
    write = rates.cache_write_5m if ttl == "5m" else rates.cache_write_1h
    assert written > 2_000
    assert plan.switching_usd == (write - rates.cache_read) * written / 1_000_000
    assert (plan.switches, first.switched, second.switched) == (1, False, True)


def test_staying_throws_nothing_away_and_coming_back_finds_the_old_entry() -> None:
    pricer = Pricer([prompt(f"{number}?") for number in range(3)], COUNTER, BOOK, DAY)
    stays, each = pricer.plan("x", [OPUS] * 3, Decimal(0))
    assert (stays.switches, stays.switching_usd) == (0, Decimal(0))
    assert [one.usage.cache_read_input_tokens > 0 for one in each] == [False, True, True]
    back, each = pricer.plan("x", [OPUS, HAIKU, OPUS], Decimal(0))
    assert back.switches == 1
    assert [one.usage.cache_read_input_tokens > 0 for one in each] == [False, False, True]


def test_requests_without_breakpoints_have_nothing_to_throw_away() -> None:
    found = compare([prompt("One?", cached=False), prompt("Two?", cached=False)], "simple", "complex")
    assert [plan.switches for plan in found.plans] == [0, 0, 0]


def test_each_model_counts_with_its_own_tokenizer() -> None:
    new, _ = Pricer([prompt("One?")], COUNTER, BOOK, DAY).plan("x", [OPUS], Decimal(0))
    old, _ = Pricer([prompt("One?")], COUNTER, BOOK, DAY).plan("x", [OLD], Decimal(0))
    assert new.input_tokens.tokens > old.input_tokens.tokens * 11 // 10
    assert new.usage.prompt_tokens == new.input_tokens.tokens


def test_a_prompt_over_a_tier_cliff_costs_the_cheap_model_dearly() -> None:
    """claude-haiku-5-5 costs five times as much from 100,001 tokens on: the price is that of the request itself."""
    long = Prompt("p", 0, parse_request({"messages": [{"role": "user", "content": "word " * 150_000}]}))
    plan, (one,) = Pricer([long], COUNTER, BOOK, DAY, 10).plan("x", [HAIKU], Decimal(0))
    assert one.usage.prompt_tokens > 100_000
    assert plan.cost_usd == BOOK.cost(one.usage, HAIKU, DAY).total_usd


def test_the_plain_ways_of_choosing_stand_beside_the_routes() -> None:
    found = compare([prompt("One?", model=OPUS), prompt("Two?", model=HAIKU)], "simple", "complex", output_tokens=100)
    assert [plan.name for plan in found.plans] == ["routed", "always-strong", "always-cheap", "today"]
    costs = {plan.name: plan.cost_usd for plan in found.plans}
    assert costs["always-cheap"] < costs["today"] < costs["always-strong"]
    shares = {plan.name: {share.model: share.requests for share in plan.shares} for plan in found.plans}
    assert shares["always-strong"] == {OPUS: 2}
    assert shares["always-cheap"] == {HAIKU: 2}
    assert shares["routed"] == shares["today"] == {HAIKU: 1, OPUS: 1}


def test_today_is_left_out_where_a_body_names_no_model_or_an_unknown_one() -> None:
    found = compare([prompt("One?"), prompt("Two?", model="gpt-5")], "simple", "simple")
    assert [plan.name for plan in found.plans] == ["routed", "always-strong", "always-cheap"]
    assert {"no-model", "unknown-model"} <= {notice.code for notice in found.notices}


def test_the_classifiers_own_cost_is_in_the_routes_and_in_nothing_else() -> None:
    usage = Usage(input_tokens=700, output_tokens=20)
    verdicts = [
        verdict("simple", usage),
        verdict("simple", usage, is_remembered=True),
        verdict(None, usage, is_batch=True),
    ]
    options = RouteOptions(DAY, classifier="api", classifier_model=HAIKU)
    found = compare_routes([prompt("1?"), prompt("2?"), prompt("3?")], verdicts, ROUTES, COUNTER, BOOK, options)
    one = BOOK.cost(usage, HAIKU, DAY).total_usd
    assert [plan.classifier_usd for plan in found.plans] == [one * 2 + one / 2, 0, 0]
    assert found.plans[0].cost_usd == found.plans[0].requests_usd + one * 2 + one / 2
    assert (found.fallbacks, found.classified_now) == (1, 2)
    assert found.items[2].model == OPUS


def test_fast_requests_are_priced_at_the_usual_speed_where_a_model_has_no_fast_mode() -> None:
    body = {"speed": "fast", "messages": [{"role": "user", "content": "Hello"}], "model": OPUS}
    found = compare([Prompt("p", 0, parse_request(body))], "simple")
    assert "no-fast-mode" in {notice.code for notice in found.notices}
    fast = BOOK.cost(found.plans[3].usage, OPUS, DAY, fast=True).total_usd
    assert found.plans[3].cost_usd == fast > BOOK.cost(found.plans[3].usage, OPUS, DAY).total_usd


def test_nothing_to_route_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no request to route"):
        compare([])


def test_a_retired_model_in_the_routes_is_said() -> None:
    routes = Routes((Route("all", "claude-opus-4-1-20250805"),), OPUS)
    found = compare_routes([prompt("One?")], [verdict("simple")], routes, COUNTER, BOOK, RouteOptions(DAY))
    assert "model-retired" in {notice.code for notice in found.notices}


@given(st.lists(st.tuples(st.sampled_from([HAIKU, SONNET, OPUS]), st.booleans()), min_size=1, max_size=6))
def test_a_plan_is_the_sum_of_its_requests_and_switching_is_a_part_of_it(choice: list[tuple[str, bool]]) -> None:
    prompts = [prompt(f"Question {number}?", cached=cached) for number, (_, cached) in enumerate(choice)]
    models = [model for model, _ in choice]
    plan, each = Pricer(prompts, COUNTER, BOOK, DAY, 50).plan("x", models, Decimal(0))
    assert plan.cost_usd == sum(BOOK.cost(one.usage, one.model, DAY).total_usd for one in each)
    assert sum(share.cost_usd for share in plan.shares) == plan.cost_usd
    assert 0 <= plan.switching_usd <= plan.requests_usd
    alone, _ = Pricer(prompts, COUNTER, BOOK, DAY, 50).plan("x", [models[0]] * len(models), Decimal(0))
    assert alone.switches == 0
