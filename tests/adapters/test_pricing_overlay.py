"""A user's price book may be laid over the built-in one and list only what differs."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from costkit.adapters.pricing_yaml import built_in_book, load_book, parse_book
from costkit.core.pricebook import PriceBook
from costkit.core.usage import Usage
from costkit.errors import InvalidPricing

HEAD = "schema: costkit/pricing@1\nextends: built-in\n"
TODAY = date(2026, 11, 21)
DISCOUNT = """\
models:
  claude-opus-5-5:
    prices:
      - effective_from: 2026-11-01
        rates: {input: 3, output: 15, cache_write_5m: 3.75, cache_write_1h: 6, cache_read: 0.15}
"""
PRIVATE = """\
models:
  acme-large:
    aliases: [acme-large-2]
    lifecycle: {released: 2026-10-01}
    context_window: 100000
    max_output_tokens: 8000
    min_cacheable_tokens: 1024
    tokenizer: v4.8
    image_tier: high_resolution
    prices:
      - effective_from: 2026-10-01
        rates: {input: 1, output: 2, cache_write_5m: 1.25, cache_write_1h: 2, cache_read: 0.1}
"""


def overlay(text: str) -> PriceBook:
    return parse_book((HEAD + text).encode(), "ours.yaml", built_in_book())


def test_an_overlay_that_changes_nothing_is_the_built_in_book_under_its_own_name() -> None:
    book = overlay("")
    assert replace(book, source="built-in", sha256=built_in_book().sha256) == built_in_book()
    assert book.source == "ours.yaml"
    assert book.sha256 != built_in_book().sha256


def test_new_prices_take_over_from_their_first_day_for_that_model_only() -> None:
    book, base = overlay(DISCOUNT), built_in_book()
    model = book.resolve("claude-opus-5-5")
    days = [date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 1), TODAY]
    million = Usage(input_tokens=1_000_000)
    assert [int(book.cost(million, "claude-opus-5-5", day).total_usd) for day in days] == [4, 4, 3, 3]
    assert replace(model, periods=base.resolve("claude-opus-5-5").periods) == base.resolve("claude-opus-5-5")
    assert [m for m in book.models if m.id != model.id] == [m for m in base.models if m.id != model.id]


def test_prices_from_before_the_first_one_replace_the_whole_history() -> None:
    book = overlay(DISCOUNT.replace("2026-11-01", "2026-09-22"))
    (period,) = book.resolve("claude-opus-5-5").periods
    assert (period.effective_from, period.tiers[0].rates.input) == (date(2026, 9, 22), Decimal(3))


def test_fast_prices_take_over_from_their_first_day_too() -> None:
    base = built_in_book().resolve("claude-opus-4-6")
    (offer,) = base.fast_periods
    assert offer.effective_until == date(2026, 6, 28)
    fast = "{input: 20, output: 100, cache_write_5m: 25, cache_write_1h: 40, cache_read: 2}"
    text = f"models:\n  claude-opus-4-6:\n    fast:\n      - effective_from: 2026-06-01\n        rates: {fast}\n"
    book = overlay(text)
    days = [date(2026, 5, 31), date(2026, 6, 1), TODAY]
    million = Usage(input_tokens=1_000_000)
    assert [int(book.cost(million, "claude-opus-4-6", day, fast=True).total_usd) for day in days] == [30, 20, 20]
    assert book.resolve("claude-opus-4-6").fast_periods[0].effective_until is None


def test_the_order_of_the_models_stays() -> None:
    base = [model.id for model in built_in_book().models]
    assert [model.id for model in overlay(DISCOUNT).models] == base
    assert [model.id for model in overlay(PRIVATE).models] == [*base, "acme-large"]


def test_a_period_without_provenance_comes_from_the_file_itself() -> None:
    *_, period = overlay(DISCOUNT).resolve("claude-opus-5-5").periods
    assert (period.source, period.checked, period.confidence) == ("ours.yaml", built_in_book().checked, "official")
    *_, dated = overlay("checked: 2026-11-20\n" + DISCOUNT).resolve("claude-opus-5-5").periods
    assert dated.checked == date(2026, 11, 20)


def test_the_day_of_checking_is_the_overlays_or_else_the_built_in_one() -> None:
    assert overlay("checked: 2026-11-20\n").checked == date(2026, 11, 20)
    assert overlay("").checked == built_in_book().checked


def test_a_period_may_name_a_source_of_either_book() -> None:
    text = "sources:\n  contract: {what: our contract, seen: 2026-11-01}\n" + DISCOUNT
    ours = overlay(text + "        source: contract\n")
    assert ours.resolve("claude-opus-5-5").periods[-1].source == "contract"
    assert ours.sources["contract"].what == "our contract"
    theirs = overlay(text + "        source: opus-5-5\n")
    assert theirs.resolve("claude-opus-5-5").periods[-1].source == "opus-5-5"
    with pytest.raises(InvalidPricing, match="source is unknown: 'contact'"):
        overlay(text + "        source: contact\n")


def test_aliases_are_added_to_those_that_exist() -> None:
    book = overlay("models:\n  claude-haiku-4-5-20251001:\n    aliases: [small, claude-haiku-4-5]\n")
    model = book.resolve("small")
    assert model.id == "claude-haiku-4-5-20251001"
    assert model.aliases == ("claude-haiku-4-5", "small")
    assert model.periods == built_in_book().resolve("claude-haiku-4-5").periods


def test_single_limits_and_dates_can_be_changed() -> None:
    book = overlay(
        "models:\n  claude-opus-5:\n    context_window: 500000\n    batch_max_output_tokens: null\n"
        "    inference_geo: {}\n    lifecycle: {retired: 2027-08-01}\n    fast: []\n"
    )
    model, base = book.resolve("claude-opus-5"), built_in_book().resolve("claude-opus-5")
    assert (model.context_window, model.batch_max_output_tokens, model.geo_multipliers) == (500_000, None, {})
    assert model.lifecycle == replace(base.lifecycle, retired=date(2027, 8, 1))
    assert model.fast_periods == ()
    assert model.max_output_tokens == base.max_output_tokens


def test_a_new_model_is_added() -> None:
    book = overlay(PRIVATE)
    assert book.resolve("acme-large-2").id == "acme-large"
    assert book.cost(Usage(output_tokens=500_000), "acme-large", TODAY, batch=True).total_usd == Decimal("0.5")


def test_modifiers_can_be_changed_one_by_one() -> None:
    book = overlay("modifiers: {web_search_usd: 0.008}\n")
    assert (book.batch_multiplier, book.web_search_usd) == (Decimal("0.5"), Decimal("0.008"))
    book = overlay("modifiers: {batch_multiplier: 0.4}\n")
    assert (book.batch_multiplier, book.web_search_usd) == (Decimal("0.4"), Decimal("0.01"))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (PRIVATE.replace("acme-large:", "claude-haiku-4-5:"), 4, "already belongs to claude-haiku-4-5-2"),
        (PRIVATE.replace("acme-large-2", "claude-opus-5"), 5, "'claude-opus-5' already belongs to claude-opus-5"),
        (PRIVATE.replace("    tokenizer: v4.8\n", ""), 5, "acme-large has no tokenizer"),
        ("models:\n  claude-opus-5:\n    price: []\n", 5, "claude-opus-5 has an unknown key 'price'"),
        ("models:\n  claude-opus-5:\n    prices: []\n", 5, "claude-opus-5: prices is empty"),
        ("models:\n  claude-opus-5:\n", 4, "claude-opus-5 must be a mapping of keys to values"),
        ("models:\n  claude-opus-5:\n    lifecycle: {retired: 2020-01-01}\n", 5, "must follow each other"),
        ("extends: built-in\n", 3, "duplicate key 'extends'"),
    ],
)  # fmt: skip
def test_an_overlay_is_as_strict_as_a_book(text: str, line: int, message: str) -> None:
    with pytest.raises(InvalidPricing) as caught:
        overlay(text)
    assert message in str(caught.value)
    assert caught.value.where == f"ours.yaml:{line}"


def test_only_the_built_in_book_can_be_extended() -> None:
    with pytest.raises(InvalidPricing, match=r"extends is unknown: 'other\.yaml'"):
        parse_book(b"schema: costkit/pricing@1\nextends: other.yaml\n", "ours.yaml", built_in_book())


def test_without_a_base_nothing_can_be_extended() -> None:
    with pytest.raises(InvalidPricing, match="no book that it could extend"):
        parse_book(HEAD.encode(), "ours.yaml", None)


def test_an_overlay_file_is_laid_over_the_built_in_book(tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    path.write_text(HEAD + DISCOUNT)
    book = load_book(path)
    assert len(book.models) == len(built_in_book().models)
    assert book.resolve("claude-opus-5-5").periods[-1].source == book.source == str(path)
