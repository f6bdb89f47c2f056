"""`costkit report` as a picture: a bar for each row, and the amount in words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from costkit.core.money import display
from costkit.render.bars import shortened
from costkit.render.page import html_page
from costkit.render.svg import document_svg, text
from costkit.render.table import render_table
from costkit.render.views.report import bars_of, headline, report_view
from costkit.report import Report

_WIDTH, _LEFT, _BARS, _RIGHT, _TOP, _ROW = 1000, 24.0, 330.0, 860.0, 76.0, 26.0
_LONGEST_NAME = 42
_MOST_BARS = 60


def report_svg(report: Report, footer: str) -> str:
    """A self-contained SVG: the dearest rows in their order, each as a bar."""
    title = headline(report)
    bars = _dearest(bars_of(report))
    height = _TOP + len(bars) * _ROW + 40
    body = [text(_LEFT, 28, title, "ink", size=13, weight="600"), text(_LEFT, 52, _described(report, bars), "dim")]
    body += _drawn(bars)
    body.append(text(_LEFT, height - 14, footer, "dim"))
    words = "; ".join(f"{name} {display(amount)}" for name, amount in bars)
    return document_svg(title, words or "nothing was spent", (_WIDTH, height), body)


def report_html(report: Report, footer: str) -> str:
    """The same picture in a page of its own, with the table as text below it."""
    table = render_table(report_view(report, footer), width=160, color=False)
    return html_page(headline(report), report_svg(report, footer), table)


def _dearest(bars: tuple[tuple[str, Decimal], ...]) -> tuple[tuple[str, Decimal], ...]:
    if len(bars) <= _MOST_BARS:
        return bars
    least = sorted((amount for _, amount in bars), reverse=True)[_MOST_BARS - 1]
    return tuple(bar for bar in bars if bar[1] >= least)[:_MOST_BARS]


def _described(report: Report, bars: tuple[tuple[str, Decimal], ...]) -> str:
    more = f", the dearest {len(bars)} of {len(report.rows)}" if len(bars) < len(report.rows) else ""
    return f"US dollars by {', '.join(report.by)}{more}"


def _drawn(bars: tuple[tuple[str, Decimal], ...]) -> Iterator[str]:
    top = max((amount for _, amount in bars), default=Decimal(0))
    for number, (name, amount) in enumerate(bars):
        y = _TOP + number * _ROW + 10
        end = _BARS + (float(amount / top) * (_RIGHT - _BARS) if top else 0)
        yield text(_BARS - 10, y + 4, shortened(name, _LONGEST_NAME), "ink", anchor="end")
        yield f'<line class="line key s0" style="stroke-width:16" x1="{_BARS}" x2="{end:.1f}" y1="{y}" y2="{y}"/>'
        yield text(end + 8, y + 4, display(amount), "dim")
