"""The dearest single responses of a log: found while it is read, in memory that does not grow with it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable
from decimal import Decimal
from functools import lru_cache
from heapq import heappush, heappushpop
from typing import Any, NamedTuple

from costkit.core.cost import cost_of
from costkit.core.money import total
from costkit.core.rates import Rates
from costkit.report.attributes import Attributes
from costkit.report.models import ModelFilter
from costkit.report.options import DAY, QUARTER_HOUR, FoldOptions, Ranking
from costkit.report.price import Pricer
from costkit.report.table import NO_TIME, Response, ResponseTable
from costkit.report.tally import Cell, cells_of, within

_WHOLE_USD = Decimal(10) ** 18
"""Rates times this are whole numbers, whatever the price book says; a response is then compared without decimals."""


class Ranked(NamedTuple):
    """A response and what it cost, to the last digit, by the prices it was ranked by."""

    usd: Decimal
    response: Response


def dearest(ranked: Iterable[Ranked], count: int) -> tuple[Ranked, ...]:
    """The first so many, the dearest first; of equal ones those that come first in the log."""
    return tuple(sorted(ranked, key=lambda one: (-one.usd, one.response.order()))[:count])


def rank(responses: Iterable[Response], options: FoldOptions) -> tuple[Ranked, ...]:
    """The dearest of some responses within the date range; those without a price are left out."""
    if options.ranking is None:
        return ()
    scale = _scale(options.ranking)
    ranged = options.since is not None or options.until is not None
    found = []
    for response in responses:
        if ranged and (response.timestamp == NO_TIME or not within(response.timestamp, options)):
            continue
        usd = scale.weigh(response, options.brackets)
        if usd:
            found.append(Ranked(usd, response))
    return dearest(found, options.ranking.count)


def rank_table(table: ResponseTable, options: FoldOptions, but: Collection[int]) -> tuple[Ranked, ...]:
    """The dearest rows of a table, those in `but` left out: as `rank`, with whole numbers and one look at each row."""
    if options.ranking is None:
        return ()
    scale, brackets = _scale(options.ranking), options.brackets
    iterated, heap = table.rows_with_iterations(), list[tuple[int, _Later, int]]()
    ranged = options.since is not None or options.until is not None
    for row, (counts, time, _, _, name, _) in enumerate(table.rows()):
        if row in but or row in iterated or (ranged and (time == NO_TIME or not within(time, options))):
            continue
        fresh, read, created, short, long, output, searches = counts
        short = max(short, created - long)
        bracket = bisect_left(brackets, fresh + read + short + long)
        rates = scale.rates(table.names[name], None if time == NO_TIME else time // DAY, bracket)
        if rates is None:
            continue
        score = (
            fresh * rates[0]
            + read * rates[1]
            + short * rates[2]
            + long * rates[3]
            + output * rates[4]
            + searches * rates[5]
        )
        if len(heap) < options.ranking.count:
            heappush(heap, (score, _Later(table.response(row).order()), row))
        elif score >= heap[0][0]:
            heappushpop(heap, (score, _Later(table.response(row).order()), row))
    rows = [row for _, _, row in heap] + [row for row in iterated if row not in but]
    return rank((table.response(row) for row in rows), options)


class _Later:
    """Turns an order round, so that of equal amounts the first in the log is the last to be given up."""

    __slots__ = ("_order",)

    def __init__(self, order: tuple[object, ...]) -> None:
        self._order: Any = order

    def __lt__(self, other: _Later) -> bool:
        return bool(other._order < self._order)


class _Scale:
    """Prices of single responses, each asked for once."""

    def __init__(self, ranking: Ranking) -> None:
        self._pricer = Pricer(ranking.book, ranking.as_of)
        self._models = ModelFilter(ranking.model_glob, ranking.book)
        self._rates: dict[tuple[object, ...], tuple[int, ...] | None] = {}

    def weigh(self, response: Response, brackets: tuple[int, ...]) -> Decimal | None:
        """What the parts of a response cost that are asked for; `None` where one of them has no price."""
        parts = []
        for cell, tally in cells_of(response, brackets):
            selection = self._pricer.select(cell)
            if not self._models.keeps(cell.model, selection.model):
                continue
            if selection.key is None:
                return None
            parts.append(cost_of(tally.usage, self._pricer.quotes[selection.key].rates).total_usd)
        return total(parts)

    def rates(self, attributes: Attributes, day: int | None, bracket: int) -> tuple[int, ...] | None:
        """Whole numbers in proportion to the price of each count; `None` without a price, or if not asked for."""
        facts = (attributes[:4], day, bracket)
        if facts not in self._rates:
            quarter = None if day is None else day * (DAY // QUARTER_HOUR)
            cell = Cell(attributes, quarter, attributes.model, bracket)
            selection = self._pricer.select(cell)
            kept = self._models.keeps(cell.model, selection.model)
            quote = None if selection.key is None or not kept else self._pricer.quotes[selection.key]
            self._rates[facts] = None if quote is None else _whole(quote.rates)
        return self._rates[facts]


def _whole(rates: Rates) -> tuple[int, ...]:
    per_token = (rates.input, rates.cache_read, rates.cache_write_5m, rates.cache_write_1h, rates.output)
    return (*(int(rate * _WHOLE_USD) for rate in per_token), int(rates.web_search * _WHOLE_USD * 10**6))


@lru_cache(maxsize=1)
def _scale(ranking: Ranking) -> _Scale:
    return _Scale(ranking)
