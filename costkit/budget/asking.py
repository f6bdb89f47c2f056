"""What is asked of a budget, and what is settled with it, as whole units of that budget."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date
from typing import NamedTuple

from costkit.budget.amount import TOKENS, Amount, bounded
from costkit.budget.pricing import Size, Terms, billed, ceiling
from costkit.budget.result import Reservation
from costkit.budget.rules import BudgetRule
from costkit.budget.scope import Traits, covers, scope_text
from costkit.core.pricebook import PriceBook
from costkit.core.usage import Usage
from costkit.errors import InvalidInput


class Ask(NamedTuple):
    """What a request may cost at most: an amount, or the size of the request."""

    day: date
    """The UTC day of the request."""
    amount: Amount | None = None
    size: Size | None = None
    tags: Mapping[str, str] = {}
    model: str | None = None
    batch: bool = False
    fast: bool = False
    inference_geo: str | None = None


class Spent(NamedTuple):
    """What was spent: an amount, or the usages of responses with the models that they name; nothing means all of it."""

    amount: Amount | None = None
    usages: tuple[tuple[Usage | Mapping[str, object], str | None], ...] = ()
    batch: bool | None = None
    """`None` means as it was reserved."""
    day: date | None = None
    """The UTC day of the prices; `None` means that of the reservation."""


def units_asked(rule: BudgetRule, ask: Ask, book: PriceBook) -> int:
    """How many units of a budget to hold.

    Raises `InvalidInput` where the budget doesn't cover such requests or is in another unit, `UnknownModel` or
    `Undecidable` where no price is known.
    """
    if not covers(rule.scope, Traits(ask.model, ask.tags), book):
        listed = scope_text(rule.scope)
        raise InvalidInput(f"budget {rule.name} covers only {listed}", hint="use another budget", code="out-of-scope")
    if ask.model is not None and rule.limit.unit != TOKENS:
        book.resolve(ask.model)  # what could not be settled must not be sent
    if ask.amount is not None:
        return _in_unit(ask.amount, rule.limit.unit, rule.name)
    if ask.size is None:
        raise InvalidInput("nothing says how much to reserve", hint="give usd, tokens, or the size of the request")
    if ask.model is None and rule.limit.unit != TOKENS:
        raise InvalidInput("nothing says which model the request goes to", hint="a price depends on it")
    geo = ask.inference_geo or rule.inference_geo
    terms = Terms(ask.model or "", ask.day, ask.batch, ask.fast, geo)
    return ceiling(ask.size, terms, rule.limit.unit, book).value


def units_spent(reservation: Reservation, spent: Spent, book: PriceBook) -> int:
    """How many units of a budget to settle a reservation with, at the prices of the UTC day when it was made.

    Raises `InvalidInput` for another unit, for a usage that can't be believed or whose model nothing says, and
    `UnknownModel` or `Undecidable` where no price is known: the reservation then stays, and stays counted.
    """
    unit = reservation.reserved.unit
    if spent.amount is not None:
        return _in_unit(spent.amount, unit, reservation.budget)
    if not spent.usages:
        return reservation.reserved.value
    batch = reservation.batch if spent.batch is None else spent.batch
    day = spent.day or reservation.reserved_at.astimezone(UTC).date()
    total = 0
    for usage, named in spent.usages:
        model = named or reservation.model
        if model is None and unit != TOKENS:
            raise InvalidInput("nothing says which model was used", hint="a price depends on it")
        total += billed(usage, Terms(model or "", day, batch), unit, book).value
    return bounded(Amount(unit, total), "what was spent").value


def _in_unit(amount: Amount, unit: str, name: str) -> int:
    if amount.unit != unit:
        raise InvalidInput(f"budget {name} is in {unit}, not in {amount.unit}", hint=f"give {unit}")
    return amount.value
