"""The page of `costkit report`: the amount first, then where it went, then what is not in it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from costkit.core.money import display
from costkit.render.harmless import harmless
from costkit.render.text import percent, plural
from costkit.render.view import Cell, Column, Kind, Table, View
from costkit.report import Figures, Period, Report, Row, SkippedReason, Unpriced

_TITLES = {"model": "model", "tier": "service tier", "file": "file"}
_FIGURES = (
    Column("requests", "requests", Kind.COUNT),
    Column("input", "input_tokens", Kind.TOKENS),
    Column("cache read", "cache_read_input_tokens", Kind.TOKENS),
    Column("cache write", "cache_creation_input_tokens", Kind.TOKENS),
    Column("", "ephemeral_5m_input_tokens", Kind.TOKENS, for_people=False),
    Column("", "ephemeral_1h_input_tokens", Kind.TOKENS, for_people=False),
    Column("output", "output_tokens", Kind.TOKENS),
    Column("", "web_search_requests", Kind.COUNT, for_people=False),
    Column("cost", "cost_usd", Kind.USD),
    Column("share", "share", Kind.SHARE),
    Column("", "cache_hit_rate", Kind.SHARE, for_people=False),
    Column("", "saved_by_cache_usd", Kind.USD, for_people=False),
    Column("", "saved_by_batch_usd", Kind.USD, for_people=False),
)
_SHARE_STEP = Decimal("0.000001")
_UNKNOWN = "unpriced"
_FEW = 2


def report_view(report: Report, footer: str) -> View:
    """Lay out a report: one row per group, unpriced models below, then what was merged, skipped or left out."""
    dimensions = tuple(Column(_TITLES.get(name, name), name) for name in report.by)
    rows = [_row(row, report.total) for row in report.rows]
    rows += [_unpriced(entry, report.by) for entry in report.unpriced]
    totals = [_total(report)] if len(rows) > 1 else []
    table = Table((*dimensions, *_FIGURES), (*rows, *totals), empty={"cost_usd": _UNKNOWN}, total_rows=len(totals))
    facts = tuple(line for line in (" · ".join(_quality(report)), footer) if line)
    return View(_headline(report), (table,), facts)


def _headline(report: Report) -> str:
    total = report.total
    requests = total.requests + sum(entry.requests for entry in report.unpriced)
    at_least = "" if report.complete else "at least "
    parts = [f"{at_least}{display(total.cost_usd)}", plural(requests, "request")]
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
    first, last = period.first, period.last
    if first is None or last is None:
        return ""
    if first.date() == last.date():
        return f"{last.day} {last:%b %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}\N{EN DASH}{last.day} {last:%b %Y}"
    if first.year == last.year:
        return f"{first.day} {first:%b} \N{EN DASH} {last.day} {last:%b %Y}"
    return f"{first.day} {first:%b %Y} \N{EN DASH} {last.day} {last:%b %Y}"


def _row(row: Row, total: Figures) -> tuple[Cell, ...]:
    values = dict(row.group)
    names: list[Cell] = [_name(value, row) for value in values.values()]
    return (*names, *_cells(row.figures, row.figures.cost_usd, _share(row.figures.cost_usd, total.cost_usd)))


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    """A share in millionths; one that is not zero never becomes zero."""
    if not whole:
        return None
    share = (part / whole).quantize(_SHARE_STEP)
    return _SHARE_STEP if part and not share else share


def _name(value: str | None, row: Row) -> str:
    if row.folded:
        return f"({row.folded} others)"
    return "(not in the log)" if value is None else value


def _total(report: Report) -> tuple[Cell, ...]:
    names: list[Cell] = ["total" if report.complete else "total of the priced", *([""] * (len(report.by) - 1))]
    return (*names, *_cells(report.total, report.total.cost_usd, None))


def _unpriced(entry: Unpriced, by: tuple[str, ...]) -> tuple[Cell, ...]:
    names: list[Cell] = [(entry.model or "(no model)") if name == "model" else "(unpriced)" for name in by]
    if "model" not in by:
        names[0] = f"(unpriced: {entry.model or 'no model'})"
    return (*names, *_cells(Figures(requests=entry.requests, usage=entry.usage), None, None))


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
    if report.duplicates:
        yield f"{plural(report.duplicates, 'duplicate line')} counted once"
    for skipped in report.skipped:
        yield _skipped(skipped)


def _skipped(skipped: SkippedReason) -> str:
    places = ", ".join(harmless(place) for place in skipped.examples[:_FEW])
    more = ", …" if skipped.count > _FEW else ""
    return f"{plural(skipped.count, 'line')} skipped ({skipped.reason}: {places}{more})"
