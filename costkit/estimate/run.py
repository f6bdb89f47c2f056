"""From prompts to an estimate: count, price, warn, add up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from costkit.core.cost import Cost
from costkit.core.lifecycle import lifecycle_notices
from costkit.core.money import EXACT, price_of_tokens
from costkit.core.notice import Assumption, Notice
from costkit.core.pricebook import ModelPrice, PriceBook
from costkit.core.tokens import NO_TOKENS, PartCount, TokenCount, TokenCounter
from costkit.core.usage import Usage
from costkit.errors import InvalidInput, Undecidable, UnknownModel
from costkit.estimate.notices import dominant_block, request_notices
from costkit.estimate.price import Priced, marks_of, price_request
from costkit.estimate.result import Branch, CostRange, Estimate, EstimateOptions, Item, OutputTokens, Prompt, Total

_SHARE_DIGITS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class _Job:
    """One prompt on one model."""

    prompt: Prompt
    name: str
    """The model as it was named."""
    model: ModelPrice | None
    """`None` where the price book doesn't know it."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    job: _Job
    count: TokenCount
    requests: int
    priced: Priced | None
    cached_5m_usd: Decimal | None
    batch_usd: Decimal | None
    tree: tuple[Branch, ...] | None
    notices: tuple[Notice, ...]


def estimate_requests(
    prompts: Sequence[Prompt], counter: TokenCounter, book: PriceBook, options: EstimateOptions
) -> Estimate:
    """Say what requests will cost before they are sent.

    Each prompt is counted with the tokenizer of each model and priced with the rates of `options.as_of`. A model that
    the price book doesn't know leaves items without a cost; if no item at all can be priced, `UnknownModel` is raised.
    Raises `InvalidInput` for options that the API would refuse.
    """
    _check(options)
    jobs = [_Job(prompt, name, model) for prompt in prompts for name, model in _models(prompt, book, options)]
    if prompts and not jobs:
        raise Undecidable(f"no model was active on {options.as_of}", hint="name a model, or another day")
    if jobs and not any(job.model for job in jobs):
        book.resolve(jobs[0].name)
    stand_in = max(book.models, key=lambda model: model.lifecycle.released)
    counts = counter.count_many([(job.prompt.request, job.model or stand_in) for job in jobs])
    outcomes = [_estimate_one(job, count, counter, book, options) for job, count in zip(jobs, counts, strict=True)]
    if outcomes and not any(outcome.priced for outcome in outcomes):
        raise Undecidable(f"no price is known: {outcomes[0].notices[0].message}", code="unknown-rate")
    items = _items(outcomes, options)
    notices = dict.fromkeys(notice for outcome in outcomes for notice in outcome.notices)
    return Estimate(
        items,
        _totals(items),
        (*_output_notice(options, outcomes), *notices),
        tuple(_assumptions(options, prompts)),
    )


def _check(options: EstimateOptions) -> None:
    if options.batch and options.fast:
        raise InvalidInput("fast mode can't be combined with a batch", code="fast-batch", hint="drop one of the two")
    if options.requests < 1:
        raise InvalidInput("the number of requests must be at least 1")
    if options.hit_rate is not None and not 0 <= options.hit_rate <= 1:
        raise InvalidInput("the hit rate must lie between 0 and 1")
    if options.hit_rate is not None and options.cache == "none":
        raise InvalidInput("a hit rate needs a cache mode", hint="add --cache 5m, 1h or as-written")


def _models(prompt: Prompt, book: PriceBook, options: EstimateOptions) -> list[tuple[str, ModelPrice | None]]:
    """The models of a prompt, each once, under whatever names it was given."""
    own = (prompt.request.model,) if prompt.request.model else options.default_models
    found: dict[str, ModelPrice | None] = {}
    for name in options.models or own:
        if name == "all":
            found.update((model.id, model) for model in book.active_models(options.as_of) if model.id not in found)
            continue
        try:
            model = book.resolve(name)
        except UnknownModel:
            found.setdefault(name, None)
        else:
            found.setdefault(model.id, model)
    return list(found.items())


