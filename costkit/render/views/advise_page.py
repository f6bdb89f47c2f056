"""`costkit advise` as one page for a browser: pictures, findings and evidence, without a script or a network.

Bars are plain boxes, so that they follow the width of a phone; colours follow the reader's light or dark setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from html import escape

from costkit.advise import Advice, Finding
from costkit.core.money import display, minus
from costkit.render.chart import Box, Line, Panel, panel_svg
from costkit.render.harmless import harmless
from costkit.render.svg import document_svg, legend_svg
from costkit.render.text import percent, plural
from costkit.render.text import tokens as spoken_tokens
from costkit.render.views.advise import SPOKEN, headline, summing_up, unjudged

_WIDTH, _HEIGHT = 480, 370
_PLOT = Box(0.0, 6.0, 470.0, 290.0)
_LEGEND_LEFT, _LEGEND_TOP = 70.0, 312.0
_FEWEST_DAYS = 2
_MOST_TICKS = 4
_HUNDREDTH = Decimal("0.01")
_CSS = """\
:root{color-scheme:light dark;--ink:#1f2328;--dim:#59636e;--paper:#fff;--card:#f6f8fa;--line:#d8dee4;--spent:#6e7781;
--computed:#00734f;--likely:#0072b2;--candidate:#b35900}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;--paper:#0d1117;--card:#161b22;--line:#30363d;
--spent:#b1bac4;--computed:#2fd0a2;--likely:#56b4e9;--candidate:#e69f00}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;color:var(--ink);
background:var(--paper)}
h1{font-size:1.35rem;line-height:1.3}h2{font-size:1.1rem;margin-top:2rem}
.dim{color:var(--dim)}svg{max-width:100%;height:auto}svg .dim{color:inherit}
.bars{list-style:none;padding:0}.bars li{margin:.5rem 0}
.row{display:flex;justify-content:space-between;gap:1rem}.row b{white-space:nowrap}
.track{height:.9rem;background:var(--card);border:1px solid var(--line);border-radius:.25rem;overflow:hidden}
.track div{height:100%}.spent{background:var(--spent)}.computed{background:var(--computed)}
.likely{background:var(--likely)}.candidate{background:var(--candidate)}
article{border:1px solid var(--line);border-left-width:.4rem;border-radius:.4rem;background:var(--card);
padding:.2rem 1rem .8rem;margin:1rem 0}
article.computed,article.likely,article.candidate{background:var(--card)}
article.computed{border-left-color:var(--computed)}article.likely{border-left-color:var(--likely)}
article.candidate{border-left-color:var(--candidate)}
article h3{margin:.6rem 0 .2rem;font-size:1rem}
dl{display:grid;grid-template-columns:5.5rem 1fr;gap:.25rem .75rem;margin:.5rem 0}dt{color:var(--dim)}
dd{margin:0;overflow-wrap:anywhere}
pre{margin:.2rem 0;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem}
table{border-collapse:collapse;width:100%}
td,th{padding:.25rem .5rem;text-align:right;border-bottom:1px solid var(--line)}
td:first-child,th:first-child{text-align:left}
@media (max-width:32rem){dl{grid-template-columns:1fr}dt{margin-top:.3rem}}"""


def advise_html(advice: Advice, footer: str) -> str:
    """A whole page, self-contained."""
    title = _text(headline(advice))
    body = [
        f"<h1>{title}</h1>",
        *_waterfall(advice),
        *_days(advice),
        *_findings(advice),
        *_misses(advice),
        *_rest(advice),
        f'<p class="dim">{_text(footer)}</p>',
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<style>{_CSS}</style>\n</head>\n<body>\n'
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


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
    for certainty, spoken in SPOKEN.items():
        amount = advice.saving_of(certainty)
        if amount:
            yield f'<p class="dim">{_text(display(amount))} {_text(spoken)}</p>'


def _bar(name: str, amount: Decimal, whole: Decimal, style: str, change: str) -> str:
    share = (amount / whole * 100).quantize(_HUNDREDTH)
    return (
        f'<li><div class="row"><span>{_text(name)}</span><b>{_text(change)}{_text(display(amount))}</b></div>'
        f'<div class="track" role="img" aria-label="{_text(percent(amount / whole))} of what was spent">'
        f'<div class="{style}" style="width:{share}%"></div></div></li>'
    )


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
    body = [*panel_svg(panel, _PLOT)]
    entries = ((1, "spent", display(advice.spent_usd)), (0, "after all", display(advice.spent_usd - advice.saving_usd)))
    body += legend_svg(entries, _LEGEND_LEFT, _LEGEND_TOP)
    described = (
        f"Spent {display(advice.spent_usd)}; after all remedies {display(advice.spent_usd - advice.saving_usd)}."
    )
    yield document_svg("Cost by day, before and after", described, (_WIDTH, _HEIGHT), body)


def _findings(advice: Advice) -> Iterator[str]:
    if not advice.findings:
        return
    yield "<h2>Findings, those that save most first</h2>"
    for finding in advice.findings:
        yield from _finding(finding, advice.spent_usd)
    for line in summing_up(advice):
        yield f'<p class="dim">{_text(line)}</p>'


def _finding(finding: Finding, spent: Decimal) -> Iterator[str]:
    share = f" ({percent(finding.saving_usd / spent)})" if spent else ""
    observed = finding.observed
    seen = (
        f"{plural(observed.requests, 'request')}, {spoken_tokens(observed.tokens)} tokens, {display(observed.cost_usd)}"
    )
    yield f'<article class="{finding.certainty}">'
    saves = f"{display(finding.saving_usd)}{share}"
    yield f'<h3><span class="row"><span>{_text(finding.title)}</span><b>{_text(saves)}</b></span></h3>'
    yield "<dl>"
    yield _entry("seen", f"{finding.what} ({seen})")
    yield _entry("where", ", ".join(observed.places))
    for name, value in finding.detail:
        yield _entry("", f"{name}: {value}")
    yield _entry("remedy", finding.remedy)
    yield _entry("risk", finding.risk)
    yield _entry("how sure", _sure(finding))
    yield f"<dt>how</dt><dd>{''.join(f'<pre>{_text(line)}</pre>' for line in finding.how)}</dd>"
    yield "</dl></article>"


def _sure(finding: Finding) -> str:
    worst = "" if finding.at_least_usd == finding.saving_usd else f"; at least {display(finding.at_least_usd)}"
    return f"{SPOKEN[finding.certainty]}{worst}"


def _entry(name: str, value: str) -> str:
    return f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" if value else ""


def _misses(advice: Advice) -> Iterator[str]:
    if not advice.misses:
        return
    yield "<h2>Cache misses by cause, as the requests are written</h2>"
    yield "<table><thead><tr><th>cause</th><th>requests</th><th>tokens lost</th><th>cost</th></tr></thead><tbody>"
    for miss in advice.misses:
        cells = (miss.cause, f"{miss.requests:,}", spoken_tokens(miss.lost_tokens), display(miss.cost_usd))
        yield f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in cells)}</tr>"
    yield "</tbody></table>"


def _rest(advice: Advice) -> Iterator[str]:
    lines: Sequence[str] = [*unjudged(advice), *(f"! {notice.message}" for notice in advice.notices)]
    if lines:
        yield "<h2>What this log can't show</h2>"
    for line in lines:
        yield f'<p class="dim">{_text(line.strip())}</p>'


def _text(words: str) -> str:
    return escape(harmless(words))
