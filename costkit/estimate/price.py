"""The price of one request, sent n times, under the options of an estimate.

Cache arithmetic: a request that writes pays the write rate up to the last breakpoint, one that reads pays the read
rate for the same tokens; the rest is plain input. Marks below the model's minimum are silently inert.
https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal

from costkit.core.cost import Cost, cost_of
from costkit.core.money import minus
from costkit.core.pricebook import ModelPrice, PriceBook
from costkit.core.rates import RateKey
from costkit.core.request import Request
from costkit.core.tokens import PartCount, TokenCount
from costkit.core.usage import Usage
from costkit.estimate.result import CostRange, EstimateOptions, Prompt, cost_range


@dataclass(frozen=True, slots=True)
class Mark:
    """A cache breakpoint with the size of the prefix that it covers."""

    path: str
    ttl: str
    prefix: TokenCount


@dataclass(frozen=True, slots=True)
class Priced:
    """What one request, sent n times, uses and costs."""

    usage: Usage
    key: RateKey
    """What selected the rates of the expected cost."""
    cost: Cost
    range: CostRange
    max_output: int | None
    high_input_usd: Decimal
    """At the high end of the token band, without output."""


def as_sent(prompt: Prompt, options: EstimateOptions) -> EstimateOptions:
    """The options, with what the body itself asks for where no flag says otherwise."""
    body = prompt.request.body
    geo = body.get("inference_geo")
    own_geo = geo if isinstance(geo, str) else None
    return replace(
        options,
        inference_geo=options.inference_geo or own_geo,
        fast=options.fast if options.fast is not None else body.get("speed") == "fast" and not options.batch,
    )


def marks_of(request: Request, parts: Sequence[PartCount], mode: str) -> tuple[Mark, ...]:
    """The breakpoints that a cache mode sets, with their prefixes.

    `as-written` takes the request's own. `5m` and `1h` keep their places but not their TTLs; a request without any
    gets one mark after tools and system or, if it has neither, after its last block.
    """
    if mode == "none":
        return ()
    written = _written_marks(request, parts)
    if mode == "as-written":
        return written
    last = written[-1] if written else _natural_mark(request, parts)
    return (Mark(last.path, mode, last.prefix),) if last else ()


def _written_marks(request: Request, parts: Sequence[PartCount]) -> tuple[Mark, ...]:
    marks = []
    for position, part in enumerate(parts):
        if part.block is not None and part.block.cache_control is not None:
            marks.append(Mark(part.path, part.block.cache_control.ttl, _sum(parts[: position + 1])))
    if request.cache_control is not None:
        marks.append(Mark(request.blocks[-1].path, request.cache_control.ttl, _sum(parts)))
    return tuple(marks)


def _natural_mark(request: Request, parts: Sequence[PartCount]) -> Mark | None:
    static = [position for position, part in enumerate(parts) if part.block and part.block.level != "messages"]
    if static:
        end = static[-1]
        return Mark(parts[end].path, "5m", _sum(parts[: end + 1]))
    return Mark(request.blocks[-1].path, "5m", _sum(parts)) if request.blocks else None


def _sum(parts: Sequence[PartCount]) -> TokenCount:
    return sum((part.count for part in parts), TokenCount(0, 0, 0, ""))


def price_request(
    book: PriceBook,
    model: ModelPrice,
    count: TokenCount,
    marks: Sequence[Mark],
    options: EstimateOptions,
    body_max_tokens: int | None,
) -> Priced:
    """Price one request sent `options.requests` times on one model."""
    limit = options.max_tokens if options.max_tokens is not None else body_max_tokens
    output = options.output_tokens or 0
    live = [mark for mark in marks if mark.prefix.tokens >= model.min_cacheable_tokens]
    low, _, _ = _price(book, model, count.low, [(m.ttl, m.prefix.low) for m in live], output, options)
    cost, usage, key = _price(book, model, count.tokens, [(m.ttl, m.prefix.tokens) for m in live], output, options)
    high, _, _ = _price(book, model, count.high, [(m.ttl, m.prefix.high) for m in live], limit or 0, options)
    ceiling = None if limit is None else high.total_usd
    high_input = minus(high.total_usd, high.output_usd)
    return Priced(usage, key, cost, cost_range(low.total_usd, cost.total_usd, ceiling), limit, high_input)


def _price(
    book: PriceBook,
    model: ModelPrice,
    tokens: int,
    marks: Sequence[tuple[str, int]],
    output: int,
    options: EstimateOptions,
) -> tuple[Cost, Usage, RateKey]:
    reading = reads(options) if marks else 0
    written_1h = max((prefix for ttl, prefix in marks if ttl == "1h"), default=0)
    prefix = max((prefix for _, prefix in marks), default=0)
    fresh = tokens - prefix
    write = Usage(fresh, 0, prefix - written_1h, written_1h, output)
    read = Usage(fresh, prefix, 0, 0, output)
    key = book.key_for(
        write,
        model.id,
        options.as_of,
        batch=options.batch,
        fast=bool(options.fast),
        inference_geo=options.inference_geo,
    )
    usage = write * (options.requests - reading) + read * reading
    return cost_of(usage, book.quote(key).rates), usage, key


def reads(options: EstimateOptions) -> int:
    """How many of the requests read the cache: a whole number, rounded down, all but the first unless said."""
    if options.hit_rate is None:
        return options.requests - 1
    return int((options.hit_rate * options.requests).to_integral_value(rounding=ROUND_FLOOR))
