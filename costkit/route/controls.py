"""What any rule for choosing models must beat: one model for all, the best fixed split, and its own choices shuffled.

A fixed split sends a share of all requests to one model and the rest to another, blindly; the best one for a cost lies
on the upper edge of the models' scores over their costs. The shuffle deals the rule's own choices out to the items at
random: the same models as often, so about the same cost, but without whatever the rule knows about an item.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from statistics import fmean

from costkit.core.money import total
from costkit.route.grades import Candidate, per

_SHARE_PLACES = 6
_ROUNDING = 1e-12
"""Sums of floats in another order are equal up to this."""
Point = tuple[Fraction, Fraction, Candidate]
"""Mean cost in US dollars, mean score, and whose they are."""


@dataclass(frozen=True, slots=True)
class Part:
    """How much of a fixed split goes to a candidate."""

    name: str
    share: Decimal
    """Between 0 and 1, rounded to a millionth."""


@dataclass(frozen=True, slots=True)
class Split:
    """A fixed split of one or two candidates."""

    parts: tuple[Part, ...]
    score: float
    cost_usd: Decimal
    """Mean of an item."""


@dataclass(frozen=True, slots=True)
class Shuffle:
    """What the rule's own choices come to when they are dealt out at random."""

    score: float
    """Mean over all shuffles."""
    cost_usd: Decimal
    """Mean of an item over all possible shuffles."""
    p_value: float
    """The share of shuffles that do at least as well as the rule, the rule itself counted as one."""
    permutations: int
    seed: int


def best_split(candidates: Sequence[Candidate], items: Sequence[str], cost: Decimal) -> tuple[Split, list[float]]:
    """The fixed split with the highest score that costs no more per item, and its expected score on each item.

    Where even the cheapest candidate costs more, it is the cheapest one. All candidates must be priced.
    """
    points = sorted(
        ((_exact_cost(one, items), Fraction(one.score(items)), one) for one in candidates),
        key=lambda point: (point[0], -point[1], point[2].name),
    )
    edge: list[Point] = []
    for point in points:
        if edge and point[1] <= edge[-1][1]:
            continue  # dearer and no better
        while len(edge) > 1 and _is_below(edge[-2], edge[-1], point):
            edge.pop()
        edge.append(point)
    limit = Fraction(cost)
    below = [point for point in edge if point[0] <= limit] or edge[:1]
    above = edge[len(below) :][:1] if edge[0][0] <= limit else []
    low = below[-1]
    if not above:
        return Split((Part(low[2].name, Decimal(1)),), low[2].score(items), _usd(low[0])), [
            low[2].scores[item] for item in items
        ]
    return _mixed(low, above[0], limit, items)


def _mixed(low: Point, high: Point, limit: Fraction, items: Sequence[str]) -> tuple[Split, list[float]]:
    share = (limit - low[0]) / (high[0] - low[0])
    each = [
        float(share) * high[2].scores[item] + float(1 - share) * low[2].scores[item] for item in items
    ]  # fmt: skip
    rounded = round(Decimal(share.numerator) / Decimal(share.denominator), _SHARE_PLACES)
    parts = [Part(low[2].name, 1 - rounded), Part(high[2].name, rounded)]
    return Split(tuple(part for part in parts if part.share), fmean(each), _usd(limit)), each


def _is_below(first: Point, middle: Point, last: Point) -> bool:
    """Whether the middle point lies on or below the line between its neighbours: a mixture of them does as well."""
    return (middle[1] - first[1]) * (last[0] - first[0]) <= (last[1] - first[1]) * (middle[0] - first[0])


def _exact_cost(candidate: Candidate, items: Sequence[str]) -> Fraction:
    return Fraction(total(candidate.costs[item] for item in items)) / len(items)


def _usd(amount: Fraction) -> Decimal:
    return per(Decimal(amount.numerator), Decimal(amount.denominator))


def shuffled(
    choice: Mapping[str, Candidate], items: Sequence[str], permutations: int, seed: int
) -> Shuffle:  # fmt: skip
    """Deal a rule's choices out to the items at random, many times, and see how often that does as well."""
    dice = random.Random(seed)  # noqa: S311  reproducible on purpose
    chosen = [choice[item] for item in items]
    own = fmean(candidate.scores[item] for candidate, item in zip(chosen, items, strict=True))
    names = list(dict.fromkeys(one.name for one in chosen))
    by_name = {one.name: one for one in chosen}
    rows = [[by_name[name].scores[item] for item in items] for name in names]
    dealt = [names.index(one.name) for one in chosen]
    scores, as_good = [], 0
    for _ in range(permutations):
        dice.shuffle(dealt)
        scores.append(sum([rows[at][position] for position, at in enumerate(dealt)]) / len(items))
        as_good += scores[-1] >= own - _ROUNDING
    counts = Counter(one.name for one in chosen)
    cost = sum((_exact_cost(by_name[name], items) * count for name, count in counts.items()), Fraction(0)) / len(items)
    return Shuffle(fmean(scores), _usd(cost), (1 + as_good) / (1 + permutations), permutations, seed)
