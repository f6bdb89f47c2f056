"""`costkit estimate --max-cost`: what is over the limit, and what can't be judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from costkit.cli.run import Finding
from costkit.core.money import display_apart
from costkit.errors import ExitCode
from costkit.estimate import CostRange, Estimate, Total


def undecided(result: Estimate) -> Iterator[Finding]:
    """Say which prices are unknown."""
    unpriced = [item.model for item in result.items if item.cost_usd is None]
    if unpriced:
        names = ", ".join(dict.fromkeys(unpriced))
        yield Finding(ExitCode.UNDECIDED, f"the price of {names} is unknown: the totals leave it out")


def over(totals: Sequence[Total], limit: Decimal | None, on: str | None) -> Iterator[Finding]:
    """Judge each model's total.

    Each request counts with its ceiling, or with its expected cost where nothing limits its output; `on` is
    `expected`, or `ceiling`, which can't be judged where one is missing.
    """
    for total in totals if limit is not None else ():
        cost = total.cost_usd
        if cost is None or limit is None:
            continue
        if on == "ceiling" and cost.ceiling is None:
            message = f"{total.model} has no ceiling to judge: add --max-tokens N"
            yield Finding(ExitCode.UNDECIDED, message)
        what, judged = _judged(cost, on)
        if judged > limit:
            shown, allowed = display_apart(judged, limit)
            yield Finding(ExitCode.LIMIT, f"{total.model}: {what.format(shown)} is over --max-cost {allowed}")


def _judged(cost: CostRange, on: str | None) -> tuple[str, Decimal]:
    """How what is held against the limit is spoken of, and what it is."""
    if on == "expected":
        return "expected {}", cost.expected
    if cost.ceiling is not None:
        return "ceiling {}", cost.ceiling
    if on == "ceiling":
        return "{} for the requests with max_tokens alone", cost.limited
    if cost.limited == 0:
        return "expected {}", cost.expected
    return "{} (ceilings, and expected where max_tokens is missing)", cost.likely_most
