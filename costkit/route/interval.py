"""How sure a difference between two models is, item by item; and how many items it would take.

Both models answered the same items, so what counts is the difference on each item, not two separate averages.

Where all scores are 0 or 1, the interval is Tango's score interval for paired proportions (T. Tango, Equivalence test
and confidence interval for the difference in proportions for the paired-sample design, Statistics in Medicine 17,
1998). It stays honest where the models hardly ever differ: 100 items without one difference don't prove that there is
none.

For scores in between it is the mean difference plus and minus z · s/√n, and z²/(n + z²) for what is too rare to have
been seen yet: the Wilson bound of an event that never happened, at the largest loss there is. The same form as
Bernstein's inequality: a term for the variance, and one for the range.

`bench/route_evidence.py` counts how often each is wrong. These numbers are statistics, not money: floats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist, fmean, pvariance
from typing import NamedTuple

_STEPS = 60
"""Halvings of a search: beyond the precision of a float."""
_LARGEST_Z = 12.0


class Interval(NamedTuple):
    """A difference of mean scores; each bound alone holds with the confidence asked for."""

    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Pairs:
    """The scores of two models on the same items, in the same order; all between 0 and 1, at least one."""

    scores: tuple[float, ...]
    reference: tuple[float, ...]

    @property
    def differences(self) -> list[float]:
        """Item by item; negative where the reference is better."""
        return [score - other for score, other in zip(self.scores, self.reference, strict=True)]

    @property
    def is_binary(self) -> bool:
        """Whether every item was either passed or failed."""
        return {*self.scores, *self.reference} <= {0.0, 1.0}

    @property
    def discordance(self) -> float:
        """The mean squared difference; with scores of 0 and 1 the share of items on which the models differ."""
        return fmean(difference**2 for difference in self.differences)


def z_of(alpha: float) -> float:
    """The quantile that a normal variable exceeds with probability `alpha`."""
    return NormalDist().inv_cdf(1 - alpha)


def interval_of(pairs: Pairs, alpha: float) -> Interval:
    """The difference with bounds that each are wrong with probability `alpha`."""
    z, difference = z_of(alpha), fmean(pairs.differences)
    if not pairs.is_binary:
        width = _width(_spread(pairs), len(pairs.scores), z)
        return Interval(difference, max(-1.0, difference - width), min(1.0, difference + width))
    counts = _counts(pairs)
    low = _search(-1.0, difference, lambda delta: _tango(counts, delta) > z)
    high = _search(1.0, difference, lambda delta: _tango(counts, delta) < -z)
    return Interval(difference, low, high)


def p_value(pairs: Pairs, margin: float) -> float:
    """The smallest alpha at which the lower bound lies above `-margin`: the evidence against being worse by more."""
    if pairs.is_binary:
        return 1 - NormalDist().cdf(tango(pairs, -margin))
    difference, spread, count = fmean(pairs.differences), _spread(pairs), len(pairs.scores)
    if difference <= -margin:
        return 1.0
    z = _search(0.0, _LARGEST_Z, lambda z: difference - _width(spread, count, z) > -margin)
    return 1 - NormalDist().cdf(z)


def tango(pairs: Pairs, delta: float) -> float:
    """Tango's score statistic of the hypothesis that the true difference is `delta`: approximately standard normal."""
    return _tango(_counts(pairs), delta)


def _counts(pairs: Pairs) -> tuple[int, int, int]:
    """Items, those that only the candidate passed, and those that only the reference passed."""
    differences = pairs.differences
    return len(differences), differences.count(1.0), differences.count(-1.0)


def _tango(counts: tuple[int, int, int], delta: float) -> float:
    """The denominator is the standard error under the hypothesis, at the likeliest share of lost items."""
    count, gained, lost = counts
    a = 2 * count
    b = -gained - lost + (2 * count - gained + lost) * delta
    c = -lost * delta * (1 - delta)
    share = (sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    variance = count * max(0.0, 2 * share + delta * (1 - delta))
    distance = gained - lost - count * delta
    if variance <= 0:
        return 0.0 if distance == 0 else _LARGEST_Z * (1 if distance > 0 else -1)
    return distance / sqrt(variance)


def _spread(pairs: Pairs) -> float:
    """The standard deviation of the differences."""
    count = len(pairs.scores)
    return sqrt(pvariance(pairs.differences) * count / max(1, count - 1))


def _width(spread: float, count: int, z: float) -> float:
    return z * spread / sqrt(count) + z * z / (count + z * z)


def _search(holds: float, fails: float, is_true: Callable[[float], bool]) -> float:
    """The last point on the way from one where something holds to one where it doesn't."""
    if is_true(fails):
        return fails
    for _ in range(_STEPS):
        middle = (holds + fails) / 2
        if is_true(middle):
            holds = middle
        else:
            fails = middle
    return holds


def items_needed(pairs: Pairs, margin: float, alpha: float, power: float) -> int | None:
    """About how many items it takes to show with a probability of `power` that the candidate is not worse by `margin`.

    (z_alpha + z_power)² · d / δ², with the discordance d seen so far, and δ the distance of the margin from no
    difference at all, or from the difference seen if that is negative; at least z²(1 - margin)/margin, which it takes
    without a single difference. `None` where the difference seen is beyond the margin: more are not likely to help.
    """
    distance = margin + min(0.0, fmean(pairs.differences))
    if distance <= 0:
        return None
    z = z_of(alpha)
    discordance = max(pairs.discordance, 1 / (len(pairs.scores) + 2))
    by_power = (z + z_of(1 - power)) ** 2 * discordance / distance**2
    return ceil(max(by_power, z * z * (1 - margin) / margin))


def holm(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Which hypotheses are rejected if at most `alpha` of all families may contain a wrong rejection.

    S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979.
    """
    rejected = [False] * len(p_values)
    for rank, position in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[position] > alpha / (len(p_values) - rank):
            break
        rejected[position] = True
    return rejected