def _estimate_one(
    job: _Job, count: TokenCount, counter: TokenCounter, book: PriceBook, options: EstimateOptions
) -> _Outcome:
    if job.model is None:
        return _unpriced(job, count, options, _unknown(job, book))
    sent = _as_sent(job.prompt, options)
    parts = counter.count_parts(job.prompt.request, job.model) if _needs_parts(job.prompt, options) else ()
    limit = job.prompt.request.max_tokens
    marks = marks_of(job.prompt.request, parts, sent.cache)
    try:
        priced = price_request(book, job.model, count, marks, sent, limit)
    except Undecidable as problem:
        return _unpriced(job, count, options, Notice(problem.code, str(problem), job.prompt.where))
    key = book.key_for(
        priced.usage, job.model.id, sent.as_of, batch=sent.batch, fast=bool(sent.fast), inference_geo=sent.inference_geo
    )
    warned = marks or marks_of(job.prompt.request, parts, "as-written")
    notices = (
        *book.quote(key).notices,
        *lifecycle_notices(job.model, sent.as_of),
        *request_notices(job.prompt, job.model, count, warned, sent),
        *(() if options.tree else dominant_block(job.prompt, parts)),
    )
    return _Outcome(
        job,
        count * sent.requests,
        sent.requests,
        priced,
        _cached(job, count, parts, book, sent),
        None if sent.fast else _batched(job, count, book, sent),
        _tree(parts, job.model, book, sent) if options.tree else None,
        notices,
    )


def _unpriced(job: _Job, count: TokenCount, options: EstimateOptions, notice: Notice) -> _Outcome:
    return _Outcome(job, count * options.requests, options.requests, None, None, None, None, (notice,))


def _unknown(job: _Job, book: PriceBook) -> Notice:
    try:
        book.resolve(job.name)
    except UnknownModel as problem:
        return Notice(problem.code, f"{problem}: no price ({problem.hint})", job.prompt.where)
    raise AssertionError(job.name)


def _as_sent(prompt: Prompt, options: EstimateOptions) -> EstimateOptions:
    """The options, with what the body itself asks for where no flag says otherwise."""
    body = prompt.request.body
    geo = body.get("inference_geo")
    own_geo = geo if isinstance(geo, str) else None
    return replace(
        options,
        inference_geo=options.inference_geo or own_geo,
        fast=options.fast if options.fast is not None else body.get("speed") == "fast" and not options.batch,
    )


def _needs_parts(prompt: Prompt, options: EstimateOptions) -> bool:
    marked = prompt.request.cache_control or any(block.cache_control for block in prompt.request.blocks)
    return options.tree or options.cache != "none" or options.requests > 1 or bool(marked)


def _cached(
    job: _Job, count: TokenCount, parts: Sequence[PartCount], book: PriceBook, options: EstimateOptions
) -> Decimal | None:
    marks = marks_of(job.prompt.request, parts, "5m") if options.requests > 1 else ()
    if job.model is None or not any(mark.prefix.tokens >= job.model.min_cacheable_tokens for mark in marks):
        return None
    cached = replace(options, cache="5m", hit_rate=None)
    return price_request(book, job.model, count, marks, cached, None).cost.total_usd


def _batched(job: _Job, count: TokenCount, book: PriceBook, options: EstimateOptions) -> Decimal | None:
    if job.model is None:
        return None
    batch = replace(options, batch=True, cache="none", hit_rate=None)
    return price_request(book, job.model, count, (), batch, None).cost.total_usd


def _tree(
    parts: Sequence[PartCount], model: ModelPrice, book: PriceBook, options: EstimateOptions
) -> tuple[Branch, ...]:
    whole = max(1, sum(part.count.tokens for part in parts))
    key = book.key_for(
        Usage(input_tokens=whole),
        model.id,
        options.as_of,
        batch=options.batch,
        fast=bool(options.fast),
        inference_geo=options.inference_geo,
    )
    rate = book.quote(key).rates.input
    return tuple(
        Branch(
            part.path,
            part.block.kind if part.block else "frame",
            part.count * options.requests,
            price_of_tokens(part.count.tokens * options.requests, rate),
            (Decimal(part.count.tokens) / whole).quantize(_SHARE_DIGITS),
        )
        for part in parts
    )


