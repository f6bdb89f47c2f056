"""The frame of every web page that costkit writes: one file without a script, and nothing from elsewhere.

A page is read at phone width, in the dark, on paper and by a screen reader: headings and tables say what they are,
pictures have their numbers in words, and whatever is too wide scrolls in a box of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from html import escape

from costkit.render.harmless import harmless
from costkit.render.svg import STYLE, hatches_svg, key_svg
from costkit.render.text import DASH, for_people, percent
from costkit.render.view import Cell, Column, Kind, Table, View

_LONGEST_NAME = 40
_HUNDREDTH = Decimal("0.01")
_PAGE_STYLE = """\
:root{color-scheme:light dark;--ink:#1f2328;--dim:#59636e;--paper:#fff;--card:#f6f8fa;--line:#d8dee4;--spent:#6e7781;
--computed:#00734f;--likely:#0072b2;--candidate:#b35900}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9198a1;--paper:#0d1117;--card:#161b22;
--line:#30363d;--spent:#b1bac4;--computed:#2fd0a2;--likely:#56b4e9;--candidate:#e69f00}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;color:var(--ink);
background:var(--paper);overflow-wrap:anywhere}
h1{font-size:1.35rem;line-height:1.3}h2{font-size:1.1rem;margin:2rem 0 .5rem}h3{font-size:1rem}
p.dim,figcaption{color:var(--dim)}svg.figure{display:block;width:100%;height:auto}svg.sample{vertical-align:middle}
svg.figure .plot_title{font-size:12px}
.figures{display:grid;gap:1rem 2rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr))}
.figures>*{min-width:0}figure{margin:0;break-inside:avoid;max-width:31rem}
.numbers{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,9rem),1fr));margin:1rem 0}
.numbers div{border:1px solid var(--line);border-radius:.4rem;background:var(--card);padding:.5rem .75rem}
.numbers dt{color:var(--dim);font-size:.85rem}.numbers dd{margin:0;font-size:1.25rem;font-weight:600}
.legend{list-style:none;padding:0;margin:.25rem 0;display:flex;flex-wrap:wrap;gap:.15rem 1.25rem}
.scroll{overflow-x:auto;position:relative}.scroll:focus-visible,summary:focus-visible{outline:2px solid var(--likely)}
table{border-collapse:collapse;min-width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--dim);padding:.25rem 0}
td,th{padding:.25rem .5rem;text-align:right;border-bottom:1px solid var(--line);font-weight:400;white-space:nowrap}
thead th{color:var(--dim);vertical-align:bottom}tfoot th,tfoot td{font-weight:600}
tbody th,tfoot th{position:sticky;left:0;background:var(--paper)}.name,.words{text-align:left}
.words{white-space:normal;overflow-wrap:break-word;min-width:11rem}summary{cursor:pointer;padding:.25rem 0}
.track{height:.9rem;background:var(--card);border:1px solid var(--line);border-radius:.25rem;overflow:hidden}
.track div{height:100%;print-color-adjust:exact}
@media print{body{max-width:none;padding:0;font-size:10pt}h2,summary{break-after:avoid}tr,article{break-inside:avoid}
.scroll{overflow:visible}table{font-size:8pt}td,th{padding:.1rem .3rem}tbody th,tfoot th{position:static}
details::details-content{content-visibility:visible}}
"""


def html_page(title: str, body: Iterable[str], style: str = "") -> str:
    """A whole page; the title is plain text, the body is HTML, `style` what only this page needs."""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{text_html(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<style>\n{_PAGE_STYLE}{STYLE}\n{style}</style>\n</head>\n<body>\n'
        f'<svg width="0" height="0" style="position:absolute" aria-hidden="true">{hatches_svg()}</svg>\n<main>\n'
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def text_html(words: str) -> str:
    """Plain text within a page: shown, never obeyed."""
    return escape(harmless(words))


def facts_html(facts: Iterable[str]) -> Iterator[str]:
    """Lines of plain text, in the background."""
    for fact in facts:
        yield f'<p class="dim">{text_html(fact.strip())}</p>'


def numbers_html(numbers: Sequence[tuple[str, str]]) -> str:
    """A few large numbers with their names."""
    boxes = (f"<div><dt>{text_html(name)}</dt><dd>{text_html(value)}</dd></div>" for name, value in numbers)
    return f'<dl class="numbers">{"".join(boxes)}</dl>'


def legend_html(entries: Sequence[tuple[int, str, str]], *, bars: bool) -> str:
    """Name the lines or bars of a chart: (style, name, what it comes to)."""
    items = (
        f"<li>{key_svg(style, bars=bars)} {text_html(name)} <b>{text_html(amount)}</b></li>"
        for style, name, amount in entries
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def figure_html(picture: str, legend: str = "", caption: str = "") -> str:
    """A chart with its legend and what else should be known about it."""
    words = f"<figcaption>{text_html(caption)}</figcaption>" if caption else ""
    return f"<figure>{picture}{legend}{words}</figure>"


def track_html(share: Decimal, style: str, whole: str) -> str:
    """A share of something as a bar, which says in words what it shows."""
    words = f"{percent(share)} of {whole}"
    width = (share * 100).quantize(_HUNDREDTH)
    return (
        f'<div class="track" role="img" aria-label="{text_html(words)}"><div class="{style}" style="width:{width}%">'
        "</div></div>"
    )


def tables_html(view: View, captions: Sequence[str] = ()) -> Iterator[str]:
    """The tables of a view that have rows; each has a title of its own or the next of the captions."""
    names = iter(captions)
    for table in view.tables:
        caption = table.title or next(names, "")
        if table.rows:
            yield table_html(table, caption)


def table_html(table: Table, caption: str) -> str:
    """A table whose first column names the rows, in a box that scrolls where the page is too narrow."""
    shown = table.for_people()
    lines = [[_text(shown, number, row) for number in range(len(shown.columns))] for row in shown.rows]
    styles = [_style(column, [line[number] for line in lines]) for number, column in enumerate(shown.columns)]
    heads = "".join(
        f'<th scope="col"{style}>{text_html(column.title)}</th>'
        for column, style in zip(shown.columns, styles, strict=True)
    )
    rows = [_row(line, styles) for line in lines]
    split = len(rows) - shown.total_rows
    foot = f"<tfoot>{''.join(rows[split:])}</tfoot>" if shown.total_rows else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{text_html(caption)}">'
        f"<table><caption>{text_html(caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(rows[:split])}</tbody>{foot}</table></div>"
    )


def folded_html(summary: str, content: str) -> str:
    """Something that is there for those who open it, and on paper."""
    return f"<details><summary>{text_html(summary)}</summary>{content}</details>"


def _text(table: Table, number: int, row: Sequence[Cell]) -> str:
    column = table.columns[number]
    return for_people(row[number], column.kind, (table.empty or {}).get(column.key, DASH))


def _style(column: Column, texts: Sequence[str]) -> str:
    """Numbers stand to the right, names to the left in one piece; long text may break."""
    if column.kind is not Kind.TEXT:
        return ""
    return ' class="name"' if max(map(len, texts), default=0) <= _LONGEST_NAME else ' class="words"'


def _row(texts: Sequence[str], styles: Sequence[str]) -> str:
    head = f'<th scope="row"{styles[0]}>{text_html(texts[0])}</th>'
    cells = (f"<td{style}>{text_html(text)}</td>" for text, style in zip(texts[1:], styles[1:], strict=True))
    return f"<tr>{head}{''.join(cells)}</tr>"
