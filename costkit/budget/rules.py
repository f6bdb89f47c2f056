"""What a budget is, what stands on it now, and whether a request still fits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

from costkit.budget.amount import Amount
from costkit.budget.scope import Scope
from costkit.budget.window import Span, Window, span_at
from costkit.core.money import EXACT, display_apart
from costkit.errors import BudgetExceeded, InvalidInput
from costkit.report import parse_zone

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@+-]{0,63}", re.ASCII)
SHARES = 10**6
"""Soft limits are whole millionths of the limit."""
_SHARE_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """A limit on what may be spent in each window of time."""

    name: str
    limit: Amount
    window: Window
    zone: str = "UTC"
    """As `parse_zone` reads it: an IANA name, or an offset from UTC."""
    scope: Scope = ()
    soft: int | None = None
    """Millionths of the limit at which a warning is due; `None` for no warning."""
    notify: str | None = None
    """A command line that gets the warning as JSON on stdin."""
    inference_geo: str | None = None
    """Where the workspace has requests run that don't say where themselves; `None` for no surcharge."""

    @property
    def tzinfo(self) -> tzinfo:
        """The zone whose midnights cut the windows."""
        return parse_zone(self.zone)

    def span(self, now: datetime) -> Span:
        """The window that holds now."""
        return span_at(self.window, now, self.tzinfo)


@dataclass(frozen=True, slots=True)
class Standing:
    """What is spent and what is held in the current window, in the units of the limit."""

    limit: Amount
    committed: int = 0
    reserved: int = 0
    """Held by reservations whose lease runs."""
    uncertain: int = 0
    """Held by reservations whose lease ran out: maybe spent, so still counted."""

    @property
    def used(self) -> int:
        """Everything that can no longer be given away."""
        return self.committed + self.reserved + self.uncertain

    @property
    def available(self) -> int:
        """What a reservation may still take; never below 0."""
        return max(0, self.limit.value - self.used)

    @property
    def over(self) -> int:
        """By how much the limit is exceeded: answers dearer than their ceiling, or a limit that was lowered."""
        return max(0, self.used - self.limit.value)

    def fits(self, asked: int) -> bool:
        """Whether a reservation stays within the limit."""
        return self.used + asked <= self.limit.value

    def is_soft_reached(self, soft: int | None) -> bool:
        """Whether the warning is due."""
        return soft is not None and self.used * SHARES >= self.limit.value * soft

    def amount(self, value: int) -> Amount:
        """A number of this budget's units."""
        return Amount(self.limit.unit, value)


def check_name(name: str) -> str:
    """A name that is safe in scripts and files; raises `InvalidInput` for any other."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name[:80]!r} can't name a budget",
            hint="up to 64 letters, digits and . _ - / @ +, a letter or digit first",
        )
    return name


def soft_share(share: Decimal) -> int:
    """A soft limit in millionths of the limit; raises `InvalidInput` for one that is not within 0 and 100 %."""
    if not share.is_finite() or not 0 < share <= 1 or share != round(share, _SHARE_DECIMALS):
        raise InvalidInput("--soft must be above 0 and at most 100 %, in at most 4 decimals", hint="write it as 80%")
    return int(EXACT.multiply(share, Decimal(SHARES)))


def refusal(budget: BudgetRule, standing: Standing, span: Span, asked: Amount) -> BudgetExceeded:
    """The error for a reservation that doesn't fit, with what is left."""
    left = standing.amount(standing.available)
    until = f" until {span.end.astimezone(budget.tzinfo):%Y-%m-%d %H:%M} {budget.zone}" if span.end else ""
    shown = display_apart(left.usd, asked.usd) if left.usd is not None and asked.usd is not None else (left, asked)
    message = f"budget {budget.name}: {shown[0]} of {budget.limit} left{until}, {shown[1]} asked for"
    hint = f"costkit budget status {budget.name} shows what holds the rest"
    return BudgetExceeded(message, hint=hint, budget=budget.name, available_usd=left.usd, available_tokens=left.tokens)
