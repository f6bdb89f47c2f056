"""From the requests of a sample to all of them: each outcome counts for those that it stands for, and bands widen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, Decimal

from costkit.core.money import minus, price_of_tokens, times, total
from costkit.core.notice import Assumption, Notice
from costkit.core.pricebook import PriceBook
from costkit.core.tokens import TokenCount
from costkit.core.usage import Usage
from costkit.estimate.interval import half_width, upper_width
from costkit.estimate.outcome import Outcome
from costkit.estimate.price import as_sent
from costkit.estimate.result import CostRange, EstimateOptions, Item
from costkit.estimate.sample import Sample, Slice

_PERCENT_DIGITS = Decimal("0.01")
Samples = Mapping[str, Sample]
"""The sample of each file that was not counted whole."""


def weigh(outcomes: Sequence[Outcome], samples: Samples) -> list[Outcome]:
    """Let each outcome count for all the requests that it stands for."""
    weights = {
        (path, member): weight
        for path, sample in samples.items()
        for piece in sample.slices
        for member, weight in zip(piece.members, piece.weights, strict=True)
    }
    return [_times(one, weights.get((one.job.prompt.path, one.job.prompt.index), 1)) for one in outcomes]


def _times(outcome: Outcome, weight: int) -> Outcome:
    if weight == 1:
        return outcome
    priced = outcome.priced
    if priced is not None:
        priced = replace(
            priced,
            usage=priced.usage * weight,
            cost=priced.cost * weight,
            range=priced.range * weight,
            high_input_usd=times(priced.high_input_usd, weight),
        )
    return replace(
        outcome,
        count=outcome.count * weight,
        requests=outcome.requests * weight,
        priced=priced,
        cached_5m_usd=None if outcome.cached_5m_usd is None else times(outcome.cached_5m_usd, weight),
        batch_usd=None if outcome.batch_usd is None else times(outcome.batch_usd, weight),
    )


def widen(
    items: Sequence[Item], outcomes: Sequence[Outcome], samples: Samples, book: PriceBook, options: EstimateOptions
) -> tuple[Item, ...]:
    """Add the uncertainty of sampling to the bands of items: 95 % for tokens, a 99.9 % upper bound in ceilings.

    `outcomes` are those of the sample, before `weigh`.
    """
    by_item: dict[tuple[str, str], dict[int, Outcome]] = {}
    for outcome in outcomes:
        prompt, model = outcome.job.prompt, outcome.job.model
        by_item.setdefault((prompt.path, model.id if model else outcome.job.name), {})[prompt.index] = outcome
    return tuple(
        _widened(item, samples[item.path], by_item[item.path, item.model], book, options)
        if item.path in samples
        else item
        for item in items
    )


def _widened(
    item: Item, sample: Sample, outcomes: Mapping[int, Outcome], book: PriceBook, options: EstimateOptions
) -> Item:
    slices = [
        (piece, [outcomes[member] for member in piece.members])
        for piece in sample.slices
        if piece.members[0] in outcomes
    ]
    count = item.input_tokens
    low = half_width((piece, [Decimal(one.count.low) for one in own]) for piece, own in slices)
    high = half_width((piece, [Decimal(one.count.high) for one in own]) for piece, own in slices)
    band = TokenCount(count.tokens, max(0, count.low - _up(low)), count.high + _up(high), count.method)
    limits = [_limit(piece, own, options) for piece, own in slices]
    limit = None if None in limits else sum(limit or 0 for limit in limits) * options.requests
    cost = item.cost_usd and _cost(item.cost_usd, slices, book, options)
    return replace(item, input_tokens=band, output_tokens=replace(item.output_tokens, max=limit), cost_usd=cost)


def _up(width: Decimal) -> int:
    return int(width.to_integral_value(rounding=ROUND_CEILING))


def _limit(piece: Slice, own: Sequence[Outcome], options: EstimateOptions) -> int | None:
    """The output limits of all requests of a slice, added up; `None` where one has none or no price."""
    if any(one.priced is None for one in own):
        return None
    return piece.max_tokens if options.max_tokens is None else options.max_tokens * piece.population


def _cost(
    cost: CostRange, slices: Sequence[tuple[Slice, Sequence[Outcome]]], book: PriceBook, options: EstimateOptions
) -> CostRange:
    low = half_width((piece, [one.priced.range.low for one in own if one.priced]) for piece, own in slices)
    ceiling = upper_width((piece, [one.priced.high_input_usd for one in own if one.priced]) for piece, own in slices)
    parts = [_slice_ceiling(piece, own, book, options) for piece, own in slices]
    known = [part for part in parts if part is not None]
    highest = total([*known, ceiling]) if len(known) == len(parts) else None
    loose = [
        one.priced.range * weight
        for (piece, own), part in zip(slices, parts, strict=True)
        for one, weight in zip(own, piece.weights, strict=True)
        if part is None and one.priced
    ]
    limited = total([*known, ceiling, *(each.limited for each in loose)])
    unlimited = total(each.unlimited for each in loose)
    return CostRange(max(Decimal(0), minus(cost.low, low)), cost.expected, highest, limited, unlimited)


def _slice_ceiling(piece: Slice, own: Sequence[Outcome], book: PriceBook, options: EstimateOptions) -> Decimal | None:
    """Input at its high end, and every output limit at the dearest rate that a request of the slice can have."""
    limit = _limit(piece, own, options)
    if limit is None:
        return None
    if piece.is_complete:
        ceilings = [one.priced.range.ceiling for one in own if one.priced]
        return None if None in ceilings else total(ceiling or Decimal(0) for ceiling in ceilings)
    inputs = [
        times(one.priced.high_input_usd, weight) for one, weight in zip(own, piece.weights, strict=True) if one.priced
    ]
    rates = [_output_rate(piece, one, size, book, options) for one, size in zip(own, piece.sizes, strict=True)]
    return total([*inputs, price_of_tokens(limit * options.requests, max(rates))])


def _output_rate(piece: Slice, one: Outcome, size: int, book: PriceBook, options: EstimateOptions) -> Decimal:
    """The rate of output if the largest request of the slice had this one's tokens per byte."""
    if one.job.model is None:
        return Decimal(0)
    tokens = one.count.high // options.requests
    most = max(tokens, tokens * piece.largest // max(1, size))
    sent = as_sent(one.job.prompt, options)
    key = book.key_for(
        Usage(input_tokens=most),
        one.job.model.id,
        sent.as_of,
        batch=sent.batch,
        fast=bool(sent.fast),
        inference_geo=sent.inference_geo,
    )
    return book.quote(key).rates.output


def sample_notices(items: Sequence[Item], samples: Samples) -> Iterator[Notice]:
    """Say for each file how many of its requests were counted, and how sure that is."""
    for path, text in _told(items, samples):
        yield Notice("sampled", f"{text}: --sample off counts all", path)


def sample_assumptions(items: Sequence[Item], samples: Samples) -> Iterator[Assumption]:
    """The same as assumptions of the document."""
    for path, text in _told(items, samples):
        yield Assumption("sample", f"{path}: {text}" if len(samples) > 1 else text, "--sample")


def _told(items: Sequence[Item], samples: Samples) -> Iterator[tuple[str, str]]:
    for path, sample in samples.items():
        own = [item.input_tokens for item in items if item.path == path and item.input_tokens.tokens]
        off = max(Decimal(max(count.high - count.tokens, count.tokens - count.low)) / count.tokens for count in own)
        percent = (off * 100).quantize(_PERCENT_DIGITS, rounding=ROUND_CEILING)
        yield path, f"{sample.size:,} of {sample.population:,} requests counted, input tokens ±{percent} % (95 %)"
