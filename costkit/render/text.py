"""Numbers as people read them."""

from __future__ import annotations

from decimal import Decimal

from costkit.core.money import display, exact_text
from costkit.render.harmless import harmless
from costkit.render.view import Cell, Kind, Labelled

DASH = "\N{EN DASH}"
_MILLION, _THOUSAND = 1_000_000, 1_000
_SHORT_FROM = 100_000


def for_people(cell: Cell, kind: Kind, empty: str = DASH) -> str:
    """A cell as a person reads it."""
    if cell is None:
        return empty
    if isinstance(cell, Labelled):
        return harmless(cell.label)
    if isinstance(cell, Decimal):
        return _amount(cell, kind)
    if kind is Kind.TOKENS and isinstance(cell, int):
        return tokens(cell)
    if isinstance(cell, int):
        return f"{cell:,}"
    return harmless(str(cell))


def _amount(amount: Decimal, kind: Kind) -> str:
    if kind is Kind.USD:
        return display(amount)
    if kind is Kind.SHARE:
        return percent(amount)
    if kind is Kind.CHANGE:
        return f"{amount:+}\u00a0%"
    return rate(amount) if kind is Kind.RATE else exact_text(amount)


def rate(amount: Decimal) -> str:
    """A list price with all its digits, cents at least: `$0.20`, `$0.025`, `$12.50`."""
    whole, _, decimals = exact_text(amount).partition(".")
    return f"${whole}.{decimals.ljust(2, '0')}"


def tokens(count: int) -> str:
    """A number of tokens: written out below 100,000, then shortened to three or four digits."""
    if abs(count) < _SHORT_FROM:
        return f"{count:,}" if count else DASH
    if abs(count) < _MILLION:
        return f"{Decimal(count) / _THOUSAND:.1f}k"
    return f"{Decimal(count) / _MILLION:,.2f}M"


def percent(share: Decimal) -> str:
    """A share as percent that only says 0 or 100 where that is exact; the number and its sign never part."""
    value = share * 100
    if 0 < value < Decimal("0.1"):
        return "<0.1\u00a0%"
    if Decimal("99.9") < value < 100:  # noqa: PLR2004  percent
        return ">99.9\u00a0%"
    digits = 1 if value % 1 and abs(value) < 100 else 0  # noqa: PLR2004  percent
    return f"{value:.{digits}f}\u00a0%"


def plural(count: int, noun: str, many: str | None = None) -> str:
    """`1 request`, `2 requests`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"
