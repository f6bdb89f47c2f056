"""Money is exact: `decimal.Decimal` US dollars from the price book to the edge.

Sums and products run in a context that raises where a digit would be lost, so a total is the same
whatever the order in which it was added up. Only the display functions at the end of this module round.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

EXACT = Context(prec=120, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""Arithmetic that refuses to lose a digit. 120 digits hold any product of counts and rates that can occur."""

ZERO = Decimal(0)
_TOKENS_PER_MTOK_EXPONENT = -6
_PLAIN = re.compile(r"\d+(\.\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_DISPLAY = Context(prec=120, rounding=ROUND_HALF_UP)


def decimal_from(text: str) -> Decimal:
    """Read an amount written in plain digits, such as `0.20`.

    Signs, exponents, underscores and floats are refused with ValueError: an amount that looks odd is a mistake.
    """
    if not isinstance(text, str) or not _PLAIN.fullmatch(text):
        raise ValueError(f"{text!r} is not a plain decimal number")
    return Decimal(text)


def usd_limit(text: str) -> Decimal:
    """Read a limit that a person typed: `5`, `0.25` or `$1,000`; ValueError for anything else.

    A comma must part thousands: `1,5` is refused rather than read as 15.
    """
    amount = text.strip().removeprefix("$")
    return decimal_from(amount.replace(",", "") if _THOUSANDS.fullmatch(amount) else amount)


def times(amount: Decimal, factor: Decimal | int) -> Decimal:
    """Multiply exactly."""
    return EXACT.multiply(amount, Decimal(factor) if isinstance(factor, int) else factor)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Add up exactly."""
    result = ZERO
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def minus(left: Decimal, right: Decimal) -> Decimal:
    """Subtract exactly."""
    return EXACT.subtract(left, right)


def price_of_tokens(tokens: int, usd_per_mtok: Decimal) -> Decimal:
    """Price a number of tokens at a rate in US dollars per million tokens; shifts the exponent, never divides."""
    return times(usd_per_mtok, tokens).scaleb(_TOKENS_PER_MTOK_EXPONENT, EXACT)


def exact_text(amount: Decimal) -> str:
    """Write every digit, no exponent, no trailing zeros: the form that JSON and CSV carry."""
    if amount == 0:
        return "0"
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def display(amount: Decimal, symbol: str = "$") -> str:
    """Round for people: cents from 1 up, 4 significant digits below, never `$0.00` for a cost that is not zero."""
    if amount == 0:
        return f"{symbol}0.00"
    sign = "-" if amount < 0 else ""
    size = abs(amount)
    rounded = size.quantize(Decimal("0.01"), context=_DISPLAY)
    if size < 1:
        significant = size.quantize(Decimal(1).scaleb(size.adjusted() - 3), context=_DISPLAY)
        if significant < 1:
            return f"{sign}{symbol}{_at_least_four_decimals(significant)}"
        rounded = significant.quantize(Decimal("0.01"), context=_DISPLAY)
    return f"{sign}{symbol}{rounded:,.2f}"


def display_apart(left: Decimal, right: Decimal, symbol: str = "$") -> tuple[str, str]:
    """Round two amounts for people, with as many digits as it takes to tell them apart."""
    shown = display(left, symbol), display(right, symbol)
    return shown if shown[0] != shown[1] or left == right else _longer(left, right, symbol)


def _longer(left: Decimal, right: Decimal, symbol: str) -> tuple[str, str]:
    places, texts = 2, ("", "")
    while texts[0] == texts[1]:
        places += 1
        texts = f"{_rounded(left, places):,f}", f"{_rounded(right, places):,f}"
    return f"{symbol}{texts[0]}", f"{symbol}{texts[1]}"


def _rounded(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), context=_DISPLAY)


def _at_least_four_decimals(amount: Decimal) -> str:
    whole, _, decimals = format(amount, "f").partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(4, '0')}"
