"""`costkit report` as a picture: spend over time by model, the cache hit rate, and the shares by kind of token."""

from __future__ import annotations

from collections.abc import Iterator

from costkit.core.money import display
from costkit.render.chart import Box, bars_svg
from costkit.render.svg import document_svg, hatches_svg, legend_svg, text
from costkit.render.views.report import headline
from costkit.render.views.report_charts import hit_bars, is_drawn, kind_bars, kind_legend, spend_bars, spend_legend
from costkit.report import Report
from costkit.report.picture import OverTime

_WIDTH, _LEFT, _HALF, _BETWEEN = 1000.0, 24.0, 466.0, 20.0
_TOP, _SPEND, _SMALL, _FOOT = 44.0, 300.0, 290.0, 44.0
_LEGEND = 730.0
_LABELS, _FEWER_LABELS = 10, 6


def report_svg(report: Report, time: OverTime, footer: str) -> str:
    """A self-contained SVG; a log without times or without cost has fewer charts."""
    title = headline(report)
    body = [hatches_svg(), text(_LEFT, 28, title, "ink", size=13, weight="600")]
    bottom = _TOP
    if is_drawn(time):
        body += bars_svg(spend_bars(time, _LABELS), Box(_LEFT, bottom, _LEGEND - _LEFT - _BETWEEN, _SPEND))
        body += legend_svg(spend_legend(time), _LEGEND, bottom + 40, bars=True)
        bottom += _SPEND
        body += bars_svg(hit_bars(time, _FEWER_LABELS), Box(_LEFT, bottom, _HALF, _SMALL))
    if report.total.usage.prompt_tokens or report.total.usage.output_tokens:
        left = _LEFT + _HALF + _BETWEEN if is_drawn(time) else _LEFT
        body += bars_svg(kind_bars(report.total), Box(left, bottom, 240.0, _SMALL))
        body += legend_svg(kind_legend(report.total), left + 254.0, bottom + 40, bars=True)
        bottom += _SMALL
    body.append(text(_LEFT, bottom + 30, footer, "dim"))
    described = ". ".join(_described(report, time)) or "nothing was spent"
    return document_svg(title, described, (_WIDTH, bottom + _FOOT), body)


def _described(report: Report, time: OverTime) -> Iterator[str]:
    if is_drawn(time):
        yield "; ".join(f"{name} {amount}" for _, name, amount in spend_legend(time))
        yield "; ".join(f"{window} {display(time.of_window(window).cost_usd)}" for window in time.windows)
    if report.total.requests:
        yield "; ".join(f"{name}: {amount}" for _, name, amount in kind_legend(report.total))
