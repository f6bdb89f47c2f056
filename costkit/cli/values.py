"""What people type after a flag, read strictly: each reader names its flag and shows how to write the value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from costkit.core.money import decimal_from, times, usd_limit
from costkit.core.period import day_in
from costkit.errors import InvalidInput

if TYPE_CHECKING:
    from costkit.render.view import Currency

_CURRENCY = re.compile(r"([A-Z]{3})=(.+)")
_PERCENT = Decimal("0.01")
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?) ?(s|m|h|d)?", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_S = 31 * 86_400


def day_from(flag: str, text: str) -> date:
    """Read a day such as 2026-11-21."""
    try:
        day = day_in(text.strip())
    except ValueError:
        day = None
    if day is None:
        raise InvalidInput(f"{flag} {text!r} is not a day", hint="write it as 2026-11-21")
    return day


def usd_from(flag: str, text: str | None) -> Decimal | None:
    """Read an amount in US dollars such as 2.50."""
    if text is None:
        return None
    try:
        return usd_limit(text)
    except ValueError:
        raise InvalidInput(f"{flag} {text!r} is not an amount in US dollars", hint="write it as 2.50") from None


def share_from(flag: str, text: str | None) -> Decimal | None:
    """Read a share such as 0.8 or 80%."""
    if text is None:
        return None
    try:
        value = decimal_from(text.removesuffix("%"))
        return times(value, _PERCENT) if text.endswith("%") else value
    except (ValueError, ArithmeticError):
        raise InvalidInput(f"{flag} {text!r} is not a share", hint="write it as 0.8 or 80%") from None


def currency_from(text: str | None) -> Currency | None:
    """Read a second currency such as KRW=1430."""
    if text is None:
        return None
    from costkit.render.view import Currency

    match = _CURRENCY.fullmatch(text)
    try:
        rate = decimal_from(match.group(2)) if match else Decimal(0)
    except ValueError:
        rate = Decimal(0)
    if match is None or rate == 0:
        raise InvalidInput(f"--also {text!r} is not a currency and its rate", hint="write it as KRW=1430")
    return Currency(match.group(1), rate)


def one_of(flag: str, value: str | None, choices: Sequence[str]) -> str | None:
    """Check that a value is one of a few words."""
    if value is not None and value not in choices:
        raise InvalidInput(f"{flag} {value!r} is not one of {', '.join(choices)}")
    return value


def seconds_from(flag: str, text: str | None) -> float | None:
    """Read a length of time such as 30s, 5m or 2h, in seconds; a number alone is seconds."""
    if text is None:
        return None
    match = _DURATION.fullmatch(text.strip().lower())
    seconds = float(match.group(1)) * _SECONDS[match.group(2) or "s"] if match else None
    if seconds is None or seconds > _LONGEST_S:
        raise InvalidInput(f"{flag} {text!r} is not a length of time", hint="write it as 30s, 5m or 2h")
    return seconds
