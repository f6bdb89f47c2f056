"""What is held covers what can be billed, and what is billed is priced as everywhere, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit import Usage, load_price_book
from costkit.budget import (
    Amount,
    Ask,
    BudgetRule,
    Reservation,
    Size,
    Spent,
    Terms,
    Window,
    billed,
    ceiling,
    units_asked,
    units_spent,
    usd_amount,
)
from costkit.errors import CostkitError, InvalidInput, Undecidable, UnknownModel

BOOK = load_price_book()
DAY = date(2026, 11, 21)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPUS = Terms("claude-opus-5-5", DAY)
RULE = BudgetRule("team-a", Amount("usd", 10**13), Window("day"))
counts = st.integers(0, 10**6)


def held(model: str | None = "claude-opus-5-5", *, unit: str = "usd", batch: bool = False) -> Reservation:
    return Reservation("r-1", "team-a", "open", Amount(unit, 7), None, NOON, NOON, model, batch)


@given(plain=counts, read=counts, written=counts, output=counts, model=st.sampled_from(BOOK.models))
def test_no_response_costs_more_than_its_ceiling(plain: int, read: int, written: int, output: int, model: Any) -> None:
    terms = Terms(model.id, DAY)
    most = ceiling(Size(plain + read + written, output, ttl="5m"), terms, "usd", BOOK)
    bill = billed(Usage(plain, read, written, 0, output), terms, "usd", BOOK)
    assert bill.value <= most.value


@given(usage=st.builds(Usage, *[counts] * 5, st.integers(0, 9)), batch=st.booleans())
def test_a_bill_is_what_the_price_book_says(usage: Usage, *, batch: bool) -> None:
    cost = BOOK.cost(usage, OPUS.model, DAY, batch=batch).total_usd
    assert billed(usage, Terms(OPUS.model, DAY, batch), "usd", BOOK) == usd_amount(cost)


@pytest.mark.parametrize(
    ("model", "named", "share"),
    [
        ("claude-opus-5-5", None, "1.1"),
        ("claude-opus-5-5", "us", "1.1"),
        ("claude-opus-5-5", "global", "1"),
        ("claude-haiku-4-5", None, "1"),  # it has no surcharge
    ],
)
def test_a_request_that_names_no_geography_is_held_at_the_default_of_its_workspace(
    model: str, named: str | None, share: str
) -> None:
    ask = Ask(DAY, size=Size(1_000_000, 1_000), model=model, inference_geo=named)
    plain = units_asked(RULE, ask._replace(inference_geo=None), BOOK)
    assert units_asked(replace(RULE, inference_geo="us"), ask, BOOK) == plain * Decimal(share)


def test_the_answer_says_how_it_was_billed() -> None:
    usage = {"input_tokens": 1_000_000, "output_tokens": 0, "service_tier": "batch"}
    assert billed(usage, OPUS, "usd", BOOK).usd == Decimal(2)


def test_every_iteration_is_billed_at_its_own_model() -> None:
    parts = [
        {"input_tokens": 1_000, "output_tokens": 0, "model": None},
        {"input_tokens": 1_000, "output_tokens": 0, "model": "claude-haiku-5-5"},
    ]
    usage: dict[str, object] = {"input_tokens": 1_000, "output_tokens": 0, "iterations": parts}
    assert billed(usage, OPUS, "usd", BOOK).usd == Decimal("0.0041")


def test_a_budget_of_tokens_counts_every_token_and_needs_no_price() -> None:
    usage = Usage(1, 20, 300, 4_000, 50_000)
    assert billed(usage, Terms("unheard-of", DAY), "tokens", BOOK) == Amount("tokens", 54_321)


@pytest.mark.parametrize(
    ("usage", "terms", "error"),
    [
        ({"input_tokens": 1}, Terms("claude-gone-9", DAY), UnknownModel),
        ({"input_tokens": 1, "service_tier": "flex"}, OPUS, Undecidable),
        ({"input_tokens": 1, "speed": "warp"}, OPUS, Undecidable),
        ({"input_tokens": -1}, OPUS, InvalidInput),
        ({"input_tokens": "1"}, OPUS, InvalidInput),
    ],
)
def test_a_bill_that_cannot_be_priced_is_never_nothing(
    usage: dict[str, object], terms: Terms, error: type[CostkitError]
) -> None:
    with pytest.raises(error):
        billed(usage, terms, "usd", BOOK)


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (Ask(DAY), InvalidInput),
        (Ask(DAY, Amount("tokens", 5)), InvalidInput),
        (Ask(DAY, size=Size(5, 5)), InvalidInput),
        (Ask(DAY, size=Size(5, 5), model="claude-gone-9"), UnknownModel),
        (Ask(DAY, Amount("usd", 5), model="claude-gone-9"), UnknownModel),
    ],
)
def test_what_has_no_price_is_not_held(ask: Ask, error: type[CostkitError]) -> None:
    with pytest.raises(error):
        units_asked(RULE, ask, BOOK)


@pytest.mark.parametrize(
    ("reservation", "spent", "units"),
    [
        (held(), Spent(), 7),
        (held(), Spent(Amount("usd", 9)), 9),
        (held(), Spent(usages=((Usage(1_000), None),)), 4 * 10**9),
        (held(batch=True), Spent(usages=((Usage(1_000), None),)), 2 * 10**9),
        (held(), Spent(usages=((Usage(1_000), None), (Usage(1_000), "claude-haiku-5-5"))), 41 * 10**8),
        (held(), Spent(usages=((Usage(1_000), "claude-haiku-5-5"),), day=date(2026, 11, 1)), 10**8),
        (held(None, unit="tokens"), Spent(usages=((Usage(5), None), (Usage(6), None))), 11),
    ],
)
def test_a_reservation_is_settled_with_what_was_spent(reservation: Reservation, spent: Spent, units: int) -> None:
    assert units_spent(reservation, spent, BOOK) == units


@pytest.mark.parametrize(
    ("reservation", "spent"), [(held(None), Spent(usages=((Usage(5), None),))), (held(), Spent(Amount("tokens", 5)))]
)
def test_a_settlement_that_says_too_little_is_refused(reservation: Reservation, spent: Spent) -> None:
    with pytest.raises(InvalidInput):
        units_spent(reservation, spent, BOOK)
