"""Self-contained SVG: no scripts, no network, readable on light and on dark pages; what stands around the charts.

Series differ in colour and lines also in dashes, so that they can be told apart without colours; the colours are Okabe
and Ito's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
.series.flip .line{stroke-width:1}.bar rect,rect.key{fill:var(--c)}
@media (prefers-color-scheme:dark){.paper{fill:#0d1117}.ink,.graph .plot_title{fill:#e6edf3}
.dim,.graph text{fill:#9198a1}.axis .line{stroke:#6e7681}.axis .guide.line{stroke:#262c36}
.flip{--c:#9198a1}.s0{--c:#56b4e9}.s1{--c:#e69f00}.s2{--c:#b1bac4}.s3{--c:#2fd0a2}.s4{--c:#e49ac8}.s5{--c:#f0e442}}"""
_FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_LABEL_GAP = 18


def legend_svg(entries: Sequence[tuple[int, str, str]], left: float, top: float) -> Iterator[str]:
    """Name the lines: (style, name, what it comes to)."""
    for number, (style, name, amount) in enumerate(entries):
        y = top + number * 2 * _LABEL_GAP
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


def text(x: float, y: float, words: str, style: str, *, size: int = 12, anchor: str = "start", weight: str = "") -> str:
    """One line of text."""
    extra = f' font-weight="{weight}"' if weight else ""
    return (
        f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{extra}>'
        f"{_text(words)}</text>"
    )


def _text(words: str) -> str:
    return escape(harmless(words))
