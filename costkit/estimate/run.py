"""From prompts to an estimate: count, price, warn, add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from costkit.core.lifecycle import lifecycle_notices
from costkit.core.money import price_of_tokens
from costkit.core.notice import Notice
from costkit.core.pricebook import ModelPrice, PriceBook
from costkit.core.tokens import PartCount, TokenCount, TokenCounter
from costkit.core.usage import Usage
from costkit.errors import InvalidInput, Undecidable, UnknownModel
from costkit.estimate.assumptions import assumptions
from costkit.estimate.notices import dominant_block, request_notices
from costkit.estimate.outcome import Job, Outcome, items_of, totals_of
from costkit.estimate.part import Part, part_from
from costkit.estimate.price import as_sent, marks_of, price_request, reads
from costkit.estimate.result import Branch, Estimate, EstimateOptions, Item, Prompt
from costkit.estimate.sampled import Samples, sample_assumptions, sample_notices, weigh, widen

_SHARE_DIGITS = Decimal("0.0001")


def estimate_requests(
    prompts: Sequence[Prompt],
    counter: TokenCounter,
    book: PriceBook,
    options: EstimateOptions,
    samples: Samples | None = None,
) -> Estimate:
    """Say what requests will cost before they are sent.

    Each prompt is counted with the tokenizer of each model and priced with the rates of `options.as_of`. Where a file
    has one of the `samples`, `prompts` holds the members of the sample, and the answer is about all requests of that
    file. A model that the price book doesn't know leaves items without a cost; if no item at all can be priced,
    `UnknownModel` is raised. Raises `InvalidInput` for options that the API would refuse.
    """
    jobs = _jobs(prompts, book, options)
    if jobs and not any(job.model for job in jobs):
        book.resolve(jobs[0].name)
    return finish_estimate(_part(jobs, counter, book, options, samples or {}), book, options, samples)


def estimate_part(
    prompts: Sequence[Prompt],
    counter: TokenCounter,
    book: PriceBook,
    options: EstimateOptions,
    samples: Samples | None = None,
) -> Part:
    """Count and price some of the requests of an estimate; `add_parts` adds them to others.

    Raises `InvalidInput` for options that the API would refuse, `Undecidable` where no model was active.
    """
    return _part(_jobs(prompts, book, options), counter, book, options, samples or {})


def _jobs(prompts: Sequence[Prompt], book: PriceBook, options: EstimateOptions) -> list[Job]:
    _check(options)
    jobs = [Job(prompt, name, model) for prompt in prompts for name, model in _models(prompt, book, options)]
    if prompts and not jobs:
        raise Undecidable(f"no model was active on {options.as_of}", hint="name a model, or another day")
    return jobs


def _part(
    jobs: Sequence[Job], counter: TokenCounter, book: PriceBook, options: EstimateOptions, samples: Samples
) -> Part:
    stand_in = max(book.models, key=lambda model: model.lifecycle.released)
    counts = counter.count_many([(job.prompt.request, job.model or stand_in) for job in jobs])
    outcomes = [_estimate_one(job, count, counter, book, options) for job, count in zip(jobs, counts, strict=True)]
    items = widen(items_of(weigh(outcomes, samples), options), outcomes, samples, book, options)
    return part_from(items, outcomes, names_models=all(job.prompt.request.model is not None for job in jobs))


def finish_estimate(part: Part, book: PriceBook, options: EstimateOptions, samples: Samples | None = None) -> Estimate:
    """The estimate of all requests, from what their parts add up to; raises like `estimate_requests`."""
    if part.first_model is not None and not part.some_known:
        book.resolve(part.first_model)
    if part.first_problem is not None and not part.some_priced:
        raise Undecidable(f"no price is known: {part.first_problem.message}", code="unknown-rate")
    items, samples = part.items, samples or {}
    return Estimate(
        items,
        totals_of(items),
        (
            *_output_notice(options, part),
            *_reads_notice(options),
            *_tree_notices(options, items),
            *sample_notices(items, samples),
            *part.notices,
        ),
        (*assumptions(options, names_models=part.names_models), *sample_assumptions(items, samples)),
    )


def _check(options: EstimateOptions) -> None:
    if options.batch and options.fast:
        raise InvalidInput("fast mode can't be combined with a batch", code="fast-batch", hint="drop one of the two")
    for name, lowest in (("output_tokens", 0), ("max_tokens", 0), ("requests", 1)):
        count = getattr(options, name)
        if count is not None and (type(count) is not int or count < lowest):
            spoken = "the number of requests" if name == "requests" else name
            raise InvalidInput(f"{spoken} must be a whole number from {lowest}, not {count!r}")
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
    job: Job, count: TokenCount, counter: TokenCounter, book: PriceBook, options: EstimateOptions
) -> Outcome:
    if job.model is None:
        return _unpriced(job, count, options, _unknown(job, book))
    sent = as_sent(job.prompt, options)
    parts = counter.count_parts(job.prompt.request, job.model) if _needs_parts(job.prompt, options) else ()
    limit = job.prompt.request.max_tokens
    marks = marks_of(job.prompt.request, parts, sent.cache)
    try:
        priced = price_request(book, job.model, count, marks, sent, limit)
    except Undecidable as problem:
        return _unpriced(job, count, options, Notice(problem.code, str(problem), job.prompt.where))
    warned = marks or marks_of(job.prompt.request, parts, "as-written")
    notices = (
        *book.quote(priced.key).notices,
        *lifecycle_notices(job.model, sent.as_of),
        *request_notices(job.prompt, job.model, count, warned, sent),
        *(() if options.tree else dominant_block(job.prompt, parts)),
    )
    return Outcome(
        job,
        count * sent.requests,
        sent.requests,
        priced,
        _cached(job, count, parts, book, sent),
        None if sent.fast else _batched(job, count, book, sent),
        _tree(parts, job.model, book, sent) if options.tree else None,
        notices,
    )


def _unpriced(job: Job, count: TokenCount, options: EstimateOptions, notice: Notice) -> Outcome:
    return Outcome(job, count * options.requests, options.requests, None, None, None, None, (notice,))


def _unknown(job: Job, book: PriceBook) -> Notice:
    try:
        book.resolve(job.name)
    except UnknownModel as problem:
        return Notice(problem.code, f"{problem}: no price ({problem.hint})", job.prompt.where)
    raise AssertionError(job.name)


def _needs_parts(prompt: Prompt, options: EstimateOptions) -> bool:
    marked = prompt.request.cache_control or any(block.cache_control for block in prompt.request.blocks)
    return options.tree or options.cache != "none" or options.requests > 1 or bool(marked)


def _cached(
    job: Job, count: TokenCount, parts: Sequence[PartCount], book: PriceBook, options: EstimateOptions
) -> Decimal | None:
    marks = marks_of(job.prompt.request, parts, "5m") if options.requests > 1 else ()
    if job.model is None or not any(mark.prefix.tokens >= job.model.min_cacheable_tokens for mark in marks):
        return None
    cached = replace(options, cache="5m", hit_rate=None)
    return price_request(book, job.model, count, marks, cached, None).cost.total_usd


def _batched(job: Job, count: TokenCount, book: PriceBook, options: EstimateOptions) -> Decimal | None:
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


def _output_notice(options: EstimateOptions, part: Part) -> Iterator[Notice]:
    if options.output_tokens is None:
        ways = (
            "add --output-tokens N" if part.all_limited else "add --output-tokens N (or --max-tokens for the ceiling)"
        )
        yield Notice("output-not-estimated", f"output is not in this: {ways}")
    elif part.some_unlimited:
        yield Notice("no-ceiling", "no max_tokens limits the output, so there is no ceiling: add --max-tokens N")


def _reads_notice(options: EstimateOptions) -> Iterator[Notice]:
    """Requests are whole: of ten, 85 % can't read the cache."""
    if options.hit_rate is not None and options.hit_rate * options.requests != reads(options):
        many = "request" if options.requests == 1 else "requests"
        message = f"a hit rate of {options.hit_rate} means {reads(options):,} of {options.requests:,} {many}"
        hint = "add -n N" if options.requests == 1 else "the rest write"
        yield Notice("hit-rate-rounded", f"{message} read from the cache: {hint}")


def _tree_notices(options: EstimateOptions, items: Sequence[Item]) -> Iterator[Notice]:
    if not options.tree:
        return
    for path in dict.fromkeys(item.path for item in items if item.tree is None and item.cost_usd):
        yield Notice("no-tree", "holds several requests: --per-request shows the tree of each", path)
    if options.cache != "none":
        yield Notice("tree-uncached", "the tree prices every block as plain input, without caching")
