"""What local counts are off on somebody's own requests, learnt from exact counts of a few of them.

A ratio of sums takes out what is off in the same direction everywhere; how far single requests then still are off, each
judged by a ratio that it had no part in, gives the band (split-conformal, 90 %: Vovk et al., Algorithmic Learning in a
Random World).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from costkit.core.tokens import TokenCount

METHOD = "calibrated"
"""The `method` of a count that was corrected."""
FEWEST = 30
"""So many requests of a tokenizer are evidence."""
FEWEST_OF_A_KIND = 10
"""Rarer kinds of requests (images, tools) are neither learnt from nor corrected."""
_TAIL = Decimal("0.05")
_NOISE_TOKENS = 1
"""The same request is sometimes counted one token apart."""
_DIGITS = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Compared:
    """One request, counted exactly and locally."""

    family: str
    """The tokenizer's."""
    kind: str
    """What the request holds, such as `text` or `tools`."""
    exact: int
    local: TokenCount


@dataclass(frozen=True, slots=True)
class Correction:
    """How local counts of one tokenizer become better ones for the requests of one user."""

    family: str
    method: str
    """Of the local counts that it corrects."""
    ratio: Decimal
    """Exact tokens for one that was counted locally."""
    below: Decimal
    """This and the next are shares of the corrected count: 90 % of the requests lie within."""
    above: Decimal
    error_before: Decimal
    """Nine of ten local counts were off by at most this share; the next is the same after the correction."""
    error_after: Decimal
    requests: int
    day: date
    """When it was learnt."""
    kinds: tuple[str, ...]
    """What kinds of requests it was learnt from; it corrects no others."""

    def applied(self, count: TokenCount) -> TokenCount:
        """The corrected count with its band."""
        tokens = int((count.tokens * self.ratio).to_integral_value(ROUND_HALF_EVEN))
        low = int((tokens * (1 - self.below)).to_integral_value(ROUND_FLOOR)) - _NOISE_TOKENS
        high = int((tokens * (1 + self.above)).to_integral_value(ROUND_CEILING)) + _NOISE_TOKENS
        return TokenCount(tokens, max(0, low), high, METHOD)


def learn_corrections(compared: Sequence[Compared], day: date) -> tuple[Correction, ...]:
    """A correction for each tokenizer and method with enough evidence, in order of first appearance."""
    groups: dict[tuple[str, str], list[Compared]] = {}
    for one in compared:
        if one.local.tokens > 0 and one.exact > 0:
            groups.setdefault((one.family, one.local.method), []).append(one)
    learnt = []
    for (family, method), members in groups.items():
        frequent = Counter(one.kind for one in members)
        kinds = tuple(sorted(kind for kind, number in frequent.items() if number >= FEWEST_OF_A_KIND))
        used = [one for one in members if one.kind in kinds]
        if len(used) >= FEWEST:
            learnt.append(_correction(family, method, used, kinds, day))
    return tuple(learnt)


def _correction(family: str, method: str, used: Sequence[Compared], kinds: tuple[str, ...], day: date) -> Correction:
    exact, local = sum(one.exact for one in used), sum(one.local.tokens for one in used)
    left = sorted(
        Decimal(one.exact * (local - one.local.tokens)) / (one.local.tokens * (exact - one.exact)) - 1 for one in used
    )
    before = sorted(abs(Decimal(one.exact) / one.local.tokens - 1) for one in used)
    rank = min(len(left), math.ceil((len(left) + 1) * (1 - _TAIL)))
    return Correction(
        family,
        method,
        (Decimal(exact) / local).quantize(_DIGITS),
        min(Decimal(1), _up(-left[len(left) - rank])),
        _up(left[rank - 1]),
        _up(_ninth_of_ten(before)),
        _up(_ninth_of_ten(sorted(map(abs, left)))),
        len(used),
        day,
        kinds,
    )


def _ninth_of_ten(values: Sequence[Decimal]) -> Decimal:
    return values[math.ceil(len(values) * Decimal("0.9")) - 1]


def _up(share: Decimal) -> Decimal:
    return max(Decimal(0), share).quantize(_DIGITS, rounding=ROUND_CEILING)