def _items(outcomes: Sequence[_Outcome], options: EstimateOptions) -> tuple[Item, ...]:
    groups: dict[tuple[str, int | None, str], list[_Outcome]] = {}
    for outcome in outcomes:
        prompt = outcome.job.prompt
        model = outcome.job.model.id if outcome.job.model else outcome.job.name
        groups.setdefault((prompt.path, prompt.index if options.per_request else None, model), []).append(outcome)
    return tuple(_item(path, index, model, group, options) for (path, index, model), group in groups.items())


def _item(path: str, index: int | None, model: str, group: Sequence[_Outcome], options: EstimateOptions) -> Item:
    requests = sum(outcome.requests for outcome in group)
    count = sum((outcome.count for outcome in group), NO_TOKENS)
    priced = [outcome.priced for outcome in group if outcome.priced]
    whole = len(priced) == len(group)
    cost = sum((one.cost for one in priced), Cost())
    limits = [one.max_output for one in priced]
    output = OutputTokens(
        None if options.output_tokens is None else options.output_tokens * requests,
        None if None in limits or not whole else sum(limit or 0 for limit in limits) * options.requests,
    )
    usage = sum((one.usage for one in priced), Usage()) if whole else _plain_usage(count, output)
    return Item(
        path,
        index,
        model,
        requests,
        count,
        output,
        usage,
        _sum_ranges([one.range for one in priced]) if whole else None,
        EXACT.subtract(cost.total_usd, cost.output_usd) if whole else None,
        cost.output_usd if whole and options.output_tokens is not None else None,
        _sum_known([outcome.cached_5m_usd for outcome in group]),
        _sum_known([outcome.batch_usd for outcome in group]),
        group[0].tree if len(group) == 1 else None,
    )


def _plain_usage(count: TokenCount, output: OutputTokens) -> Usage:
    return Usage(input_tokens=count.tokens, output_tokens=output.expected or 0)


def _sum_ranges(ranges: Sequence[CostRange]) -> CostRange:
    return sum(ranges[1:], ranges[0])


def _sum_known(amounts: Iterable[Decimal | None]) -> Decimal | None:
    result = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        result = EXACT.add(result, amount)
    return result


def _totals(items: Sequence[Item]) -> tuple[Total, ...]:
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(item.model, []).append(item)
    return tuple(
        Total(
            model,
            sum(item.requests for item in group),
            sum((item.input_tokens for item in group), NO_TOKENS),
            _sum_ranges(costs)
            if len(costs := [item.cost_usd for item in group if item.cost_usd]) == len(group)
            else None,
        )
        for model, group in groups.items()
    )


def _output_notice(options: EstimateOptions, outcomes: Sequence[_Outcome]) -> Iterator[Notice]:
    if options.output_tokens is None:
        known = all(outcome.priced and outcome.priced.max_output is not None for outcome in outcomes)
        ways = "add --output-tokens N" if known else "add --output-tokens N (or --max-tokens for the ceiling)"
        yield Notice("output-not-estimated", f"output is not in this: {ways}")
    elif any(outcome.priced and outcome.priced.max_output is None for outcome in outcomes):
        yield Notice("no-ceiling", "no max_tokens limits the output, so there is no ceiling: add --max-tokens N")


def _assumptions(options: EstimateOptions, prompts: Sequence[Prompt]) -> Iterator[Assumption]:
    if not options.models and any(prompt.request.model is None for prompt in prompts):
        yield Assumption("model", ", ".join(options.default_models), "default")
    source = "--output-tokens" if options.output_tokens is not None else "not given"
    yield Assumption("output_tokens", options.output_tokens, source)
    limit_source = "--max-tokens" if options.max_tokens is not None else "each request's own"
    yield Assumption("max_tokens", options.max_tokens, limit_source)
    yield Assumption("requests", options.requests, "--requests")
    if options.cache != "none":
        yield Assumption("cache", options.cache, "--cache")
        told = "all but the first request read" if options.hit_rate is None else "--hit-rate"
        yield Assumption("hit_rate", options.hit_rate, told)
