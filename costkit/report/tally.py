"""Whole numbers of many responses: what a response bills, part by part, and in which cell each part is counted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from costkit.core.response import BilledUsage, Counts, Iteration
from costkit.core.usage import Usage
from costkit.report.attributes import Attributes
from costkit.report.options import QUARTER_HOUR, FoldOptions
from costkit.report.table import ANSWERED, INCOMPLETE, NO_TIME, PLACEHOLDER, Response


class Part(NamedTuple):
    """A piece of a response that has one price: the message itself or one of its iterations."""

    model: str | None
    usage: Usage
    assumed_5m_tokens: int
    is_request: bool
    """Exactly one part of a response counts as the request."""


class Cell(NamedTuple):
    """What responses that are counted at once must share: everything that can group them or select their price."""

    attributes: Attributes
    quarter_hour: int | None
    model: str | None
    bracket: int


@dataclass(slots=True)
class Tally:
    """Whole numbers of many responses in one `Cell`."""

    usage: Usage = field(default_factory=Usage)
    requests: int = 0
    assumed_5m_tokens: int = 0
    without_time: int = 0
    placeholders: int = 0
    incomplete: int = 0
    priority: int = 0
    """Requests in the priority tier, whose price is a contract's."""
    refusals: int = 0
    """Responses that were refused; those without output may not be billed."""
    first: int = NO_TIME
    last: int = -NO_TIME

    def absorb(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.usage += other.usage
        self.requests += other.requests
        self.assumed_5m_tokens += other.assumed_5m_tokens
        self.without_time += other.without_time
        self.placeholders += other.placeholders
        self.incomplete += other.incomplete
        self.priority += other.priority
        self.refusals += other.refusals
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)


def parts_of(model: str | None, counts: Counts, iterations: tuple[Iteration, ...]) -> tuple[Part, ...]:
    """What a response bills, part by part, each with its own model.

    The request is counted with the first part at the message's own model, or with the first part if none is.
    """
    if not iterations:
        return (Part(model, counts.usage(), counts.assumed_5m_tokens, is_request=True),)
    bill = BilledUsage(counts, iterations=iterations).bill()
    models = [model if part.model is None else part.model for part in bill]
    request = models.index(model) if model in models else 0
    return tuple(
        Part(models[index], part.counts.usage(), part.counts.assumed_5m_tokens, index == request)
        for index, part in enumerate(bill)
    )


def cells_of(response: Response, brackets: tuple[int, ...]) -> Iterator[tuple[Cell, Tally]]:
    """What one response adds to which cells: one entry for each part of its bill."""
    time, attributes = response.timestamp, response.attributes
    quarter, last = (None, -NO_TIME) if time == NO_TIME else (time // QUARTER_HOUR, time)
    for part in parts_of(attributes.model, response.counts, response.iterations):
        flags = response.flags if part.is_request else ANSWERED
        cell = Cell(attributes, quarter, part.model, bisect_left(brackets, part.usage.prompt_tokens))
        yield (
            cell,
            Tally(
                part.usage,
                int(part.is_request),
                part.assumed_5m_tokens,
                int(part.is_request and quarter is None),
                int(flags & PLACEHOLDER > 0),
                int(flags & INCOMPLETE > 0),
                int(part.is_request and attributes.service_tier == "priority"),
                int(not flags & ANSWERED),
                time,
                last,
            ),
        )


def within(timestamp: int, options: FoldOptions) -> bool:
    """Whether a moment lies in the half-open date range of the options."""
    after = options.since is None or timestamp >= options.since
    return after and (options.until is None or timestamp < options.until)
