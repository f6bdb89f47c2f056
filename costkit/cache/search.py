"""The best breakpoints for requests that were sent: every plan of at most four is bounded, the best are simulated.

Exact: a plan is only passed over when it can't cost less than one that was simulated.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from costkit.cache.bound import MOVING, TTLS, Bounds, Deltas, Moving, Prices
from costkit.cache.marks import MOST_MARKS, Mark
from costkit.cache.places import LAST_BLOCK, PREVIOUS_END, Place, Plan, Planned, candidates, marks_of_plan
from costkit.cache.sent import Sent
from costkit.cache.store import Served, serve_all, step_of
from costkit.core.usage import Usage

MOST_PLACES = 120
"""Candidate places that are searched exactly; of more, the boundaries that most requests have."""
_FIRST_KEPT, _MOST_KEPT = 1, 256
_MORE_RUNNERS_UP = 6
"""Plans that are simulated for the second place once the first is settled."""
_MOST_SIMULATED = 3_000_000
"""Simulated requests after which a search that has not closed the gap is given up, and says so."""

_Chain = tuple[tuple[int, str], ...]
"""Fixed breakpoints as (number of the candidate, TTL)."""
_Ending = dict[str, list[list[tuple[int, _Chain]]]]
"""By the TTL and the candidate that they end with, chains with what they add to the bill."""


class Fleet(NamedTuple):
    """Requests in the order of time with their prices, ready for many plans."""

    sent: Sequence[Sent]
    prices: Sequence[Prices]
    unit: Decimal
    """US dollars of one unit of the prices, for one token."""

    def usd(self, units: int) -> Decimal:
        """Units as exact US dollars."""
        return Decimal(units) * self.unit

    def part(self, start: int, end: int) -> Fleet:
        """A stretch of the requests."""
        return Fleet(self.sent[start:end], self.prices[start:end], self.unit)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found."""

    best: Plan
    runner_up: Plan | None
    """The cheapest of the others that were simulated, at another bill."""
    places: int
    """Candidate places."""
    exhaustive: bool
    """Whether it is proved that no plan costs less."""


def fleet_of(sent: Sequence[Sent]) -> Fleet:
    """Price every request: its tier, its day, its mode; the rates become whole numbers of one unit."""
    quotes = [one.tariff.quote(one.prompt.tokens).rates for one in sent]
    rates = [(q.input, q.cache_read, q.cache_write_5m, q.cache_write_1h) for q in quotes]
    finest = min((_exponent(rate) for four in set(rates) for rate in four), default=0)
    scaled = {four: Prices(*(int(rate.scaleb(-finest)) for rate in four)) for four in set(rates)}
    return Fleet(sent, [scaled[four] for four in rates], Decimal(1).scaleb(finest - 6))


def _exponent(rate: Decimal) -> int:
    exponent = rate.as_tuple().exponent
    return min(0, exponent) if isinstance(exponent, int) else 0


def simulate(fleet: Fleet, marks: Sequence[Sequence[Mark]]) -> list[Served]:
    """What each request is billed for with these breakpoints."""
    keys = {one.prompt.keys[mark.position] for one, own in zip(fleet.sent, marks, strict=True) for mark in own}
    timeline = (
        (one.at, step_of(one.prompt, own, one.minimum, keys)) for one, own in zip(fleet.sent, marks, strict=True)
    )
    return list(serve_all(timeline))


def simulate_plan(fleet: Fleet, plan: Plan) -> list[Served]:
    """What each request is billed for under a plan."""
    return simulate(fleet, [marks_of_plan(plan, one) for one in fleet.sent])


def bill(fleet: Fleet, served: Sequence[Served]) -> int:
    """The whole bill, in units; output is not in it, because it is the same under every plan."""
    return sum(
        s.input_tokens * p.input
        + s.read_tokens * p.read
        + s.write_5m_tokens * p.write_5m
        + s.write_1h_tokens * p.write_1h
        for s, p in zip(served, fleet.prices, strict=True)
    )


def usage_of(served: Sequence[Served]) -> Usage:
    """The tokens of all requests by bucket."""
    return sum((one.usage() for one in served), Usage())


def search(fleet: Fleet) -> Found:
    """Find the cheapest plan; of several at one price, that with the fewest breakpoints and the shorter TTLs."""
    places = candidates(fleet.sent)
    cut = len(places) > MOST_PLACES
    if cut:
        places = _commonest(candidates(fleet.sent, boundaries_only=True), fleet.sent)
    bounds = Bounds(fleet.sent, fleet.prices, places)
    deltas = [(moving, bounds.deltas(moving)) for moving in MOVING]
    known: dict[Plan, int] = {}
    kept = _FIRST_KEPT
    while True:
        bounded, complete_to = _bounded(places, deltas, kept)
        best, runner_up = _verify(bounded, fleet, known)
        proved = complete_to is None or complete_to >= known[best]
        if proved or kept >= _MOST_KEPT or len(known) * len(fleet.sent) > _MOST_SIMULATED:
            return Found(best, runner_up, len(places), proved and not cut)
        kept *= 4


