"""Bars in plain text: amounts beside each other, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from costkit.core.money import display
from costkit.render.harmless import harmless

_WIDTH, _LONGEST_NAME = 48, 44
_PARTS = "▏▎▍▌▋▊▉█"
"""Eighths of a cell."""


def bar_chart(bars: Sequence[tuple[str, Decimal]]) -> tuple[str, ...]:
    """One line for each name and amount in US dollars; an amount that is not zero is always seen."""
    top = max((amount for _, amount in bars), default=Decimal(0))
    names = [shortened(name, _LONGEST_NAME) for name, _ in bars]
    margin = max(map(len, names), default=0)
    return tuple(
        f" {name:<{margin}} {_bar(amount, top)} {display(amount)}"
        for name, (_, amount) in zip(names, bars, strict=True)
    )


def shortened(name: str, longest: int) -> str:
    """A name that can be printed, with an ellipsis where it is too long."""
    text = harmless(name)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _bar(amount: Decimal, top: Decimal) -> str:
    if amount <= 0:
        return ""
    eighths = max(1, int(amount / top * _WIDTH * len(_PARTS)))
    whole, rest = divmod(eighths, len(_PARTS))
    return _PARTS[-1] * whole + (_PARTS[rest - 1] if rest else "")
