"""The costs that other systems write beside their responses: read to the digit, and dollars only where that is known.

Systems record what they think a response costs by prices of their own, most in US dollars, some in cents, credits or
another currency. Each dialect says which of its fields its documentation promises to be dollars; a unit that the log
itself names, in the name of a field or beside it, goes before that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from costkit.adapters.logs.dialects.counted import first_of
from costkit.adapters.logs.dialects.dialect import Holder
from costkit.adapters.logs.values import MONEY, Written
from costkit.core.money import ZERO
from costkit.report.charge import NO_AMOUNT, NO_UNIT, Charge

MOST_USD = 10**9
"""Dollars above which an amount can't be believed."""
_MOST_DECIMALS = 60
_CODE = len("EUR")
_COST, _SPEND = MONEY
_AMOUNT = re.compile(r"\d{1,40}(?:\.\d{1,60})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_UNIT = re.compile(r"[a-z]{3}|cents?|credits?", re.IGNORECASE | re.ASCII)
"""What a unit is called: what a report says must not grow with what somebody puts in the place of one."""
_UNITS = ("currency", "cost_currency", "costCurrency", "cost_unit", "costUnit")
_DOLLARS = ("usd", "us$", "$", "dollar", "dollars")
_NAMED = re.compile(
    r"(?:.*[._])?(?:total|response|estimated)?_?(?:cost|spend)_?(?:in_?)?"
    r"(usd|dollars?|cents?|credits?|eur|gbp|jpy|cny|inr|krw|cad|aud|chf|brl)",
    re.IGNORECASE | re.ASCII,
)


def usd_of(value: object, *, or_text: bool = False) -> Decimal:
    """The amount of a JSON number, `or_text` with one in it, to the last digit. Raises ValueError for anything else."""
    if isinstance(value, Written):
        text = value.text
    elif isinstance(value, str) and or_text:
        text = value
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not an amount")
    else:
        text = repr(value)  # the shortest text of a float is the number as its writer had it
    if not _AMOUNT.fullmatch(text):
        raise ValueError("not an amount")
    usd = Decimal(text)
    if not usd:
        return ZERO
    if usd > MOST_USD or _decimals(usd) > _MOST_DECIMALS:
        raise ValueError("not an amount")
    return usd


def charge_of(source: str, value: object, *holders: Holder, in_dollars: bool = True) -> Charge | None:
    """What a dialect says that a response cost; `None` where it doesn't say.

    `holders` are searched for the name of a unit, and for fields with one in their name if there is no `value`.
    `in_dollars` tells whether the documentation of the dialect promises dollars.
    """
    unit: object = None
    if value is None:
        value, unit = _named(holders)
        if value is None:
            return None
    for holder in holders:
        unit = first_of(holder, _UNITS) if unit is None else unit
    known = in_dollars if unit is None else str(unit).strip().lower() in _DOLLARS
    try:
        usd = usd_of(value, or_text=True)
    except ValueError:
        return Charge(source, None, NO_AMOUNT)
    if known:
        return Charge(source, usd)
    return Charge(source, None, _name_of(unit))


def _name_of(unit: object) -> str:
    text = unit.strip() if isinstance(unit, str) else ""
    if not _UNIT.fullmatch(text):
        return NO_UNIT
    return text.upper() if len(text) == _CODE else text.lower()


def _named(holders: Sequence[Holder]) -> tuple[object, str | None]:
    """The first cost in a field that has its unit in its name, and the unit."""
    for holder in holders:
        for name, value in holder.items():
            if (_COST in name or _SPEND in name) and value is not None:
                found = _NAMED.fullmatch(name)
                if found:
                    return value, found[1].lower()
    return None, None


def _decimals(amount: Decimal) -> int:
    exponent: Any = amount.as_tuple().exponent
    return -int(exponent)
