"""Expected costs without running anything: what each gap class comes to, and how likely it is.

Where entries are visible at once, a strategy's expected cost is F + p0·T0 + p1·T1 + p2·T2: F for the first arrival, T
for all others if every gap were shorter than 5 minutes, between 5 minutes and an hour, or longer, and p the shares of
such gaps. For one prefix of S tokens this is the textbook form w + (N-1)(w·q + r(1-q)).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from costkit.cache.arrivals import Arrivals, Every, Poisson
from costkit.cache.gaps import CLASSES, SHORT, ClassTable, gap_class
from costkit.cache.marks import SECOND, TTL_MICROSECONDS
from costkit.cache.result import ClosedForm
from costkit.core.money import EXACT, total
from costkit.core.rates import Rates

_SHARE = Decimal("0.000001")
_USD = Decimal("0.000000000001")


@dataclass(frozen=True, slots=True)
class ClassCosts:
    """A strategy's exact US dollars by gap class."""

    first: Decimal
    rest: tuple[Decimal, ...]
    """For each class: all arrivals but the first."""

    def at(self, shares: Sequence[float]) -> Decimal:
        """The expected cost under these shares of the classes, to twelve decimals."""
        parts = [_part(cost, share) for cost, share in zip(self.rest, shares, strict=True)]
        return EXACT.add(self.first, total(parts))

    def about(self, shares: Sequence[float]) -> float:
        """The same as a float, for searching."""
        return float(self.first) + sum(float(c) * share for c, share in zip(self.rest, shares, strict=True))


def _part(cost: Decimal, share: float) -> Decimal:
    if share in (0.0, 1.0):
        return cost if share else Decimal(0)
    return (cost * Decimal(share)).quantize(_USD)


def class_costs(table: ClassTable) -> ClassCosts:
    """Add up a table by class."""
    rest = tuple(total(row.sums[which] for row in table.rows[1:]) for which in CLASSES)
    return ClassCosts(table.rows[0].sums[SHORT], rest)


def class_shares(arrivals: Arrivals, count: int) -> tuple[float, ...]:
    """The shares of the three gap classes; zeros where there is no second arrival."""
    if isinstance(arrivals, Poisson):
        return poisson_shares(arrivals.mean_gap)
    if isinstance(arrivals, Every):
        return tuple(float(which == gap_class(arrivals.gap)) for which in CLASSES)
    starts = arrivals.starts[:count]
    classes = [gap_class(later - earlier) for earlier, later in pairwise(starts)]
    return tuple(classes.count(which) / len(classes) if classes else 0.0 for which in CLASSES)


def poisson_shares(mean_gap: float) -> tuple[float, float, float]:
    """The shares of the classes for random arrivals with a mean gap in seconds."""
    past_5m = math.exp(-TTL_MICROSECONDS["5m"] / SECOND / mean_gap)
    past_1h = math.exp(-TTL_MICROSECONDS["1h"] / SECOND / mean_gap)
    return (1 - past_5m, past_5m - past_1h, past_1h)


def closed_forms(
    rates: Rates, arrivals: Arrivals, count: int, costs: Mapping[str, ClassCosts], simulated: Mapping[str, Decimal]
) -> tuple[ClosedForm, ...]:
    """The formulas of both TTLs; `costs` and `simulated` are by strategy."""
    shares = class_shares(arrivals, count)
    forms = []
    for ttl, write, misses in (("5m", rates.cache_write_5m, shares[1:]), ("1h", rates.cache_write_1h, shares[2:])):
        w, r = Fraction(write) / Fraction(rates.input), Fraction(rates.cache_read) / Fraction(rates.input)
        reads = max(0, math.ceil((w - 1) / (1 - r))) if r < 1 else None
        share = max(Fraction(0), w - 1) / (w - r) if w > r else None
        forms.append(
            ClosedForm(
                ttl,
                _decimal(w),
                _decimal(r),
                reads,
                None if reads is None else 1 + reads,
                None if share is None else _decimal(share),
                _longest_gap(TTL_MICROSECONDS[ttl] / SECOND, share),
                round(sum(misses), 9),
                costs[ttl].at(shares),
                simulated.get(ttl),
            )
        )
    return tuple(forms)


def _longest_gap(ttl_seconds: float, share: Fraction | None) -> float | None:
    return None if share is None or not 0 < share < 1 else round(ttl_seconds / -math.log1p(-float(share)), 3)


def _decimal(fraction: Fraction) -> Decimal:
    return (Decimal(fraction.numerator) / Decimal(fraction.denominator)).quantize(_SHARE)
