"""What the reader of a report should know about its numbers: assumptions, doubts, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from costkit.core.notice import Notice
from costkit.core.pricebook import ModelPrice, Quote
from costkit.core.rates import RateKey
from costkit.errors import CostkitError
from costkit.report.price import NO_MODEL
from costkit.report.records import UNREADABLE_TIME
from costkit.report.result import Unpriced
from costkit.report.summary import UsageSummary, place_text
from costkit.report.tally import Tally

_REFUSALS = "https://platform.claude.com/docs/en/test-and-evaluate/strengthen-guardrails/handle-streaming-refusals"


class Doubts(NamedTuple):
    """What was met while a summary was priced."""

    summary: UsageSummary
    whole: Tally
    """All responses that count."""
    unpriced: tuple[Unpriced, ...]
    problems: Mapping[tuple[str, str], CostkitError]
    """Why a model has no price, by its name and the code of the reason."""
    unknown: Mapping[tuple[str, str], int]
    """Fields and values that should select a price but are not known, with the requests that have them."""


def notices_of(doubts: Doubts, quotes: Mapping[RateKey, Quote], as_of: date) -> tuple[Notice, ...]:
    """All notices of a report, in a fixed order, each thing said once; `quotes` are the prices that were used."""
    return (
        *_unrecognised(doubts.summary),
        *(_unpriced(entry, doubts.problems) for entry in doubts.unpriced),
        *_unreadable_times(doubts.summary, as_of),
        *_counting(doubts.whole, doubts.summary.unbilled),
        *_unknown(doubts.unknown),
        *_models(quotes, as_of),
        *_prices(quotes),
    )


def _unrecognised(summary: UsageSummary) -> Iterator[Notice]:
    if summary.is_unrecognised:
        message = f"{_count(summary.other, 'document')}, none of them a bill: report reads responses"
        hint = "requests are read by costkit estimate and costkit batch lint"
        yield Notice("nothing-recognised", f"{message}; {hint}")


def _unpriced(entry: Unpriced, problems: Mapping[tuple[str, str], CostkitError]) -> Notice:
    tokens = entry.usage.prompt_tokens + entry.usage.output_tokens
    who = "responses without a model" if entry.reason == NO_MODEL else repr(entry.model)
    problem = problems.get((entry.model or "", entry.reason))
    why = f": {problem}" if problem else ""
    why += f"; {problem.hint}" if problem and problem.hint else ""
    what = _count(entry.requests, "request") if entry.requests else "parts of requests"
    return Notice("unpriced", f"{who}: {what}, {tokens:,} tokens are not in the total{why}")


def _unreadable_times(summary: UsageSummary, as_of: date) -> Iterator[Notice]:
    found = summary.remarks.get(UNREADABLE_TIME)
    if found:
        message = f"{_count(found.count, 'response')} with a time that can't be read: priced as on {as_of}"
        yield Notice("unreadable-time", message, place_text(found.places[0]))


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
    if whole.refusals:
        message = f"{_count(whole.refusals, 'response')} with stop_reason refusal counted like any other"
        yield Notice("refusals", f"{message}: one without output is not always billed, see {_REFUSALS}")
    if unbilled:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(unbilled.items()))
        yield Notice("unbilled", f"recognised as not billed: {kinds}")
    if whole.priority:
        message = (
            f"{_count(whole.priority, 'request')} ran in the priority tier: shown at list prices, not your contract's"
        )
        yield Notice("priority-tier", message)


def _unknown(unknown: Mapping[tuple[str, str], int]) -> Iterator[Notice]:
    for (name, value), requests in sorted(unknown.items()):
        code = f"unknown-{name.replace('_', '-')}"
        who = _count(requests, "request") if requests else "parts of requests"
        yield Notice(code, f"{who} with {name} {value!r}: no price of it is known, so standard prices were used")


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
