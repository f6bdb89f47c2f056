"""The values of an evaluation: every candidate with its evidence, and a rule for choosing beside its controls."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from costkit.core.notice import Assumption, Notice
from costkit.route.controls import Shuffle, Split
from costkit.route.interval import Interval

REFERENCE, NON_INFERIOR, INFERIOR, INSUFFICIENT, DEARER = (
    "reference",
    "non-inferior",
    "inferior",
    "insufficient",
    "dearer",
)
"""What the evidence says about a candidate; `dearer` costs as much as the reference or more, so nobody asks."""
ADVANTAGE, NONE_RESOLVED, DISADVANTAGE = "advantage", "none-resolved", "disadvantage"


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """What counts as good enough, and how sure one wants to be."""

    margin: float = 0.02
    """How much worse a candidate's mean score may be."""
    alpha: float = 0.05
    """How likely a wrong "not worse" may be, over all candidates together."""
    power: float = 0.8
    """How likely enough items shall show it, for the number of items that is missing."""
    permutations: int = 1000
    seed: int = 7
    reference: str | None = None
    """A model; `None` takes the dearest candidate."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One candidate beside the reference."""

    name: str
    model: str
    effort: str | None
    items: int
    """How many it answered."""
    answers: int
    score: float
    """Over its own items."""
    cost_usd: Decimal | None
    """Mean of an item; `None` where it is unknown."""
    cost_per_completed_usd: Decimal | None
    """Mean cost divided by mean score; `None` where nothing was completed, or the cost is unknown."""
    is_on_frontier: bool
    """Whether no other candidate is at least as good and cheaper, or better and as cheap, on the common items."""
    verdict: str
    paired_items: int | None = None
    """Items that the reference answered too; this and the following are missing for the reference itself."""
    difference: Interval | None = None
    discordance: float | None = None
    """The mean squared difference: with scores of 0 and 1 the share of items on which the two differ."""
    p_value: float | None = None
    items_needed: int | None = None
    """About how many paired items it takes; `None` where the evidence is enough, or more is not likely to help."""


class RuleShare(NamedTuple):
    """How many items a rule sends to one candidate."""

    name: str
    items: int


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """A rule for choosing models on the common items, beside what it must beat."""

    source: str
    """The file of the rule."""
    items: int
    models: tuple[RuleShare, ...]
    """How many items go to each candidate, most first."""
    score: float
    cost_usd: Decimal
    """Mean of an item, without what choosing costs."""
    best_split: Split
    difference: Interval
    """The rule's score minus that of the best fixed split of the same cost."""
    shuffle: Shuffle
    verdict: str
    """`advantage` where both controls are beaten, `disadvantage` where the split is better, else `none-resolved`."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The answer."""

    reference: str
    recommended: str | None
    """The cheapest candidate that is shown not to be worse; the reference where all cheaper ones are shown to be worse;
    `None` where the evidence does not allow an answer."""
    common_items: int
    standings: tuple[Standing, ...]
    """The cheapest per completed task first."""
    rule: RuleStanding | None
    options: EvaluateOptions
    notices: tuple[Notice, ...] = ()
    assumptions: tuple[Assumption, ...] = ()

    def standing(self, name: str) -> Standing:
        """The standing of a candidate."""
        return next(one for one in self.standings if one.name == name)

    def as_json(self) -> dict[str, object]:
        """The `result` of the document; scores are numbers, money is text."""
        return {
            "reference": self.reference,
            "recommended": self.recommended,
            "common_items": self.common_items,
            "margin": self.options.margin,
            "alpha": self.options.alpha,
            "candidates": self.standings,
            "rule": self.rule,
        }
