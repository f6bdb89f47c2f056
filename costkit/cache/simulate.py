"""When does caching pay for these repeats? Simulates every strategy on every model and compares the bills."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from costkit.cache.arrivals import Every, Poisson, Recorded
from costkit.cache.breakpoints import AUTOMATIC, breakpoints_of, refusals
from costkit.cache.case import SEARCH_REQUESTS, Case, flips, forms, gap_curves, repeat_table, strategy_costs, tallies
from costkit.cache.marks import SECOND, TTL_MICROSECONDS
from costkit.cache.notices import model_notices
from costkit.cache.result import ModelSimulation, SimulateOptions, Simulation, Sizes, StrategyCost, WrittenPrompt
from costkit.cache.shape import lay_out, shape_of_request, shape_of_sizes
from costkit.cache.strategy import STRATEGIES, strategies_for
from costkit.cache.tariff import Tariff
from costkit.core.notice import Assumption, Notice
from costkit.core.pricebook import ModelPrice, PriceBook
from costkit.core.tokens import NO_TOKENS, TokenCounter
from costkit.errors import InvalidInput

MOST_REPEATS = 100_000
MOST_TURNS = 10_000
"""Repeats of a conversation that grows; no model's context window holds as many."""
MOST_RANDOM_REQUESTS = 50_000_000
MOST_RANDOM_EVENTS = 5_000_000
"""Repeats times runs, where gaps alone decide and where every event counts; above it memory or patience ends."""


def simulate_repeats(
    source: Sizes | WrittenPrompt, counter: TokenCounter | None, book: PriceBook, options: SimulateOptions
) -> Simulation:
    """Say what each caching strategy comes to when a request is sent again and again.

    A written prompt is counted block by block with `counter`, for each model anew. Raises `InvalidInput` for options
    that mean nothing and for breakpoints that the API refuses, `UnknownModel` and `Undecidable` for unknown prices.
    """
    _check(source, options)
    where = source.path if isinstance(source, WrittenPrompt) else None
    models: list[ModelSimulation] = []
    notices = [*_general_notices(options)]
    for model in _models(source, book, options):
        case = _case(source, counter, book, model, options)
        notices += model_notices(case.tariff, case.shape, case.laid, where)
        models.append(_simulate_model(case))
    return Simulation(
        options,
        tuple(models),
        tuple(dict.fromkeys(notices)),
        tuple(_assumptions(source, options)),
        what_stays(source, options),
    )


def _check(source: Sizes | WrittenPrompt, options: SimulateOptions) -> None:
    if not 1 <= options.repeats <= MOST_REPEATS:
        raise InvalidInput(f"the number of repeats must lie between 1 and {MOST_REPEATS:,}", code="bad-repeats")
    if options.growth and options.repeats > MOST_TURNS:
        raise InvalidInput(f"a growing conversation has at most {MOST_TURNS:,} repeats", code="bad-repeats")
    if options.concurrency < 1 or options.runs < 1 or options.growth < 0:
        raise InvalidInput("concurrency and runs must be at least 1, and growth must not be negative")
    if options.strategy not in ("auto", *STRATEGIES):
        hint = f"one of auto, {', '.join(STRATEGIES)}"
        raise InvalidInput(f"there is no strategy {options.strategy!r}", hint=hint, code="no-such-strategy")
    _check_amounts(options)
    if isinstance(source, Sizes) and (min(_sizes(source)) < 0 or not any(_sizes(source))):
        raise InvalidInput("the prompt has no tokens", code="empty-prompt")
    if isinstance(source, WrittenPrompt):
        refused = next(refusals(breakpoints_of(source.request)), None)
        if refused is not None:
            where = f"{source.path}:{refused.path}"
            raise InvalidInput(refused.message, where=where, code=refused.code, hint="the API answers with 400")


def _check_amounts(options: SimulateOptions) -> None:
    if not 0 <= options.first_byte < TTL_MICROSECONDS["5m"]:
        raise InvalidInput("the first byte must come within 5 minutes: later the entry is gone", code="bad-duration")
    most = MOST_RANDOM_EVENTS if options.first_byte else MOST_RANDOM_REQUESTS
    if isinstance(options.arrivals, Poisson) and options.repeats * options.runs > most:
        message = f"{options.repeats:,} repeats in {options.runs:,} runs are more than {most:,} requests"
        raise InvalidInput(message, hint="--reps sets the number of runs", code="too-many-requests")
    if isinstance(options.arrivals, Recorded) and arrivals_of(options) > len(options.arrivals.starts):
        message = f"{options.repeats:,} repeats, but only {len(options.arrivals.starts):,} arrivals"
        raise InvalidInput(message, code="too-few-arrivals")


def _sizes(source: Sizes) -> tuple[int, int]:
    return (source.prefix_tokens, source.fresh_tokens)


def _models(source: Sizes | WrittenPrompt, book: PriceBook, options: SimulateOptions) -> list[ModelPrice]:
    own = source.request.model if isinstance(source, WrittenPrompt) else None
    found: dict[str, ModelPrice] = {}
    for name in options.models or ((own,) if own else options.default_models):
        models = book.active_models(options.as_of) if name == "all" else (book.resolve(name),)
        found.update((model.id, model) for model in models if model.id not in found)
    if not found:
        raise InvalidInput("nothing says which model", hint="name a model", code="no-model")
    return list(found.values())


