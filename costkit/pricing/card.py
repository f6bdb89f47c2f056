"""The price list of a day, and everything that is known about one model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from costkit.core.pricebook import ModelPrice, PriceBook, PricePeriod, Source, Tier
from costkit.core.rates import Rates


@dataclass(frozen=True, slots=True)
class TierRates:
    """List prices of one tier, in US dollars per million tokens."""

    up_to_tokens: int | None
    """Largest whole prompt that this tier prices; `None` is any size."""
    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    cache_write_5m_usd_per_mtok: Decimal
    cache_write_1h_usd_per_mtok: Decimal
    cache_read_usd_per_mtok: Decimal


@dataclass(frozen=True, slots=True)
class PriceListRow:
    """One tier of one model on the day of the list."""

    model: str
    status: str
    """`active`, `deprecated` or `retired`."""
    rates: TierRates
    fast: bool
    """Whether fast mode has a price on that day; `show_model` has its rates."""
    context_window: int
    max_output_tokens: int
    effective_from: date
    source: str
    checked: date
    confidence: str


@dataclass(frozen=True, slots=True)
class PriceList:
    """What `costkit pricing list` answers: every model that was out on the day, in the order of the book."""

    as_of: date
    rows: tuple[PriceListRow, ...]
    batch_multiplier: Decimal
    web_search_usd: Decimal


@dataclass(frozen=True, slots=True)
class PricePeriodCard:
    """The prices of a model over one stretch of days."""

    effective_from: date
    effective_until: date | None
    """The last day, `None` while no end is known."""
    current: bool
    """Whether this period prices the day that was asked about."""
    tiers: tuple[TierRates, ...]
    source: str
    """A key of the book's sources, or the name of the file that says so."""
    source_what: str | None
    source_url: str | None
    source_seen: str | None
    checked: date
    confidence: str


@dataclass(frozen=True, slots=True)
class GeoMultiplier:
    """What an `inference_geo` multiplies every token rate with."""

    inference_geo: str
    multiplier: Decimal


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What `costkit pricing show` answers."""

    name: str
    """The name that was asked for."""
    model: str
    aliases: tuple[str, ...]
    as_of: date
    status: str
    released: date
    deprecated: date | None
    retired: date | None
    lifecycle_note: str | None
    context_window: int
    max_output_tokens: int
    batch_max_output_tokens: int | None
    min_cacheable_tokens: int
    tokenizer: str
    image_tier: str
    prices: tuple[PricePeriodCard, ...]
    """Oldest first."""
    fast: tuple[PricePeriodCard, ...]
    batch: tuple[TierRates, ...]
    """The current prices in a Message Batch."""
    batch_multiplier: Decimal
    inference_geo: tuple[GeoMultiplier, ...]
    web_search_usd: Decimal
    notes: tuple[str, ...]


def list_prices(book: PriceBook, day: date) -> PriceList:
    """The list prices of a day: one row for each model that was released by then and each of its tiers."""
    rows = tuple(
        _row(model, model.period(day), tier, day)
        for model in book.models
        if model.lifecycle.released <= day
        for tier in model.period(day).tiers
    )
    return PriceList(day, rows, book.batch_multiplier, book.web_search_usd)


def show_model(book: PriceBook, name: str, day: date) -> ModelCard:
    """All that the book knows about the model that `name` means; raises `UnknownModel`."""
    model = book.resolve(name)
    current = model.period(day)
    life = model.lifecycle
    return ModelCard(
        name=name,
        model=model.id,
        aliases=model.aliases,
        as_of=day,
        status=life.status(day),
        released=life.released,
        deprecated=life.deprecated,
        retired=life.retired,
        lifecycle_note=life.note,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        batch_max_output_tokens=model.batch_max_output_tokens,
        min_cacheable_tokens=model.min_cacheable_tokens,
        tokenizer=model.tokenizer,
        image_tier=model.image_tier,
        prices=_cards(book, model.periods, current),
        fast=_cards(book, model.fast_periods, model.fast_period(day)),
        batch=tuple(tier_rates(tier.up_to, tier.rates.scaled(book.batch_multiplier)) for tier in current.tiers),
        batch_multiplier=book.batch_multiplier,
        inference_geo=tuple(GeoMultiplier(geo, factor) for geo, factor in model.geo_multipliers.items()),
        web_search_usd=book.web_search_usd,
        notes=model.notes,
    )


def tier_rates(up_to: int | None, rates: Rates) -> TierRates:
    """Rates under the names that costkit's JSON documents use."""
    return TierRates(
        up_to, rates.input, rates.output, rates.cache_write_5m, rates.cache_write_1h, rates.cache_read
    )  # fmt: skip


def _row(model: ModelPrice, period: PricePeriod, tier: Tier, day: date) -> PriceListRow:
    return PriceListRow(
        model.id,
        model.lifecycle.status(day),
        tier_rates(tier.up_to, tier.rates),
        model.fast_period(day) is not None,
        model.context_window,
        model.max_output_tokens,
        period.effective_from,
        period.source,
        period.checked,
        period.confidence,
    )


def _cards(
    book: PriceBook, periods: tuple[PricePeriod, ...], current: PricePeriod | None
) -> tuple[PricePeriodCard, ...]:
    ends = [following.effective_from - timedelta(days=1) for following in periods[1:]]
    return tuple(
        _card(period, period.effective_until or end, book.sources.get(period.source), current=period is current)
        for period, end in zip(periods, [*ends, None], strict=False)
    )


def _card(period: PricePeriod, until: date | None, source: Source | None, *, current: bool) -> PricePeriodCard:
    return PricePeriodCard(
        period.effective_from,
        until,
        current,
        tuple(tier_rates(tier.up_to, tier.rates) for tier in period.tiers),
        period.source,
        source.what if source else None,
        source.url if source else None,
        source.seen if source else None,
        period.checked,
        period.confidence,
    )
