"""Charts, laid out by pygal (pure Python, SVG) and dressed by our own style sheet.

Pygal's own style sheet, script and comments are left out: the pictures hold no script, follow the reader's light or
dark setting, and the same input gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

from costkit.render.harmless import harmless
from costkit.render.text import percent, rate

_SVG = "{http://www.w3.org/2000/svg}"
_TICKS = 4
_NICE = ("1", "2", "2.5", "5", "10")
_UNSEEN = frozenset({"plot overlay", "plot tooltip-overlay"})
"""Parts that only a script makes use of."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line: (x, US dollars), in the order of x."""

    name: str
    style: int
    """Which of the `STYLES`; the same name keeps its style in every panel."""
    points: tuple[tuple[float, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart of lines: its title, its horizontal axis, its lines."""

    title: str
    x_title: str
    x_ticks: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...]
    logarithmic: bool = False
    """Whether the horizontal axis is."""
    verticals: tuple[tuple[float, str], ...] = ()
    """Dashed lines across, with a word at the top."""


@dataclass(frozen=True, slots=True)
class Stack:
    """One layer of stacked bars: US dollars, or a share of one, for each label."""

    name: str
    style: int
    amounts: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """A chart of stacked bars."""

    title: str
    x_title: str
    labels: tuple[str, ...]
    stacks: tuple[Stack, ...]
    shown_labels: int = 8
    """At most so many labels are written below the axis."""
    shares: bool = False
    """Whether the bars are shares of one, not US dollars."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a chart goes, its title and axes included, in pixels."""

    left: float
    top: float
    width: float
    height: float


def panel_svg(panel: Panel, box: Box) -> Iterator[str]:
    """Draw lines over axes with units and a grid; the first line lies on top."""
    import pygal

    turn = math.log10 if panel.logarithmic else float
    top_usd = max((amount for line in panel.lines for _, amount in line.points), default=Decimal(0))
    chart = pygal.XY(**_settings(panel.title, panel.x_title, box, panel.x_ticks[-1][1]), print_labels=True)
    highest = _dollar_axis(chart, top_usd)
    chart.x_labels = [{"value": turn(value), "label": harmless(label)} for value, label in panel.x_ticks]
    classes = []
    for value, label in panel.verticals:
        across = [(turn(value), 0), {"value": (turn(value), highest), "label": harmless(label)}]
        chart.add(label, across, show_dots=True, dots_size=0)
        classes.append("flip")
    for line in reversed(panel.lines):
        points = [(turn(x), float(amount)) for x, amount in line.points]
        chart.add(harmless(line.name), points if len(points) > 1 else points * 2)
        classes.append(f"s{line.style}")
    names = [label for _, label in panel.verticals] + [line.name for line in reversed(panel.lines)]
    yield _placed(chart, box, classes, names)


def bars_svg(bars: Bars, box: Box) -> Iterator[str]:
    """Draw bars that are stacked, the first stack at the bottom."""
    import pygal

    sums = [sum(amounts, Decimal(0)) for amounts in zip(*(stack.amounts for stack in bars.stacks), strict=True)]
    chart = pygal.StackedBar(**_settings(bars.title, bars.x_title, box), spacing=6)
    if bars.shares:
        _share_axis(chart)
    else:
        _dollar_axis(chart, max(sums, default=Decimal(0)))
    every = -(-len(bars.labels) // bars.shown_labels)
    chart.x_labels = [harmless(label) if index % every == 0 else "" for index, label in enumerate(bars.labels)]
    for stack in bars.stacks:
        chart.add(harmless(stack.name), [float(amount) for amount in stack.amounts])
    yield _placed(chart, box, [f"s{stack.style}" for stack in bars.stacks], [stack.name for stack in bars.stacks])


def _settings(title: str, x_title: str, box: Box, last_label: str = "") -> dict[str, Any]:
    from pygal.style import Style

    return {
        "style": Style(title_font_size=11, label_font_size=11, major_label_font_size=11),  # for what room texts take
        "title": harmless(title),
        "x_title": harmless(x_title),
        "width": box.width,
        "height": box.height,
        "js": (),
        "no_prefix": True,
        "disable_xml_declaration": True,
        "show_legend": False,
        "show_dots": False,
        "include_x_axis": True,
        "margin": 4,
        "margin_right": max(18, 4 * len(last_label)),  # half of the last label stands beyond the axis
        "truncate_label": -1,
    }


def _dollar_axis(chart: Any, top_usd: Decimal) -> float:
    """Label the vertical axis with a handful of round amounts; the highest of them."""
    step = _nice_step(top_usd or Decimal(1))
    count = math.ceil((top_usd or Decimal(1)) / step)
    steps = [step * number for number in range(count + 1)]
    chart.y_labels = [{"value": float(value), "label": rate(value) if value else "$0"} for value in steps]
    chart.range = (0, float(steps[-1]))
    return float(steps[-1])


def _share_axis(chart: Any) -> None:
    chart.y_labels = [{"value": part / _TICKS, "label": percent(Decimal(part) / _TICKS)} for part in range(_TICKS + 1)]
    chart.range = (0, 1)


def _placed(chart: Any, box: Box, classes: Sequence[str], names: Sequence[str]) -> str:
    """The chart's geometry as a picture within a picture; series get our classes and say their names."""
    root = ET.fromstring(chart.render(is_unicode=True))  # noqa: S314  made by our own chart
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{_SVG}defs", f"{_SVG}desc", f"{_SVG}title") or child.get("class") in _UNSEEN:
                parent.remove(child)
    for node in root.iter(f"{_SVG}g"):
        parts = (node.get("class") or "").split()
        number = next((int(part.removeprefix("serie-")) for part in parts if part.startswith("serie-")), None)
        if number is not None:
            node.set("class", f"series {classes[number]}")
            if len(node):
                title = ET.Element(f"{_SVG}title")
                title.text = harmless(names[number])
                node.insert(0, title)
    root.attrib.pop("id", None)
    for name, value in (("x", box.left), ("y", box.top), ("width", box.width), ("height", box.height)):
        root.set(name, f"{value:g}")
    ET.register_namespace("", _SVG[1:-1])
    return ET.tostring(root, encoding="unicode").replace(f' xmlns="{_SVG[1:-1]}"', "", 1)


def _nice_step(top: Decimal) -> Decimal:
    """1, 2, 2.5 or 5 times a power of ten, so that a handful of steps reach the top."""
    rough = top / _TICKS
    unit = Decimal(1).scaleb(rough.adjusted())
    return next(unit * Decimal(factor) for factor in _NICE if unit * Decimal(factor) >= rough)
