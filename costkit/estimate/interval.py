"""How far a total that was estimated from a sample may be off: the only statistics that dollars meet, in Decimal.

It follows from how far the members are off a straight line over their bytes. Requests that cost many times what their
bytes let expect, and are so few that the sample holds none, are beyond it: a larger sample is the remedy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal

from costkit.estimate.sample import Slice

_INTERVAL, _UPPER_BOUND = 0.975, 0.9999
"""One-sided probabilities of Student's quantile: for a 95 % interval, and for the bound that ceilings rest on.

The bound is to hold in 99.9 % of samples. So far out, a skewed sample knows too little of its own skew, so more is
asked for (`bench/sample_intervals.py` counts how often both hold).
"""
_LEAST_FREE = Decimal("0.05")
_WORK = Context(prec=50)


def half_width(parts: Iterable[tuple[Slice, Sequence[Decimal]]]) -> Decimal:
    """How far a total may lie from its estimate: half of a 95 % interval, rounded up to 12 decimals.

    `parts` are slices with the value of each of their members.
    """
    moments = _moments(parts)
    return _width(moments, _INTERVAL, abs(moments.third))


def upper_width(parts: Iterable[tuple[Slice, Sequence[Decimal]]]) -> Decimal:
    """How far a total may lie above its estimate with 99.9 % certainty, rounded up to 12 decimals.

    The one member that is most above what its bytes let expect might have been left out: it counts once more.
    """
    moments = _moments(parts)
    width = _width(moments, _UPPER_BOUND, max(Decimal(0), moments.third))
    return _rounded(_WORK.add(width, moments.most_above))


@dataclass(slots=True)
class _Moments:
    """What is known about the error of an estimated total."""

    variance: Decimal = Decimal(0)
    third: Decimal = Decimal(0)
    drift: Decimal = Decimal(0)
    """What the weights' own bytes being off may amount to."""
    doubt: Decimal = Decimal(0)
    """The sum over slices of the square of each one's variance by its degrees of freedom."""
    most_above: Decimal = Decimal(0)
    """The largest that any member, times what it stands for, lies above the line through its slice."""

    @property
    def freedom(self) -> Decimal:
        """Degrees of freedom of the whole variance: where one slice has most of it, hardly more than that one has.

        F. E. Satterthwaite, An Approximate Distribution of Estimates of Variance Components, 1946.
        """
        return _WORK.divide(_WORK.multiply(self.variance, self.variance), self.doubt) if self.doubt else Decimal(1)


def _moments(parts: Iterable[tuple[Slice, Sequence[Decimal]]]) -> _Moments:
    found = _Moments()
    for piece, values in parts:
        if piece.is_complete:
            continue
        slope, residuals = _line(piece.sizes, values)
        variance = Decimal(0)
        for weight, residual in zip(piece.weights, residuals, strict=True):
            square = _WORK.multiply(_WORK.multiply(residual, residual), Decimal(weight * (weight - 1)))
            variance = _WORK.add(variance, square)
            found.most_above = max(found.most_above, _WORK.multiply(residual, Decimal(weight)))
            found.third = _WORK.add(found.third, _WORK.multiply(square, residual * weight))
        found.variance = _WORK.add(found.variance, variance)
        found.drift = _WORK.add(found.drift, abs(_WORK.multiply(slope, Decimal(piece.missing))))
        square = _WORK.multiply(variance, variance)
        found.doubt = _WORK.add(found.doubt, _WORK.divide(square, Decimal(max(1, len(values) - 2))))
    return found


def _width(moments: _Moments, probability: float, third: Decimal) -> Decimal:
    """Student's quantile of the standard error, and what the skew of the values adds.

    A few values far above the others make a sample's mean too low more often than too high, and hide how much they
    vary (N. J. Johnson, Modified t Tests and Confidence Intervals for Asymmetrical Populations, 1978).
    """
    quantile = _quantile(probability, float(moments.freedom))
    width = _WORK.add(_WORK.multiply(_WORK.sqrt(moments.variance), quantile), moments.drift)
    if moments.variance > 0:
        tail = _WORK.multiply(third, 1 + 2 * quantile * quantile)
        width = _WORK.add(width, _WORK.divide(tail, 6 * moments.variance))
    return _rounded(width)


def _rounded(width: Decimal) -> Decimal:
    return width.quantize(Decimal("1e-12"), rounding=ROUND_CEILING, context=_WORK)


def _line(sizes: Sequence[int], values: Sequence[Decimal]) -> tuple[Decimal, list[Decimal]]:
    """The slope of value over size, and how far each value is off the straight line that the others would draw."""
    count = Decimal(len(values))
    mean_size, mean = _WORK.divide(Decimal(sum(sizes)), count), _WORK.divide(sum(values, Decimal(0)), count)
    from_size = [_WORK.subtract(Decimal(size), mean_size) for size in sizes]
    from_mean = [_WORK.subtract(value, mean) for value in values]
    spread = sum((_WORK.multiply(off, off) for off in from_size), Decimal(0))
    together = sum((_WORK.multiply(*pair) for pair in zip(from_size, from_mean, strict=True)), Decimal(0))
    slope = _WORK.divide(together, spread) if spread else Decimal(0)
    residuals = []
    for x, y in zip(from_size, from_mean, strict=True):
        pull = _WORK.divide(Decimal(1), count) + (_WORK.divide(_WORK.multiply(x, x), spread) if spread else 0)
        residuals.append(_WORK.divide(y - _WORK.multiply(slope, x), max(_LEAST_FREE, 1 - pull)))
    return slope, residuals


def _quantile(probability: float, freedom: float) -> Decimal:
    """Student's t by its expansion round the normal quantile (Abramowitz and Stegun 26.7.5)."""
    from statistics import NormalDist  # of a sample only

    z = NormalDist().inv_cdf(probability)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return Decimal(repr(z + first / freedom + second / freedom**2 + third / freedom**3))
