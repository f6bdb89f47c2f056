"""Graded results, and the table that they make: for each candidate its score and its cost on each item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal

from costkit.core.money import EXACT, ZERO, total
from costkit.core.notice import Notice
from costkit.core.pricebook import PriceBook, PricePeriod
from costkit.core.request import Request
from costkit.core.response import BilledUsage
from costkit.core.usage import Usage
from costkit.errors import UnknownModel

_ROUGH = Context(prec=40)
"""For means: quotients end somewhere."""
_PLACES = Decimal("0.000000000001")


@dataclass(frozen=True, slots=True)
class Graded:
    """One answer to one item, graded."""

    where: str
    """`results.jsonl:17`."""
    item: str
    model: str
    score: float
    """From 0 to 1."""
    effort: str | None = None
    """A variant of the model, such as the effort it was asked for."""
    usage: BilledUsage | None = None
    """`None` where the result doesn't tell."""
    batch: bool = False
    request: Request | None = None
    """What was asked, for routes that look at it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model (and effort) with its mean score and mean cost on each item that it answered."""

    name: str
    model: str
    effort: str | None
    scores: Mapping[str, float]
    costs: Mapping[str, Decimal]
    """US dollars by item; empty where a cost is unknown."""
    answers: int
    """How many results it has; more than items where an item was answered several times."""

    @property
    def is_priced(self) -> bool:
        """Whether the cost of every answer is known."""
        return bool(self.costs)

    def score(self, items: Sequence[str]) -> float:
        """The mean score over some items."""
        return sum(self.scores[item] for item in items) / len(items)

    def cost(self, items: Sequence[str]) -> Decimal | None:
        """The mean cost of an item over some items, in US dollars; `None` where it is unknown."""
        return mean_usd([self.costs[item] for item in items]) if self.costs else None


@dataclass(frozen=True, slots=True)
class Grades:
    """All candidates, the dearest first, and what was asked in each item."""

    candidates: tuple[Candidate, ...]
    requests: Mapping[str, Request]
    notices: tuple[Notice, ...] = ()

    @property
    def common(self) -> tuple[str, ...]:
        """The items that every candidate answered, in the order of the input."""
        items = list(dict.fromkeys(item for candidate in self.candidates for item in candidate.scores))
        return tuple(item for item in items if all(item in candidate.scores for candidate in self.candidates))


def mean_usd(amounts: Sequence[Decimal]) -> Decimal:
    """The mean of exact amounts, rounded to a trillionth of a dollar."""
    return per(total(amounts), len(amounts))


def per(amount: Decimal, number: Decimal | int) -> Decimal:
    """An amount divided, rounded to a trillionth of a dollar."""
    return _ROUGH.divide(amount, Decimal(number)).quantize(_PLACES, context=_ROUGH).normalize(EXACT)


def table_of(results: Iterable[Graded], book: PriceBook, day: date) -> Grades:
    """Gather results by candidate and item; several answers to one item count with their mean.

    All are priced with the rates of one day, so that models are compared and not times. A candidate with a result whose
    cost is unknown has no cost at all, and a notice says so.
    """
    groups: dict[tuple[str, str | None], dict[str, list[Graded]]] = {}
    requests: dict[str, Request] = {}
    for result in results:
        key = (_canonical(result.model, book), result.effort)
        groups.setdefault(key, {}).setdefault(result.item, []).append(result)
        if result.request is not None:
            requests.setdefault(result.item, result.request)
    notices: list[Notice] = []
    found = [_candidate(model, effort, items, book, day, notices) for (model, effort), items in groups.items()]
    found.sort(key=lambda one: (-mean_usd(list(one.costs.values())) if one.costs else ZERO, one.name))
    return Grades(tuple(found), requests, tuple(notices))


def _canonical(name: str, book: PriceBook) -> str:
    try:
        return book.resolve(name).id
    except UnknownModel:
        return name


def _candidate(
    model: str,
    effort: str | None,
    items: Mapping[str, Sequence[Graded]],
    book: PriceBook,
    day: date,
    notices: list[Notice],
) -> Candidate:
    name = model if effort is None else f"{model} ({effort})"
    answers = [answer for own in items.values() for answer in own]
    scores = {item: sum(answer.score for answer in own) / len(own) for item, own in items.items()}
    costs: dict[str, Decimal] = {}
    blind = next((answer for answer in answers if answer.usage is None), None)
    try:
        found = book.resolve(model)
    except UnknownModel as unknown:
        notices.append(Notice(unknown.code, f"{unknown}: no price ({unknown.hint})", answers[0].where))
        return Candidate(name, model, effort, scores, costs, len(answers))
    if blind is not None:
        notices.append(Notice("no-usage", f"no usage, so the cost of {name} is unknown", blind.where))
        return Candidate(name, model, effort, scores, costs, len(answers))
    costs = {item: mean_usd([_cost(answer, found.id, book, day) for answer in own]) for item, own in items.items()}
    notices += _above_tier(name, found.period(day), answers)
    notices += book.quote(book.key_for(Usage(), found.id, day)).notices
    return Candidate(name, model, effort, scores, costs, len(answers))


def _above_tier(name: str, period: PricePeriod, answers: Sequence[Graded]) -> Iterator[Notice]:
    """Some programs add up the calls of an answer, and a sum of prompts says nothing about the tier of each."""
    above = [one for one in answers if one.usage and period.tier_for(one.usage.counts.usage().prompt_tokens)]
    if above:
        message = f"{len(above):,} answers of {name} are priced in a higher tier, as one request each: if they are sums"
        yield Notice("above-tier", f"{message} of several calls, its cost is too high", above[0].where)


def _cost(answer: Graded, model: str, book: PriceBook, day: date) -> Decimal:
    usage = answer.usage
    if usage is None:
        raise AssertionError(answer.where)
    batch = answer.batch or usage.service_tier == "batch"
    return total(
        book.cost(
            part.counts.usage(),
            part.model or model,
            day,
            batch=batch,
            fast=usage.speed == "fast" and not batch,
            inference_geo=usage.inference_geo,
        ).total_usd
        for part in usage.bill()
    )
