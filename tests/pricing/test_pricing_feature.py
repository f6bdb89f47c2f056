"""The price list, a model's card, the check and the diff of price books."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from costkit.adapters.pricing_yaml import built_in_book, parse_book
from costkit.core.pricebook import ModelPrice, PriceBook
from costkit.errors import UnknownModel
from costkit.pricing import OtherChange, RateChange, check_book, diff_books, list_prices, show_model

TODAY = date(2026, 11, 21)
BOOK = built_in_book()
HEAD = "schema: costkit/pricing@1\nextends: built-in\n"


def overlay(models: str) -> PriceBook:
    return parse_book((HEAD + models).encode(), "ours.yaml", BOOK)


def with_model(book: PriceBook, name: str, **changes: object) -> PriceBook:
    changed = tuple(replace(m, **changes) if m.id == name else m for m in book.models)  # type: ignore[arg-type]
    return replace(book, models=changed)


def codes(book: PriceBook, model: str | None, day: date = TODAY) -> list[str]:
    return [finding.code for finding in check_book(book, day).findings if finding.model == model]


def opus_5() -> ModelPrice:
    return BOOK.resolve("claude-opus-5")


def test_the_list_has_a_row_for_each_tier_of_each_model_in_the_order_of_the_book() -> None:
    rows = list_prices(BOOK, TODAY).rows
    assert list(dict.fromkeys(row.model for row in rows)) == [model.id for model in BOOK.models]
    haiku = [row.rates for row in rows if row.model == "claude-haiku-5-5"]
    assert [rates.up_to_tokens for rates in haiku] == [100_000, None]
    assert [rates.input_usd_per_mtok for rates in haiku] == [Decimal("0.1"), Decimal("0.5")]


def test_the_list_of_an_earlier_day_has_the_models_and_prices_of_that_day() -> None:
    rows = {row.model: row for row in list_prices(BOOK, date(2026, 10, 6)).rows}
    assert rows["claude-sonnet-5-5"].rates.cache_read_usd_per_mtok == Decimal("0.2")
    assert "claude-haiku-5-5" not in rows
    assert "claude-fable-5-2" not in rows
    assert list_prices(BOOK, date(2024, 1, 1)).rows == ()


def test_a_row_tells_status_confidence_and_fast_mode_on_the_day() -> None:
    rows = {row.model: row for row in list_prices(BOOK, TODAY).rows}
    assert (rows["claude-opus-4-8"].fast, rows["claude-opus-4-7"].fast) == (True, False)
    assert rows["claude-mythos-preview"].confidence == "conflict"
    statuses = [rows[f"claude-{name}"].status for name in ("opus-5", "sonnet-4-5-20250929", "3-opus-20240229")]
    assert statuses == ["active", "deprecated", "retired"]


def test_a_card_shows_all_periods_and_which_one_holds() -> None:
    card = show_model(BOOK, "us.anthropic.claude-sonnet-5-5", TODAY)
    assert (card.name, card.model) == ("us.anthropic.claude-sonnet-5-5", "claude-sonnet-5-5")
    assert [(p.effective_from, p.effective_until, p.current) for p in card.prices] == [
        (date(2026, 9, 28), date(2026, 10, 6), False),
        (date(2026, 10, 7), None, True),
    ]
    assert card.prices[1].source_url == "https://platform.claude.com/docs/en/release-notes/overview"
    assert card.batch[0].cache_read_usd_per_mtok == Decimal("0.05")
    assert [(geo.inference_geo, geo.multiplier) for geo in card.inference_geo] == [("us", Decimal("1.1"))]


def test_a_card_shows_fast_mode_that_has_ended_as_not_current() -> None:
    (fast,) = show_model(BOOK, "claude-opus-4-7", TODAY).fast
    assert (fast.effective_until, fast.current) == (date(2026, 7, 23), False)
    assert fast.tiers[0].input_usd_per_mtok == 30


def test_the_card_of_an_unknown_model_is_an_error() -> None:
    with pytest.raises(UnknownModel):
        show_model(BOOK, "claude-opus-9", TODAY)


def test_a_card_shows_the_file_as_source_of_a_users_price() -> None:
    card = show_model(overlay(HAIKU), "claude-haiku-5-5", TODAY)
    assert (card.prices[0].source, card.prices[0].source_url) == ("ours.yaml", None)


def test_the_built_in_book_is_found_in_order_on_its_day() -> None:
    check = check_book(BOOK, BOOK.checked)
    assert (check.as_of, check.models) == (BOOK.checked, 29)
    assert {(finding.code, finding.model) for finding in check.warnings} == {
        ("price-confidence", "claude-fable-5-2"),
        ("price-confidence", "claude-mythos-5-2"),
        ("price-confidence", "claude-mythos-preview"),
        ("price-ending", "claude-opus-4-8"),
        ("retiring", "claude-sonnet-4-5-20250929"),
    }
    assert {finding.severity for finding in check.findings} == {"warning", "note"}


@pytest.mark.parametrize(("age", "found"), [(30, []), (31, ["stale-book"]), (-1, ["checked-later"])])
def test_prices_grow_old_after_thirty_days(age: int, found: list[str]) -> None:
    assert codes(BOOK, None, BOOK.checked + timedelta(days=age)) == found


def test_one_old_row_in_a_fresh_book_is_found() -> None:
    old = replace(opus_5().periods[0], checked=date(2026, 8, 1))
    assert codes(with_model(BOOK, "claude-opus-5", periods=(old,)), "claude-opus-5") == ["stale-price"]


@pytest.mark.parametrize(
    ("day", "found"),
    [
        (date(2026, 10, 30), "deprecated"),
        (date(2026, 10, 31), "retiring"),
        (date(2026, 11, 29), "retiring"),
        (date(2026, 11, 30), "retired"),
    ],
)
def test_a_retirement_is_announced_thirty_days_ahead(day: date, found: str) -> None:
    assert codes(BOOK, "claude-sonnet-4-5-20250929", day) == [found]


def test_the_message_of_a_retirement_counts_the_days() -> None:
    messages = {
        finding.message
        for day in (date(2026, 11, 28), date(2026, 11, 29))
        for finding in check_book(BOOK, day).findings
        if finding.code == "retiring"
    }
    assert messages == {"retires on 2026-11-30, in 2 days", "retires on 2026-11-30, in 1 day"}


def test_a_coming_price_is_noted() -> None:
    assert codes(BOOK, "claude-sonnet-5-5", date(2026, 10, 1)) == ["price-change"]
    assert codes(BOOK, "claude-opus-5-5", date(2026, 10, 1)) == ["price-change"]


@pytest.mark.parametrize(
    ("rate", "value", "message"),
    [
        ("cache_read", "0.4", "cache_read is 0.4, usually 0.5"),
        ("cache_write_5m", "6", "cache_write_5m is 6, usually 6.25"),
        ("cache_write_1h", "6.25", "cache_write_1h is 6.25, usually 10"),
        ("output", "4", "output is cheaper than input"),
    ],
)
def test_a_rate_out_of_proportion_is_found(rate: str, value: str, message: str) -> None:
    period = opus_5().periods[0]
    rates = replace(period.tiers[0].rates, **{rate: Decimal(value)})
    odd = replace(period, tiers=(period.tiers[0]._replace(rates=rates),))
    findings = check_book(with_model(BOOK, "claude-opus-5", periods=(odd,)), TODAY).findings
    (finding,) = (finding for finding in findings if finding.model == "claude-opus-5")
    assert (finding.code, finding.severity) == ("odd-rate", "warning")
    assert message in finding.message


def test_a_price_that_begins_after_the_release_is_found() -> None:
    late = replace(opus_5().periods[0], effective_from=date(2026, 8, 1))
    assert codes(with_model(BOOK, "claude-opus-5", periods=(late,)), "claude-opus-5") == ["first-days-unpriced"]


@pytest.mark.parametrize("multiplier", ["5", "1", "0"])
def test_a_batch_that_is_no_discount_is_found(multiplier: str) -> None:
    assert codes(replace(BOOK, batch_multiplier=Decimal(multiplier)), None) == ["odd-multiplier"]


@pytest.mark.parametrize("multiplier", ["0.9", "11"])
def test_a_geography_that_is_no_surcharge_is_found(multiplier: str) -> None:
    book = with_model(BOOK, "claude-opus-5", geo_multipliers={"us": Decimal(multiplier)})
    assert codes(book, "claude-opus-5") == ["odd-multiplier"]


def test_an_output_limit_above_the_context_window_is_found() -> None:
    assert codes(with_model(BOOK, "claude-opus-5", context_window=1000), "claude-opus-5") == ["odd-limit"]


HAIKU = """\
models:
  claude-haiku-5-5:
    prices:
      - effective_from: 2026-10-07
        rates: {input: 0.10, output: 0.40, cache_write_5m: 0.125, cache_write_1h: 0.20, cache_read: 0.01}
