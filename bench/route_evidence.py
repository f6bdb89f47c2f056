"""How often `costkit route evaluate` calls a worse model "not worse", beside the textbook's Wald interval.

    python bench/route_evidence.py [COMPARISONS]

In every comparison the candidate's true pass rate lies below the reference's by exactly the margin, so that each "not
worse" is wrong; at most alpha of them may be. Comparisons are drawn at random, the same ones for both.
"""

from __future__ import annotations

import random
import sys
from math import sqrt
from statistics import fmean, pstdev

from machine import describe_machine

from costkit.route.interval import Pairs, p_value, z_of

ALPHA = 0.05
CASES = ((60, 0.05, 0.0), (150, 0.05, 0.0), (150, 0.05, 0.05), (400, 0.02, 0.0), (400, 0.02, 0.02))
"""Items, margin, and the share of items that only the candidate passes."""


def main() -> None:
    """Draw the comparisons, judge each in both ways, and print the rates and their ratio."""
    comparisons = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    dice = random.Random(1)  # noqa: S311  reproducible on purpose
    print(describe_machine("costkit"))
    print(f"{comparisons:,} comparisons each, at most {ALPHA:.0%} may be wrong")
    print(f"{'items':>6}{'margin':>8}{'gained':>8}{'costkit':>10}{'Wald':>8}{'ratio':>8}")
    for items, margin, gained in CASES:
        ours = wald = 0
        for _ in range(comparisons):
            pairs = _draw(dice, items, gained, gained + margin)
            ours += p_value(pairs, margin) <= ALPHA
            wald += _wald(pairs) > -margin
        rates = ours / comparisons, wald / comparisons
        ratio = f"{rates[0] / rates[1]:.2f}" if wald else "-"
        print(f"{items:>6}{margin:>8.0%}{gained:>8.0%}{rates[0]:>10.1%}{rates[1]:>8.1%}{ratio:>8}")


def _draw(dice: random.Random, items: int, gained: float, lost: float) -> Pairs:
    """Pass and fail on each item, with these chances that only the candidate or only the reference passes."""
    rolls = [dice.random() for _ in range(items)]
    ours = tuple(0.0 if roll < lost else 1.0 for roll in rolls)
    theirs = tuple(0.0 if lost <= roll < lost + gained else 1.0 for roll in rolls)
    return Pairs(ours, theirs)


def _wald(pairs: Pairs) -> float:
    """The lower bound of the Wald interval: the mean difference minus z standard errors."""
    differences = pairs.differences
    return fmean(differences) - z_of(ALPHA) * pstdev(differences) / sqrt(len(differences))


if __name__ == "__main__":
    main()
