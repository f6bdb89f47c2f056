"""What a strategy comes to: served requests added up, for one run or as the mean of many.

Runs with random arrivals take one of two ways with the same result. Where every entry is visible at once, the bill of
a request depends only on the gap before it (shorter than 5 minutes, shorter than an hour, longer), so each run is a row
of gap classes. Otherwise every event is simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from costkit.cache.marks import TTL_MICROSECONDS
from costkit.cache.store import CacheStore, Served, Step
from costkit.cache.tariff import Tariff
from costkit.core.money import EXACT, ZERO, total
from costkit.core.usage import Usage

Groups = Sequence[Sequence[Step]]
"""For each arrival the requests of that instant."""

MEAN_PLACES = 12
"""Decimals of a mean whose digits don't end."""
SHORT, MIDDLE, LONG = range(3)
CLASSES = (SHORT, MIDDLE, LONG)
_FIVE_MINUTES, _HOUR = TTL_MICROSECONDS["5m"], TTL_MICROSECONDS["1h"]
_GAP_OF_CLASS = (1, _FIVE_MINUTES, _HOUR)


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


class Bill(NamedTuple):
    """Several requests together; all fields add up."""

    input_tokens: int = 0
    read_tokens: int = 0
    write_5m_tokens: int = 0
    write_1h_tokens: int = 0
    reads: int = 0
    writes: int = 0
    expiries: int = 0


def gap_class(gap: int) -> int:
    """Which of the three classes a gap in microseconds belongs to."""
    return (gap >= _FIVE_MINUTES) + (gap >= _HOUR)


def class_rows(gaps_of_runs: Iterable[Sequence[int]]) -> bytes:
    """The gap classes of many runs, run after run."""
    five_minutes, hour = _FIVE_MINUTES, _HOUR
    return b"".join(bytes([(gap >= five_minutes) + (gap >= hour) for gap in gaps]) for gaps in gaps_of_runs)


def tally_run(groups: Groups, starts: Sequence[int], tariff: Tariff, first_byte: int = 0) -> Tally:
    """Simulate one run event by event and add it up."""
    served = list(serve_run(groups, starts, first_byte))
    each = tuple(tariff.cost(one) for one in served)
    return _tally([(one, 1) for one in served], 1, total(each), each, tariff)


def serve_run(groups: Groups, starts: Sequence[int], first_byte: int = 0) -> Iterator[Served]:
    """Serve all requests of all arrivals from an empty cache."""
    serve = CacheStore(first_byte).serve
    for at, group in zip(starts, groups, strict=True):
        for step in group:
            yield serve(at, step)


def tally_classes(table: ClassTable, rows: bytes, runs: int, tariff: Tariff) -> Tally:
    """Add up many runs that are given as gap classes: one byte for each arrival but the first, run after run."""
    width = len(table.groups) - 1
    costs = table.costs(tariff)
    run_totals = _run_totals(table, costs, rows, runs, width)
    counted: list[tuple[Served, int]] = [(one, runs) for one in table.groups[0][SHORT]]
    each = list(costs[0][SHORT])
    for column in range(width):
        seen = rows[column::width]
        counts = [seen.count(which) for which in CLASSES]
        bills = table.groups[column + 1]
        counted += [(one, count) for which, count in enumerate(counts) if count for one in bills[which]]
        members = zip(*(costs[column + 1][which] for which in CLASSES), strict=True)
        each += [mean(total(map(_times, member, counts)), runs) for member in members]
    tally = _tally(counted, runs, total(run_totals), tuple(each), tariff)
    return _with_interval(tally, run_totals)


def _times(cost: Decimal, count: int) -> Decimal:
    return EXACT.multiply(cost, Decimal(count))


class ClassTable(NamedTuple):
    """What each arrival is billed for, by the class of the gap before it."""

    groups: list[tuple[tuple[Served, ...], ...]]
    """For each arrival and class, the requests of that instant; arrivals that are alike share their tuples."""
    uniform: bool
    """Whether all arrivals but the first and the last are alike."""

    def costs(self, tariff: Tariff) -> list[tuple[tuple[Decimal, ...], ...]]:
        """The same in US dollars."""
        known: dict[int, tuple[tuple[Decimal, ...], ...]] = {}
        return [
            known.setdefault(id(group), tuple(tuple(map(tariff.cost, bills)) for bills in group))
            for group in self.groups
        ]


