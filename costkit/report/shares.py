"""Shares of a whole, from 0 to 1."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

_RATIO = Context(prec=60, rounding=ROUND_HALF_EVEN)
_STEP = Decimal("0.000001")


def share_of(part: int, whole: int) -> Decimal | None:
    """A share from 0 to 1 in millionths; `None` of nothing."""
    if not whole:
        return None
    return _RATIO.divide(Decimal(part), Decimal(whole)).quantize(_STEP, context=_RATIO)
