"""What differs between two price books on a day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal

from costkit.core.money import exact_text, minus
from costkit.core.pricebook import ModelPrice, PriceBook, PricePeriod
from costkit.pricing.card import TierRates, tier_rates

_RATES = tuple(field.name for field in fields(TierRates) if field.name != "up_to_tokens")
_LIMITS = (
    "context_window",
    "max_output_tokens",
    "batch_max_output_tokens",
    "min_cacheable_tokens",
    "tokenizer",
    "image_tier",
)
_CENT_OF_A_PERCENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class RateChange:
    """One rate that differs; `None` on a side where it has no price."""

    model: str
    speed: str
    """`standard` or `fast`."""
    up_to_tokens: int | None
    """Largest whole prompt of the bracket in which the rates differ; `None` is any size above the brackets before."""
    rate: str
    """Such as `cache_read_usd_per_mtok`."""
    old_usd: Decimal | None
    new_usd: Decimal | None
    change_percent: Decimal | None
    """Rounded to hundredths; `None` where there is no old price, or where it was 0."""


@dataclass(frozen=True, slots=True)
class OtherChange:
    """A limit, name, date or modifier that differs; `None` on a side that lacks it."""

    model: str | None
    """`None` for what holds for the whole book."""
    field: str
    old: str | int | None
    new: str | int | None


@dataclass(frozen=True, slots=True)
class BookDiff:
    """What `costkit pricing diff` answers."""

    as_of: date
    added: tuple[str, ...]
    removed: tuple[str, ...]
    rates: tuple[RateChange, ...]
    other: tuple[OtherChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether both books say the same."""
        return not (self.added or self.removed or self.rates or self.other)


def diff_books(old: PriceBook, new: PriceBook, day: date) -> BookDiff:
    """Compare two books: models, the rates of the day, limits, names, dates and modifiers.

    Rates are compared bracket by bracket, so a tier that appears or vanishes shows as the prices it changes. Prices of
    other days are compared too and shown as one `price_history` line per model.
    """
    before = {model.id: model for model in old.models}
    after = {model.id: model for model in new.models}
    pairs = [(model, after[model.id]) for model in old.models if model.id in after]
    return BookDiff(
        day,
        tuple(name for name in after if name not in before),
        tuple(name for name in before if name not in after),
        tuple(change for pair in pairs for change in _rate_changes(*pair, day)),
        (*_modifiers(old, new), *(change for pair in pairs for change in _other_changes(*pair, day))),
    )


def _rate_changes(old: ModelPrice, new: ModelPrice, day: date) -> Iterator[RateChange]:
    yield from _changes(old.id, "standard", old.period(day), new.period(day))
    yield from _changes(old.id, "fast", old.fast_period(day), new.fast_period(day))


def _changes(model: str, speed: str, old: PricePeriod | None, new: PricePeriod | None) -> Iterator[RateChange]:
    for bracket in _brackets(old, new):
        before, after = _rates_in(old, bracket), _rates_in(new, bracket)
        for rate in _RATES:
            old_usd = getattr(before, rate, None)
            new_usd = getattr(after, rate, None)
            if old_usd != new_usd:
                yield RateChange(model, speed, bracket, rate, old_usd, new_usd, _percent(old_usd, new_usd))


def _brackets(*periods: PricePeriod | None) -> list[int | None]:
    bounds = {tier.up_to for period in periods if period for tier in period.tiers if tier.up_to is not None}
    return [*sorted(bounds), None]


def _rates_in(period: PricePeriod | None, bracket: int | None) -> TierRates | None:
    if period is None:
        return None
    index = len(period.tiers) - 1 if bracket is None else period.tier_for(bracket)
    return tier_rates(bracket, period.tiers[index].rates)


def _percent(old: Decimal | None, new: Decimal | None) -> Decimal | None:
    if not old or new is None:
        return None
    return (minus(new, old) * 100 / old).quantize(_CENT_OF_A_PERCENT)


def _modifiers(old: PriceBook, new: PriceBook) -> Iterator[OtherChange]:
    for field in ("batch_multiplier", "web_search_usd"):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            yield OtherChange(None, field, exact_text(before), exact_text(after))


def _other_changes(old: ModelPrice, new: ModelPrice, day: date) -> Iterator[OtherChange]:
    for field in _LIMITS:
        yield from _change(old.id, field, getattr(old, field), getattr(new, field))
    for field in ("released", "deprecated", "retired"):
        yield from _change(old.id, field, _day(getattr(old.lifecycle, field)), _day(getattr(new.lifecycle, field)))
    for geo in dict.fromkeys((*old.geo_multipliers, *new.geo_multipliers)):
        before, after = old.geo_multipliers.get(geo), new.geo_multipliers.get(geo)
        if before != after:
            yield OtherChange(old.id, f"inference_geo.{geo}", _number(before), _number(after))
    for alias in (alias for alias in old.aliases if alias not in new.aliases):
        yield OtherChange(old.id, "aliases", alias, None)
    for alias in (alias for alias in new.aliases if alias not in old.aliases):
        yield OtherChange(old.id, "aliases", None, alias)
    yield from _history(old, new, day)


def _history(old: ModelPrice, new: ModelPrice, day: date) -> Iterator[OtherChange]:
    before, after = (_other_days(model, day) for model in (old, new))
    if before != after:
        yield OtherChange(old.id, "price_history", _periods(before), _periods(after))


def _other_days(model: ModelPrice, day: date) -> list[tuple[str, date, date | None, object]]:
    """What a model costs on other days, leaving out where that was read."""
    current = (model.period(day), model.fast_period(day))
    return [
        (speed, period.effective_from, period.effective_until, None if period in current else period.tiers)
        for speed, periods in (("standard", model.periods), ("fast", model.fast_periods))
        for period in periods
    ]


def _periods(days: list[tuple[str, date, date | None, object]]) -> str:
    return ", ".join(f"{speed} {begin}" + (f" to {end}" if end else "") for speed, begin, end, _ in days)


def _change(model: str, field: str, old: str | int | None, new: str | int | None) -> Iterator[OtherChange]:
    if old != new:
        yield OtherChange(model, field, old, new)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _number(number: Decimal | None) -> str | None:
    return exact_text(number) if number is not None else None