"""


def test_a_book_does_not_differ_from_itself() -> None:
    difference = diff_books(BOOK, BOOK, TODAY)
    assert difference.is_empty
    assert diff_books(BOOK, overlay(""), TODAY).is_empty


def test_rates_are_compared_bracket_by_bracket_when_a_tier_vanishes() -> None:
    changes = diff_books(BOOK, overlay(HAIKU), TODAY).rates
    assert [(c.up_to_tokens, c.rate, c.change_percent) for c in changes] == [
        (100_000, "output_usd_per_mtok", Decimal(-20)),
        (None, "input_usd_per_mtok", Decimal(-80)),
        (None, "output_usd_per_mtok", Decimal(-84)),
        (None, "cache_write_5m_usd_per_mtok", Decimal(-80)),
        (None, "cache_write_1h_usd_per_mtok", Decimal(-80)),
        (None, "cache_read_usd_per_mtok", Decimal(-80)),
    ]
    assert changes[0] == RateChange(
        "claude-haiku-5-5",
        "standard",
        100_000,
        "output_usd_per_mtok",
        Decimal("0.5"),
        Decimal("0.4"),
        Decimal("-20.00"),
    )


def test_a_percentage_is_rounded_to_hundredths_and_absent_without_an_old_price() -> None:
    text = HAIKU.replace("input: 0.10", "input: 0.13").replace("cache_read: 0.01", "cache_read: 0")
    percents = {c.rate: c.change_percent for c in diff_books(overlay(HAIKU), overlay(text), TODAY).rates}
    assert percents == {"input_usd_per_mtok": Decimal("30.00"), "cache_read_usd_per_mtok": Decimal("-100.00")}
    back = {c.rate: c.change_percent for c in diff_books(overlay(text), overlay(HAIKU), TODAY).rates}
    assert back == {"input_usd_per_mtok": Decimal("-23.08"), "cache_read_usd_per_mtok": None}


def test_fast_mode_that_is_gone_has_no_new_price() -> None:
    changes = diff_books(BOOK, overlay("models:\n  claude-opus-5:\n    fast: []\n"), TODAY).rates
    assert {(c.speed, c.new_usd, c.change_percent) for c in changes} == {("fast", None, None)}
    assert [c.old_usd for c in changes] == [Decimal(x) for x in ("10", "50", "12.5", "20", "1")]


def test_models_that_came_and_went_are_named() -> None:
    fewer = replace(BOOK, models=BOOK.models[1:])
    assert diff_books(fewer, BOOK, TODAY).added == ("claude-fable-5-2",)
    assert diff_books(BOOK, fewer, TODAY).removed == ("claude-fable-5-2",)


def test_limits_names_dates_and_modifiers_are_compared() -> None:
    ours = overlay(
        "modifiers: {batch_multiplier: 0.4}\n"
        "models:\n  claude-opus-5:\n    aliases: [big]\n    context_window: 500000\n"
        "    inference_geo: {us: 1.2, eu: 1.3}\n    lifecycle: {retired: 2027-08-01}\n"
    )
    assert diff_books(BOOK, ours, TODAY).other == (
        OtherChange(None, "batch_multiplier", "0.5", "0.4"),
        OtherChange("claude-opus-5", "context_window", 1_000_000, 500_000),
        OtherChange("claude-opus-5", "retired", None, "2027-08-01"),
        OtherChange("claude-opus-5", "inference_geo.us", "1.1", "1.2"),
        OtherChange("claude-opus-5", "inference_geo.eu", None, "1.3"),
        OtherChange("claude-opus-5", "aliases", None, "big"),
    )
    assert OtherChange("claude-opus-5", "aliases", "big", None) in diff_books(ours, BOOK, TODAY).other


def test_prices_of_other_days_are_compared_too() -> None:
    latest = BOOK.resolve("claude-sonnet-5-5").periods[1:]
    (change,) = diff_books(BOOK, with_model(BOOK, "claude-sonnet-5-5", periods=latest), TODAY).other
    assert (change.field, change.new) == ("price_history", "standard 2026-10-07")
    assert change.old == "standard 2026-09-28, standard 2026-10-07"


def test_the_day_decides_which_prices_are_compared() -> None:
    latest = BOOK.resolve("claude-sonnet-5-5").periods[1:]
    shorter = with_model(BOOK, "claude-sonnet-5-5", periods=latest)
    (change,) = diff_books(BOOK, shorter, date(2026, 10, 1)).rates
    assert (change.rate, change.old_usd, change.new_usd) == ("cache_read_usd_per_mtok", Decimal("0.2"), Decimal("0.1"))
