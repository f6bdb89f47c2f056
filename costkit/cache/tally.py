"""What a strategy comes to: served requests added up, for one run or as the mean of many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from costkit.cache.store import CacheStore, Served, Step
from costkit.cache.tariff import Tariff
from costkit.core.money import EXACT, ZERO, times, total
from costkit.core.usage import Usage

Groups = Sequence[Sequence[Step]]
"""For each arrival the requests of that instant."""

_TOKEN_FIELDS = 4
MEAN_PLACES = 12
"""Decimals of a mean whose digits don't end."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One strategy: exact for a single run, means for many."""

    cost_usd: Decimal
    usage: Usage
    reads: int
    """Requests that read from the cache."""
    writes: int
    """Requests that wrote to it."""
    expiries: int
    """Requests that found an entry which had expired."""
    each_usd: tuple[Decimal, ...]
    """The cost of each request, in order."""
    interval_usd: tuple[Decimal, Decimal] | None = None
    """95 % of the runs cost between these; `None` for a single run."""


def tally_run(groups: Groups, starts: Sequence[int], tariff: Tariff, first_byte: int = 0) -> Tally:
    """Simulate one run event by event and add it up."""
    served = list(serve_run(groups, starts, first_byte))
    each = tuple(tariff.cost(one) for one in served)
    return add_up([(one, 1) for one in served], 1, total(each), each, tariff)


def serve_run(groups: Groups, starts: Sequence[int], first_byte: int = 0) -> Iterator[Served]:
    """Serve all requests of all arrivals from an empty cache."""
    serve = CacheStore(first_byte).serve
    for at, group in zip(starts, groups, strict=True):
        for step in group:
            yield serve(at, step)


def tally_events(
    groups: Groups, draw: Callable[[], Sequence[int]], runs: int, tariff: Tariff, first_byte: int
) -> Tally:
    """Simulate many runs event by event; `draw` gives the arrivals of the next run."""
    counted: list[dict[Served, int]] = [{} for group in groups for _ in group]
    run_totals = []
    for _ in range(runs):
        bills: dict[Served, int] = {}
        for number, served in enumerate(serve_run(groups, draw(), first_byte)):
            seen = counted[number]
            seen[served] = seen.get(served, 0) + 1
            bills[served] = bills.get(served, 0) + 1
        run_totals.append(total(times(tariff.cost(served), count) for served, count in bills.items()))
    each = tuple(
        mean(total(times(tariff.cost(served), count) for served, count in seen.items()), runs) for seen in counted
    )
    pairs = [pair for seen in counted for pair in seen.items()]
    return with_interval(add_up(pairs, runs, total(run_totals), each, tariff), run_totals)


def add_up(
    counted: Iterable[tuple[Served, int]], runs: int, cost: Decimal, each: tuple[Decimal, ...], tariff: Tariff
) -> Tally:
    """The means of runs: (bill, how often in all runs), the cost of all runs, and the mean cost of each request."""
    often: dict[Served, int] = {}
    for served, count in counted:
        often[served] = often.get(served, 0) + count
    tokens = [sum(served[field] * count for served, count in often.items()) for field in range(_TOKEN_FIELDS)]
    reads = sum(count for served, count in often.items() if served.read_tokens)
    writes = sum(count for served, count in often.items() if served.write_tokens)
    expiries = sum(count for served, count in often.items() if served.expired)
    input_tokens, read, write_5m, write_1h = _whole_means(tokens, runs)
    usage = Usage(input_tokens, read, write_5m, write_1h, tariff.output_tokens * len(each))
    return Tally(
        mean(cost, runs), usage, _nearest(reads, runs), _nearest(writes, runs), _nearest(expiries, runs), each
    )  # fmt: skip


def _whole_means(sums: Sequence[int], runs: int) -> list[int]:
    """Means in whole tokens that still add up to the mean of the whole, cut at the running sums."""
    parts, running, before = [], 0, 0
    for amount in sums:
        running += amount
        upto = running // runs
        parts.append(upto - before)
        before = upto
    return parts


def _nearest(count: int, runs: int) -> int:
    return (2 * count + runs) // (2 * runs)


def mean(amount: Decimal, count: int) -> Decimal:
    """An amount divided by a count: exact where the digits end within 12 decimals, else rounded there.

    Amounts that are finer than 12 decimals keep their own digits.
    """
    if count == 1:
        return amount
    fraction = Fraction(amount) / count
    places = max(MEAN_PLACES, -int(amount.as_tuple().exponent))
    scaled = round(fraction * 10**places)
    return Decimal(scaled).scaleb(-places, EXACT) if scaled else ZERO


def with_interval(tally: Tally, run_totals: Sequence[Decimal]) -> Tally:
    """Add where 95 % of the runs lie: between the largest of the lowest 2.5 % and the smallest of the highest."""
    ordered = sorted(run_totals)
    cut = len(ordered) // 40
    return Tally(
        tally.cost_usd,
        tally.usage,
        tally.reads,
        tally.writes,
        tally.expiries,
        tally.each_usd,
        (ordered[cut], ordered[-1 - cut]),
    )
