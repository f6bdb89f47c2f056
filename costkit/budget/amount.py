"""Amounts of a budget as whole numbers: picodollars or tokens, so that SQLite adds them up exactly.

A picodollar is 10⁻¹² US dollars: every price with up to six decimals per million tokens is a whole number of them.
What is finer than that (a discount of one's own with many digits) is rounded up, so that nothing is ever understated.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Context, Decimal
from typing import NamedTuple

from costkit.core.money import EXACT, display, usd_limit
from costkit.errors import InvalidInput

USD, TOKENS = "usd", "tokens"
UNITS = (USD, TOKENS)
_DIGITS = 12
_UP = Context(prec=60, rounding=ROUND_CEILING)
_MOST_DIGITS = 40
_MOST = {USD: 10**18, TOKENS: 10**15}
"""A million dollars, a thousand billion tokens: SQLite's integers have room for nine of them."""
_MULTIPLIERS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}
_TOKENS = re.compile(r"(\d+(?:\.\d+)?|\d{1,3}(?:,\d{3})+) ?(?:(k|m|g) ?(?:tokens?|tok)?|(?:tokens?|tok))", re.ASCII)
_AMOUNT_HINT = "write dollars as 2.50, tokens as 200000tokens or 2M"


class Amount(NamedTuple):
    """So many whole units of US dollars (10⁻¹² each) or of tokens."""

    unit: str
    """One of `UNITS`."""
    value: int

    @property
    def usd(self) -> Decimal | None:
        """Exact US dollars; `None` for tokens."""
        return Decimal(self.value).scaleb(-_DIGITS, EXACT) if self.unit == USD else None

    @property
    def tokens(self) -> int | None:
        """Tokens; `None` for dollars."""
        return self.value if self.unit == TOKENS else None

    def __str__(self) -> str:
        return display(self.usd) if self.usd is not None else f"{self.value:,} tokens"


def usd_amount(value: object, what: str = "usd") -> Amount:
    """US dollars from text or an exact number, rounded up to whole picodollars.

    Raises `InvalidInput` for what is negative, not finite or absurdly large, and for floats, which can't hold cents.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise InvalidInput(f"{what} must be text, a whole number or a Decimal, not {value!r}", hint="write '2.50'")
    if isinstance(value, str):
        try:
            value = usd_limit(value)
        except ValueError:
            raise InvalidInput(f"{what} {value!r} is not an amount in US dollars", hint="write it as 2.50") from None
    number = Decimal(value)
    if not number.is_finite() or number < 0:
        raise InvalidInput(f"{what} must be an amount from 0, not {value}")
    if number.adjusted() > _DIGITS:
        raise InvalidInput(f"{what} {number} is more than a budget can hold", hint="at most 1,000,000")
    return bounded(Amount(USD, int(number.scaleb(_DIGITS, _UP).to_integral_value(ROUND_CEILING))), what)


def token_amount(value: object, what: str = "tokens") -> Amount:
    """A whole number of tokens; raises `InvalidInput` for anything else."""
    if type(value) is not int or value < 0:
        raise InvalidInput(f"{what} must be a whole number from 0, not {value!r}")
    return bounded(Amount(TOKENS, value), what)


def parse_amount(text: str, what: str = "--limit") -> Amount:
    """Read what a person typed: `2.50` or `$1,000` are dollars, `200000tokens`, `500k` or `2M tokens` are tokens.

    Raises `InvalidInput` for anything else: signs, NaN, fractions of a token.
    """
    if len(text) > _MOST_DIGITS:
        raise InvalidInput(f"{what} {text[:_MOST_DIGITS]!r}… is no amount", hint=_AMOUNT_HINT)
    tokens = _TOKENS.fullmatch(text.strip().lower())
    if tokens is None:
        plain = re.sub(r" ?usd$", "", text.strip(), flags=re.IGNORECASE)
        try:
            return usd_amount(usd_limit(plain), what)
        except ValueError:
            raise InvalidInput(f"{what} {text!r} is no amount", hint=_AMOUNT_HINT) from None
    number = EXACT.multiply(Decimal(tokens[1].replace(",", "")), Decimal(_MULTIPLIERS[tokens[2] or ""]))
    if number != number.to_integral_value():
        raise InvalidInput(f"{what} {text!r} is not a whole number of tokens", hint=_AMOUNT_HINT)
    return bounded(Amount(TOKENS, int(number)), what)


def bounded(amount: Amount, what: str) -> Amount:
    """The amount, unless it is more than the file can hold; raises `InvalidInput`."""
    most = Amount(amount.unit, _MOST[amount.unit])
    if amount.value > most.value:
        raise InvalidInput(f"{what} {amount} is more than a budget can hold", hint=f"at most {most}")
    return amount
