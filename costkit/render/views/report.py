"""The page of `costkit report`: the amount first, then where it went, then what is not in it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from costkit.core.money import display
from costkit.render.bars import Layer, bar_chart
from costkit.render.harmless import harmless
from costkit.render.text import percent, plural, tokens
from costkit.render.view import Cell, Column, Kind, Labelled, Table, View
from costkit.render.views.report_charts import share, spend_title, stacks_of
from costkit.report import Figures, Period, Report, Row, SkippedReason, SourceComparison, Unpriced
from costkit.report.picture import OverTime

_TITLES = {"model": "model", "tier": "service tier", "file": "file"}
_FIGURES = (
    Column("requests", "requests", Kind.COUNT, rank=1),
    Column("input", "input_tokens", Kind.TOKENS, rank=2),
    Column("cache read", "cache_read_input_tokens", Kind.TOKENS, rank=4),
    Column("cache write", "cache_creation_input_tokens", Kind.TOKENS, rank=5),
    Column("", "ephemeral_5m_input_tokens", Kind.TOKENS, for_people=False),
    Column("", "ephemeral_1h_input_tokens", Kind.TOKENS, for_people=False),
    Column("output", "output_tokens", Kind.TOKENS, rank=3),
    Column("", "web_search_requests", Kind.COUNT, for_people=False),
    Column("cost", "cost_usd", Kind.USD),
    Column("share", "share", Kind.SHARE, rank=6),
    Column("", "cache_hit_rate", Kind.SHARE, for_people=False),
    Column("", "saved_by_cache_usd", Kind.USD, for_people=False),
    Column("", "saved_by_batch_usd", Kind.USD, for_people=False),
    Column("", "status", for_people=False),
    Column("", "unpriced_model", for_people=False),
    Column("", "folded", Kind.COUNT, for_people=False),
)
_UNPRICED = "unpriced"
_PRICED = "priced"
_SYSTEMS = {
    "litellm": "LiteLLM",
    "langfuse": "Langfuse",
    "openinference": "OpenInference",
    "otel": "OpenTelemetry",
    "inspect": "Inspect",
}
_NOT_COMPARED = {
    "unpriced": "without a price here",
    "unit-unknown": "not known to be US dollars",
    "not-an-amount": "that are no amounts",
}
_NOT_IN_THE_LOG = "(not in the log)"
_FEW = 2
_REASONS = 5


def report_view(report: Report, footer: str, chart: tuple[str, ...] = (), *, log: str | None = None) -> View:
    """Lay out a report: one row per group, unpriced models below, then what was merged, skipped or left out.

    `chart` is a drawing in plain text that is shown below the table; `log` is what another command would be given to
    read the same: without it none is named.
    """
    dimensions = tuple(Column(_TITLES.get(name, name), name) for name in report.by)
    rows = [_row(row, report.total) for row in report.rows]
    rows += [_unpriced(entry, report.by) for entry in report.unpriced]
    totals = [_total(report)] if len(rows) > 1 else []
    empty = {"cost_usd": _UNPRICED, **dict.fromkeys(report.by, _NOT_IN_THE_LOG)}
    table = Table((*dimensions, *_FIGURES), (*rows, *totals), empty=empty, total_rows=len(totals))
    facts = tuple(line for line in (" · ".join(_quality(report)), *_costs_beside(report), footer) if line)
    following = f"costkit advise {log}   shows what would have been cheaper" if log and report.total.requests else None
    return View(headline(report), (table,), facts, following, figures=(chart,) if chart else ())


def spend_chart(time: OverTime, *, width: int, plain: bool) -> tuple[str, ...]:
    """Spend over time by model for a terminal, `width` columns wide; nothing where nothing has a time."""
    layers = [Layer(name, amounts) for name, amounts in stacks_of(time)]
    if not layers or not time.windows:
        return ()
    return bar_chart(f"{spend_title(time)}:", time.windows, layers, width=width, plain=plain)


def _others(row: Row) -> str:
    return f"({row.folded} others)"


def headline(report: Report) -> str:
    """The amount first, then what it was for."""
    total = report.total
    unpriced = sum(entry.requests for entry in report.unpriced)
    at_least = "" if report.complete else "at least "
    parts = [f"{at_least}{display(total.cost_usd)}", plural(total.requests, "request")]
    if unpriced:
        parts.append(plural(unpriced, "unpriced request"))
    if report.period.first is not None:
        parts.append(_days(report.period))
    if total.cache_hit_rate is not None:
        parts.append(f"cache hit rate {percent(total.cache_hit_rate)}")
    saved = [f"{name} {_saved(amount)}" for name, amount in _savings(total) if amount]
    if saved:
        parts.append(", ".join(saved))
    return " · ".join(parts)


def _savings(total: Figures) -> Iterator[tuple[str, Decimal]]:
    yield "caching", total.saved_by_cache_usd
    yield "batching", total.saved_by_batch_usd


def _saved(amount: Decimal) -> str:
    return f"saved {display(amount)}" if amount > 0 else f"cost {display(-amount)} more"


def _days(period: Period) -> str:
    if period.first is None or period.last is None:
        return ""
    first, last = (moment.astimezone(period.zone) for moment in (period.first, period.last))
    if first.date() == last.date():
        return f"{last.day} {last:%b %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}\N{EN DASH}{last.day} {last:%b %Y}"
    if first.year == last.year:
        return f"{first.day} {first:%b} \N{EN DASH} {last.day} {last:%b %Y}"
    return f"{first.day} {first:%b %Y} \N{EN DASH} {last.day} {last:%b %Y}"


def _row(row: Row, total: Figures) -> tuple[Cell, ...]:
    names = [Labelled(value, _others(row)) if row.folded else value for _, value in row.group]
    cost = row.figures.cost_usd
    return (*names, *_cells(row.figures, cost, share(cost, total.cost_usd)), _PRICED, None, row.folded)


def _total(report: Report) -> tuple[Cell, ...]:
    names: list[Cell] = ["total" if report.complete else "total of the priced", *([""] * (len(report.by) - 1))]
    return (*names, *_cells(report.total, report.total.cost_usd, None), None, None, None)


def _unpriced(entry: Unpriced, by: tuple[str, ...]) -> tuple[Cell, ...]:
    model = Labelled(entry.model, entry.model or "(no model)")
    names: list[Cell] = [model if name == "model" else Labelled(None, f"({_UNPRICED})") for name in by]
    if "model" not in by:
        names[0] = Labelled(None, f"({_UNPRICED}: {entry.model or 'no model'})")
    figures = _cells(Figures(requests=entry.requests, usage=entry.usage), None, None)
    return (*names, *figures, _UNPRICED, entry.model, 0)


def _cells(figures: Figures, cost: Decimal | None, share: Decimal | None) -> tuple[Cell, ...]:
    usage, known = figures.usage, cost is not None
    return (
        figures.requests,
        usage.input_tokens,
        usage.cache_read_input_tokens,
        usage.cache_creation_input_tokens,
        usage.ephemeral_5m_input_tokens,
        usage.ephemeral_1h_input_tokens,
        usage.output_tokens,
        usage.web_search_requests,
        cost,
        share,
        figures.cache_hit_rate,
        figures.saved_by_cache_usd if known else None,
        figures.saved_by_batch_usd if known else None,
    )


def _quality(report: Report) -> Iterator[str]:
    """What was merged, skipped or doubtful: nothing is dropped without a word."""
    if report.is_unrecognised:
        yield f"{plural(report.quality.other, 'document')} read, none of them a bill"
    if report.duplicates:
        yield f"{plural(report.duplicates, 'duplicate line')} counted once"
    if report.quality.glued.times:
        yield f"{plural(report.quality.glued.times, 'line')} of several documents read whole"
    for skipped in report.skipped:
        yield _skipped(skipped)


def _costs_beside(report: Report) -> Iterator[str]:
    """What is not in the total: usage without a price, and what the client thought that it cost."""
    quality, recorded = report.quality, report.quality.recorded
    if quality.unpriced_share is not None and quality.unpriced_tokens:
        yield f"{tokens(quality.unpriced_tokens)} tokens without a price, {percent(quality.unpriced_share)} of all"
    if recorded is not None:
        sessions = plural(recorded.sessions, "session")
        amounts = f"{display(recorded.recorded_usd)} for {sessions}, calculated {display(recorded.calculated_usd)}"
        yield f"recorded by Claude Code: {amounts} ({_more_or_less(recorded.difference_usd)})"
    for source in quality.recorded_by:
        yield f"recorded by {_SYSTEMS.get(source.source, source.source)}: {'; '.join(_recorded_by(source))}"


def _recorded_by(source: SourceComparison) -> Iterator[str]:
    compared = source.compared
    if compared.responses:
        amounts = f"{display(compared.recorded_usd)} for {plural(compared.responses, 'response')}"
        difference = _more_or_less(compared.difference_usd)
        yield f"{amounts}, calculated {display(compared.calculated_usd)} ({difference})"
    reasons = [
        f"{count:,} {_NOT_COMPARED.get(reason) or f'in {harmless(reason)}'}"
        for reason, count in source.not_compared[:_REASONS]
    ]
    rest = sum(count for _, count in source.not_compared[_REASONS:])
    if rest:
        reasons.append(f"{rest:,} for other reasons")
    if reasons:
        yield f"not compared: {', '.join(reasons)}"


def _more_or_less(difference: Decimal) -> str:
    if not difference:
        return "the same"
    return f"{display(abs(difference))} {'more' if difference > 0 else 'less'} recorded"


def _skipped(skipped: SkippedReason) -> str:
    places = ", ".join(harmless(place) for place in skipped.examples[:_FEW])
    more = ", …" if skipped.count > _FEW else ""
    what = "file" if skipped.whole_files else "line"
    return f"{plural(skipped.count, what)} skipped ({skipped.reason}: {places}{more})"
