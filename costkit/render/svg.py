"""Self-contained SVG: no scripts, no network, readable on light and on dark pages; what stands around the charts.

Series differ in colour, lines also in dashes and bars in hatches, so that they can be told apart without colours; the
colours are Okabe and Ito's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from costkit.render.harmless import harmless

STYLES = 6
"""How many series look different."""
STYLE = """\
.paper{fill:#fff}.ink,.graph .plot_title{fill:#1f2328}.dim,.graph text{fill:#59636e}.axis .line{stroke:#8c959f}
.axis .guide.line{stroke:#d8dee4}.flip{--c:#59636e}
.s0{--c:#0072b2}.s1{--c:#d55e00}.s2{--c:#6e7781}.s3{--c:#009e73}.s4{--c:#a3488a}.s5{--c:#9a6700}
.s1{--d:8 3}.s2{--d:2 3}.s3{--d:10 3 2 3}.s4{--d:5 3}.s5{--d:1 2}.flip{--d:3 4}
.graph .background,.axis .line{fill:none}.axis.x .guide.line{stroke:none}.axis.x .guides path{stroke:none}
.graph text{font-size:12px}.axis text{font-size:11px}.graph .plot_title{font-size:14px;font-weight:600;fill-opacity:1}
.titles text,.axis.x text{text-anchor:middle}.axis.x text[transform]{text-anchor:start}.axis.y text{text-anchor:end}
.series .line,.line.key{fill:none;stroke:var(--c);stroke-dasharray:var(--d);stroke-width:2.2;stroke-linejoin:round}
.series.flip .line{stroke-width:1}.bar rect{stroke:none}
.s0 .bar rect,rect.s0,.hatch{fill:var(--c)}.s1 .bar rect,rect.s1{fill:url(#h1)}.s2 .bar rect,rect.s2{fill:url(#h2)}
.s3 .bar rect,rect.s3{fill:url(#h3)}.s4 .bar rect,rect.s4{fill:url(#h4)}.s5 .bar rect,rect.s5{fill:url(#h5)}
.scratch{fill:none;stroke:#fff;stroke-opacity:.75}
@media screen and (prefers-color-scheme:dark){.paper{fill:#0d1117}.scratch{stroke:#0d1117}
.ink,.graph .plot_title{fill:#e6edf3}
.dim,.graph text{fill:#9198a1}.axis .line{stroke:#6e7681}.axis .guide.line{stroke:#262c36}
.flip{--c:#9198a1}.s0{--c:#56b4e9}.s1{--c:#e69f00}.s2{--c:#b1bac4}.s3{--c:#2fd0a2}.s4{--c:#e49ac8}.s5{--c:#f0e442}}"""
_FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_LABEL_GAP = 18
_SCRATCHES = ("M-1 7 7 -1M-1 1 1 -1M5 7 7 5", "M0 3H6", "M-1 -1 7 7M-1 5 1 7M5 -1 7 1", "M3 0V6", "M0 3H6M3 0V6")
"""What is left out of the bars of all styles but the first."""


def hatches_svg() -> str:
    """The fillings of bars; a page or a picture with bars needs them once."""
    patterns = (
        f'<pattern id="h{style}" class="s{style}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect class="hatch" width="6" height="6"/><path class="scratch" d="{path}"/></pattern>'
        for style, path in enumerate(_SCRATCHES, start=1)
    )
    return f"<defs>{''.join(patterns)}</defs>"


def legend_svg(
    entries: Sequence[tuple[int, str, str]], left: float, top: float, *, bars: bool = False
) -> Iterator[str]:
    """Name the lines or bars: (style, name, what it comes to)."""
    for number, (style, name, amount) in enumerate(entries):
        y = top + number * 2 * _LABEL_GAP
        if bars:
            yield f'<rect class="s{style}" x="{left}" y="{y - 6}" width="26" height="12"/>'
        else:
            yield f'<line class="key line s{style}" x1="{left}" x2="{left + 26}" y1="{y}" y2="{y}"/>'
        yield text(left + 34, y + 4, name, "ink", weight="600")
        yield text(left + 34, y + 4 + _LABEL_GAP, amount, "dim")


def document_svg(title: str, description: str, size: tuple[float, float], body: Sequence[str]) -> str:
    """A whole picture, with a title and a description for those who don't see it."""
    width, height = size
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-labelledby="title description" style="{_FONT}">'
    )
    parts = [
        head,
        f'<title id="title">{_text(title)}</title>',
        f'<desc id="description">{_text(description)}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width:g}" height="{height:g}"/>',
        *body,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def key_svg(style: int, *, bars: bool) -> str:
    """A small sample of a line or a bar, for a legend in a page."""
    shape = (
        f'<rect class="s{style}" width="26" height="12"/>'
        if bars
        else f'<line class="key line s{style}" x1="0" x2="26" y1="6" y2="6"/>'
    )
    return f'<svg class="sample" width="26" height="12" aria-hidden="true">{shape}</svg>'


def figure_svg(description: str, size: tuple[float, float], body: Iterable[str]) -> str:
    """A picture within a page that has the style sheet, with a description for those who don't see it."""
    width, height = size
    return (
        f'<svg class="figure" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{_text(description)}">'
        f"{''.join(body)}</svg>"
    )


def text(x: float, y: float, words: str, style: str, *, size: int = 12, anchor: str = "start", weight: str = "") -> str:
    """One line of text."""
    extra = f' font-weight="{weight}"' if weight else ""
    return (
        f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{extra}>'
        f"{_text(words)}</text>"
    )


def _text(words: str) -> str:
    return escape(harmless(words))
