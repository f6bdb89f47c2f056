"""Recorded costs of responses, added up together with what the same responses used.

Stored are whole tokens by everything that selects their price, as in a `Tally`, and exact sums of what was recorded: a
summary can be merged with others in any order and priced again without reading again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from costkit.core.money import EXACT, ZERO
from costkit.core.usage import Usage
from costkit.report.attributes import Attributes
from costkit.report.charge import Charge
from costkit.report.options import QUARTER_HOUR, FoldOptions
from costkit.report.table import NO_TIME, Response
from costkit.report.tally import Cell, cells_of, within


class ChargeKey(NamedTuple):
    """What responses must share to be added up."""

    source: str
    problem: str
    """Empty where the cost is known in US dollars."""
    cell: Cell
    """Model, price and day of the response itself; what selects no price is left out of it."""


@dataclass(slots=True)
class Charged:
    """Responses with a recorded cost."""

    responses: int = 0
    usd: Decimal = ZERO
    """The sum of what was recorded."""
    parts: dict[Cell, Usage] = field(default_factory=dict)
    """What they used; a response with iterations has parts with prices of their own."""

    def absorb(self, other: Charged) -> None:
        """Add others."""
        self.responses += other.responses
        self.usd = EXACT.add(self.usd, other.usd)
        for cell, usage in other.parts.items():
            self.parts[cell] = self.parts.get(cell, Usage()) + usage


Charges = dict[ChargeKey, Charged]


def charge(charges: Charges, responses: Iterable[Response], options: FoldOptions) -> None:
    """Add the responses that have a recorded cost and lie in the date range."""
    slim: dict[Attributes, Attributes] = {}
    found: dict[tuple[str, str, Attributes, int, int], list[Any]] = {}
    for response in responses:
        recorded, time = response.charge, response.timestamp
        if recorded is None or not _is_asked_for(time, options):
            continue
        attributes = slim.get(response.attributes)
        if attributes is None:
            attributes = slim[response.attributes] = _slim(response.attributes)
        if response.iterations:
            _charge_parts(charges, recorded, response._replace(attributes=attributes), options)
            continue
        fresh, read, created, short, long, output, searches = response.counts
        short = max(short, created - long)
        step = NO_TIME if time == NO_TIME else time // options.step
        key = (
            recorded.source,
            recorded.problem,
            attributes,
            step,
            bisect_left(options.brackets, fresh + read + short + long),
        )
        sums = found.get(key)
        if sums is None:
            sums = found[key] = [0, ZERO, 0, 0, 0, 0, 0, 0]
        sums[0] += 1
        sums[1] = EXACT.add(sums[1], recorded.usd or ZERO)
        for at, count in enumerate((fresh, read, short, long, output, searches), 2):
            sums[at] += count
    for (source, problem, attributes, step, bracket), (count, usd, *usage) in found.items():
        cell = Cell(attributes, _quarter(step, options), attributes.model, bracket)
        key_of_all = ChargeKey(source, problem, cell)
        charges.setdefault(key_of_all, Charged()).absorb(Charged(count, usd, {cell: Usage(*usage)}))


def _charge_parts(charges: Charges, recorded: Charge, response: Response, options: FoldOptions) -> None:
    """Add a response whose parts have prices of their own; the one that counts as the request stands for it."""
    time = response.timestamp
    quarter = _quarter(NO_TIME if time == NO_TIME else time // options.step, options)
    parts: dict[Cell, Usage] = {}
    own = None
    for cell, tally in cells_of(response, options.brackets):
        timed = cell._replace(quarter_hour=quarter)
        parts[timed] = parts.get(timed, Usage()) + tally.usage
        own = timed if tally.requests else own
    if own is not None:
        key = ChargeKey(recorded.source, recorded.problem, own)
        charges.setdefault(key, Charged()).absorb(Charged(1, recorded.usd or ZERO, parts))


def add_charges(charges: Charges, others: Mapping[ChargeKey, Charged]) -> None:
    """Merge sums."""
    for key, charged in others.items():
        charges.setdefault(key, Charged()).absorb(charged)


def _is_asked_for(timestamp: int, options: FoldOptions) -> bool:
    if options.since is None and options.until is None:
        return True
    return timestamp != NO_TIME and within(timestamp, options)


def _slim(attributes: Attributes) -> Attributes:
    """Those that select a price."""
    return attributes._replace(session=None, project=None, path="", labels=())


def _quarter(step: int, options: FoldOptions) -> int | None:
    return None if step == NO_TIME else step * (options.step // QUARTER_HOUR)
