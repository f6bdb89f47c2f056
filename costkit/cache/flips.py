"""Flip points: the gaps between requests from which on another strategy costs least.

For a fixed cadence the answer is exact: costs only change where a gap reaches a TTL, or where one more request starts
before the first answer has begun. For random arrivals the mean gap is searched, by bisection.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from costkit.cache.expected import ClassCosts, poisson_shares
from costkit.cache.gaps import CLASSES
from costkit.cache.marks import SECOND, TTL_MICROSECONDS
from costkit.cache.result import FlipPoint
from costkit.core.money import EXACT

Flips = tuple[str, tuple[FlipPoint, ...]]
"""The winner at the smallest gaps, and where it changes."""
_TTLS = (TTL_MICROSECONDS["5m"], TTL_MICROSECONDS["1h"])
_SHORTEST_MEAN_SECONDS, _LONGEST_MEAN_SECONDS = 1.0, 1e7
_PRECISION = 1e-6


def cadence_flips(costs: Mapping[str, ClassCosts]) -> Flips:
    """The flips of a fixed cadence where entries are visible at once; strategies in order of preference."""
    winners = [
        (gap, cheapest({name: EXACT.add(cost.first, cost.rest[which]) for name, cost in costs.items()}))
        for which, gap in zip(CLASSES, (1, *_TTLS), strict=True)
    ]
    return _joined(winners, SECOND)


def cadence_flips_by_events(winner: Callable[[int], str], count: int, first_byte: int) -> Flips:
    """The flips of a fixed cadence whose entries become visible late.

    With a gap g the first ceil(first_byte/g) arrivals all write. The difference between two strategies only grows or
    only falls with their number, so between two numbers with the same winner it wins throughout; the rest is halving.
    """
    steps = sorted({-(-first_byte // writers) for writers in range(1, count + 1)} | {1})
    found: dict[int, str] = {}

    def look(low: int, high: int) -> None:
        for index in (low, high):
            if steps[index] not in found:
                found[steps[index]] = winner(steps[index])
        if high - low > 1 and found[steps[low]] != found[steps[high]]:
            middle = (low + high) // 2
            look(low, middle)
            look(middle, high)

    look(0, len(steps) - 1)
    found.update((gap, winner(gap)) for gap in _TTLS)
    return _joined(sorted(found.items()), SECOND)


def poisson_flips(costs: Mapping[str, ClassCosts], steps: int = 400) -> Flips:
    """The flips of random arrivals by their mean gap, from the closed form."""

    def winner(mean_gap: float) -> str:
        shares = poisson_shares(mean_gap)
        return cheapest({name: cost.about(shares) for name, cost in costs.items()})

    return search_flips(winner, steps, _PRECISION)


def search_flips(winner: Callable[[float], str], steps: int, precision: float) -> Flips:
    """Walk through mean gaps from a second to some months, and halve wherever the winner changes.

    `precision` is relative. Two changes within one of the `steps` may be missed.
    """
    ratio = math.log(_LONGEST_MEAN_SECONDS / _SHORTEST_MEAN_SECONDS) / steps
    walk = [
        (gap, winner(gap)) for gap in (_SHORTEST_MEAN_SECONDS * math.exp(ratio * step) for step in range(steps + 1))
    ]
    changes = [walk[0]]
    for (low, before), (high, after) in pairwise(walk):
        if before != after:
            changes.append((_halve(winner, low, high, before, precision), after))
    return _joined(changes, 1)


def _halve(winner: Callable[[float], str], low: float, high: float, before: str, precision: float) -> float:
    while high / low > 1 + precision:
        middle = math.sqrt(low * high)
        if winner(middle) == before:
            low = middle
        else:
            high = middle
    return high


def cheapest(costs: Mapping[str, Decimal] | Mapping[str, float]) -> str:
    """The name of the lowest cost; of equals the first."""
    return min(costs, key=lambda name: costs[name])


def _joined(winners: Sequence[tuple[float, str]], unit: int) -> Flips:
    flips = [
        FlipPoint(_seconds(gap, unit), before, after)
        for (_, before), (gap, after) in pairwise(winners)
        if before != after
    ]
    return winners[0][1], tuple(flips)


def _seconds(gap: float, unit: int) -> int | float:
    seconds = round(gap / unit, 6 if unit > 1 else 2)
    return int(seconds) if seconds == int(seconds) else seconds
