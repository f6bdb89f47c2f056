"""The price book chooses rates by model, day, tier, batch, speed and geography."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from costkit.core.pricebook import Lifecycle, ModelPrice, PriceBook, PricePeriod, Tier
from costkit.core.rates import RateKey, Rates
from costkit.core.usage import Usage
from costkit.errors import InvalidInput, Undecidable, UnknownModel


def rates(unit: str) -> Rates:
    """Rates that are all the same, so that a test shows which ones were chosen."""
    return Rates(*[Decimal(unit)] * 5)


def period(
    day: date, *tiers: tuple[int | None, str], until: date | None = None, confidence: str = "official"
) -> PricePeriod:
    chosen = tuple(Tier(up_to, rates(unit)) for up_to, unit in tiers)
    return PricePeriod(day, chosen, "page", date(2026, 6, 1), confidence, until)


MODEL = ModelPrice(
    id="model-a",
    lifecycle=Lifecycle(date(2026, 1, 1), date(2026, 7, 1), date(2026, 9, 1)),
    context_window=1_000_000,
    max_output_tokens=64_000,
    min_cacheable_tokens=1024,
    tokenizer="v4.8",
    periods=(
        period(date(2026, 1, 1), (100, "1"), (200, "2"), (None, "3")),
        period(date(2026, 3, 1), (None, "10")),
        period(date(2026, 5, 1), (None, "20"), confidence="derived"),
    ),
    fast_periods=(period(date(2026, 2, 1), (None, "50"), until=date(2026, 4, 30)),),
    aliases=("model-a-20260101",),
    geo_multipliers={"us": Decimal("1.1")},
)
OTHER = ModelPrice(
    id="Model.B",
    lifecycle=Lifecycle(date(2026, 6, 1)),
    context_window=200_000,
    max_output_tokens=8_000,
    min_cacheable_tokens=1024,
    tokenizer="v3",
    periods=(period(date(2026, 6, 1), (None, "7")),),
)
BOOK = PriceBook((MODEL, OTHER), date(2026, 6, 1), Decimal("0.5"), Decimal("0.01"))


def test_a_tier_is_chosen_by_the_whole_prompt_and_its_bound_belongs_to_it() -> None:
    def input_rate(usage: Usage) -> Decimal:
        return BOOK.quote(BOOK.key_for(usage, "model-a", date(2026, 1, 1))).rates.input

    assert input_rate(Usage(input_tokens=100)) == 1
    assert input_rate(Usage(25, 25, ephemeral_5m_input_tokens=25, ephemeral_1h_input_tokens=25)) == 1
    assert input_rate(Usage(input_tokens=100, cache_read_input_tokens=1)) == 2
    assert input_rate(Usage(input_tokens=200)) == 2
    assert input_rate(Usage(input_tokens=201)) == 3
    assert input_rate(Usage(output_tokens=10_000)) == 1


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        (date(2026, 1, 1), 1),
        (date(2026, 2, 28), 1),
        (date(2026, 3, 1), 10),
        (date(2026, 4, 30), 10),
        (date(2026, 5, 1), 20),
        (date(2030, 1, 1), 20),
    ],
)
def test_a_period_begins_on_its_day_and_lasts_until_the_next(day: date, rate: int) -> None:
    assert BOOK.quote(RateKey("model-a", day)).rates.input == rate


def test_before_the_first_period_its_prices_are_used_and_said_to_be() -> None:
    quote = BOOK.quote(RateKey("model-a", date(2025, 12, 31)))
    assert quote.rates.input == 1
    assert [notice.code for notice in quote.notices] == ["before-first-price"]


def test_an_unsure_price_comes_with_a_warning() -> None:
    notices = BOOK.quote(RateKey("model-a", date(2026, 5, 1))).notices
    assert [notice.code for notice in notices] == ["price-confidence"]
    assert "derived" in notices[0].message


def test_a_sure_price_comes_without_a_warning() -> None:
    assert BOOK.quote(RateKey("model-a", date(2026, 3, 1))).notices == ()


def test_batch_halves_tokens_but_not_searches_and_the_list_price_stays_known() -> None:
    quote = BOOK.quote(RateKey("model-a", date(2026, 3, 1), batch=True))
    assert quote.rates == replace(rates("5"), web_search=Decimal("0.01"))
    assert quote.list_rates == replace(rates("10"), web_search=Decimal("0.01"))


def test_batch_and_geography_multiply() -> None:
    quote = BOOK.quote(RateKey("model-a", date(2026, 3, 1), batch=True, inference_geo="us"))
    assert quote.rates.output == Decimal("5.5")
    assert quote.list_rates.output == Decimal(11)


@pytest.mark.parametrize("geo", [None, "", "global", "not_available"])
def test_a_neutral_geography_costs_nothing_and_says_nothing(geo: str | None) -> None:
    quote = BOOK.quote(RateKey("model-a", date(2026, 3, 1), inference_geo=geo))
    assert quote.rates.input == 10
    assert quote.notices == ()


@pytest.mark.parametrize(("model", "geo"), [("model-a", "eu"), ("Model.B", "us")])
def test_a_geography_without_a_price_is_reported(model: str, geo: str) -> None:
    quote = BOOK.quote(RateKey(model, date(2026, 6, 1), inference_geo=geo))
    assert "unknown-geo" in [notice.code for notice in quote.notices]


def test_fast_mode_has_its_own_rates() -> None:
    assert BOOK.quote(RateKey("model-a", date(2026, 2, 1), fast=True)).rates.input == 50
    assert BOOK.quote(RateKey("model-a", date(2026, 4, 30), fast=True)).rates.input == 50


@pytest.mark.parametrize("day", [date(2026, 1, 31), date(2026, 5, 1)])
def test_fast_mode_outside_its_days_has_no_price(day: date) -> None:
    with pytest.raises(Undecidable, match="no fast-mode price of model-a is known"):
        BOOK.quote(RateKey("model-a", day, fast=True))


def test_fast_mode_on_a_model_without_it_has_no_price() -> None:
    with pytest.raises(Undecidable, match="no fast-mode price"):
        BOOK.cost(Usage(1), "Model.B", date(2026, 6, 1), fast=True)


def test_fast_mode_in_a_batch_is_invalid() -> None:
    with pytest.raises(InvalidInput, match="fast mode can't be combined with a batch"):
        BOOK.quote(RateKey("model-a", date(2026, 3, 1), batch=True, fast=True))


@pytest.mark.parametrize("name", ["Model.B", "model.b", "litellm/MODEL.B", "Model.B[1m]"])
def test_a_name_that_is_listed_in_its_own_spelling_is_found_in_others_too(name: str) -> None:
    assert BOOK.resolve(name) is OTHER


def test_an_unknown_model_is_never_free() -> None:
    with pytest.raises(UnknownModel):
        BOOK.cost(Usage(1), "model-c", date(2026, 6, 1))


@pytest.mark.parametrize(
    ("day", "status"),
    [
        (date(2026, 6, 30), "active"),
        (date(2026, 7, 1), "deprecated"),
        (date(2026, 8, 31), "deprecated"),
        (date(2026, 9, 1), "retired"),
    ],
)
def test_a_lifecycle_changes_on_its_days(day: date, status: str) -> None:
    assert MODEL.lifecycle.status(day) == status


def test_active_models_are_those_released_and_not_on_their_way_out() -> None:
    assert BOOK.active_models(date(2025, 12, 31)) == ()
    assert BOOK.active_models(date(2026, 5, 31)) == (MODEL,)
    assert BOOK.active_models(date(2026, 6, 1)) == (MODEL, OTHER)
    assert BOOK.active_models(date(2026, 7, 1)) == (OTHER,)
