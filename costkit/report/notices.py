"""What the reader of a report should know about its numbers: assumptions, doubts, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from costkit.core.notice import Notice
from costkit.core.pricebook import ModelPrice, Quote
from costkit.core.rates import RateKey
from costkit.errors import CostkitError
from costkit.report.price import NO_MODEL, Pricer
from costkit.report.result import Unpriced
from costkit.report.summary import Tally


def notices_of(
    pricer: Pricer, unpriced: Iterable[Unpriced], whole: Tally, unbilled: Mapping[str, int], as_of: date
) -> tuple[Notice, ...]:
    """All notices of a report, in a fixed order, each thing said once."""
    return (
        *(_unpriced(entry, pricer.problems) for entry in unpriced),
        *_counting(whole, unbilled),
        *_models(pricer.quotes, as_of),
        *_prices(pricer.quotes),
    )


def _unpriced(entry: Unpriced, problems: Mapping[str, CostkitError]) -> Notice:
    tokens = entry.usage.prompt_tokens + entry.usage.output_tokens
    who = "responses without a model" if entry.reason == NO_MODEL else repr(entry.model)
    problem = problems.get(entry.model or "")
    why = f": {problem}" if problem else ""
    why += f"; {problem.hint}" if problem and problem.hint else ""
    return Notice(
        "unpriced", f"{who}: {_count(entry.requests, 'request')}, {tokens:,} tokens are not in the total{why}"
    )


def _counting(whole: Tally, unbilled: Mapping[str, int]) -> Iterator[Notice]:
    if whole.assumed_5m_tokens:
        message = f"{whole.assumed_5m_tokens:,} cache-write tokens don't say their ttl: priced as 5-minute writes"
        yield Notice("assumed-5m-ttl", message)
    if whole.placeholders:
        message = f"{_count(whole.placeholders, 'sub-agent response')} with a provisional output count: a lower bound"
        yield Notice("placeholder-output", message)
    if whole.incomplete:
        message = f"{_count(whole.incomplete, 'recorded stream')} ended early: the output count is a lower bound"
        yield Notice("incomplete-stream", message)
    if unbilled:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(unbilled.items()))
        yield Notice("unbilled", f"recognised as not billed: {kinds}")
    if whole.priority:
        message = (
            f"{_count(whole.priority, 'request')} ran in the priority tier: shown at list prices, not your contract's"
        )
        yield Notice("priority-tier", message)


def _models(quotes: Mapping[RateKey, Quote], as_of: date) -> Iterator[Notice]:
    models: dict[str, ModelPrice] = {quote.model.id: quote.model for quote in quotes.values()}
    for status in ("retired", "deprecated"):
        lives = [(name, models[name].lifecycle) for name in sorted(models)]
        dates = [
            f"{name} since {life.retired if status == 'retired' else life.deprecated}"
            for name, life in lives
            if life.status(as_of) == status
        ]
        if dates:
            yield Notice(f"model-{status}", f"{status}: {', '.join(dates)}")


def _prices(quotes: Mapping[RateKey, Quote]) -> Iterator[Notice]:
    """The caveats of the prices used; those that differ by day only are said once, for the earliest day."""
    first: dict[tuple[str, str, bool, str | None], tuple[date, Notice]] = {}
    days: dict[tuple[str, str, bool, str | None], set[date]] = {}
    for key, quote in quotes.items():
        for notice in quote.notices:
            subject = (notice.code, key.model, key.fast, key.inference_geo if notice.code == "unknown-geo" else None)
            days.setdefault(subject, set()).add(key.day)
            if subject not in first or key.day < first[subject][0]:
                first[subject] = (key.day, notice)
    for subject in sorted(first, key=lambda subject: (subject[:3], subject[3] or "")):
        notice = first[subject][1]
        more = len(days[subject]) - 1
        text = f"{notice.message} (the same for {_count(more, 'more day')})" if more and _names_day(notice) else ""
        yield Notice(notice.code, text or notice.message, notice.where)


def _names_day(notice: Notice) -> bool:
    return notice.code == "before-first-price"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
