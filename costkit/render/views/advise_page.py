"""`costkit advise` as one page for a browser: pictures, findings and evidence, without a script or a network.

Bars are plain boxes, so that they follow the width of a phone; colours follow the reader's light or dark setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from costkit.advise import Advice, Finding
from costkit.core.money import display, minus
from costkit.render.chart import Box, Line, Panel, panel_svg
from costkit.render.page import (
    facts_html,
    figure_html,
    html_page,
    legend_html,
    table_html,
    text_html,
    track_html,
)
from costkit.render.svg import figure_svg
from costkit.render.text import percent, plural
from costkit.render.text import tokens as spoken_tokens
from costkit.render.views.advise import SPOKEN, headline, misses_table, summing_up, unjudged

_FIGURE = (340.0, 240.0)
_FEWEST_DAYS = 2
_MOST_TICKS = 3
_STYLE = """\
.bars{list-style:none;padding:0}.bars li{margin:.5rem 0}
.row{display:flex;justify-content:space-between;gap:1rem}.row b{white-space:nowrap}
.track .spent{background:var(--spent)}.track .computed{background:var(--computed)}
.track .likely{background:var(--likely)}.track .candidate{background:var(--candidate)}
article{border:1px solid var(--line);border-left-width:.4rem;border-radius:.4rem;background:var(--card);
padding:.2rem 1rem .8rem;margin:1rem 0}
article.computed{border-left-color:var(--computed)}article.likely{border-left-color:var(--likely)}
article.candidate{border-left-color:var(--candidate)}article h3{margin:.6rem 0 .2rem}
article dl{display:grid;grid-template-columns:5.5rem 1fr;gap:.25rem .75rem;margin:.5rem 0}article dt{color:var(--dim)}
article dd{margin:0;min-width:0}
pre{margin:.2rem 0;white-space:pre-wrap;font-size:.85rem}
@media (max-width:32rem){article dl{grid-template-columns:1fr}article dt{margin-top:.3rem}}
"""
"""What only this page needs."""


def advise_html(advice: Advice, footer: str) -> str:
    """A whole page, self-contained."""
    body = [
        f"<h1>{text_html(headline(advice))}</h1>",
        *_waterfall(advice),
        *_days(advice),
        *_findings(advice),
        *_misses(advice),
        *_rest(advice),
        *facts_html((footer,)),
    ]
    return html_page(headline(advice), body, _STYLE)


def _waterfall(advice: Advice) -> Iterator[str]:
    """What was spent, and what is left of it after each remedy, in the order of application."""
    if not advice.spent_usd:
        return
    yield "<h2>What is left after each remedy</h2>"
    yield '<ul class="bars">'
    yield _bar("spent", advice.spent_usd, advice.spent_usd, "spent", "")
    left = advice.spent_usd
    for finding in sorted(advice.findings, key=lambda finding: finding.order):
        if finding.saving_usd:
            left = minus(left, finding.saving_usd)
            yield _bar(finding.title, left, advice.spent_usd, finding.certainty, f"{display(-finding.saving_usd)} → ")
    yield "</ul>"
    amounts = ((advice.saving_of(certainty), spoken) for certainty, spoken in SPOKEN.items())
    yield from facts_html(f"{display(amount)} {spoken}" for amount, spoken in amounts if amount)


def _bar(name: str, amount: Decimal, whole: Decimal, style: str, change: str) -> str:
    words = f"<span>{text_html(name)}</span><b>{text_html(change)}{text_html(display(amount))}</b>"
    return f'<li><div class="row">{words}</div>{track_html(amount / whole, style, "what was spent")}</li>'


def _days(advice: Advice) -> Iterator[str]:
    """Cost by day, before and after."""
    days = advice.days
    if len(days) < _FEWEST_DAYS:
        return
    yield "<h2>Day by day</h2>"
    spent = tuple((float(number), day.cost_usd) for number, day in enumerate(days))
    after = tuple((float(number), day.after_usd) for number, day in enumerate(days))
    step = -(-len(days) // _MOST_TICKS)
    ticks = tuple((float(number), days[number].day) for number in range(0, len(days), step))
    panel = Panel("US dollars a day", "UTC day", ticks, (Line("after all remedies", 0, after), Line("spent", 1, spent)))
    left = advice.spent_usd - advice.saving_usd
    described = f"Two lines, US dollars a day. Spent {display(advice.spent_usd)}; after all remedies {display(left)}."
    entries = ((1, "spent", display(advice.spent_usd)), (0, "after all", display(left)))
    yield figure_html(
        figure_svg(described, _FIGURE, panel_svg(panel, Box(0.0, 0.0, *_FIGURE))), legend_html(entries, bars=False)
    )


def _findings(advice: Advice) -> Iterator[str]:
    if not advice.findings:
        return
    yield "<h2>Findings, those that save most first</h2>"
    for finding in advice.findings:
        yield from _finding(finding, advice.spent_usd)
    yield from facts_html(summing_up(advice))


def _finding(finding: Finding, spent: Decimal) -> Iterator[str]:
    share = f" ({percent(finding.saving_usd / spent)})" if spent else ""
    observed = finding.observed
    seen = (
        f"{plural(observed.requests, 'request')}, {spoken_tokens(observed.tokens)} tokens, {display(observed.cost_usd)}"
    )
    yield f'<article class="{finding.certainty}">'
    saves = f"{display(finding.saving_usd)}{share}"
    yield f'<h3><span class="row"><span>{text_html(finding.title)}</span><b>{text_html(saves)}</b></span></h3>'
    yield "<dl>"
    yield _entry("seen", f"{finding.what} ({seen})")
    yield _entry("where", ", ".join(observed.places))
    for name, value in finding.detail:
        yield _entry("", f"{name}: {value}")
    yield _entry("remedy", finding.remedy)
    yield _entry("risk", finding.risk)
    yield _entry("how sure", _sure(finding))
    yield f"<dt>how</dt><dd>{''.join(f'<pre>{text_html(line)}</pre>' for line in finding.how)}</dd>"
    yield "</dl></article>"


def _sure(finding: Finding) -> str:
    worst = "" if finding.at_least_usd == finding.saving_usd else f"; at least {display(finding.at_least_usd)}"
    return f"{SPOKEN[finding.certainty]}{worst}"


def _entry(name: str, value: str) -> str:
    return f"<dt>{text_html(name)}</dt><dd>{text_html(value)}</dd>" if value else ""


def _misses(advice: Advice) -> Iterator[str]:
    if advice.misses:
        yield "<h2>Cache misses by cause</h2>"
        yield table_html(misses_table(advice), "Cache misses by cause, as the requests are written")


def _rest(advice: Advice) -> Iterator[str]:
    lines: Sequence[str] = [*unjudged(advice), *(f"! {notice.message}" for notice in advice.notices)]
    if lines:
        yield "<h2>What this log can't show</h2>"
    yield from facts_html(lines)