def _commonest(places: Sequence[Place], sent: Sequence[Sent]) -> list[Place]:
    deepest = [max(0, len(one.prompt.keys) - one.levels[1]) for one in sent]
    reached = {place: sum(depth > place.nth for depth in deepest) for place in places if place.depth == 2}  # noqa: PLR2004
    order = sorted(places, key=lambda place: -reached.get(place, len(sent)))
    return sorted(order[:MOST_PLACES], key=places.index)


def _verify(bounded: Sequence[tuple[int, Plan]], fleet: Fleet, known: dict[Plan, int]) -> tuple[Plan, Plan | None]:
    """Simulate plans from the lowest bound on, until no other can cost less than the best; then a few for second place.

    A plan whose bound is the bill of the best (most often the best with an idle breakpoint) is passed over.
    """
    ranked: list[tuple[int, int, int, Plan]] = []
    runner_up: tuple[int, int, int, Plan] | None = None
    more = _MORE_RUNNERS_UP
    for bound, plan in bounded:
        if ranked and bound >= ranked[0][0]:
            if bound == ranked[0][0]:
                continue
            more -= 1
            if runner_up is not None and (more < 0 or bound >= runner_up[0]):
                break
        if plan not in known:
            if ranked and len(known) * len(fleet.sent) > _MOST_SIMULATED:
                break
            known[plan] = bill(fleet, simulate_plan(fleet, plan))
        ranked.append((known[plan], *_simplicity(plan), plan))
        ranked.sort(key=lambda entry: entry[:3])
        runner_up = next((entry for entry in ranked if entry[0] > ranked[0][0]), None)
    return ranked[0][3], runner_up[3] if runner_up else None


def _simplicity(plan: Plan) -> tuple[int, int]:
    return len(plan), sum(mark.ttl == "1h" for mark in plan)


def _bounded(
    places: Sequence[Place], deltas: Sequence[tuple[Moving, Deltas]], kept: int
) -> tuple[list[tuple[int, Plan]], int | None]:
    """Plans with what they cost at least, the lowest first, and the bound up to which they are all there.

    That is `None` where they are all there are.
    """
    found: list[tuple[int, Plan]] = []
    complete_to: int | None = None
    for moving, sums in deltas:
        tail = tuple(
            Planned(place, ttl)
            for place, ttl in ((PREVIOUS_END, moving.previous_end), (LAST_BLOCK, moving.last))
            if ttl is not None
        )
        found.append((sums.alone, tail))
        for chains in _chains(sums, MOST_MARKS - len(tail), kept):
            for cost, chain in chains:
                found.append((sums.alone + cost, tuple(Planned(places[at], ttl) for at, ttl in chain) + tail))
            if len(chains) == kept:
                end = sums.alone + chains[-1][0]
                complete_to = end if complete_to is None else min(complete_to, end)
    found.sort(key=lambda entry: (entry[0], *_simplicity(entry[1])))
    return found, complete_to


def _chains(sums: Deltas, most: int, kept: int) -> Iterator[list[tuple[int, _Chain]]]:
    """For each length, the `kept` cheapest chains of fixed breakpoints, cheapest first."""
    count = len(sums.pairs[TTLS[0]]) - 1
    ending: _Ending = {ttl: [[(sums.pairs[ttl][0][b], ((b, ttl),))] for b in range(count)] for ttl in sums.pairs}
    for length in range(1, most + 1):
        if length > 1:
            ending = {ttl: [_extended(ending, sums, ttl, b, kept) for b in range(count)] for ttl in sums.pairs}
        yield heapq.nsmallest(kept, (chain for ends in ending.values() for chains in ends for chain in chains))


def _extended(ending: _Ending, sums: Deltas, ttl: str, b: int, kept: int) -> list[tuple[int, _Chain]]:
    """The cheapest chains that are one longer and end with a candidate under a TTL."""
    before = [other for other in ending if TTLS.index(other) <= TTLS.index(ttl)]
    longer = (
        (cost + sums.pairs[ttl][a + 1][b], (*chain, (b, ttl)))
        for other in before
        for a in range(b)
        for cost, chain in ending[other][a]
    )
    return heapq.nsmallest(kept, longer)
