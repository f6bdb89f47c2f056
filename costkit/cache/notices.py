"""What a careful colleague would point out about a plan to cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from costkit.cache.shape import Laid, Shape
from costkit.cache.tariff import Tariff
from costkit.core.lifecycle import lifecycle_notices
from costkit.core.notice import Notice
from costkit.core.pricebook import ModelPrice, PriceBook

_MOST_NAMES = 4


def model_notices(tariff: Tariff, shape: Shape, laid: Sequence[Sequence[Laid]], where: str | None) -> Iterator[Notice]:
    """Everything about these repeats on one model that makes the answer surprising or unsure."""
    first, last = laid[0][0].prompt.tokens, laid[-1][0].prompt.tokens
    yield from tariff.quote(first).notices
    yield from lifecycle_notices(tariff.model, tariff.day)
    stays = _stable_tokens(laid[-1][0])
    if stays < tariff.model.min_cacheable_tokens:
        yield below_minimum(stays, tariff.model, tariff.book, tariff.day, where)
    if last > tariff.model.context_window:
        message = f"{last:,} tokens don't fit {tariff.model.id}'s context window of {tariff.model.context_window:,}"
        yield Notice("context-window-exceeded", message, where)
    low, high = (_tier(tariff, tokens) for tokens in (first, last))
    if low != high:
        message = f"the conversation grows from {first:,} to {last:,} tokens, across a price step of {tariff.model.id}"
        yield Notice("price-step-crossed", message, where)
    if shape.growth and shape.growth < shape.fresh_tokens:
        message = (
            f"a turn adds {shape.growth:,} tokens, less than the {shape.fresh_tokens:,} that are new each time: "
            "what is new doesn't stay in the conversation"
        )
        yield Notice("questions-not-kept", message, where)


def _stable_tokens(laid: Laid) -> int:
    return 0 if laid.stable_end is None else laid.prompt.ends[laid.stable_end]


def _tier(tariff: Tariff, tokens: int) -> int:
    period = (tariff.model.fast_period(tariff.day) if tariff.fast else None) or tariff.model.period(tariff.day)
    return period.tier_for(tokens)


def below_minimum(tokens: int, model: ModelPrice, book: PriceBook, day: date, where: str | None) -> Notice:
    """Say that a prefix is too short for a model, by how much, and which models would cache it or come closest."""
    missing = model.min_cacheable_tokens - tokens
    message = (
        f"{model.id} caches from {model.min_cacheable_tokens:,} tokens on, and the {tokens:,} that stay the same are "
        f"{missing:,} short: breakpoints do nothing"
    )
    models = sorted(book.active_models(day), key=lambda other: other.period(day).tiers[0].rates.input)
    lowest = min((other.min_cacheable_tokens for other in models), default=0)
    able = [other.id for other in models if other.min_cacheable_tokens <= max(tokens, lowest)]
    if able and lowest > tokens:
        message += f"; no model caches fewer than {lowest:,} tokens, and so many suffice for {_names(able)}"
    elif able:
        message += f"; {_names(able)} would cache them"
    return Notice("below-cache-minimum", message, where)


def _names(names: Sequence[str]) -> str:
    shown = list(names[:_MOST_NAMES])
    more = len(names) - len(shown)
    return (
        f"{', '.join(shown)} and {more} more"
        if more > 0
        else " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
    )