def arrivals_of(options: SimulateOptions) -> int:
    """At how many instants requests arrive."""
    return -(-options.repeats // options.concurrency)


def _case(
    source: Sizes | WrittenPrompt,
    counter: TokenCounter | None,
    book: PriceBook,
    model: ModelPrice,
    options: SimulateOptions,
) -> Case:
    body: Mapping[str, object] = {}
    count = None
    if isinstance(source, Sizes):
        shape = shape_of_sizes(source.prefix_tokens, source.fresh_tokens, options.growth)
    elif counter is None:
        raise InvalidInput("a written prompt needs a token counter")
    else:
        parts = counter.count_parts(source.request, model)
        shape, body = shape_of_request(source.request, parts, options.growth), source.request.body
        count = sum((part.count for part in parts), NO_TOKENS)
    geo = body.get("inference_geo")
    tariff = Tariff(
        book,
        model,
        options.as_of,
        options.output_tokens or 0,
        options.batch,
        body.get("speed") == "fast" and not options.batch,
        geo if isinstance(geo, str) else None,
    )
    burst, repeats = options.concurrency, options.repeats
    sizes = [min(burst, repeats - done) for done in range(0, repeats, burst)]
    names = strategies_for(shape, options.strategy)
    return Case(shape, lay_out(shape, sizes, tariff.pool), tariff, options, names, count)


def _simulate_model(case: Case) -> ModelSimulation:
    lanes = [case.lane(name) for name in case.names]
    found = tallies(case, lanes)
    strategies = strategy_costs(found)
    first_winner, flip_points = flips(case, lanes)
    options = case.options
    return ModelSimulation(
        case.tariff.model.id,
        options.repeats,
        strategies,
        flip_points,
        case.laid[0][0].prompt.tokens,
        first_winner if _has_gaps(case) else None,
        repeat_table(case, lanes, _shown(strategies)) if options.per_repeat else None,
        forms(case, lanes, {name: tally.cost_usd for name, tally in found.items()}) if options.explain else None,
        gap_curves(case, lanes) if options.gap_curves else (),
        case.count,
        case.shape.stable_tokens,
    )


def _has_gaps(case: Case) -> bool:
    return len(case.laid) > 1 and not isinstance(case.options.arrivals, Recorded)


def _shown(strategies: tuple[StrategyCost, ...]) -> str:
    """The strategy that is shown request by request: the cheapest one that caches."""
    return next(strategy.name for strategy in strategies if strategy.name != "none" or len(strategies) == 1)


def _general_notices(options: SimulateOptions) -> Iterator[Notice]:
    if isinstance(options.arrivals, Poisson) and options.first_byte and options.repeats > SEARCH_REQUESTS:
        message = f"above {SEARCH_REQUESTS:,} repeats the flip points leave the first byte out"
        yield Notice("flips-without-first-byte", message)
    if options.output_tokens is None:
        yield Notice("output-not-estimated", "output is not in this: add --output-tokens N")
    if options.batch:
        message = "cache hits in batches are best effort (30 to 98 %): this assumes that every live entry is found"
        yield Notice("batch-hits-best-effort", message)


def _assumptions(source: Sizes | WrittenPrompt, options: SimulateOptions) -> Iterator[Assumption]:
    yield Assumption("repeats", options.repeats, "--repeats")
    arrivals = options.arrivals
    if isinstance(arrivals, Every):
        yield Assumption("gap_seconds", _number(Decimal(arrivals.gap) / SECOND), "--every")
    elif isinstance(arrivals, Poisson):
        yield Assumption("mean_gap_seconds", _number(Decimal(str(arrivals.mean_gap))), "--poisson")
        yield Assumption("seed", options.seed, "--seed")
        yield Assumption("runs", options.runs, "--reps")
    else:
        yield Assumption("arrivals", len(arrivals.starts), "--arrivals")
    source_of_output = "--output-tokens" if options.output_tokens is not None else "not given"
    yield Assumption("output_tokens", options.output_tokens, source_of_output)
    yield Assumption("concurrency", options.concurrency, "--concurrency")
    yield Assumption("growth_tokens", options.growth, "--growth")
    yield Assumption("first_byte_seconds", _number(Decimal(options.first_byte) / SECOND), "--first-byte")
    yield Assumption("batch", options.batch, "--batch")
    yield Assumption("same_every_time", what_stays(source, options), "the prompt")


def _number(amount: Decimal) -> Decimal | int:
    return int(amount) if amount == int(amount) else amount


def what_stays(source: Sizes | WrittenPrompt, options: SimulateOptions) -> str:
    """What is the same in every repeat, in words."""
    if isinstance(source, Sizes):
        return f"the first {source.prefix_tokens} tokens"
    if options.growth:
        return "everything, and the conversation grows behind it"
    if any(mark.path != AUTOMATIC for mark in breakpoints_of(source.request)):
        return "everything up to the last breakpoint"
    if any(block.level != "messages" for block in source.request.blocks):
        return "tools and system"
    return "everything"
