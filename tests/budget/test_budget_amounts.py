"""Amounts are whole, exact and never smaller than what they stand for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.budget import Amount, parse_amount, token_amount, usd_amount
from costkit.errors import InvalidInput

PICODOLLARS = 10**12


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("50", "usd", 50 * PICODOLLARS),
        ("$1,000", "usd", 1000 * PICODOLLARS),
        ("0.25 USD", "usd", PICODOLLARS // 4),
        ("0", "usd", 0),
        ("200000tokens", "tokens", 200_000),
        ("200,000 tokens", "tokens", 200_000),
        ("1.5k", "tokens", 1_500),
        ("2M", "tokens", 2_000_000),
        ("2 Mtok", "tokens", 2_000_000),
        ("1 token", "tokens", 1),
    ],
)
def test_a_limit_is_dollars_or_tokens(text: str, unit: str, value: int) -> None:
    assert parse_amount(text) == Amount(unit, value)


@pytest.mark.parametrize(
    "text",
    [
        "nan",
        "NaN",
        "inf",
        "-5",
        "-0.01",
        "+5",
        "1e3",
        "",
        "$",
        "1,5",
        "1.5 tokens",
        "0.0001k",
        "5 EUR",
        "1000001",
        "9T",
        "9" * 200,
        "9" * 200 + "k",
        "0." + "1" * 200,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_amount(text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), Decimal(-1), -1, 0.5, float("nan"), True, None])
def test_a_program_cannot_hand_over_an_amount_that_is_none(value: Any) -> None:
    with pytest.raises(InvalidInput):
        usd_amount(value)


@pytest.mark.parametrize("value", [-1, 1.5, True, "5", None])
def test_tokens_are_whole_and_not_negative(value: Any) -> None:
    with pytest.raises(InvalidInput):
        token_amount(value)


@given(st.decimals(min_value=0, max_value=1_000_000, places=12))
def test_twelve_decimals_of_a_dollar_are_exact(usd: Decimal) -> None:
    assert usd_amount(usd).usd == usd


def test_an_amount_of_many_digits_is_rounded_up_too() -> None:
    assert usd_amount(Decimal("1." + "0" * 200 + "1")).value == PICODOLLARS + 1


@given(st.decimals(min_value=0, max_value=1_000, places=18))
def test_what_is_finer_is_rounded_up(usd: Decimal) -> None:
    held = usd_amount(usd).usd
    assert held is not None
    assert 0 <= held - usd < Decimal("1e-12")
