"""An estimate from a sample is about all requests, agrees with the full one within its band, and says what it is."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from costkit.adapters.pricing_yaml import built_in_book
from costkit.core.request import parse_request
from costkit.core.tokens import TokenCounter
from costkit.estimate import Estimate, EstimateOptions, Prompt, estimate_requests
from costkit.estimate.sample import Sample, draw_sample

BOOK = built_in_book()
DAY = date(2026, 11, 21)
OPUS, HAIKU = "claude-opus-5-5", "claude-haiku-5-5"
Counters = Callable[..., TokenCounter]


def prompt(index: int, tokens: int, model: str = OPUS, **more: object) -> Prompt:
    messages = [{"role": "user", "content": f"{tokens} tokens"}]
    return Prompt("in.jsonl", index, parse_request({"model": model, "max_tokens": 50, "messages": messages, **more}))


def crowd(count: int, largest: int = 3_000, **more: object) -> tuple[list[Prompt], list[int]]:
    dice = random.Random(11)  # noqa: S311
    tokens = [dice.randint(100, largest) for _ in range(count)]
    sizes = [number * 4 + dice.randint(-200, 200) + 400 for number in tokens]
    return [prompt(index, number, **more) for index, number in enumerate(tokens)], sizes  # type: ignore[arg-type]


def sampled(
    prompts: list[Prompt], sizes: list[int], wanted: int, counter: TokenCounter, options: EstimateOptions
) -> tuple[Estimate, Sample]:
    limits = [-1 if one.request.max_tokens is None else one.request.max_tokens for one in prompts]
    names = [str(one.request.model) for one in prompts]
    sample = draw_sample(sizes, [sorted(set(names)).index(name) for name in names], limits, wanted)
    members = [prompts[member] for member in sample.members]
    return estimate_requests(members, counter, BOOK, options, {"in.jsonl": sample}), sample


OPTIONS = [
    EstimateOptions(DAY),
    EstimateOptions(DAY, batch=True),
    EstimateOptions(DAY, output_tokens=20, requests=3),
    EstimateOptions(DAY, models=(OPUS, HAIKU), max_tokens=70),
    EstimateOptions(DAY, cache="5m", requests=4),
    EstimateOptions(DAY, inference_geo="us"),
]


@pytest.mark.parametrize("options", OPTIONS)
def test_the_full_estimate_lies_in_the_band_of_the_sampled_one(stated: Counters, options: EstimateOptions) -> None:
    prompts, sizes = crowd(1_500)
    full = estimate_requests(prompts, stated(2), BOOK, options)
    some, _ = sampled(prompts, sizes, 300, stated(2), options)
    assert [total.model for total in some.totals] == [total.model for total in full.totals]
    for own, all_ in zip(some.items, full.items, strict=True):
        assert (own.requests, own.output_tokens) == (all_.requests, all_.output_tokens)
        assert own.input_tokens.low <= all_.input_tokens.tokens <= own.input_tokens.high
        assert own.input_tokens.high - own.input_tokens.low < all_.input_tokens.tokens // 20
        assert own.cost_usd is not None
        assert all_.cost_usd is not None
        assert own.cost_usd.low <= all_.cost_usd.expected
        assert own.cost_usd.ceiling is not None
        assert all_.cost_usd.ceiling is not None
        assert all_.cost_usd.ceiling <= own.cost_usd.ceiling < all_.cost_usd.ceiling * Decimal("1.05")


@pytest.mark.parametrize("options", OPTIONS)
def test_a_sample_of_everything_gives_the_full_estimate_to_the_last_digit(
    stated: Counters, options: EstimateOptions
) -> None:
    prompts, sizes = crowd(60)
    full = estimate_requests(prompts, stated(2), BOOK, options)
    some, sample = sampled(prompts, sizes, 60, stated(2), options)
    assert sample.is_complete
    assert (some.items, some.totals) == (full.items, full.totals)


def test_every_output_limit_is_in_the_ceiling_whoever_is_counted(stated: Counters) -> None:
    """One request in a thousand may answer at length; a sample that misses it must not miss its cost."""
    prompts, sizes = crowd(1_000)
    some, sample = sampled(prompts, sizes, 100, stated(), EstimateOptions(DAY))
    missed = next(index for index in range(1_000) if index not in sample.members)
    talkative = list(prompts)
    talkative[missed] = prompt(missed, 500, max_tokens=128_000)
    more, _ = sampled(talkative, sizes, 100, stated(), EstimateOptions(DAY))
    rate = BOOK.resolve(OPUS).period(DAY).tiers[0].rates.output
    before, after = some.items[0].cost_usd, more.items[0].cost_usd
    assert before is not None
    assert after is not None
    assert after.ceiling is not None
    assert before.ceiling is not None
    assert after.ceiling - before.ceiling == rate * (128_000 - 50) / 1_000_000
    assert more.items[0].output_tokens.max == 999 * 50 + 128_000


def test_a_request_without_a_limit_leaves_no_ceiling_whoever_is_counted(stated: Counters) -> None:
    prompts, sizes = crowd(1_000)
    _, sample = sampled(prompts, sizes, 100, stated(), EstimateOptions(DAY))
    missed = next(index for index in range(1_000) if index not in sample.members)
    prompts[missed] = prompt(missed, 500, max_tokens=None)
    some, _ = sampled(prompts, sizes, 100, stated(), EstimateOptions(DAY))
    assert some.items[0].cost_usd is not None
    assert some.items[0].cost_usd.ceiling is None
    assert some.items[0].output_tokens.max is None


def test_requests_on_both_sides_of_a_price_step_are_priced_each_on_its_own(stated: Counters) -> None:
    prompts, sizes = crowd(1_500, largest=200_000, model=HAIKU)
    full = estimate_requests(prompts, stated(), BOOK, EstimateOptions(DAY))
    some, _ = sampled(prompts, sizes, 300, stated(), EstimateOptions(DAY))
    own, all_ = some.items[0].cost_usd, full.items[0].cost_usd
    assert own is not None
    assert all_ is not None
    assert own.low <= all_.expected
    assert abs(own.expected - all_.expected) < all_.expected / 50
    assert own.ceiling is not None
    assert all_.ceiling is not None
    assert all_.ceiling <= own.ceiling


def test_each_model_of_a_file_gets_its_own_band(stated: Counters) -> None:
    prompts, sizes = crowd(800)
    mixed = [
        prompt(one.index, int(str(one.request.blocks[0].value["text"]).split()[0]), HAIKU) for one in prompts[:400]
    ]
    some, _ = sampled([*mixed, *prompts[400:]], sizes, 200, stated(), EstimateOptions(DAY))
    full = estimate_requests([*mixed, *prompts[400:]], stated(), BOOK, EstimateOptions(DAY))
    bands = {item.model: (item.input_tokens, item.requests) for item in some.items}
    assert {model: requests for model, (_, requests) in bands.items()} == {HAIKU: 400, OPUS: 400}
    for item in full.items:
        band, _ = bands[item.model]
        assert band.low < item.input_tokens.tokens < band.high


def test_what_was_counted_is_told_as_a_notice_and_as_an_assumption(stated: Counters) -> None:
    prompts, sizes = crowd(1_000)
    some, _ = sampled(prompts, sizes, 100, stated(), EstimateOptions(DAY))
    [notice] = [notice for notice in some.notices if notice.code == "sampled"]
    assert notice.where == "in.jsonl"
    assert notice.message.startswith("100 of 1,000 requests counted, input tokens ±")
    [assumption] = [assumption for assumption in some.assumptions if assumption.name == "sample"]
    assert str(assumption.value).startswith("100 of 1,000 requests counted")
    assert assumption.source == "--sample"


def test_an_unknown_model_keeps_its_tokens_and_has_no_cost(stated: Counters) -> None:
    prompts, sizes = crowd(500)
    strange = [prompt(one.index, 500, "claude-gone-9") for one in prompts[:250]]
    some, _ = sampled([*strange, *prompts[250:]], sizes, 100, stated(), EstimateOptions(DAY))
    item = next(item for item in some.items if item.model == "claude-gone-9")
    assert (item.cost_usd, item.requests, item.input_tokens.tokens) == (None, 250, 125_000)
