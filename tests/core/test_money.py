"""Money stays exact inside and is only rounded for people."""

from decimal import Decimal, Inexact

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.core.money import (
    decimal_from,
    display,
    display_apart,
    exact_text,
    minus,
    price_of_tokens,
    times,
    total,
    usd_limit,
)

AMOUNTS = st.decimals(min_value=Decimal(-1_000_000), max_value=Decimal(1_000_000), places=12)


@pytest.mark.parametrize("text", ["0.20", "0.2", "3", "0", "18.75", "0.000000000001"])
def test_plain_digits_are_read_to_the_last_digit(text: str) -> None:
    assert format(decimal_from(text), "f") == text


@pytest.mark.parametrize(
    "text", ["", " ", "1e-1", "-1", "+1", ".5", "5.", "0x1", "1_000", "NaN", "Infinity", "1,5", "٣", "1 2", "0.2\n"]
)
def test_an_amount_that_looks_odd_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a plain decimal number"):
        decimal_from(text)


def test_a_float_is_never_money() -> None:
    with pytest.raises(ValueError, match=r"0\.2 is not a plain decimal number"):
        decimal_from(0.2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "limit"),
    [("5", "5"), ("0.25", "0.25"), ("$5", "5"), ("$1,000", "1000"), ("1,234,567.89", "1234567.89"), (" $2 ", "2")],
)
def test_a_limit_is_read_as_people_type_it(typed: str, limit: str) -> None:
    assert usd_limit(typed) == Decimal(limit)


@pytest.mark.parametrize("typed", ["1,5", "1,0000", ",5", "1,00", "$-5", "-5", "5 USD", "", "$", "1e3"])
def test_a_limit_that_could_mean_two_things_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="is not a plain decimal number"):
        usd_limit(typed)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0.00"),
        ("0.00", "$0.00"),
        ("41.865", "$41.87"),
        ("1", "$1.00"),
        ("1234567.891", "$1,234,567.89"),
        ("1.005", "$1.01"),
        ("0.5", "$0.5000"),
        ("0.0550005", "$0.0550"),
        ("0.05505", "$0.05505"),
        ("0.000123456", "$0.0001235"),
        ("0.0000001", "$0.0000001"),
        ("0.00000012345", "$0.0000001235"),
        ("0.99994", "$0.9999"),
        ("0.99995", "$1.00"),
        ("0.999999", "$1.00"),
        ("-0.25", "-$0.2500"),
        ("-12.345", "-$12.35"),
    ],
)
def test_people_see_cents_from_one_dollar_and_four_significant_digits_below(amount: str, shown: str) -> None:
    assert display(Decimal(amount)) == shown


def test_another_currency_has_its_own_symbol() -> None:
    assert display(Decimal("59873.4"), "₩") == "₩59,873.40"


@given(AMOUNTS.filter(bool))
def test_a_cost_that_is_not_zero_is_never_shown_as_zero(amount: Decimal) -> None:
    shown_digits = set(display(amount)) & set("123456789")
    assert shown_digits


@given(AMOUNTS)
def test_the_display_is_within_half_a_cent_or_half_a_unit_of_the_fourth_digit(amount: Decimal) -> None:
    shown = Decimal(display(amount).replace("$", "").replace(",", ""))
    assert abs(shown - amount) <= max(Decimal("0.005") * (abs(amount) >= 1), abs(amount) * Decimal("0.0005"))


@given(AMOUNTS)
def test_exact_text_reads_back_as_the_same_amount_without_an_exponent(amount: Decimal) -> None:
    text = exact_text(amount)
    assert Decimal(text) == amount
    assert "E" not in text


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0E-12", "0"), ("-0.0", "0"), ("10.500", "10.5"), ("100", "100"), ("1E+3", "1000"), ("5.00", "5")],
)
def test_exact_text_drops_only_zeros_that_say_nothing(amount: str, text: str) -> None:
    assert exact_text(Decimal(amount)) == text


@given(st.lists(AMOUNTS, max_size=20), st.randoms(use_true_random=False))
def test_a_total_does_not_depend_on_the_order(amounts: list[Decimal], random: object) -> None:
    shuffled = amounts[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert total(shuffled) == total(amounts)


@given(AMOUNTS, AMOUNTS)
def test_subtracting_undoes_adding(left: Decimal, right: Decimal) -> None:
    assert minus(total((left, right)), right) == left


def test_a_price_is_rate_times_tokens_over_a_million() -> None:
    assert exact_text(price_of_tokens(1, Decimal("0.0625"))) == "0.0000000625"
    assert price_of_tokens(1_000_000, Decimal("3.75")) == Decimal("3.75")
    assert price_of_tokens(0, Decimal(75)) == 0


def test_arithmetic_that_would_lose_a_digit_raises() -> None:
    with pytest.raises(Inexact):
        times(Decimal("1." + "3" * 80), Decimal("1." + "7" * 80))


@pytest.mark.parametrize(
    ("left", "right", "shown"),
    [
        ("23.4575", "23.46", ("$23.458", "$23.460")),
        ("20.000004", "20", ("$20.000004", "$20.000000")),
        ("1234.5678", "1234.5679", ("$1,234.5678", "$1,234.5679")),
        ("0.123451", "0.123452", ("$0.123451", "$0.123452")),
        ("5", "4", ("$5.00", "$4.00")),
        ("5", "5.000", ("$5.00", "$5.00")),
    ],
)
def test_amounts_that_differ_are_shown_with_enough_digits_to_differ(
    left: str, right: str, shown: tuple[str, str]
) -> None:
    assert display_apart(Decimal(left), Decimal(right)) == shown
