"""Recorded costs of responses beside what the same responses come to by the prices of this report, by who recorded.

Compared is only what both sides know: an amount that is not known to be US dollars and a response without a price here
are counted, with the reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from costkit.core.cost import cost_of
from costkit.core.money import EXACT, ZERO, minus, total
from costkit.core.usage import Usage
from costkit.report.charged import Charged, ChargeKey, Charges, add_charges, charge
from costkit.report.models import ModelFilter
from costkit.report.price import Pricer
from costkit.report.recorded import MOST_SHOWN, both_sides
from costkit.report.summary import UsageSummary
from costkit.report.tally import Cell

UNPRICED = "unpriced"
"""The reason of a response that has no price here."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """Recorded and calculated costs of the same responses; adding is exact and `Amounts()` is neutral."""

    responses: int = 0
    recorded_usd: Decimal = ZERO
    calculated_usd: Decimal = ZERO

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(
            self.responses + other.responses,
            EXACT.add(self.recorded_usd, other.recorded_usd),
            EXACT.add(self.calculated_usd, other.calculated_usd),
        )

    @property
    def difference_usd(self) -> Decimal:
        """Recorded less calculated."""
        return minus(self.recorded_usd, self.calculated_usd)

    def as_json(self) -> dict[str, object]:
        """The counts and the amounts, as exact text."""
        return {"responses": self.responses, **both_sides(self.recorded_usd, self.calculated_usd)}


class SourceComparison(NamedTuple):
    """What one system has recorded."""

    source: str
    """The name of its dialect."""
    compared: Amounts
    models: tuple[tuple[str | None, Amounts], ...]
    """The models with the largest difference, those first."""
    not_compared: tuple[tuple[str, int], ...] = ()
    """Responses that could not be compared, by reason: `unpriced`, or a problem of a `Charge`."""

    def as_json(self) -> dict[str, object]:
        """An entry of `quality.recorded_by`."""
        return {
            "source": self.source,
            **self.compared.as_json(),
            "models": [{"model": model, **amounts.as_json()} for model, amounts in self.models],
            "not_compared": [{"reason": reason, "responses": count} for reason, count in self.not_compared],
        }


def compare_charges(summary: UsageSummary, pricer: Pricer, models: ModelFilter) -> tuple[SourceComparison, ...]:
    """Put both costs side by side for the models that are kept; a response counts for its own model as a whole."""
    compared = defaultdict[str, dict[str | None, Amounts]](dict)
    others = defaultdict[str, Counter[str]](Counter)
    for key, charged in _charges(summary).items():
        own = pricer.select(key.cell)
        if not models.keeps(key.cell.model, own.model):
            continue
        calculated = None if key.problem else _calculated(charged.parts, pricer)
        if calculated is None:
            others[key.source][key.problem or UNPRICED] += charged.responses
            continue
        of_source = compared[key.source]
        amounts = Amounts(charged.responses, charged.usd, calculated)
        of_source[own.model] = of_source.get(own.model, Amounts()) + amounts
    sources = sorted({*compared, *others})
    return tuple(_comparison(source, compared[source], others[source]) for source in sources)


def _charges(summary: UsageSummary) -> Mapping[ChargeKey, Charged]:
    """Those that are added up and those of responses that are still in the table."""
    charges = Charges()
    add_charges(charges, summary.charges)
    charge(charges, summary.responses.charged(), summary.options)
    return charges


def _calculated(parts: Mapping[Cell, Usage], pricer: Pricer) -> Decimal | None:
    """What some parts cost; `None` where one of them has no price."""
    costs = []
    for cell, usage in parts.items():
        key = pricer.select(cell).key
        if key is None:
            return None
        costs.append(cost_of(usage, pricer.quotes[key].rates).total_usd)
    return total(costs)


def _comparison(source: str, models: Mapping[str | None, Amounts], others: Counter[str]) -> SourceComparison:
    largest = sorted(models.items(), key=lambda entry: (-abs(entry[1].difference_usd), entry[0] or ""))
    reasons = sorted(others.items(), key=lambda entry: (-entry[1], entry[0]))
    return SourceComparison(source, sum(models.values(), Amounts()), tuple(largest[:MOST_SHOWN]), tuple(reasons))
