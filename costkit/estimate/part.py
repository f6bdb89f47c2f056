"""A part of an estimate: what some of the requests come to, ready to be added to what others do.

Adding is associative and keeps the order of first appearance, so that requests can be counted and priced in portions,
in any number of processes, with the same answer to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from costkit.core.notice import Notice
from costkit.estimate.outcome import Outcome, add_items
from costkit.estimate.result import Item


@dataclass(frozen=True, slots=True)
class Part:
    """Some requests on some models."""

    items: tuple[Item, ...] = ()
    notices: tuple[Notice, ...] = ()
    """About single requests."""
    names_models: bool = True
    """Whether each request names its model."""
    all_limited: bool = True
    """Whether every request has a price and a limit of its output; the next: whether one has a price and no limit."""
    some_unlimited: bool = False
    some_known: bool = False
    """Whether the price book knows a model of any of them; the next: whether any of them has a price."""
    some_priced: bool = False
    first_model: str | None = None
    """As it was named; `None` where there are no requests."""
    first_problem: Notice | None = None
    """Why the first of those without a price has none."""


def add_parts(parts: Iterable[Part]) -> Part:
    """Add up parts, in order."""
    items: dict[tuple[str, int | None, str], Item] = {}
    notices: dict[Notice, None] = {}
    whole = Part()
    for part in parts:
        for item in part.items:
            key = (item.path, item.index, item.model)
            items[key] = add_items(items[key], item) if key in items else item
        notices.update(dict.fromkeys(part.notices))
        whole = Part(
            (),
            (),
            whole.names_models and part.names_models,
            whole.all_limited and part.all_limited,
            whole.some_unlimited or part.some_unlimited,
            whole.some_known or part.some_known,
            whole.some_priced or part.some_priced,
            whole.first_model if whole.first_model is not None else part.first_model,
            whole.first_problem or part.first_problem,
        )
    return Part(
        tuple(items.values()),
        tuple(notices),
        whole.names_models,
        whole.all_limited,
        whole.some_unlimited,
        whole.some_known,
        whole.some_priced,
        whole.first_model,
        whole.first_problem,
    )


def part_from(items: tuple[Item, ...], outcomes: list[Outcome], *, names_models: bool) -> Part:
    """The part that outcomes make, with the items that they add up to."""
    limits = [(bool(one.priced), one.priced is not None and one.priced.max_output is not None) for one in outcomes]
    unpriced = [one for one in outcomes if one.priced is None]
    return Part(
        items,
        tuple(dict.fromkeys(notice for one in outcomes for notice in one.notices)),
        names_models,
        all(priced and limited for priced, limited in limits),
        any(priced and not limited for priced, limited in limits),
        any(one.job.model for one in outcomes),
        any(priced for priced, _ in limits),
        outcomes[0].job.name if outcomes else None,
        unpriced[0].notices[0] if unpriced else None,
    )
