"""The page of `costkit tail`: what each minute cost, by model and tags."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from costkit.core.money import display
from costkit.render.harmless import harmless
from costkit.render.text import plural
from costkit.render.view import Cell, Column, Kind, Labelled, Table, View
from costkit.report import Figures
from costkit.report.pace import MinuteRow, Spending

_COLUMNS = (
    Column("minute (UTC)", "minute"),
    Column("model", "model"),
    Column("tags", "tags", rank=1),
    Column("requests", "requests", Kind.COUNT, rank=2),
    Column("input", "input_tokens", Kind.TOKENS, rank=3),
    Column("cache read", "cache_read_input_tokens", Kind.TOKENS, rank=5),
    Column("cache write", "cache_creation_input_tokens", Kind.TOKENS, rank=5),
    Column("output", "output_tokens", Kind.TOKENS, rank=4),
    Column("cost", "cost_usd", Kind.USD),
)
_NEXT = "costkit advise LOG   shows what would have been cheaper"


def tail_view(spending: Spending, footer: str) -> View:
    """Lay out the newest minutes, the newest first, and below them everything that was read."""
    rows = [_row(row) for row in spending.rows]
    more: list[Cell] = ["total of what was read", None, None]
    totals = [(*more, *_figures(spending.total))] if rows else []
    empty = {"tags": "", "model": ""}
    table = Table(_COLUMNS, (*rows, *totals), empty=empty, total_rows=len(totals))
    return View(headline(spending), (table,), (*_doubts(spending), footer), next_command=_NEXT)


def headline(spending: Spending) -> str:
    """The answer in one line."""
    at_least = "" if spending.complete else "at least "
    parts = [f"{at_least}{display(spending.total.cost_usd)}", plural(spending.total.requests, "request")]
    if spending.first is not None and spending.last is not None:
        last = (
            f"{spending.last:%H:%M}" if spending.first.date() == spending.last.date() else _day_and_time(spending.last)
        )
        parts.append(f"{_day_and_time(spending.first)} to {last} UTC")
    return " · ".join(parts)


def _day_and_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def news_line(before: Spending, now: Spending, at: str) -> str:
    """What came since the last look, for whoever reads lines."""
    new = now.total.requests - before.total.requests
    cost = now.total.cost_usd - before.total.cost_usd
    return f"{at}  {plural(new, 'request')}  {display(cost)}  ·  {headline(now)}"


def _row(row: MinuteRow) -> tuple[Cell, ...]:
    model, tags = (value for _, value in row.row.group)
    minute = row.minute.isoformat().replace("+00:00", "Z")
    shown = Labelled(minute, f"{row.minute:%H:%M}")
    return (shown, Labelled(model, model or "(no model)"), tags, *_figures(row.row.figures))


def _figures(figures: Figures) -> tuple[Cell, ...]:
    usage = figures.usage
    return (
        figures.requests,
        usage.input_tokens,
        usage.cache_read_input_tokens,
        usage.cache_creation_input_tokens,
        usage.output_tokens,
        figures.cost_usd,
    )


def _doubts(spending: Spending) -> Iterator[str]:
    """What is not in the sum, or not sure: nothing is dropped without a word."""
    for entry in spending.unpriced:
        yield f"{plural(entry.requests, 'request')} of {harmless(entry.model or 'no model')} without a price"
    if spending.incomplete:
        yield f"{plural(spending.incomplete, 'stream')} ended early, with the counts known until then"
    if spending.duplicates:
        yield f"{plural(spending.duplicates, 'duplicate line')} counted once"
    for skipped in spending.skipped:
        yield f"{plural(skipped.count, 'line')} skipped ({skipped.reason}: {harmless(skipped.examples[0])})"