def class_table(groups: Groups, *, uniform: bool) -> ClassTable:
    """Work out the bills of each arrival, after one that left its entries behind and a gap of each class.

    `uniform` promises that all arrivals but the last have the same bills (nothing grows).
    """
    first = tuple(serve_run(groups[:1], [0]))
    table: list[tuple[tuple[Served, ...], ...]] = [(first, first, first)]
    for number in range(1, len(groups)):
        if uniform and 1 < number < len(groups) - 1:
            table.append(table[1])
        else:
            pair = groups[number - 1 : number + 1]
            before = len(pair[0])
            table.append(tuple(tuple(serve_run(pair, [0, gap]))[before:] for gap in _GAP_OF_CLASS))
    return ClassTable(table, uniform)


def _run_totals(
    table: ClassTable, costs: list[tuple[tuple[Decimal, ...], ...]], rows: bytes, runs: int, width: int
) -> list[Decimal]:
    sums = [tuple(total(members) for members in group) for group in costs]
    first = sums[0][SHORT]
    if table.uniform and width > 1:
        middle, last = sums[1], sums[-1]
        found = []
        for start in range(0, runs * width, width):
            row = rows[start : start + width - 1]
            parts = [_times(middle[which], row.count(which)) for which in CLASSES]
            found.append(total([first, last[rows[start + width - 1]], *parts]))
        return found
    unit, scaled = _scaled(sums[1:])
    totals = []
    for start in range(0, runs * width, width):
        amount = sum(map(tuple.__getitem__, scaled, rows[start : start + width]))
        totals.append(EXACT.add(first, EXACT.multiply(Decimal(amount), unit)))
    return totals


def _scaled(sums: Sequence[tuple[Decimal, ...]]) -> tuple[Decimal, list[tuple[int, ...]]]:
    """Amounts as whole multiples of a common unit: adding integers is faster, and as exact."""
    exponents = [int(amount.as_tuple().exponent) for group in sums for amount in group]
    places = max([0, *(-exponent for exponent in exponents)])
    unit = Decimal(1).scaleb(-places)
    return unit, [tuple(int(amount.scaleb(places, EXACT)) for amount in group) for group in sums]


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
        run_totals.append(total(_times(tariff.cost(served), count) for served, count in bills.items()))
    each = tuple(
        mean(total(_times(tariff.cost(served), count) for served, count in seen.items()), runs) for seen in counted
    )
    pairs = [pair for seen in counted for pair in seen.items()]
    return _with_interval(_tally(pairs, runs, total(run_totals), each, tariff), run_totals)


def _tally(
    counted: Sequence[tuple[Served, int]], runs: int, cost: Decimal, each: tuple[Decimal, ...], tariff: Tariff
) -> Tally:
    bill = [0] * len(Bill._fields)
    for served, count in counted:
        for field, amount in enumerate(served[:4]):
            bill[field] += amount * count
        bill[4] += count * (served.read_tokens > 0)
        bill[5] += count * (served.write_tokens > 0)
        bill[6] += count * served.expired
    tokens, events = bill[:4], bill[4:]
    requests = len(each)
    input_tokens, read, write_5m, write_1h = _whole_means(tokens, runs)
    usage = Usage(input_tokens, read, write_5m, write_1h, tariff.output_tokens * requests)
    reads, writes, expiries = (_nearest(count, runs) for count in events)
    return Tally(mean(cost, runs), usage, reads, writes, expiries, each)


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
    fraction = Fraction(amount) / count
    places = max(MEAN_PLACES, -int(amount.as_tuple().exponent))
    scaled = round(fraction * 10**places)
    return Decimal(scaled).scaleb(-places, EXACT) if scaled else ZERO


def _with_interval(tally: Tally, run_totals: Sequence[Decimal]) -> Tally:
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
