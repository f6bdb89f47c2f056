"""`costkit report` as one page for a browser: the amount first, charts with their numbers, then what is doubtful."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from costkit.core.money import ZERO, display
from costkit.render.chart import Box, bars_svg
from costkit.render.page import (
    facts_html,
    figure_html,
    folded_html,
    html_page,
    legend_html,
    numbers_html,
    table_html,
    tables_html,
    text_html,
)
from costkit.render.svg import figure_svg
from costkit.render.text import percent, plural
from costkit.render.view import Column, Kind, Table, View
from costkit.render.views.report import headline
from costkit.render.views.report_charts import (
    hit_bars,
    hit_rates,
    is_drawn,
    kind_amounts,
    kind_bars,
    kind_legend,
    kind_shares,
    spend_bars,
    spend_legend,
    stacks_of,
)
from costkit.report import Quality, Report
from costkit.report.picture import DearResponse, OverTime

_SIZE = (340.0, 240.0)
_BOX = Box(0.0, 0.0, *_SIZE)
_LABELS = 4
_MOST_ROWS = 200


def report_html(report: Report, view: View, time: OverTime, dear: Sequence[DearResponse]) -> str:
    """A whole page; `view` is what people see of the same report in a terminal."""
    body = [
        f"<h1>{text_html(headline(report))}</h1>",
        numbers_html(tuple(_numbers(report))),
        *_over_time(report, time),
        *_kinds(report),
        f"<h2>By {text_html(', '.join(report.by))}</h2>",
        *_rows(report, view),
        *_dearest(dear, report),
        *_quality(report),
        *facts_html(view.facts),
    ]
    return html_page(headline(report), body)


def _rows(report: Report, view: View) -> Iterator[str]:
    """The table of the report, cut to what a browser shows at once, and whatever else the view has."""
    first, *others = view.tables
    named = f"Requests, tokens and cost by {', '.join(report.by)}"
    yield table_html(_cut(first), named)
    if len(first.rows) > _MOST_ROWS:
        yield from facts_html((f"the dearest {_MOST_ROWS:,} of {len(report.rows):,} rows: -f csv or --json has all",))
    yield from tables_html(View("", tuple(others)))


def _cut(table: Table) -> Table:
    """The dearest rows in their order, with the totals and what has no price as far as there is room."""
    if len(table.rows) <= _MOST_ROWS:
        return table
    costs = [column.key for column in table.columns].index("cost_usd")
    amounts = [amount if isinstance(amount := row[costs], Decimal) else None for row in table.rows]
    first_total = len(table.rows) - table.total_rows
    order = sorted(range(first_total), key=lambda number: (amounts[number] is not None, -(amounts[number] or ZERO)))
    kept = {*order[: _MOST_ROWS - table.total_rows], *range(first_total, len(table.rows))}
    return replace(table, rows=tuple(row for number, row in enumerate(table.rows) if number in kept))


def _numbers(report: Report) -> Iterator[tuple[str, str]]:
    total = report.total
    yield "cost" if report.complete else "cost of what has a price", display(total.cost_usd)
    yield "requests", f"{total.requests:,}"
    if total.requests:
        yield "cost of a request", display(total.cost_usd / total.requests)
    if total.cache_hit_rate is not None:
        yield "cache hit rate", percent(total.cache_hit_rate)
    for name, amount in (("caching", total.saved_by_cache_usd), ("batching", total.saved_by_batch_usd)):
        if amount:
            yield f"{name} {'saved' if amount > 0 else 'cost more'}", display(abs(amount))


def _over_time(report: Report, time: OverTime) -> Iterator[str]:
    if not is_drawn(time):
        return
    yield "<h2>Over time</h2>"
    windows = f"from {time.windows[0]} to {time.windows[-1]}"
    models = "; ".join(f"{name} {amount}" for _, name, amount in spend_legend(time))
    untimed = display(time.untimed.cost_usd) if time.untimed.requests else ""
    caption = f"{plural(time.untimed.requests, 'request')} without a time, {untimed}, are not shown." if untimed else ""
    dearest = max(time.windows, key=lambda window: time.of_window(window).cost_usd)
    most = f"Most in {dearest}: {display(time.of_window(dearest).cost_usd)}."
    spend = f"Stacked bars: US dollars by {time.unit} and model, {windows}. {models}. {most} The table below has all."
    rates = [rate for rate in hit_rates(time) if rate is not None]
    yield '<div class="figures">'
    bars, legend = spend_bars(time, _LABELS), legend_html(spend_legend(time), bars=True)
    yield figure_html(figure_svg(spend, _SIZE, bars_svg(bars, _BOX)), legend, caption)
    if rates:
        between = f"between {percent(min(rates))} and {percent(max(rates))}"
        hits = f"Bars: cache hit rate by {time.unit}, {windows}, {between}."
        yield figure_html(figure_svg(hits, _SIZE, bars_svg(hit_bars(time, _LABELS), _BOX)), "", _hit_caption(report))
    yield "</div>"
    yield folded_html(f"The numbers by {time.unit}", table_html(_time_table(time), f"Cost by {time.unit} and model"))


def _hit_caption(report: Report) -> str:
    rate = report.total.cache_hit_rate
    return "" if rate is None else f"{percent(rate)} of all prompt tokens were read from the cache."


def _time_table(time: OverTime) -> Table:
    stacks = stacks_of(time)
    columns = (
        Column(time.unit, "window"),
        Column("cost", "cost_usd", Kind.USD),
        *(Column(name, f"model_{number}", Kind.USD) for number, (name, _) in enumerate(stacks)),
        Column("requests", "requests", Kind.COUNT),
        Column("cache hit rate", "cache_hit_rate", Kind.SHARE),
    )
    rows = []
    for number, window in enumerate(time.windows):
        figures = time.of_window(window)
        each = (amounts[number] or None for _, amounts in stacks)
        rows.append((window, figures.cost_usd, *each, figures.requests, figures.cache_hit_rate))
    return Table(columns, tuple(rows))


def _kinds(report: Report) -> Iterator[str]:
    total = report.total
    if not (total.usage.prompt_tokens or total.usage.output_tokens):
        return
    yield "<h2>By kind of token</h2>"
    words = "; ".join(f"{name}: {amount}" for _, name, amount in kind_legend(total))
    described = f"Two stacked bars: the share of each kind in all tokens and in all dollars. {words}."
    legend = legend_html([(style, name, "") for style, name, _ in kind_legend(total)], bars=True)
    columns = (
        Column("kind", "kind"),
        Column("number", "count", Kind.COUNT),
        Column("share", "token_share", Kind.SHARE),
        Column("cost", "cost_usd", Kind.USD),
        Column("share of cost", "cost_share", Kind.SHARE),
    )
    shares = kind_shares(total)
    rows = tuple(
        (name, count, shares[number][0], usd, shares[number][1])
        for number, (name, count, usd) in enumerate(kind_amounts(total))
    )
    yield '<div class="figures">'
    yield figure_html(figure_svg(described, _SIZE, bars_svg(kind_bars(total), _BOX)), legend)
    yield table_html(Table(columns, rows), "Tokens and cost by kind")
    yield "</div>"


def _dearest(dear: Sequence[DearResponse], report: Report) -> Iterator[str]:
    if not dear:
        return
    columns = (
        Column("cost", "cost_usd", Kind.USD),
        Column("when", "ts"),
        Column("model", "model"),
        Column("input", "input_tokens", Kind.TOKENS),
        Column("cache read", "cache_read_input_tokens", Kind.TOKENS),
        Column("cache write", "cache_creation_input_tokens", Kind.TOKENS),
        Column("output", "output_tokens", Kind.TOKENS),
        Column("where", "place"),
        *((Column("session", "session"),) if any(one.session for one in dear) else ()),
    )
    rows = tuple(tuple(_dear(one, report, len(columns))) for one in dear)
    yield f"<h2>The {plural(len(dear), 'dearest response', 'dearest responses')}</h2>"
    yield table_html(Table(columns, rows), "Single responses, the dearest first")


def _dear(one: DearResponse, report: Report, columns: int) -> Iterator[str | int | Decimal | None]:
    yield one.usd
    local = None if one.moment is None else one.moment.astimezone(report.period.zone)
    yield None if local is None else f"{local:%Y-%m-%d %H:%M:%S}"
    yield one.model
    yield from one.tokens
    yield one.place
    if columns > len(one.tokens) + 4:
        yield one.session


def _quality(report: Report) -> Iterator[str]:
    rows = tuple(_doubts(report.quality))
    columns = (Column("what", "what"), Column("how many", "count", Kind.COUNT), Column("for example", "where"))
    yield "<h2>Data quality</h2>"
    yield table_html(Table(columns, rows, empty={"where": ""}), "What was read, and what is doubtful")
    yield from facts_html(f"! {notice.message}" for notice in report.notices)


def _doubts(quality: Quality) -> Iterator[tuple[str, int, str | None]]:
    yield "files read", quality.files, None
    yield "documents in them", quality.documents, None
    doubts: tuple[tuple[str, int, tuple[str, ...]], ...] = (
        ("documents without a bill", quality.other, ()),
        *((f"not billed: {kind}", count, ()) for kind, count in quality.unbilled),
        ("duplicate lines, counted once", quality.duplicates, ()),
        *((f"skipped: {one.reason}", one.count, one.examples) for one in quality.skipped),
        ("lines of several documents, read whole", *quality.glued),
        ("times that can't be read", *quality.unreadable_times),
        ("responses without a time", quality.without_time, ()),
        ("provisional output counts", quality.placeholders, ()),
        ("streams that ended early", quality.incomplete, ()),
        ("refusals", quality.refusals, ()),
        ("tokens written to the cache without a time to live, priced as 5 minutes", quality.assumed_5m_tokens, ()),
        ("requests without a price", quality.unpriced_requests, ()),
        ("tokens without a price", quality.unpriced_tokens, ()),
    )
    for what, count, places in doubts:
        if count:
            yield what, count, ", ".join(places) or None
