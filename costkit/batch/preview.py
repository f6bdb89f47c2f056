"""What a batch job will cost, before it is sent: from all of its requests, or from a sample of them.

Caching in batches is best effort (the API promises no hits), so the expected cost leaves breakpoints out, and the
ceiling lets every one of them write and none read. https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from costkit.batch.job import JobEstimate
from costkit.core.money import total
from costkit.core.notice import Assumption, Notice
from costkit.core.pricebook import ModelPrice, PriceBook
from costkit.core.request import Request
from costkit.core.tokens import PartCount, TokenCount, TokenCounter
from costkit.errors import Undecidable
from costkit.estimate import Estimate, EstimateOptions, Prompt, estimate_requests
from costkit.estimate.sample import Sample

_NOT_OF_INTEREST = frozenset({"dominant-block", "output-not-estimated", "no-ceiling", "server-tools"})


@dataclass(frozen=True, slots=True)
class PreviewOptions:
    """What is known about a job beside its requests."""

    as_of: date
    output_tokens: int | None = None
    """Expected output of one request; `None` leaves output out of the expected cost, never out of the ceiling."""
    has_breakpoints: bool = False
    has_server_tools: bool = False


@dataclass(frozen=True, slots=True)
class ModelPreview:
    """The requests to one model, at batch prices."""

    model: str
    requests: int
    input_tokens: TokenCount
    cost_usd: JobEstimate
    synchronous_usd: Decimal
    """The expected cost of the same requests outside of a batch."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a job will cost."""

    requests: int
    counted: int
    """How many of them were counted; fewer where a sample stands for all."""
    input_tokens: TokenCount
    cost_usd: JobEstimate
    """`ceiling` is `None` where nothing limits the cost."""
    synchronous_usd: Decimal
    models: tuple[ModelPreview, ...]
    notices: tuple[Notice, ...]
    assumptions: tuple[Assumption, ...]


def preview_batch(
    prompts: Sequence[Prompt], sample: Sample, counter: TokenCounter, book: PriceBook, options: PreviewOptions
) -> Preview:
    """Price the requests of a sample for all that they stand for: at batch prices, and what they would cost otherwise.

    `prompts` are the members of the sample, all from one file, and passed the lint.
    """
    once = _Once(counter)
    plain = EstimateOptions(as_of=options.as_of, output_tokens=options.output_tokens, batch=True, fast=False)
    samples = {} if sample.is_complete else {prompts[0].path: sample}

    def run(chosen: EstimateOptions) -> Estimate:
        return estimate_requests(prompts, once, book, chosen, samples)

    batched = run(plain)
    written = EstimateOptions(
        as_of=options.as_of, batch=True, fast=False, cache="as-written", hit_rate=Decimal(0)
    )  # output doesn't matter: only its ceilings are looked at
    dearest = run(written) if options.has_breakpoints else batched
    synchronous = run(EstimateOptions(as_of=options.as_of, output_tokens=options.output_tokens, fast=False))
    models = tuple(_models(batched, dearest, synchronous, bounded=not options.has_server_tools))
    return Preview(
        sample.population,
        sample.size,
        _tokens(models),
        JobEstimate(total(model.cost_usd.expected for model in models), _sum([m.cost_usd.ceiling for m in models])),
        total(model.synchronous_usd for model in models),
        models,
        (*_caveats(options), *(notice for notice in batched.notices if notice.code not in _NOT_OF_INTEREST)),
        batched.assumptions,
    )


def _models(batched: Estimate, dearest: Estimate, synchronous: Estimate, *, bounded: bool) -> Iterator[ModelPreview]:
    for own, high, other in zip(batched.totals, dearest.totals, synchronous.totals, strict=True):
        if own.cost_usd is None or high.cost_usd is None or other.cost_usd is None:
            raise Undecidable(f"the price of {own.model} is unknown", code="unknown-rate")
        ceilings = (own.cost_usd.ceiling, high.cost_usd.ceiling)
        ceiling = max(c for c in ceilings if c is not None) if bounded and None not in ceilings else None
        cost = JobEstimate(own.cost_usd.expected, ceiling)
        yield ModelPreview(own.model, own.requests, own.input_tokens, cost, other.cost_usd.expected)


def _tokens(models: Iterable[ModelPreview]) -> TokenCount:
    return sum((model.input_tokens for model in models), TokenCount(0, 0, 0, ""))


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return total(known) if len(known) == len(amounts) else None


def _caveats(options: PreviewOptions) -> Iterator[Notice]:
    if options.output_tokens is None:
        message = "the expected cost is that of the input; the ceiling holds every max_tokens of output"
        yield Notice("output-not-estimated", message)
    if options.has_breakpoints:
        message = "cache hits in batches are not certain: expected without caching, ceiling as if all were written"
        yield Notice("cache-uncertain", message)
    if options.has_server_tools:
        message = "tools that the API runs read more than the requests hold: nothing limits the cost, no ceiling"
        yield Notice("no-ceiling", message)


@dataclass(slots=True)
class _Once:
    """Counts each request once, however often it is priced."""

    counter: TokenCounter
    _known: dict[tuple[int, str], TokenCount] = field(default_factory=dict)
    _parts: dict[tuple[int, str], Sequence[PartCount]] = field(default_factory=dict)

    def count_many(self, jobs: Iterable[tuple[Request, ModelPrice]]) -> Sequence[TokenCount]:
        """Count what is not known yet."""
        listed = list(jobs)
        keys = [(id(request), model.id) for request, model in listed]
        new = [job for job, key in zip(listed, keys, strict=True) if key not in self._known]
        for (request, model), count in zip(new, self.counter.count_many(new), strict=True):
            self._known[id(request), model.id] = count
        return [self._known[key] for key in keys]

    def count_parts(self, request: Request, model: ModelPrice) -> Sequence[PartCount]:
        """Count the blocks, once."""
        key = (id(request), model.id)
        if key not in self._parts:
            self._parts[key] = self.counter.count_parts(request, model)
        return self._parts[key]
