"""Line charts as self-contained SVG: no scripts, no network, readable on light and on dark pages.

Lines differ in colour and in dashes, so that they can be told apart without colours; the colours are Okabe and Ito's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from costkit.render.harmless import harmless
from costkit.render.text import rate

STYLES = 6
"""How many lines look different."""
STYLE = """\
.paper{fill:#fff}.ink{fill:#1f2328}.dim{fill:#59636e}.axis{stroke:#8c959f}.grid{stroke:#d8dee4}.flip{stroke:#59636e}
.s0{stroke:#0072b2}.s1{stroke:#d55e00}.s2{stroke:#6e7781}.s3{stroke:#009e73}.s4{stroke:#a3488a}.s5{stroke:#9a6700}
.line{fill:none;stroke-width:2.2;stroke-linejoin:round}
.s1{stroke-dasharray:8 3}.s2{stroke-dasharray:2 3}.s3{stroke-dasharray:10 3 2 3}.s4{stroke-dasharray:5 3}
.s5{stroke-dasharray:1 2}.flip{stroke-dasharray:3 4}
@media (prefers-color-scheme:dark){.paper{fill:#0d1117}.ink{fill:#e6edf3}.dim{fill:#9198a1}.axis{stroke:#6e7681}
.grid{stroke:#262c36}.flip{stroke:#9198a1}.s0{stroke:#56b4e9}.s1{stroke:#e69f00}.s2{stroke:#b1bac4}.s3{stroke:#2fd0a2}
.s4{stroke:#e49ac8}.s5{stroke:#f0e442}}"""
_FONT = "font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_TICKS = 4
_NICE = ("1", "2", "2.5", "5", "10")
_LABEL_GAP = 18
_LABEL_WIDTH = 60.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line: (x, US dollars), in the order of x."""

    name: str
    style: int
    """Which of the `STYLES`; the same name keeps its style in every panel."""
    points: tuple[tuple[float, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: its title, its horizontal axis, its lines."""

    title: str
    x_title: str
    x_ticks: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...]
    logarithmic: bool = False
    """Whether the horizontal axis is."""
    verticals: tuple[tuple[float, str], ...] = ()
    """Dashed lines across, with a word at the top."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a panel's lines go, in pixels."""

    left: float
    top: float
    width: float
    height: float


def panel_svg(panel: Panel, box: Box) -> Iterator[str]:
    """Draw a panel: title, axes with units, grid, lines."""
    top_usd = max((amount for line in panel.lines for _, amount in line.points), default=Decimal(0)) or Decimal(1)
    step = _nice_step(top_usd)
    highest = step * math.ceil(top_usd / step)
    yield text(box.left, box.top - 14, panel.title, "ink", size=14, weight="600")
    for tick in range(int(highest / step) + 1):
        y = box.top + box.height - float(step * tick / highest) * box.height
        style, right = "grid" if tick else "axis", box.left + box.width
        yield f'<line class="{style}" x1="{box.left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield text(box.left - 8, y + 4, rate(step * tick) if tick else "$0", "dim", anchor="end")
    across = _Across(panel, box)
    bottom = box.top + box.height
    for value, label in panel.x_ticks:
        x = across.at(value)
        yield f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom + 5}"/>'
        yield text(x, bottom + 19, label, "dim", anchor="middle")
    yield text(box.left + box.width / 2, bottom + 38, panel.x_title, "dim", anchor="middle")
    yield from _verticals(panel, box, across)
    for line in reversed(panel.lines):  # the first one lies on top
        points = [(across.at(x), bottom - float(amount / highest) * box.height) for x, amount in line.points]
        if len(points) == 1:
            points.append((points[0][0] + 3, points[0][1]))
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline class="line s{line.style}" points="{path}"><title>{_text(line.name)}</title></polyline>'


def _verticals(panel: Panel, box: Box, across: _Across) -> Iterator[str]:
    """The dashed lines; a label that would lie on the one before moves down."""
    before, row = -_LABEL_WIDTH, 0
    for value, label in panel.verticals:
        x = across.at(value)
        row = row + 1 if x - before < _LABEL_WIDTH else 0
        before = x
        yield f'<line class="flip" x1="{x:.1f}" x2="{x:.1f}" y1="{box.top}" y2="{box.top + box.height}"/>'
        yield text(x + 4, box.top + 11 + 14 * row, label, "dim", size=11)


def legend_svg(entries: Sequence[tuple[int, str, str]], left: float, top: float) -> Iterator[str]:
    """Name the lines: (style, name, what it comes to)."""
    for number, (style, name, amount) in enumerate(entries):
        y = top + number * 2 * _LABEL_GAP
        yield f'<line class="line s{style}" x1="{left}" x2="{left + 26}" y1="{y}" y2="{y}"/>'
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


class _Across:
    """The horizontal scale of a panel."""

    def __init__(self, panel: Panel, box: Box) -> None:
        values = [x for line in panel.lines for x, _ in line.points]
        self._turn = math.log if panel.logarithmic else float
        self._low, self._high = self._turn(min(values)), self._turn(max(values))
        self._box = box

    def at(self, value: float) -> float:
        """The pixel of a value."""
        span = self._high - self._low
        return self._box.left + ((self._turn(value) - self._low) / span * self._box.width if span else 0)


def _nice_step(top: Decimal) -> Decimal:
    """1, 2, 2.5 or 5 times a power of ten, so that a handful of steps reach the top."""
    rough = top / _TICKS
    unit = Decimal(1).scaleb(rough.adjusted())
    return next(unit * Decimal(factor) for factor in _NICE if unit * Decimal(factor) >= rough)
