"""What deserves a second look in a price book: old dates, leaving models, prices that are unsure or look odd."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from costkit.core.money import exact_text, times
from costkit.core.pricebook import UNSURE, ModelPrice, PriceBook, PricePeriod
from costkit.core.rates import Rates

_USUAL = {"cache_write_5m": Decimal("1.25"), "cache_write_1h": Decimal(2), "cache_read": Decimal("0.1")}
"""Cache rates as multiples of input; https://platform.claude.com/docs/en/build-with-claude/prompt-caching"""
_MOST_SURCHARGE = 2
_EXCEPTIONS = {
    ("claude-fable-5-2", "cache_read"): Decimal("0.025"),
    ("claude-mythos-5-2", "cache_read"): Decimal("0.025"),
    ("claude-fable-5-1", "cache_read"): Decimal("0.025"),
    ("claude-mythos-5-1", "cache_read"): Decimal("0.025"),
    ("claude-opus-5-5", "cache_read"): Decimal("0.05"),
    ("claude-sonnet-5-5", "cache_read"): Decimal("0.05"),
    ("claude-3-haiku-20240307", "cache_write_5m"): Decimal("1.2"),
    ("claude-3-haiku-20240307", "cache_read"): Decimal("0.12"),
}
"""Multiples that are published for one model; a rate that follows neither these nor the usual ones is odd."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at before the prices are relied on."""

    code: str
    """Stable and kebab-case, for scripts."""
    severity: str
    """`warning`: may lead to a wrong number or needs a decision soon. `note`: good to know."""
    model: str | None
    """`None` for the book as a whole."""
    message: str


@dataclass(frozen=True, slots=True)
class BookCheck:
    """What `costkit pricing check` answers; findings in the order of the book."""

    as_of: date
    models: int
    findings: tuple[Finding, ...]

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that ask for something to be done."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")


def check_book(book: PriceBook, day: date, *, stale_days: int = 30, notice_days: int = 30) -> BookCheck:
    """Look for trouble in a price book as of a day.

    `stale_days` is the age from which a `checked` date is old; `notice_days` how far ahead to look for retirements,
    ending offers and announced prices.
    """
    findings = [*_book_age(book, day, stale_days), *_modifiers(book)]
    for model in book.models:
        findings += _lifecycle(model, day, notice_days)
        findings += _prices(model, model.period(day), "price", day, notice_days)
        fast = model.fast_period(day)
        if fast is not None:
            findings += _prices(model, fast, "fast-mode price", day, notice_days)
        findings += _row_age(book, model, day, stale_days)
        findings += _announced(model, day, notice_days)
        findings += _shapes(model)
    return BookCheck(day, len(book.models), tuple(findings))


def _book_age(book: PriceBook, day: date, stale_days: int) -> Iterator[Finding]:
    age = (day - book.checked).days
    if age > stale_days:
        message = f"the prices were last checked {age} days ago, on {book.checked}"
        yield Finding("stale-book", "warning", None, message)
    if age < 0:
        yield Finding("checked-later", "note", None, f"the prices were checked on {book.checked}, after {day}")


def _modifiers(book: PriceBook) -> Iterator[Finding]:
    """A batch is a discount and a geography a surcharge; anything else is most likely a slip of the pen."""
    if not 0 < book.batch_multiplier < 1:
        message = f"batch_multiplier is {exact_text(book.batch_multiplier)}, usually 0.5"
        yield Finding("odd-multiplier", "warning", None, message)
    for model in book.models:
        for geo, multiplier in model.geo_multipliers.items():
            if not 1 <= multiplier < _MOST_SURCHARGE:
                message = f"inference_geo {geo} multiplies by {exact_text(multiplier)}, usually 1.1"
                yield Finding("odd-multiplier", "warning", model.id, message)


def _row_age(book: PriceBook, model: ModelPrice, day: date, stale_days: int) -> Iterator[Finding]:
    checked = model.period(day).checked
    if (day - checked).days > stale_days and checked < book.checked:
        message = f"the price was last checked on {checked}, although the book says {book.checked}"
        yield Finding("stale-price", "warning", model.id, message)


def _lifecycle(model: ModelPrice, day: date, notice_days: int) -> Iterator[Finding]:
    life = model.lifecycle
    status = life.status(day)
    days_left = (life.retired - day).days if life.retired else None
    if days_left is not None and 0 < days_left <= notice_days:
        yield Finding("retiring", "warning", model.id, f"retires on {life.retired}, in {_days(days_left)}")
    elif status != "active":
        since = life.retired if status == "retired" else life.deprecated
        yield Finding(status, "note", model.id, f"{status} since {since}")
    if day >= life.released and model.periods[0].effective_from > life.released:
        message = f"released on {life.released}, but the first price is of {model.periods[0].effective_from}"
        yield Finding("first-days-unpriced", "warning", model.id, message)


def _prices(model: ModelPrice, period: PricePeriod, what: str, day: date, notice_days: int) -> Iterator[Finding]:
    if period.confidence in UNSURE:
        message = f"the {what} has the confidence {period.confidence} (source {period.source})"
        yield Finding("price-confidence", "warning", model.id, message)
    if period.effective_until is not None and (period.effective_until - day).days <= notice_days:
        message = f"the {what} ends on {period.effective_until} and nothing follows it"
        yield Finding("price-ending", "warning", model.id, message)


def _announced(model: ModelPrice, day: date, notice_days: int) -> Iterator[Finding]:
    for what, periods in (("price", model.periods), ("fast-mode price", model.fast_periods)):
        for period in periods:
            if 0 < (period.effective_from - day).days <= notice_days:
                yield Finding("price-change", "note", model.id, f"a new {what} begins on {period.effective_from}")


def _shapes(model: ModelPrice) -> Iterator[Finding]:
    for what, periods in (("price", model.periods), ("fast-mode price", model.fast_periods)):
        for period in periods:
            for tier in period.tiers:
                for oddity in _oddities(model.id, tier.rates):
                    message = f"{what} from {period.effective_from}: {oddity}"
                    yield Finding("odd-rate", "warning", model.id, message)
    if model.max_output_tokens > model.context_window:
        yield Finding("odd-limit", "warning", model.id, "max_output_tokens is larger than the context window")


def _oddities(model: str, rates: Rates) -> Iterator[str]:
    if rates.output < rates.input:
        yield "output is cheaper than input"
    for name, usual in _USUAL.items():
        rate: Decimal = getattr(rates, name)
        known = {usual, _EXCEPTIONS.get((model, name), usual)}
        if all(rate != times(rates.input, multiple) for multiple in known):
            expected = " or ".join(exact_text(times(rates.input, multiple)) for multiple in sorted(known))
            yield f"{name} is {exact_text(rate)}, usually {expected}"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
