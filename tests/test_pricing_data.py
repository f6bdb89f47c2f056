"""The shipped price book, checked against a second, hand-kept list and against its own rules."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from costkit.adapters.pricing_yaml import built_in_book
from costkit.core.pricebook import CONFIDENCES, ModelPrice, PricePeriod
from costkit.core.usage import Usage
from costkit.pricing import check_book

TODAY = date(2026, 11, 21)
ROOT = Path(__file__).parents[1]
BOOK = built_in_book()

# What a million tokens cost on 21 November 2026 (lowest tier): input, output, 5m write, 1h write, read.
CARD = """\
claude-fable-5-2             8     40     10     16    0.2
claude-mythos-5-2            8     40     10     16    0.2
claude-fable-5-1            10     50     12.5   20    0.25
claude-mythos-5-1           10     50     12.5   20    0.25
claude-fable-5              10     50     12.5   20    1
claude-mythos-5             10     50     12.5   20    1
claude-mythos-preview       25    125     31.25  50    2.5
claude-opus-5-5              4     20      5      8    0.2
claude-opus-5                5     25      6.25  10    0.5
claude-opus-4-8              5     25      6.25  10    0.5
claude-opus-4-7              5     25      6.25  10    0.5
claude-opus-4-6              5     25      6.25  10    0.5
claude-opus-4-5-20251101     5     25      6.25  10    0.5
claude-opus-4-1-20250805    15     75     18.75  30    1.5
claude-opus-4-20250514      15     75     18.75  30    1.5
claude-3-opus-20240229      15     75     18.75  30    1.5
claude-sonnet-5-5            2     10      2.5    4    0.1
claude-sonnet-5              2     10      2.5    4    0.2
claude-sonnet-4-6            3     15      3.75   6    0.3
claude-sonnet-4-5-20250929   3     15      3.75   6    0.3
claude-sonnet-4-20250514     3     15      3.75   6    0.3
claude-3-7-sonnet-20250219   3     15      3.75   6    0.3
claude-3-5-sonnet-20241022   3     15      3.75   6    0.3
claude-3-5-sonnet-20240620   3     15      3.75   6    0.3
claude-3-sonnet-20240229     3     15      3.75   6    0.3
claude-haiku-5-5             0.1    0.5    0.125  0.2  0.01
claude-haiku-4-5-20251001    1      5      1.25   2    0.1
claude-3-5-haiku-20241022    0.8    4      1      1.6  0.08
claude-3-haiku-20240307      0.25   1.25   0.3    0.5  0.03
""".splitlines()
HAIKU_3 = "claude-3-haiku-20240307"
FORTIETH = {"claude-fable-5-2", "claude-mythos-5-2", "claude-fable-5-1", "claude-mythos-5-1"}
TWENTIETH = {"claude-opus-5-5", "claude-sonnet-5-5"}
MODELS = pytest.mark.parametrize("model", BOOK.models, ids=lambda model: model.id)


def all_periods(model: ModelPrice) -> tuple[PricePeriod, ...]:
    return model.periods + model.fast_periods


@pytest.mark.parametrize("line", CARD, ids=lambda line: line.split()[0])
def test_the_price_of_every_model_is_the_one_on_the_card(line: str) -> None:
    name, *expected = line.split()
    rates = BOOK.resolve(name).period(TODAY).tiers[0].rates
    actual = [rates.input, rates.output, rates.cache_write_5m, rates.cache_write_1h, rates.cache_read]
    assert actual == [Decimal(amount) for amount in expected]


def test_the_book_has_the_29_models_of_the_card_and_no_others() -> None:
    assert [model.id for model in BOOK.models] == [line.split()[0] for line in CARD]
    assert len(BOOK.models) == 29


@MODELS
def test_cache_writes_cost_a_quarter_more_or_twice_as_much_as_input(model: ModelPrice) -> None:
    five_minutes = Decimal("1.2") if model.id == HAIKU_3 else Decimal("1.25")
    for period in all_periods(model):
        for tier in period.tiers:
            assert tier.rates.cache_write_5m == tier.rates.input * five_minutes
            assert tier.rates.cache_write_1h == tier.rates.input * 2


@MODELS
def test_cache_reads_follow_the_multiple_of_their_model(model: ModelPrice) -> None:
    multiples = {HAIKU_3: "0.12", **dict.fromkeys(FORTIETH, "0.025"), **dict.fromkeys(TWENTIETH, "0.05")}
    multiple = Decimal(multiples.get(model.id, "0.1"))
    for tier in model.period(TODAY).tiers:
        assert tier.rates.cache_read == tier.rates.input * multiple
    for period in model.fast_periods:
        assert period.tiers[0].rates.cache_read == period.tiers[0].rates.input * multiple


@MODELS
def test_a_batch_costs_half_of_every_rate(model: ModelPrice) -> None:
    used = Usage(1, 1, 1, 1, 1)
    assert BOOK.cost(used, model.id, TODAY, batch=True).total_usd * 2 == BOOK.cost(used, model.id, TODAY).total_usd


@MODELS
def test_prices_begin_on_the_day_of_release_and_have_a_known_source(model: ModelPrice) -> None:
    assert model.periods[0].effective_from == model.lifecycle.released
    for period in all_periods(model):
        assert period.source in BOOK.sources
        assert period.checked <= BOOK.checked
        assert period.confidence in CONFIDENCES


@MODELS
def test_limits_are_plausible(model: ModelPrice) -> None:
    assert model.context_window in {200_000, 1_000_000}
    assert 4_096 <= model.max_output_tokens <= 128_000
    assert model.batch_max_output_tokens in {None, 300_000}
    assert model.min_cacheable_tokens in {512, 1_024, 2_048, 4_096}
    assert (model.image_tier == "standard") == (model.tokenizer == "v3")


def test_the_newer_tokenizers_begin_with_opus_4_7() -> None:
    families = {model.id: model.tokenizer for model in BOOK.models}
    between = {name for name, family in families.items() if family == "v4.7"}
    assert between == {"claude-opus-4-7", "claude-mythos-preview"}
    assert families["claude-opus-4-8"] == families["claude-haiku-5-5"] == families["claude-fable-5-2"] == "v4.8"
    assert families["claude-opus-4-6"] == families["claude-sonnet-4-6"] == families["claude-haiku-4-5-20251001"] == "v3"


def test_inference_geo_has_a_price_from_4_6_on() -> None:
    priced = [model.id for model in BOOK.models if model.geo_multipliers]
    assert priced == [
        *(line.split()[0] for line in CARD[:11]),
        "claude-opus-4-6",
        "claude-sonnet-5-5",
        "claude-sonnet-5",
        "claude-sonnet-4-6",
        "claude-haiku-5-5",
    ]
    assert {str(model.geo_multipliers["us"]) for model in BOOK.models if model.geo_multipliers} == {"1.1"}


def test_only_haiku_5_5_has_tiers_today() -> None:
    tiered = [model for model in BOOK.models if len(model.period(TODAY).tiers) > 1]
    assert [(model.id, [tier.up_to for tier in model.period(TODAY).tiers]) for model in tiered] == [
        ("claude-haiku-5-5", [100_000, None])
    ]


@pytest.mark.parametrize(
    ("model", "days"),
    [
        ("claude-fable-5-2", ("2026-11-09 None",)),
        ("claude-mythos-5-2", ("2026-11-09 None",)),
        ("claude-opus-5-5", ("2026-10-15 None",)),
        ("claude-opus-5", ("2026-07-24 None",)),
        ("claude-opus-4-8", ("2026-05-28 2026-11-30",)),
        ("claude-opus-4-7", ("2026-05-12 2026-07-23",)),
        ("claude-opus-4-6", ("2026-02-07 2026-06-28",)),
    ],
)
def test_fast_mode_was_sold_on_these_days(model: str, days: tuple[str, ...]) -> None:
    periods = BOOK.resolve(model).fast_periods
    assert tuple(f"{period.effective_from} {period.effective_until}" for period in periods) == days


def test_no_other_model_ever_had_fast_mode() -> None:
    assert sum(bool(model.fast_periods) for model in BOOK.models) == 7


def test_unsure_prices_are_marked() -> None:
    unsure = {
        (model.id, period.confidence)
        for model in BOOK.models
        for period in all_periods(model)
        if period.confidence not in {"official", "two-sources"}
    }
    assert unsure == {
        ("claude-mythos-preview", "conflict"),
        ("claude-fable-5-2", "one-source"),
        ("claude-mythos-5-2", "one-source"),
        ("claude-opus-4-7", "derived"),
        ("claude-opus-4-6", "derived"),
    }


def test_every_source_is_used_and_is_a_public_page() -> None:
    used = {period.source for model in BOOK.models for period in all_periods(model)}
    used.add(yaml.safe_load((ROOT / "pricing.yaml").read_text(encoding="utf-8"))["modifiers"]["source"])
    assert used == set(BOOK.sources)
    assert all(str(source.url).startswith("https://") for source in BOOK.sources.values())


def test_no_rate_in_the_book_looks_odd() -> None:
    codes = {finding.code for finding in check_book(BOOK, TODAY).findings}
    assert codes.isdisjoint({"odd-rate", "odd-limit", "stale-book", "stale-price", "first-days-unpriced"})


def test_the_book_at_the_top_and_the_one_in_the_package_are_the_same() -> None:
    assert (ROOT / "pricing.yaml").read_bytes() == (ROOT / "costkit" / "pricing.yaml").read_bytes()
