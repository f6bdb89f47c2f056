"""`costkit simulate` as a picture for a pull request: cost as it adds up, and cost by the gap between requests."""

from __future__ import annotations

from collections.abc import Iterator

from costkit.cache import ModelSimulation, Poisson, Simulation
from costkit.cache.strategy import STRATEGIES
from costkit.core.money import display
from costkit.render.chart import Box, Line, Panel, panel_svg
from costkit.render.page import facts_html, figure_html, html_page, legend_html, tables_html, text_html
from costkit.render.svg import STYLES, document_svg, figure_svg, legend_svg, text
from costkit.render.text import plural
from costkit.render.views.simulate import headline, simulation_view, spoken_best, spoken_flips, verdicts

_ORDER = ("5m", "1h", "none", "automatic", "mixed", "as-written")
"""Which strategy has which of the styles."""
assert set(_ORDER) == set(STRATEGIES)  # noqa: S101  a new strategy must choose its style
assert len(_ORDER) <= STYLES  # noqa: S101  and there must be one

_WIDTH, _ROW = 1000, 350
_LEFT, _HEAD, _PLOT, _BETWEEN, _LEGEND = 24.0, 64.0, 390.0, 14.0, 840.0
_MOST_POINTS = 400
_GAP_TICKS = ((10.0, "10 s"), (60.0, "1 min"), (300.0, "5 min"), (3600.0, "1 h"), (36_000.0, "10 h"))
_PLOT_HEIGHT = 280.0
_FIGURE = (340.0, 250.0)


def simulation_svg(simulation: Simulation, footer: str) -> str:
    """A self-contained SVG: for each model one row of charts."""
    title = headline(simulation, "")
    body = [text(_LEFT, 28, title, "ink", size=15, weight="600")]
    for number, model in enumerate(simulation.models):
        body += _row(simulation, model, _HEAD + number * _ROW)
    height = _HEAD + len(simulation.models) * _ROW + 30
    body.append(text(_LEFT, height - 14, footer, "dim"))
    return document_svg(title, " ".join(_described(simulation)), (_WIDTH, height), body)


def simulation_html(simulation: Simulation, footer: str) -> str:
    """A page of its own: the same charts model by model, and the tables below them."""
    view = simulation_view(simulation, footer)
    title = headline(simulation, "")
    body = [f"<h1>{text_html(title)}</h1>"]
    for model, described in zip(simulation.models, _described(simulation), strict=True):
        body += _section(simulation, model, described)
    said = set(verdicts(simulation))
    facts = (fact for fact in view.facts if fact not in said)
    body += ["<h2>The numbers</h2>", *tables_html(view, ("Cost by strategy",)), *facts_html(facts)]
    return html_page(title, body)


def _section(simulation: Simulation, model: ModelSimulation, described: str) -> Iterator[str]:
    yield f"<h2>{text_html(model.model)}: best is {text_html(spoken_best(model))}</h2>"
    yield from facts_html(filter(None, (spoken_flips(simulation, model),)))
    panels = [_spent(model), *([_by_gap(simulation, model)] if model.gap_curves else ())]
    yield '<div class="figures">'
    for panel in panels:
        words = f"{panel.title}. {described}"
        yield figure_html(figure_svg(words, _FIGURE, panel_svg(panel, Box(0.0, 0.0, *_FIGURE))))
    yield f"</div>{legend_html(_legend(model), bars=False)}"


def _legend(model: ModelSimulation) -> list[tuple[int, str, str]]:
    return [(_ORDER.index(one.name), one.name, display(one.cost_usd)) for one in model.strategies]


def _row(simulation: Simulation, model: ModelSimulation, top: float) -> Iterator[str]:
    plot_top = top + 34
    named = f"{model.model} · " if len(simulation.models) > 1 else ""
    yield text(_LEFT, top, f"{named}best: {spoken_best(model)}", "ink", size=13)
    yield text(_LEFT, top + 20, spoken_flips(simulation, model), "dim", size=13)
    spent = _spent(model)
    if model.gap_curves:
        yield from panel_svg(spent, Box(_LEFT, plot_top, _PLOT, _PLOT_HEIGHT))
        gaps = _by_gap(simulation, model)
        yield from panel_svg(gaps, Box(_LEFT + _PLOT + _BETWEEN, plot_top, _PLOT, _PLOT_HEIGHT))
    else:
        yield from panel_svg(spent, Box(_LEFT, plot_top, 2 * _PLOT + _BETWEEN, _PLOT_HEIGHT))
    yield from legend_svg(_legend(model), _LEGEND, plot_top + 44)


def _spent(model: ModelSimulation) -> Panel:
    step = -(-model.repeats // _MOST_POINTS)
    lines = []
    for strategy in model.strategies:
        spent = strategy.cumulative_usd
        chosen = [*range(0, len(spent) - 1, step), len(spent) - 1]
        points = tuple((float(index + 1), spent[index]) for index in chosen)
        lines.append(Line(strategy.name, _ORDER.index(strategy.name), points))
    half = (1 + model.repeats) // 2
    ticks = tuple((float(number), f"{number:,}") for number in sorted({1, half, model.repeats}))
    return Panel("US dollars spent so far", "requests", ticks, tuple(lines))


def _by_gap(simulation: Simulation, model: ModelSimulation) -> Panel:
    mean = "mean gap" if isinstance(simulation.options.arrivals, Poisson) else "gap"
    ranks = {strategy.name: number for number, strategy in enumerate(model.strategies)}
    curves = sorted(model.gap_curves, key=lambda curve: ranks[curve.name])
    lines = tuple(Line(curve.name, _ORDER.index(curve.name), curve.points) for curve in curves)
    shortest, longest = _GAP_TICKS[0][0], _GAP_TICKS[-1][0]
    flips = tuple((f.gap_seconds, f.after) for f in model.flip_points if shortest < f.gap_seconds < longest)
    title = f"US dollars for {plural(model.repeats, 'request')}, by {mean}"
    return Panel(title, f"{mean} between requests", _GAP_TICKS, lines, logarithmic=True, verticals=flips)


def _described(simulation: Simulation) -> Iterator[str]:
    for model in simulation.models:
        costs = ", ".join(f"{strategy.name} {display(strategy.cost_usd)}" for strategy in model.strategies)
        flips = spoken_flips(simulation, model)
        yield f"{model.model}: best is {spoken_best(model)}. Costs: {costs}.{f' {flips}.' if flips else ''}"
