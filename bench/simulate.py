"""Speed of the caching simulation, against a naive per-call loop measured in the same run.

    python bench/simulate.py [REPEATS [RUNS]]

1,000 random repeats under five strategies in 1,000 runs, unless said otherwise: once where gaps alone decide (closed
steps), once with a late first byte, which needs every event. The naive loop does what one writes first: for each call
it looks through all entries for prefixes, and prices the call through the price book; it has fewer runs to do. All
three see the same arrivals, and their costs are compared.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from machine import describe_machine

from costkit.adapters.pricing_yaml import built_in_book
from costkit.cache import ModelSimulation, Poisson, SimulateOptions, Sizes, simulate_repeats
from costkit.cache.arrivals import seeded, starts_of
from costkit.cache.marks import TTL_MICROSECONDS
from costkit.core.pricebook import PriceBook
from costkit.core.usage import Usage

DAY = date(2026, 11, 21)
MODEL = "claude-opus-5-5"
SIZES = Sizes(10_000, 200)
OUTPUT = 500
ARRIVALS = Poisson(120.0)
GOALS = {"closed steps": 1_000_000, "every event": 200_000}
STRATEGIES = 5


def main() -> None:
    """Measure, and print the table."""
    repeats, runs = (int(sys.argv[n]) if len(sys.argv) > n else 1000 for n in (1, 2))
    book = built_in_book()
    options = SimulateOptions(
        as_of=DAY, repeats=repeats, arrivals=ARRIVALS, models=(MODEL,), output_tokens=OUTPUT, runs=runs, growth=1
    )
    # A growth of one token adds the mixed strategy, the fifth, and makes every repeat different from the others.
    measured = {
        "closed steps": _time(lambda: _simulate(book, options), repeats * runs * STRATEGIES),
        "every event": _time(lambda: _simulate(book, replace(options, first_byte=1)), repeats * runs * STRATEGIES),
    }
    few = max(1, runs // 200)
    naive = _time(lambda: _naive(book, replace(options, runs=few, growth=0)), repeats * few)
    _compare(book, replace(options, runs=few, growth=0))
    print(describe_machine())
    print(f"{repeats:,} repeats, {STRATEGIES} strategies, {runs:,} runs; calls a second on one core")
    print(f"  {'naive loop':<14} {naive:12,.0f}")
    for name, speed in measured.items():
        print(f"  {name:<14} {speed:12,.0f}   {speed / naive:7.1f} x   (goal: at least {GOALS[name]:,})")


def _simulate(book: PriceBook, options: SimulateOptions) -> ModelSimulation:
    return simulate_repeats(SIZES, None, book, options).models[0]


def _time(work: Callable[[], object], calls: int) -> float:
    start = time.process_time()
    work()
    return calls / (time.process_time() - start)


def _naive(book: PriceBook, options: SimulateOptions) -> Decimal:
    """The mean cost of the 5m strategy, call by call."""
    random, cost = seeded(options.seed), Decimal(0)
    for _ in range(options.runs):
        cost += _naive_run(book, starts_of(options.arrivals, options.repeats, random))
    return cost / options.runs


def _naive_run(book: PriceBook, starts: Sequence[int]) -> Decimal:
    entries: list[tuple[list[str], int]] = []
    cost = Decimal(0)
    for number, at in enumerate(starts):
        prompt = ["prefix", f"question {number}"]
        hit = any(prompt[: len(blocks)] == blocks and at < expires for blocks, expires in entries)
        entries = [(blocks, expires) for blocks, expires in entries if at < expires and blocks != prompt[:1]]
        entries.append((prompt[:1], at + TTL_MICROSECONDS["5m"]))
        prefix, fresh = SIZES.prefix_tokens, SIZES.fresh_tokens
        usage = Usage(fresh, prefix, 0, 0, OUTPUT) if hit else Usage(fresh, 0, prefix, 0, OUTPUT)
        cost += book.cost(usage, MODEL, DAY).total_usd
    return cost


def _compare(book: PriceBook, options: SimulateOptions) -> None:
    ours = _simulate(book, options).strategy("5m").cost_usd
    events = _simulate(book, replace(options, first_byte=1)).strategy("5m").cost_usd
    theirs = _naive(book, options)
    if not abs(ours - theirs) < Decimal("1e-9") > abs(events - theirs):
        raise SystemExit(f"the costs differ: {ours}, {events}, {theirs}")


if __name__ == "__main__":
    main()
