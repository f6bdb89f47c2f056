"""From whole tokens to dollars: sort a summary into groups and rate keys, then price each of them once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import tzinfo

from costkit.core.cost import cost_of
from costkit.core.money import minus, price_of_tokens, total
from costkit.core.period import UNITS, label
from costkit.core.pricebook import PriceBook, Quote
from costkit.core.rates import RateKey
from costkit.report.arrange import Group, add_up, arrange
from costkit.report.assess import quality_of
from costkit.report.attributes import Attributes
from costkit.report.beside import compare_charges
from costkit.report.fold import summarize
from costkit.report.group import moment_of
from costkit.report.models import ModelFilter
from costkit.report.notices import Doubts, notices_of
from costkit.report.options import QUARTER_HOUR, ReportOptions
from costkit.report.price import Pricer, Selection, unknown_modifiers
from costkit.report.records import Item
from costkit.report.result import Figures, Period, Report, Unpriced
from costkit.report.sessions import SessionTotals
from costkit.report.summary import Omission, UsageSummary
from costkit.report.table import NO_TIME
from costkit.report.tally import Cell, Tally, cells_of, within


def report_on(items: Iterable[Item], book: PriceBook, options: ReportOptions) -> Report:
    """Read everything and answer: `summarize`, then `settle`."""
    return settle(summarize(items, options.fold(book)), book, options)


def settle(summary: UsageSummary, book: PriceBook, options: ReportOptions) -> Report:
    """Price a summary and lay it out as the options ask.

    The summary must have been folded with `options.fold(book)`; anything else is a ValueError. Each response has the
    rates of its own UTC day and of the tier that its own prompt falls in, so no total depends on the grouping.
    """
    if summary.options != options.fold(book):
        raise ValueError("the summary was folded with other options or for other price tiers")
    return _answer(summary, book, options)


def settle_over_time(summary: UsageSummary, book: PriceBook, options: ReportOptions, unit: str) -> Report:
    """The same by calendar window and model; the options must have had `over_time` while the log was read."""
    if not options.over_time or summary.options != options.fold(book):
        raise ValueError("the summary was folded with other options or for other price tiers")
    return _answer(summary, book, replace(options, by=(unit, "model"), top=None))


def _answer(summary: UsageSummary, book: PriceBook, options: ReportOptions) -> Report:
    pricer, untimed, whole = Pricer(book, options.as_of), Omission(), Tally()
    models, group_of = ModelFilter(options.model_glob, book), _grouper(options)
    priced = defaultdict[tuple[Group, RateKey], Tally](Tally)
    unpriced = defaultdict[tuple[str | None, str], Tally](Tally)
    unknown, sessions = Counter[tuple[str, str]](), SessionTotals(summary, options)
    for cell, tally in _cells(summary, untimed):
        selection = pricer.select(cell)
        if not models.keeps(cell.model, selection.model):
            continue
        whole.absorb(tally)
        sessions.add(cell.attributes.session, selection.key, tally.usage)
        if selection.key is None:
            unpriced[selection.model, selection.problem or ""].absorb(tally)
        else:
            for modifier in unknown_modifiers(cell.attributes):
                unknown[modifier] += tally.requests
            priced[group_of(cell, selection), selection.key].absorb(tally)
    beside = compare_charges(summary, pricer, models)
    groups = _price(priced, pricer.quotes)
    missing = _unpriced(unpriced)
    doubts = Doubts(summary, whole, missing, pricer.problems, unknown)
    quotes = {key: pricer.quotes[key] for _, key in priced}
    return Report(
        options.by,
        arrange(groups, options.by, options.top),
        add_up(groups.values()),
        missing,
        _period(whole, options.zone),
        (*models.notices(), *notices_of(doubts, quotes, options.as_of)),
        quality_of(summary, whole, untimed, missing, sessions.comparison(quotes), beside),
        is_unrecognised=summary.is_unrecognised,
    )


def _cells(summary: UsageSummary, untimed: Omission) -> Iterator[tuple[Cell, Tally]]:
    """Every part of every bill within the date range; what can't be placed in time is noted in `untimed`."""
    yield from summary.tallies.items()
    options = summary.options
    ranged = options.since is not None or options.until is not None
    for response in summary.responses.values():
        if ranged and response.timestamp == NO_TIME:
            untimed.add((response.attributes.path, response.offset, response.line))
        elif not ranged or within(response.timestamp, options):
            yield from cells_of(response, options.brackets)


def _grouper(options: ReportOptions) -> Callable[[Cell, Selection], Group]:
    getters = [_getter(name, options) for name in options.by]
    return lambda cell, selection: tuple([getter(cell, selection) for getter in getters])


def _getter(name: str, options: ReportOptions) -> Callable[[Cell, Selection], str | None]:
    if name == "model":
        return lambda _cell, selection: selection.model
    if name in UNITS:
        return _time_getter(name, options)
    if name in options.labels:
        index = options.labels.index(name)
        return lambda cell, _selection: cell.attributes.labels[index]
    position = Attributes._fields.index(_FIELDS.get(name, name))
    return lambda cell, _selection: cell.attributes[position]  # type: ignore[return-value]  # labels were handled


_FIELDS = {"tier": "service_tier", "file": "path"}


def _time_getter(unit: str, options: ReportOptions) -> Callable[[Cell, Selection], str | None]:
    labels: dict[int | None, str | None] = {None: None}

    def window(cell: Cell, _selection: Selection) -> str | None:
        quarter = cell.quarter_hour
        if quarter not in labels:
            labels[quarter] = label(moment_of((quarter or 0) * QUARTER_HOUR), unit, options.zone)
        return labels[quarter]

    return window


def _price(priced: dict[tuple[Group, RateKey], Tally], quotes: dict[RateKey, Quote]) -> dict[Group, Figures]:
    groups: dict[Group, Figures] = {}
    for (group, key), tally in priced.items():
        groups[group] = groups.get(group, Figures()) + _figures(tally, quotes[key])
    return groups


def _figures(tally: Tally, quote: Quote) -> Figures:
    usage, cost = tally.usage, cost_of(tally.usage, quote.rates)
    cached = usage.cache_creation_input_tokens + usage.cache_read_input_tokens
    paid = total((cost.cache_read_usd, cost.cache_write_5m_usd, cost.cache_write_1h_usd))
    listed = cost_of(usage, quote.list_rates)
    return Figures(
        tally.requests,
        usage,
        cost,
        minus(price_of_tokens(cached, quote.rates.input), paid),
        minus(listed.total_usd, cost.total_usd),
    )


def _unpriced(unpriced: dict[tuple[str | None, str], Tally]) -> tuple[Unpriced, ...]:
    entries = [Unpriced(model, tally.requests, tally.usage, problem) for (model, problem), tally in unpriced.items()]
    return tuple(sorted(entries, key=lambda entry: (-entry.requests, entry.model or "", entry.reason)))


def _period(whole: Tally, zone: tzinfo) -> Period:
    if whole.first == NO_TIME:
        return Period(None, None, zone)
    return Period(moment_of(whole.first), moment_of(whole.last), zone)
